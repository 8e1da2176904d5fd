// write_reports FOLDER RESULT...: a report of each result, named after its file, for the browser to look at.
#include <cstdio>
#include <filesystem>

#include "analysis/report.h"
#include "core/error.h"

int main(int count, char** arguments) {
  try {
    for (int i = 2; i < count; ++i) {
      const std::filesystem::path result = arguments[i];
      brokerlab::write_report({brokerlab::read_json_file(result)},
                              std::filesystem::path(arguments[1]) / (result.stem().string() + ".html"));
    }
  } catch (const brokerlab::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
