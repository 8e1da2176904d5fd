#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab::report {

// Texts of results come from people, files and brokers: each of these makes one safe for the place it goes
// to.
std::string html_escaped(std::string_view text);      // element content and quoted attributes
std::string markdown_escaped(std::string_view text);  // running text and table cells; no links, no HTML
std::string shell_quoted(std::string_view text);      // one word of a POSIX command line
// JSON that can stand in a <script> element: ASCII only, without < > & and thus without "</script" and
// "<!--".
std::string script_json(const Json& value);

// Numbers for people, three significant digits. Nothing becomes "" (shown as "not measured").
std::string duration_text(std::optional<double> nanoseconds);
std::string count_text(std::optional<double> value);
std::string rate_text(std::optional<double> per_second);
std::string bytes_text(std::optional<double> bytes);
std::string share_text(std::optional<double> share);  // "12.3 %"
std::string index_text(std::optional<double> index);  // "0.998"
std::string ratio_text(std::optional<double> ratio);  // "2.05"

// "a", "a and b", "a, b and c".
std::string joined(const std::vector<std::string>& words);

}  // namespace brokerlab::report
