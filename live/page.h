#pragma once

#include <string_view>
#include <vector>

namespace brokerlab::live {

// A file of the live page, built into the program.
struct PageFile {
  const char* path;
  const char* type;
  std::string_view text;
};

std::vector<PageFile> page_files();

}  // namespace brokerlab::live
