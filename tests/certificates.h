#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace brokerlab {

// Puts into `folder`, each as NAME.pem and NAME.key: the CAs `ca` and `foreign`; of the first, `server` (for
// localhost and broker.test) and `client` (CN=client); of the second, `stranger` (CN=client, too).
inline void make_certificates(const std::filesystem::path& folder) {
  static constexpr char kScript[] = R"(set -e
cd "$1"
key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
for ca in ca foreign; do
  openssl req -x509 $key -days 2 -subj "/CN=brokerlab test $ca" -keyout $ca.key -out $ca.pem
done
printf 'subjectAltName=DNS:localhost,DNS:broker.test' >server.ext
printf 'extendedKeyUsage=clientAuth' >client.ext
cp client.ext stranger.ext
signed() {
  openssl req $key -subj "/CN=$2" -keyout $1.key -out $1.csr
  openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem
}
signed server server ca
signed client client ca
signed stranger client foreign
)";
  const std::filesystem::path script = folder / "make.sh";
  std::ofstream(script) << kScript;
  const std::string command =
      "sh '" + script.string() + "' '" + folder.string() + "' >'" + (folder / "make.log").string() + "' 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace brokerlab
