#include "analysis/report_text.h"

#include <fmt/format.h>

#include <cmath>

#include "core/units.h"

namespace brokerlab::report {
namespace {

bool shell_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./:=,+@%").find(c) != std::string_view::npos;
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string markdown_escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      safe += ' ';
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '&') {
      safe += "&amp;";
    } else if (std::string_view("\\`*_[]#|~").find(c) != std::string_view::npos) {
      safe += '\\';
      safe += c;
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string shell_quoted(std::string_view text) {
  bool plain = !text.empty();
  for (const char c : text) plain = plain && shell_safe(c);
  if (plain) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string script_json(const Json& value) {
  std::string safe;
  for (const char c : value.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (c == '<' || c == '>' || c == '&') {
      safe += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string duration_text(std::optional<double> nanoseconds) {
  if (!nanoseconds) return "";
  std::string text = format_duration(std::llround(*nanoseconds));
  if (text.ends_with(" us")) text.replace(text.size() - 2, 1, "µ");
  return text;
}

std::string count_text(std::optional<double> value) {
  if (!value) return "";
  if (*value == std::floor(*value) && *value >= 0) return format_count(static_cast<std::uint64_t>(*value));
  return fmt::format("{:.3g}", *value);
}

std::string rate_text(std::optional<double> per_second) { return per_second ? format_rate(*per_second) : ""; }

std::string bytes_text(std::optional<double> bytes) {
  return bytes ? format_bytes(static_cast<std::uint64_t>(std::llround(std::max(0.0, *bytes)))) : "";
}

std::string share_text(std::optional<double> share) {
  if (!share) return "";
  return *share == 0 || *share == 1 ? fmt::format("{} %", *share * 100)
                                    : fmt::format("{:.3g} %", *share * 100);
}

std::string index_text(std::optional<double> index) { return index ? fmt::format("{:.3f}", *index) : ""; }

std::string ratio_text(std::optional<double> ratio) { return ratio ? fmt::format("{:.3g}", *ratio) : ""; }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace brokerlab::report
