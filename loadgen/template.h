#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"

namespace brokerlab {

// What a message's text may depend on besides the seed.
struct MessageContext {
  std::uint64_t sequence = 0;   // of the publisher, from 0
  std::uint32_t publisher = 0;  // unique within the run
  std::uint32_t instance = 0;   // within the entry of `load`
  Nanoseconds intended_ns = 0;  // from the start of the load
};

// Text with placeholders, compiled once and rendered without allocation of its own (beyond the growth of
// `out`): {sequence} {publisher} {instance} {instance:LOW-HIGH} (going round) {time} (seconds from the start,
// intended) {id} (random 1000-9999) {random:LOW-HIGH} {number:LOW-HIGH} (one after the other, by the
// sequence) {choice:a|b|c}; {{ and }} stand for braces.
class Template {
 public:
  // Throws Error (kUsage) for an unknown placeholder or an unpaired brace, with the nearest known one.
  static Template of_text(std::string_view text);
  // JSON whose text values, at any depth, are templates. A value that is one placeholder and renders to a
  // number becomes a JSON number, so that {"effort": "{random:1-5}"} can be read as one.
  static Template of_json(const Json& value);

  void render(const MessageContext& context, Random& random, std::string& out) const;
  bool constant() const;
  // Every text this template can render for instances 0 … instances-1; nothing when they are more than
  // `limit`.
  std::optional<std::vector<std::string>> all(std::uint32_t instances, std::size_t limit) const;

 private:
  enum class Kind { kText, kSequence, kPublisher, kInstance, kTime, kRandom, kNumber, kChoice };
  struct Segment {
    Kind kind = Kind::kText;
    std::string text = {};
    std::int64_t low = 0, high = 0;
    std::vector<std::string> options = {};
  };

  static Segment parse_placeholder(std::string_view name);
  static std::uint64_t numbers_of(const Segment& segment);
  static std::int64_t instance_number(const Segment& segment, std::uint32_t instance);
  void add_text(std::string_view text);
  void add_json(const Json& value);
  void add_json_text(const std::string& value);
  static void render_segment(const Segment& segment, const MessageContext& context, Random& random,
                             std::string& out);

  std::vector<Segment> segments_;
};

}  // namespace brokerlab
