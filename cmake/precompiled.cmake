# Headers of other people that most files include, parsed once instead of two hundred times: a clean build takes a quarter
# less time. One precompiled header serves all rooms, a second one all tests. Off by default so that a compile database
# without it can be had (clang-tidy cannot read GCC's); script/build turns it on.
set(headers <algorithm> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <optional> <set> <span> <string>
            <string_view> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Lets ccache see which precompiled header a file was built with; CCACHE_SLOPPINESS in script/build is the other half.
  add_compile_options(-fpch-preprocess)
else()
  # The same for Clang: without it a precompiled header holds the time it was made at, and is never found again.
  add_compile_options(-Xclang -fno-pch-timestamp)
endif()

# The first target to ask for a kind ("room", "test") builds its precompiled header, the others use that one.
function(precompile target kind)
  if(NOT BROKERLAB_PRECOMPILE)
    return()
  endif()
  get_property(first GLOBAL PROPERTY precompiled_${kind})
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    set(more)
    if(kind STREQUAL test)
      set(more <gtest/gtest.h>)
    endif()
    target_precompile_headers(${target} PRIVATE ${headers} ${more})
    set_property(GLOBAL PROPERTY precompiled_${kind} ${target})
  endif()
endfunction()
