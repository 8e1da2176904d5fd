#pragma once

#include <filesystem>
#include <memory>

#include "core/json.h"
#include "experiments/origin.h"

namespace brokerlab {

// An experiment or role file as read, before anything is merged. Comments are allowed.
struct SourceFile {
  std::filesystem::path file;
  std::shared_ptr<const SourceText> text;
  Json document;

  // The folder that relative paths in it start from.
  std::filesystem::path directory() const;
};

// Throws Error (kUsage) for a file that cannot be read, is larger than 4 MiB or is no JSON.
SourceFile read_source_file(const std::filesystem::path& file);

}  // namespace brokerlab
