#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace brokerlab {

// The shortest document random_json_bodies() can make.
inline constexpr std::size_t kLeastJsonBody = 8;

// `count` JSON objects of exactly `bytes` bytes each, of texts by chance under `fields` different names; the
// same ones every time.
std::vector<std::string> random_json_bodies(int count, std::size_t bytes, int fields);

}  // namespace brokerlab
