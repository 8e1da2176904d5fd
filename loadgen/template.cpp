#include "loadgen/template.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"

namespace brokerlab {
namespace {

const std::vector<std::string>& known_placeholders() {
  static const std::vector<std::string> known = {"sequence", "publisher", "instance", "time",
                                                 "id",       "random",    "number",   "choice"};
  return known;
}

[[noreturn]] void refuse(const std::string& what, std::string_view text, const std::string& remedy) {
  throw Error(what, "template \"" + std::string(text.substr(0, 80)) + "\"", remedy, ExitStatus::kUsage);
}

template <class Number>
void append_number(Number value, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, end);
}

// Seconds with six decimals, as a person would write a time.
void append_seconds(Nanoseconds time, std::string& out) {
  append_number(time / kNanosecondsPerSecond, out);
  const auto micros = static_cast<std::uint64_t>(time % kNanosecondsPerSecond / 1000 + 1'000'000);
  const std::size_t dot = out.size();
  append_number(micros, out);
  out[dot] = '.';
}

std::string json_escaped(const std::string& text) {
  const std::string quoted = Json(text).dump();
  return quoted.substr(1, quoted.size() - 2);
}

bool is_json_number(const std::string& text) {
  const Json value = Json::parse(text, nullptr, false);
  return value.is_number();
}

}  // namespace

Template::Segment Template::parse_placeholder(std::string_view name) {
  const std::string_view kind = name.substr(0, name.find(':'));
  const std::string_view rest = kind.size() < name.size() ? name.substr(kind.size() + 1) : std::string_view();
  if (kind == "sequence") return {.kind = Kind::kSequence};
  if (kind == "publisher") return {.kind = Kind::kPublisher};
  if (name == "instance") return {.kind = Kind::kInstance, .low = 0, .high = INT64_MAX};
  if (kind == "time") return {.kind = Kind::kTime};
  if (kind == "id") return {.kind = Kind::kRandom, .low = 1000, .high = 9999};
  if (kind == "random" || kind == "number" || kind == "instance") {
    Segment segment{.kind = kind == "random"   ? Kind::kRandom
                            : kind == "number" ? Kind::kNumber
                                               : Kind::kInstance};
    const char* end = rest.data() + rest.size();
    const auto low = std::from_chars(rest.data(), end, segment.low);
    const bool dash = low.ec == std::errc() && low.ptr != end && *low.ptr == '-';
    const auto high = dash ? std::from_chars(low.ptr + 1, end, segment.high) : low;
    if (!dash || high.ec != std::errc() || high.ptr != end || segment.low > segment.high) {
      refuse("{" + std::string(kind) + "} needs two whole numbers", name,
             "write it like {" + std::string(kind) + ":1-5}");
    }
    return segment;
  }
  if (kind == "choice") {
    Segment segment{.kind = Kind::kChoice};
    for (std::size_t from = 0; from <= rest.size();) {
      const std::size_t bar = std::min(rest.find('|', from), rest.size());
      segment.options.emplace_back(rest.substr(from, bar - from));
      from = bar + 1;
    }
    return segment;
  }
  const std::string near = nearest_word(kind, known_placeholders());
  refuse("unknown placeholder {" + std::string(name) + "}", name,
         near.empty() ? "known are sequence, publisher, instance, time, id, random, number and choice; {{ "
                        "and }} stand for braces"
                      : "did you mean {" + near + "}? {{ and }} stand for braces");
}

// How many numbers there are from LOW to HIGH. All 2^64 of them are more than any sequence counts.
std::uint64_t Template::numbers_of(const Segment& segment) {
  const std::uint64_t span =
      static_cast<std::uint64_t>(segment.high) - static_cast<std::uint64_t>(segment.low);
  return span == UINT64_MAX ? span : span + 1;
}

// The instances go round the numbers from LOW to HIGH.
std::int64_t Template::instance_number(const Segment& segment, std::uint32_t instance) {
  return segment.low + static_cast<std::int64_t>(instance % numbers_of(segment));
}

void Template::add_text(std::string_view text) {
  if (text.empty()) return;
  if (segments_.empty() || segments_.back().kind != Kind::kText) segments_.push_back({.kind = Kind::kText});
  segments_.back().text += text;
}

Template Template::of_text(std::string_view text) {
  Template result;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      const std::size_t end = std::min(text.find_first_of("{}", i), text.size());
      result.add_text(text.substr(i, end - i));
      i = end;
    } else if (i + 1 < text.size() && text[i + 1] == c) {
      result.add_text(text.substr(i, 1));
      i += 2;
    } else {
      const std::size_t end = text.find('}', i);
      if (c == '}' || end == std::string_view::npos)
        refuse("unpaired brace", text, "write {{ or }} for a brace");
      result.segments_.push_back(parse_placeholder(text.substr(i + 1, end - i - 1)));
      i = end + 1;
    }
  }
  return result;
}

void Template::add_json_text(const std::string& value) {
  Template text = of_text(value);
  const bool alone = text.segments_.size() == 1 && text.segments_[0].kind != Kind::kText;
  const bool number = alone && (text.segments_[0].kind != Kind::kChoice ||
                                std::all_of(text.segments_[0].options.begin(),
                                            text.segments_[0].options.end(), is_json_number));
  if (!number) add_text("\"");
  for (Segment& segment : text.segments_) {
    if (segment.kind == Kind::kText) {
      add_text(json_escaped(segment.text));
      continue;
    }
    for (std::string& option : segment.options) option = json_escaped(option);
    segments_.push_back(std::move(segment));
  }
  if (!number) add_text("\"");
}

void Template::add_json(const Json& value) {
  if (value.is_string()) {
    add_json_text(value.get<std::string>());
  } else if (value.is_object()) {
    const char* before = "{";
    for (const auto& [key, member] : value.items()) {
      add_text(before + Json(key).dump() + ":");
      add_json(member);
      before = ",";
    }
    add_text(value.empty() ? "{}" : "}");
  } else if (value.is_array()) {
    const char* before = "[";
    for (const Json& element : value) {
      add_text(before);
      add_json(element);
      before = ",";
    }
    add_text(value.empty() ? "[]" : "]");
  } else {
    add_text(value.dump());
  }
}

Template Template::of_json(const Json& value) {
  Template result;
  result.add_json(value);
  return result;
}

void Template::render_segment(const Segment& segment, const MessageContext& context, Random& random,
                              std::string& out) {
  switch (segment.kind) {
    case Kind::kText:
      out += segment.text;
      break;
    case Kind::kSequence:
      append_number(context.sequence, out);
      break;
    case Kind::kPublisher:
      append_number(context.publisher, out);
      break;
    case Kind::kInstance:
      append_number(instance_number(segment, context.instance), out);
      break;
    case Kind::kTime:
      append_seconds(context.intended_ns, out);
      break;
    case Kind::kRandom:
      append_number(random.between(segment.low, segment.high), out);
      break;
    case Kind::kNumber:
      append_number(segment.low + static_cast<std::int64_t>(context.sequence % numbers_of(segment)), out);
      break;
    case Kind::kChoice:
      out += segment.options[random.below(segment.options.size())];
      break;
  }
}

void Template::render(const MessageContext& context, Random& random, std::string& out) const {
  for (const Segment& segment : segments_) render_segment(segment, context, random, out);
}

bool Template::constant() const {
  return std::all_of(segments_.begin(), segments_.end(),
                     [](const Segment& s) { return s.kind == Kind::kText; });
}

std::optional<std::vector<std::string>> Template::all(std::uint32_t instances, std::size_t limit) const {
  std::vector<std::string> texts;
  for (std::uint32_t instance = 0; instance < instances; ++instance) {
    std::vector<std::string> of_instance = {""};
    for (const Segment& segment : segments_) {
      std::vector<std::string> parts = segment.options;
      if (segment.kind == Kind::kText) parts = {segment.text};
      if (segment.kind == Kind::kInstance) parts = {std::to_string(instance_number(segment, instance))};
      if (parts.empty() || of_instance.size() * parts.size() > limit) return std::nullopt;
      std::vector<std::string> longer;
      for (const std::string& start : of_instance) {
        for (const std::string& part : parts) longer.push_back(start + part);
      }
      of_instance = std::move(longer);
    }
    for (std::string& text : of_instance) {
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
    }
    if (texts.size() > limit) return std::nullopt;
  }
  return texts;
}

}  // namespace brokerlab
