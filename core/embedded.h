#pragma once

#include <cstddef>
#include <string_view>

// Defines `std::string_view function()`: the text of a file that cmake/embed.cmake put into the program.
// `symbol` is its name with '_' for every other character.
#define BROKERLAB_EMBEDDED(function, symbol)                                                            \
  extern "C" const char brokerlab_embedded_##symbol[], brokerlab_embedded_##symbol##_end[];             \
  std::string_view function() {                                                                         \
    return {brokerlab_embedded_##symbol,                                                                \
            static_cast<std::size_t>(brokerlab_embedded_##symbol##_end - brokerlab_embedded_##symbol)}; \
  }
