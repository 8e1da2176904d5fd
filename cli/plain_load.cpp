#include "cli/plain_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <utility>

#include "cli/json_bodies.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr double kDefaultSeconds = 10;
// The end of a plain that ends by a count, should that never be reached.
constexpr char kLongest[] = "1h";
constexpr double kLongestSteps_s = 3600;
constexpr std::size_t kMostJsonBytes = std::size_t{16} << 20;

[[noreturn]] void refuse(const std::string& what, const std::string& option, const std::string& remedy) {
  throw Error(what, option, remedy, ExitStatus::kUsage);
}

std::string seconds_text(double seconds) { return fmt::format("{}s", seconds); }

// "x-max-length=10" -> a number, true or false where it is one, else text.
std::pair<std::string, Json> key_and_value(const std::string& text, const std::string& option) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos)
    refuse("\"" + text + "\" is no KEY=VALUE", option, option + " x-max-length=10");
  const std::string value = text.substr(equals + 1);
  const Json read = Json::parse(value, nullptr, false);
  const bool plain = read.is_number() || read.is_boolean();
  return {text.substr(0, equals), plain ? read : Json(value)};
}

Json arguments_of(const std::vector<std::string>& words, const std::string& option) {
  Json arguments = Json::object();
  for (const std::string& word : words) {
    const auto [key, value] = key_and_value(word, option);
    arguments[key] = value;
  }
  return arguments;
}

// One "VALUE:SECONDS" of --variable-rate and its like.
struct Interval {
  double value = 0, seconds = 0;
};

std::vector<Interval> intervals_of(const std::vector<std::string>& words, const std::string& option) {
  std::vector<Interval> intervals;
  for (const std::string& word : words) {
    Interval interval;
    const char* end = word.data() + word.size();
    const auto value = std::from_chars(word.data(), end, interval.value);
    const bool colon = value.ec == std::errc() && value.ptr != end && *value.ptr == ':';
    const auto seconds = colon ? std::from_chars(value.ptr + 1, end, interval.seconds) : value;
    if (!colon || seconds.ec != std::errc() || seconds.ptr != end || interval.seconds <= 0 ||
        interval.value < 0) {
      refuse("\"" + word + "\" is no VALUE:SECONDS", option, option + " 100:10");
    }
    intervals.push_back(interval);
  }
  return intervals;
}

bool has_flag(const PlainLoad& plain, const char* flag) {
  return std::find(plain.flags.begin(), plain.flags.end(), flag) != plain.flags.end();
}

double length_s(const PlainLoad& plain) { return plain.seconds.value_or(kDefaultSeconds); }

// Where messages go: the queues, the exchange between, and how a publisher and a consumer name them.
class Ways {
 public:
  explicit Ways(const PlainLoad& plain) : plain_(plain) {
    add_queues();
    add_exchange();
  }

  const Json& topology() const { return topology_; }
  const Json& routing_key() const { return key_; }
  const std::string& exchange() const { return exchange_; }
  const std::string& consumed() const { return consumed_; }

 private:
  bool pattern() const { return !plain_.queue_pattern.empty(); }

  void add_queues() {
    Json queue = {{"name", plain_.queue}};
    if (pattern()) {
      const std::size_t at = plain_.queue_pattern.find("%d");
      if (at == std::string::npos)
        refuse("\"" + plain_.queue_pattern + "\" has no number in it", "--queue-pattern", "work-%d");
      if (plain_.queue_to < plain_.queue_from)
        refuse("the numbers of the queues end before they begin", "--queue-pattern-to",
               "-qp work-%d -qpf 1 -qpt 10");
      const auto numbered = [&](const std::string& number) {
        return std::string(plain_.queue_pattern).replace(at, 2, number);
      };
      queue["name"] = numbered("{i}");
      queue["copies"] = plain_.queue_to - plain_.queue_from + 1;
      queue["first"] = plain_.queue_from;
      to_queue_ = {
          {"template", numbered(fmt::format("{{instance:{}-{}}}", plain_.queue_from, plain_.queue_to))}};
    } else if (plain_.exclusive) {
      // One for each consumer, and each gets every message.
      queue["name"] = plain_.queue + "-{i}";
      queue["copies"] = std::max(plain_.consumers * plain_.consumer_channels, 1);
    } else {
      to_queue_ = plain_.queue;
    }
    consumed_ = queue["name"];
    queue.update(properties());
    topology_ = {{"queues", Json::array({queue})}};
  }

  Json properties() const {
    if (plain_.predeclared) return {{"predeclared", true}};
    if (plain_.quorum && plain_.stream)
      refuse("a queue is a quorum queue or a stream", "--quorum-queue, --stream-queue", "give one of them");
    Json arguments = arguments_of(plain_.queue_arguments, "--queue-args");
    if (plain_.quorum) arguments["x-queue-type"] = "quorum";
    if (plain_.stream) arguments["x-queue-type"] = "stream";
    if (plain_.max_length_bytes.value_or(0) > 0) arguments["x-max-length-bytes"] = *plain_.max_length_bytes;
    if (plain_.max_segment_bytes) arguments["x-stream-max-segment-size-bytes"] = *plain_.max_segment_bytes;
    if (!plain_.leader_locator.empty()) arguments["x-queue-leader-locator"] = plain_.leader_locator;
    if (!plain_.max_age.empty()) arguments["x-max-age"] = plain_.max_age;
    const std::string type = arguments.value("x-queue-type", std::string());
    Json properties = Json::object();
    if (type == "quorum" || type == "stream" || has_flag(plain_, "persistent")) properties["durable"] = true;
    if (plain_.auto_delete) properties["auto_delete"] = true;
    if (plain_.exclusive) properties["exclusive"] = true;
    if (!arguments.empty()) properties["arguments"] = arguments;
    return properties;
  }

  void add_exchange() {
    const bool wanted = plain_.exchange || plain_.type || plain_.routing_key || plain_.random_routing_key ||
                        plain_.skip_binding || (plain_.exclusive && !pattern());
    exchange_ = !wanted ? "" : plain_.exchange.value_or(plain_.type.value_or("direct"));
    key_ = exchange_.empty() ? to_queue_ : Json(plain_.routing_key.value_or("load"));
    if (exchange_.empty() && plain_.routing_key) key_ = *plain_.routing_key;
    if (!exchange_.empty() && pattern() && !plain_.routing_key) key_ = to_queue_;
    if (plain_.random_routing_key) key_ = {{"random", plain_.routing_key_cache}};
    if (exchange_.empty()) return;
    const bool brokers_own = exchange_.starts_with("amq.");
    const std::string type = plain_.type.value_or("direct");
    if (!brokers_own) {
      Json exchange = {{"name", exchange_}, {"type", type}};
      if (plain_.predeclared) exchange["predeclared"] = true;
      topology_["exchanges"] = Json::array({exchange});
    }
    // Bindings between what was there before would stay there after the run.
    if (plain_.skip_binding || plain_.predeclared) return;
    std::string key = plain_.routing_key.value_or(pattern() ? consumed_ : "load");
    if (type == "x-consistent-hash" && !plain_.routing_key) key = "1";  // the weight
    topology_["bindings"] =
        Json::array({{{"exchange", exchange_}, {"queue", consumed_}, {"routing_key", key}}});
  }

  const PlainLoad& plain_;
  Json topology_, key_, to_queue_;
  std::string exchange_, consumed_;
};

// Of each publisher; nothing: until the time is over. Consumers take what is published and no more, so that
// their number of messages is one of the publishers'.
std::optional<std::uint64_t> count_of(const PlainLoad& plain) {
  if (plain.producer_messages.value_or(0) > 0) return plain.producer_messages;
  if (plain.consumer_messages.value_or(0) == 0) return std::nullopt;
  if (plain.producers <= 0 || plain.consumers <= 0)
    refuse("without publishers and consumers there is no number of messages to be taken", "--cmessages",
           "-z SECONDS says how long it lasts");
  const bool shared = !plain.exclusive;  // exclusive queues: each consumer gets every message
  const auto consumers = static_cast<std::uint64_t>(plain.consumers) * plain.consumer_channels;
  const auto publishers = static_cast<std::uint64_t>(plain.producers) * plain.producer_channels;
  const std::uint64_t all = *plain.consumer_messages * (shared ? consumers : 1);
  return (all + publishers - 1) / publishers;
}

Json arrivals_of(const PlainLoad& plain) {
  if (!plain.variable_rate.empty()) {
    const std::vector<Interval> rounds = intervals_of(plain.variable_rate, "--variable-rate");
    Json steps = Json::array();
    double passed = 0;
    const double end = plain.seconds ? *plain.seconds : count_of(plain) ? kLongestSteps_s : kDefaultSeconds;
    for (std::size_t i = 0; passed < end; ++i) {
      const Interval& step = rounds[i % rounds.size()];
      steps.push_back({{"rate", step.value}, {"for", seconds_text(step.seconds)}});
      passed += step.seconds;
    }
    return {{"process", "steps"}, {"steps", steps}};
  }
  if (plain.publishing_interval) return {{"process", "constant"}, {"rate", 1 / *plain.publishing_interval}};
  if (plain.rate) return {{"process", "constant"}, {"rate", *plain.rate}};
  const int in_flight = std::max({plain.confirm.value_or(1), plain.producer_transaction.value_or(1), 1});
  return {{"process", "closed"}, {"outstanding", in_flight}};
}

std::string read_body(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) refuse("cannot read the file of a body", "--body " + path, "name a file that may be read");
  if (Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)) != Json(text))
    refuse("the file of a body is no text", "--body " + path, "give text in UTF-8, or a --size");
  return text;
}

Json profile_of(const std::vector<Interval>& intervals, const char* unit) {
  Json profile = Json::array();
  for (const Interval& interval : intervals) {
    profile.push_back(
        {{"value", fmt::format("{}{}", interval.value, unit)}, {"for", seconds_text(interval.seconds)}});
  }
  return {{"profile", profile}};
}

Json body_of(const PlainLoad& plain) {
  if (!plain.body_files.empty()) {
    Json bodies = Json::array();
    for (const std::string& file : plain.body_files) bodies.push_back(read_body(file));
    return bodies.size() == 1 ? Json{{"text", bodies[0]}} : Json{{"lines", bodies}};
  }
  if (plain.json_body) {
    const auto bytes = static_cast<std::size_t>(plain.size) * static_cast<std::size_t>(plain.body_count);
    if (plain.size < static_cast<std::int64_t>(kLeastJsonBody))
      refuse("no JSON document is so short", "--size", fmt::format("at least {}", kLeastJsonBody));
    if (bytes > kMostJsonBytes)
      refuse("these are more than 16 MiB of bodies", "--body-count, --size", "fewer or smaller ones");
    return {{"lines",
             random_json_bodies(plain.body_count, static_cast<std::size_t>(plain.size), plain.body_fields)}};
  }
  if (!plain.variable_size.empty())
    return {{"size", profile_of(intervals_of(plain.variable_size, "--variable-size"), "B")}};
  return {{"size", plain.size}};
}

// PerfTest takes the names of the Java client; what is none of them is a header there and here.
void add_properties(const PlainLoad& plain, Json& publish) {
  static const std::vector<std::pair<std::string, std::string>> known = {
      {"contentType", "content_type"},
      {"contentEncoding", "content_encoding"},
      {"correlationId", "correlation_id"},
      {"replyTo", "reply_to"},
      {"messageId", "message_id"},
      {"timestamp", "timestamp"},
      {"type", "type"},
      {"userId", "user_id"},
      {"appId", "app_id"},
      {"clusterId", ""}};
  for (const std::string& word : plain.properties) {
    const auto [key, value] = key_and_value(word, "--message-properties");
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    const auto found =
        std::find_if(known.begin(), known.end(), [name = key](const auto& one) { return one.first == name; });
    if (key == "priority") {
      publish["priority"] = value;
    } else if (key == "deliveryMode") {
      publish["persistent"] = value == 2;
    } else if (key == "expiration") {
      publish["expiration"] = text + "ms";
    } else if (key == "contentType") {
      publish["content_type"] = text;
    } else if (found != known.end() && !found->second.empty()) {
      publish["properties"][found->second] = text;
    } else {
      publish["headers"][key] = value;
    }
  }
}

Json publish_of(const PlainLoad& plain, const Ways& ways) {
  Json publish = {
      {"exchange", ways.exchange()}, {"routing_key", ways.routing_key()}, {"body", body_of(plain)}};
  if (has_flag(plain, "persistent") || plain.quorum || plain.stream) publish["persistent"] = true;
  if (plain.verify) publish["verify"] = true;
  if (plain.json_body) publish["content_type"] = "application/json";
  if (!plain.content_type.empty()) publish["content_type"] = plain.content_type;
  add_properties(plain, publish);
  for (const std::string& flag : plain.flags) {
    if (flag != "persistent" && flag != "mandatory")
      refuse("unknown flag \"" + flag + "\"", "--flag", "use persistent or mandatory");
  }
  return publish;
}

Json load_of(const PlainLoad& plain, const Ways& ways) {
  Json load = {{"name", "producer"},
               {"instances", plain.producers * plain.producer_channels},
               {"channels_per_connection", plain.producer_channels},
               {"arrivals", arrivals_of(plain)},
               {"publish", publish_of(plain, ways)}};
  const int confirm = plain.confirm.value_or(0);
  load["confirms"] = confirm > 0 ? Json{{"window", confirm}} : Json{{"enabled", false}};
  if (plain.producer_transaction.value_or(0) > 0) {
    if (confirm > 0)
      refuse("a channel has transactions or confirms", "--ptxsize, --confirm", "leave one of them out");
    load["transaction"] = *plain.producer_transaction;
    load.erase("confirms");
  }
  if (const auto count = count_of(plain)) load["stop"] = {{"count", *count}};
  if (plain.random_start_delay) load["start"] = {{"within", seconds_text(*plain.random_start_delay)}};
  return load;
}

std::string ack_of(const PlainLoad& plain) {
  if (plain.auto_ack) return "auto";
  const int every = plain.multi_ack.value_or(0);
  const int limit = std::max(plain.prefetch.value_or(0), plain.global_prefetch.value_or(0));
  if (limit > 0 && every > limit)
    refuse(fmt::format("--multi-ack-every {} never comes about with a prefetch limit of {}", every, limit),
           "--multi-ack-every, --qos", fmt::format("a --qos of at least {}", every));
  return every > 1 ? fmt::format("multiple({})", every) : "manual";
}

Json consume_of(const PlainLoad& plain, const Ways& ways) {
  Json consume = {{"queue", ways.consumed()}, {"ack", ack_of(plain)}};
  if (plain.prefetch.value_or(0) > 0) consume["prefetch"] = *plain.prefetch;
  if (plain.global_prefetch.value_or(0) > 0) consume["channel_prefetch"] = *plain.global_prefetch;
  if (plain.polling || plain.polling_interval) {
    const int interval = std::max(plain.polling_interval.value_or(0), 0);
    consume["get"] = interval == 0 ? Json("100us") : Json(fmt::format("{}ms", interval));
  }
  if (plain.consumer_rate) consume["rate"] = *plain.consumer_rate;
  if (plain.consumer_start_delay) consume["start"]["after"] = seconds_text(*plain.consumer_start_delay);
  if (plain.slow_start) consume["start"]["every"] = "1s";
  if (plain.consumer_transaction.value_or(0) > 0) consume["transaction"] = *plain.consumer_transaction;
  Json arguments = arguments_of(plain.consumer_arguments, "--consumer-args");
  if (!plain.stream_offset.empty()) {
    std::int64_t number = 0;
    const char* end = plain.stream_offset.data() + plain.stream_offset.size();
    const bool whole = std::from_chars(plain.stream_offset.data(), end, number).ptr == end;
    arguments["x-stream-offset"] = whole ? Json(number) : Json(plain.stream_offset);
  }
  if (!arguments.empty()) consume["arguments"] = arguments;
  return consume;
}

Json role_of(const PlainLoad& plain, const Ways& ways) {
  Json role = {{"role", "consumer"},
               {"instances", plain.consumers * plain.consumer_channels},
               {"channels_per_connection", plain.consumer_channels},
               {"consume", consume_of(plain, ways)}};
  if (!plain.variable_latency.empty()) {
    role["effort"] = {
        {"kind", "sleep"},
        {"seconds", profile_of(intervals_of(plain.variable_latency, "--variable-latency"), "us")}};
  } else if (plain.consumer_latency.value_or(0) > 0) {
    role["effort"] = {{"kind", "sleep"}, {"seconds", fmt::format("{}us", *plain.consumer_latency)}};
  }
  if (plain.nack) role["settle"] = {{plain.requeue ? "requeue" : "nack", 1}};
  return role;
}

}  // namespace

Json experiment_of(const PlainLoad& plain) {
  const Ways ways(plain);
  Json experiment = {{"name", plain.name}, {"topology", ways.topology()}};
  if (plain.producers > 0) experiment["load"] = Json::array({load_of(plain, ways)});
  if (plain.consumers > 0) experiment["roles"] = Json::array({role_of(plain, ways)});
  if (plain.producers <= 0 && plain.consumers <= 0)
    refuse("neither producers nor consumers", "--producers 0 --consumers 0", "give one of them");
  const bool by_count = count_of(plain) && !plain.seconds;
  experiment["phases"] = {{"measure", by_count ? std::string(kLongest) : seconds_text(length_s(plain))}};
  if (plain.heartbeat) experiment["broker"] = {{"heartbeat", fmt::format("{}s", *plain.heartbeat)}};
  return experiment;
}

}  // namespace brokerlab
