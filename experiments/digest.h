#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/json.h"

namespace brokerlab {

// Lower-case hexadecimal SHA-256.
std::string sha256(std::string_view bytes);
// Of a file's content, read in pieces. Throws Error when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);
// Of a value whatever the order of its keys.
std::string sha256_of_json(const Json& value);

}  // namespace brokerlab
