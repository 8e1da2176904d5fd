#include "roles/role_spec.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& remedy) {
  throw Error(what, where, remedy, ExitStatus::kUsage);
}

void parse_ack(const std::string& text, ConsumeSpec& consume) {
  if (text == "auto") {
    consume.ack = AckMode::kAuto;
  } else if (text == "manual") {
    consume.ack = AckMode::kManual;
  } else {
    consume.ack = AckMode::kMultiple;
    const std::string_view digits = std::string_view(text).substr(0, text.size() - 1);
    const bool shaped = text.starts_with("multiple(") && text.ends_with(")");
    const char* end = digits.data() + digits.size();
    if (!shaped || std::from_chars(digits.data() + 9, end, consume.multiple).ptr != end ||
        consume.multiple == 0) {
      refuse("unknown acknowledgement \"" + text + "\"", "consume.ack", "use auto, manual or multiple(100)");
    }
  }
}

ConsumeSpec parse_consume(const Json& json) {
  ConsumeSpec consume;
  consume.queue = json.at("queue").get<std::string>();
  consume.prefetch = json.value("prefetch", std::uint16_t{0});
  parse_ack(json.value("ack", "manual"), consume);
  if (json.contains("get")) consume.get_ns = parse_duration(json.at("get"));
  consume.subscribe_after_load = json.value("subscribe", "before_load") == "after_load";
  if (json.contains("read_coalescing"))
    consume.read_coalescing_ns = parse_duration(json.at("read_coalescing"));
  consume.exclusive = json.value("exclusive", false);
  if (json.contains("priority")) consume.priority = json.at("priority").get<int>();
  if (json.contains("arguments")) consume.arguments = json.at("arguments");
  if (json.contains("channel_prefetch"))
    consume.channel_prefetch = json.at("channel_prefetch").get<std::uint16_t>();
  if (json.contains("rate")) consume.rate_per_s = json.at("rate").get<double>();
  consume.transaction = json.value("transaction", 0U);
  if (json.contains("start")) {
    const Json& start = json.at("start");
    if (start.contains("after")) consume.start_after_ns = parse_duration(start.at("after"));
    if (start.contains("every")) consume.start_every_ns = parse_duration(start.at("every"));
  }
  if (consume.get_ns == 0) refuse("polling without a pause", "consume.get", "give an interval above 0");
  return consume;
}

EffortSpec parse_effort(const Json& json) {
  EffortSpec effort;
  const std::string kind = json.value("kind", "none");
  if (kind == "none") return effort;
  if (kind != "sleep" && kind != "spin")
    refuse("unknown effort \"" + kind + "\"", "effort.kind", "use none, sleep or spin");
  effort.kind = kind == "sleep" ? EffortSpec::Kind::kSleep : EffortSpec::Kind::kSpin;
  if (json.contains("scale")) effort.scale_ns = parse_duration(json.at("scale"));
  if (json.contains("from") == json.contains("seconds")) {
    refuse("an effort needs its length", "effort", "give one of \"seconds\" and \"from\"");
  }
  if (json.contains("seconds") && json.at("seconds").is_object() && json.at("seconds").contains("profile")) {
    effort.profile = std::make_shared<const Profile>(
        Profile::from_json(json.at("seconds").at("profile"), number_of_seconds));
  } else if (json.contains("seconds")) {
    effort.seconds = Distribution::from_json(json.at("seconds"), number_of_seconds);
  } else if (const auto from = json.at("from").get<std::string>(); from == "dots") {
    effort.source = EffortSpec::Source::kDots;
  } else {
    effort.source = EffortSpec::Source::kPointer;
    effort.pointer = JsonPointer(from);
  }
  return effort;
}

Otherwise parse_otherwise(const std::string& text) {
  if (text == "ack") return Otherwise::kAck;
  if (text == "ignore") return Otherwise::kIgnore;
  if (text == "nack") return Otherwise::kNack;
  if (text == "requeue") return Otherwise::kRequeue;
  if (text == "dead_letter") return Otherwise::kDeadLetter;
  refuse("unknown way out \"" + text + "\"", "otherwise", "use ack, ignore, nack, requeue or dead_letter");
}

Output parse_output(const std::string& name, const Json& json) {
  Output output{name,
                json.value("exchange", ""),
                std::nullopt,
                json.value("mandatory", true),
                json.value("persistent", false),
                json.value("verify", false)};
  if (json.contains("routing_key")) output.routing_key = json.at("routing_key").get<std::string>();
  return output;
}

// `publish` is the one output of the rule of when and set; a behaviour has several, known to it by name.
std::vector<Output> parse_outputs(const Json& entry) {
  std::vector<Output> outputs;
  if (entry.contains("publish") && !entry.at("publish").is_null()) {
    outputs.push_back(parse_output("", entry.at("publish")));
    outputs.back().reply = entry.at("publish").value("reply", false);
    if (outputs.back().reply) {
      outputs.back().routing_key.reset();  // each message brings its own
      outputs.back().mandatory = false;    // where a reply goes is no queue: the broker would send it back
    } else if (!outputs.back().routing_key) {
      outputs.back().routing_key = "";
    }
  }
  const Json named = entry.value("outputs", Json::object());
  for (const auto& [name, output] : named.items()) {
    outputs.push_back(parse_output(name, output));
  }
  return outputs;
}

}  // namespace

bool RoleSpec::settles_at_once() const {
  return effort.kind == EffortSpec::Kind::kNone && when.is_null() && set.is_null() && outputs.empty() &&
         behaviour == "rule" && !refuses() && !consume.rate_per_s;
}

bool RoleSpec::replies() const {
  return std::any_of(outputs.begin(), outputs.end(), [](const Output& output) { return output.reply; });
}

bool RoleSpec::looks_at_body() const {
  return effort.source != EffortSpec::Source::kSeconds || !when.is_null() || !set.is_null() ||
         !outputs.empty() || behaviour != "rule";
}

std::size_t RoleSpec::output(const std::string& name) const {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].name == name) return i;
  }
  refuse("behaviour " + behaviour + " needs an output \"" + name + "\"", "role " + role,
         "add it to \"outputs\": where such messages go");
}

RoleSpec RoleSpec::from_json(const Json& entry) try {
  RoleSpec spec;
  spec.role = entry.at("role").get<std::string>();
  spec.instances = entry.value("instances", 1U);
  spec.processes = entry.value("processes", 1U);
  spec.channels_per_connection = entry.value("channels_per_connection", 1U);
  spec.consume = parse_consume(entry.at("consume"));
  if (entry.contains("effort")) spec.effort = parse_effort(entry.at("effort"));
  // An empty condition and an empty patch are what a file with all defaults filled in says for "none".
  if (entry.contains("when") && !entry.at("when").empty()) spec.when = entry.at("when");
  if (entry.contains("set") && !entry.at("set").empty()) spec.set = entry.at("set");
  spec.outputs = parse_outputs(entry);
  spec.behaviour = entry.value("behaviour", "rule");
  spec.settings = entry.value("settings", Json::object());
  spec.record_keys = entry.value("record_keys", false);
  spec.otherwise = parse_otherwise(entry.value("otherwise", "ack"));
  const Json settle = entry.value("settle", Json::object());
  spec.nack_share = settle.value("nack", 0.0);
  spec.requeue_share = settle.value("requeue", 0.0);
  return spec;
} catch (const Json::exception& error) {
  throw Error(std::string("this entry of roles cannot be used: ") + error.what(),
              "role " + entry.value("role", ""), "check it with `brokerlab validate`", ExitStatus::kUsage);
}

}  // namespace brokerlab
