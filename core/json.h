#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace brokerlab {

// Keys keep the order in which they were written: results and reports are read by people.
using Json = nlohmann::ordered_json;
using JsonPointer = nlohmann::ordered_json::json_pointer;

// Parses JSON with // and /* */ comments. Throws Error (kUsage) with `source`:line:column, what was expected
// there; also for a key that stands twice in one object, and for nesting deeper than kDeepestNesting.
inline constexpr std::size_t kDeepestNesting = 256;
Json parse_json(std::string_view text, const std::string& source);

// Reads and parses a file; `limit_bytes` bounds what is read. Throws Error when it cannot be read or parsed.
Json read_json_file(const std::filesystem::path& path, std::size_t limit_bytes = std::size_t{64} << 20);

// Writes pretty JSON by a temporary file, fsync and rename, so that a reader never sees half of it.
// Throws Error naming the path when the folder cannot be written.
void write_json_file(const std::filesystem::path& path, const Json& value);

// The line (from 1) on which the value at `pointer` begins in `text`; the nearest existing ancestor's line
// when the pointer does not exist. Scans the text again: for error messages only.
int line_of(std::string_view text, const JsonPointer& pointer);

// The candidate nearest to `word` by edit distance, or "" when none is near enough to be meant.
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

// RFC 7396 merge patch, keeping key order, with one addition: an object whose keys are all decimal indices,
// applied to an array, patches the entries at those indices (null removes one, the index one past the end
// adds one). Throws Error (kUsage) for an index further out.
void merge_patch(Json& target, const Json& patch);

}  // namespace brokerlab
