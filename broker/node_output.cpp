#include "broker/node_output.h"

#include <algorithm>
#include <fstream>
#include <vector>

namespace brokerlab {
namespace {

constexpr std::size_t kMostLines = 10;
constexpr char kError[] = "[error]";

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

// "2026-11-21 04:56:38.5+00:00 [error] <0.132.0> text" -> "text".
std::string without_stamp(const std::string& line) {
  const auto process = line.find("> ", line.find(kError));
  return process == std::string::npos ? "" : line.substr(process + 2);
}

}  // namespace

std::string reason_in_output(const std::filesystem::path& output) {
  std::ifstream file(output);
  std::vector<std::string> errors, lines;
  bool failed = false;
  for (std::string line; std::getline(file, line);) {
    failed = failed || line.find("BOOT FAILED") != std::string::npos;
    const bool error = line.find(kError) != std::string::npos;
    if (error && !failed && !is_blank(without_stamp(line))) errors.push_back(without_stamp(line));
    if (!is_blank(line)) lines.push_back(line);
  }
  if (lines.size() > kMostLines) lines.erase(lines.begin(), lines.end() - kMostLines);
  errors.resize(std::min(errors.size(), kMostLines));
  std::string text;
  for (const std::string& line : errors.empty() ? lines : errors) text += "\n    " + line;
  return text;
}

}  // namespace brokerlab
