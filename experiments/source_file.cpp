#include "experiments/source_file.h"

#include <fstream>
#include <sstream>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr std::size_t kLargestFileBytes = std::size_t{4} << 20;

}  // namespace

std::filesystem::path SourceFile::directory() const {
  return std::filesystem::absolute(file).parent_path().lexically_normal();
}

SourceFile read_source_file(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::file_size(file, error) > kLargestFileBytes) {
    throw Error("larger than 4 MiB", file.string(), "data belongs into files of its own, beside this one",
                ExitStatus::kUsage);
  }
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  if (!stream) {
    throw Error("cannot read the file", file.string(), "check that it may be read", ExitStatus::kUsage);
  }
  auto text = std::make_shared<SourceText>(SourceText{file.string(), content.str()});
  Json document = parse_json(text->text, text->name);
  return {file, std::move(text), std::move(document)};
}

}  // namespace brokerlab
