#pragma once

#include <filesystem>
#include <string_view>

namespace brokerlab {

// Writes a finished plot or report through a temporary file beside it and a rename, so that a reader never
// sees half of it. Throws Error (kFailed) naming the path and the system's reason.
void write_text_file(const std::filesystem::path& path, std::string_view content);

}  // namespace brokerlab
