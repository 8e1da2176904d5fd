#include "broker/ports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "core/error.h"

namespace brokerlab {

bool port_is_free(std::uint16_t port) {
  int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  // Erlang listens with SO_REUSEADDR: connections of an earlier broker in TIME_WAIT do not matter to it.
  int yes = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  bool free = ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
              ::listen(descriptor, 1) == 0;
  ::close(descriptor);
  return free;
}

std::vector<std::uint16_t> free_ports(int count) {
  std::random_device entropy;
  std::uniform_int_distribution<int> any(kLowestPort, kHighestPort);
  std::vector<std::uint16_t> ports;
  for (int tries = 0; static_cast<int>(ports.size()) < count; ++tries) {
    if (tries > 2000) {
      throw Error("no free ports on 127.0.0.1 for a private broker",
                  std::to_string(kLowestPort) + "-" + std::to_string(kHighestPort),
                  "end programs that listen there (brokerlab cleanup removes what killed runs left)");
    }
    auto port = static_cast<std::uint16_t>(any(entropy));
    if (std::find(ports.begin(), ports.end(), port) == ports.end() && port_is_free(port))
      ports.push_back(port);
  }
  return ports;
}

}  // namespace brokerlab
