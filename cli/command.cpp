#include "cli/command.h"

#include <cctype>

namespace brokerlab {

std::string environment_name(const std::string& names) {
  const auto dashes = names.find("--");
  std::string name = "BROKERLAB_";
  for (const char c : names.substr(dashes + 2)) {
    if (c == ',') break;
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

CLI::Option* add_switch(CLI::App& command, const std::string& names, bool& value,
                        const std::string& description) {
  return command.add_flag(names, value, description)->envname(environment_name(names));
}

}  // namespace brokerlab
