#include "analysis/environment.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <optional>

namespace brokerlab {
namespace {

constexpr std::array<std::string_view, 8> kSecretWords = {"password", "passwd", "secret",      "token",
                                                          "cookie",   "apikey", "credentials", "passphrase"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return result;
}

bool names_a_secret(std::string_view option) {
  const std::string text = lower(option);
  return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

// The value of the first line "key : value" of a file such as /proc/cpuinfo.
std::optional<std::string> value_in(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto at = line.find(separator);
    if (at == std::string::npos || line.compare(0, key.size(), key) != 0) continue;
    const auto start = line.find_first_not_of(" \t\"", at + 1);
    if (start == std::string::npos) return std::nullopt;
    return line.substr(start, line.find_last_not_of(" \t\"") + 1 - start);
  }
  return std::nullopt;
}

std::optional<std::string> first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line.empty()) return std::nullopt;
  return line;
}

Json host() {
  Json host = Json::object();
  char link[128];
  if (const auto length = readlink("/proc/self/ns/time", link, sizeof link); length > 0)
    host["time_namespace"] = std::string(link, static_cast<std::size_t>(length));
  host["clock"] = "CLOCK_MONOTONIC";  // core/clock.h knows no other
  if (const auto source = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
    host["clock_source"] = *source;
  if (const auto boot = first_line("/proc/sys/kernel/random/boot_id")) host["boot_id"] = *boot;
  if (const auto model = value_in("/proc/cpuinfo", "model name", ':')) host["cpu_model"] = *model;
  if (const long cores = sysconf(_SC_NPROCESSORS_ONLN); cores > 0) host["cores"] = cores;
  const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0) host["memory_bytes"] = std::int64_t{pages} * page_bytes;
  if (const auto system = value_in("/etc/os-release", "PRETTY_NAME", '=')) host["operating_system"] = *system;
  utsname name{};
  if (uname(&name) == 0) {
    host["hostname"] = name.nodename;
    host["kernel"] = std::string(name.sysname) + " " + name.release;
    host["architecture"] = name.machine;
  }
  return host;
}

// Every string inside, at any depth; values of keys that name a secret are dropped.
Json cleaned(const Json& value) {
  if (value.is_string()) return without_credentials(value.get_ref<const std::string&>());
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(cleaned(item));
    return list;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [key, item] : value.items())
    if (!names_a_secret(key)) object[key] = cleaned(item);
  return object;
}

}  // namespace

std::string without_credentials(std::string_view text) {
  std::string result;
  for (;;) {
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos) return result.append(text);
    const auto start = scheme + 3;
    result.append(text.substr(0, start));
    text.remove_prefix(start);
    // A URI ends at white space or a quotation mark. A password may hold '/' and '@' unescaped: everything up
    // to the last '@' goes, too much rather than too little. So does a query, which may hold a password as
    // well.
    const auto end = std::min(text.find_first_of(" \t\n\"'<>"), text.size());
    std::string_view uri = text.substr(0, end);
    text.remove_prefix(end);
    if (const auto at = uri.rfind('@'); at != std::string_view::npos) uri.remove_prefix(at + 1);
    result.append(uri.substr(0, uri.find('?')));
  }
}

std::vector<std::string> blot_secrets(const std::vector<std::string>& command) {
  std::vector<std::string> blotted;
  bool secret_follows = false;
  for (const std::string& argument : command) {
    if (secret_follows) {
      blotted.push_back("***");
      secret_follows = false;
      continue;
    }
    const auto equals = argument.find('=');
    if (names_a_secret(std::string_view(argument).substr(0, equals))) {
      if (equals != std::string::npos) {
        blotted.push_back(argument.substr(0, equals + 1) + "***");
        continue;
      }
      secret_follows = argument.starts_with('-');
    }
    blotted.push_back(without_credentials(argument));
  }
  return blotted;
}

Json describe_environment(const EnvironmentInput& input) {
  Json environment = {{"host", host()},
                      {"broker", cleaned(input.broker)},
                      {"versions", cleaned(input.versions)},
                      {"command", blot_secrets(input.command)},
                      {"tls_insecure", input.tls_insecure}};
  if (!input.tags.empty()) environment["tags"] = cleaned(input.tags);
  return environment;
}

}  // namespace brokerlab
