#include "cli/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr double kDefaultSeconds = 10;
// The end of a workload that ends by a count, should that never be reached.
constexpr char kLongest[] = "1h";
constexpr double kLongestSteps_s = 3600;

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

bool has_flag(const Workload& workload, const char* flag) {
  return std::find(workload.flags.begin(), workload.flags.end(), flag) != workload.flags.end();
}

double length_s(const Workload& workload) { return workload.seconds.value_or(kDefaultSeconds); }

// Where messages go: the queues, the exchange between, and how a publisher and a consumer name them.
class Ways {
 public:
  explicit Ways(const Workload& workload) : workload_(workload) {
    add_queues();
    add_exchange();
  }

  const Json& topology() const { return topology_; }
  const Json& routing_key() const { return key_; }
  const std::string& exchange() const { return exchange_; }
  const std::string& consumed() const { return consumed_; }

 private:
  bool pattern() const { return !workload_.queue_pattern.empty(); }

  void add_queues() {
    Json queue = {{"name", workload_.queue}};
    if (pattern()) {
      const std::size_t at = workload_.queue_pattern.find("%d");
      if (at == std::string::npos)
        refuse("\"" + workload_.queue_pattern + "\" has no number in it", "--queue-pattern", "work-%d");
      if (workload_.queue_to < workload_.queue_from)
        refuse("the numbers of the queues end before they begin", "--queue-pattern-to",
               "-qp work-%d -qpf 1 -qpt 10");
      const auto numbered = [&](const std::string& number) {
        return std::string(workload_.queue_pattern).replace(at, 2, number);
      };
      queue["name"] = numbered("{i}");
      queue["copies"] = workload_.queue_to - workload_.queue_from + 1;
      queue["first"] = workload_.queue_from;
      to_queue_ = {{"template",
                    numbered(fmt::format("{{instance:{}-{}}}", workload_.queue_from, workload_.queue_to))}};
    } else if (workload_.exclusive) {
      // One for each consumer, and each gets every message.
      queue["name"] = workload_.queue + "-{i}";
      queue["copies"] = std::max(workload_.consumers * workload_.consumer_channels, 1);
    } else {
      to_queue_ = workload_.queue;
    }
    consumed_ = queue["name"];
    queue.update(properties());
    topology_ = {{"queues", Json::array({queue})}};
  }

  Json properties() const {
    if (workload_.predeclared) return {{"predeclared", true}};
    if (workload_.quorum && workload_.stream)
      refuse("a queue is a quorum queue or a stream", "--quorum-queue, --stream-queue", "give one of them");
    Json arguments = arguments_of(workload_.queue_arguments, "--queue-args");
    if (workload_.quorum) arguments["x-queue-type"] = "quorum";
    if (workload_.stream) arguments["x-queue-type"] = "stream";
    if (workload_.max_length_bytes.value_or(0) > 0)
      arguments["x-max-length-bytes"] = *workload_.max_length_bytes;
    if (workload_.max_segment_bytes)
      arguments["x-stream-max-segment-size-bytes"] = *workload_.max_segment_bytes;
    if (!workload_.leader_locator.empty()) arguments["x-queue-leader-locator"] = workload_.leader_locator;
    if (!workload_.max_age.empty()) arguments["x-max-age"] = workload_.max_age;
    const std::string type = arguments.value("x-queue-type", std::string());
    Json properties = Json::object();
    if (type == "quorum" || type == "stream" || has_flag(workload_, "persistent"))
      properties["durable"] = true;
    if (workload_.auto_delete) properties["auto_delete"] = true;
    if (workload_.exclusive) properties["exclusive"] = true;
    if (!arguments.empty()) properties["arguments"] = arguments;
    return properties;
  }

  void add_exchange() {
    const bool wanted = workload_.exchange || workload_.type || workload_.routing_key ||
                        workload_.random_routing_key || workload_.skip_binding ||
                        (workload_.exclusive && !pattern());
    exchange_ = !wanted ? "" : workload_.exchange.value_or(workload_.type.value_or("direct"));
    key_ = exchange_.empty() ? to_queue_ : Json(workload_.routing_key.value_or("load"));
    if (exchange_.empty() && workload_.routing_key) key_ = *workload_.routing_key;
    if (!exchange_.empty() && pattern() && !workload_.routing_key) key_ = to_queue_;
    if (workload_.random_routing_key) key_ = {{"random", workload_.routing_key_cache}};
    if (exchange_.empty()) return;
    const bool brokers_own = exchange_.starts_with("amq.");
    const std::string type = workload_.type.value_or("direct");
    if (!brokers_own) {
      Json exchange = {{"name", exchange_}, {"type", type}};
      if (workload_.predeclared) exchange["predeclared"] = true;
      topology_["exchanges"] = Json::array({exchange});
    }
    // Bindings between what was there before would stay there after the run.
    if (workload_.skip_binding || workload_.predeclared) return;
    std::string key = workload_.routing_key.value_or(pattern() ? consumed_ : "load");
    if (type == "x-consistent-hash" && !workload_.routing_key) key = "1";  // the weight
    topology_["bindings"] =
        Json::array({{{"exchange", exchange_}, {"queue", consumed_}, {"routing_key", key}}});
  }

  const Workload& workload_;
  Json topology_, key_, to_queue_;
  std::string exchange_, consumed_;
};

Json arrivals_of(const Workload& workload) {
  if (!workload.variable_rate.empty()) {
    const std::vector<Interval> rounds = intervals_of(workload.variable_rate, "--variable-rate");
    Json steps = Json::array();
    double passed = 0;
    const double end = workload.seconds             ? *workload.seconds
                       : workload.producer_messages ? kLongestSteps_s
                                                    : kDefaultSeconds;
    for (std::size_t i = 0; passed < end; ++i) {
      const Interval& step = rounds[i % rounds.size()];
      steps.push_back({{"rate", step.value}, {"for", seconds_text(step.seconds)}});
      passed += step.seconds;
    }
    return {{"process", "steps"}, {"steps", steps}};
  }
  if (workload.publishing_interval)
    return {{"process", "constant"}, {"rate", 1 / *workload.publishing_interval}};
  if (workload.rate) return {{"process", "constant"}, {"rate", *workload.rate}};
  const int in_flight =
      std::max({workload.confirm.value_or(1), workload.producer_transaction.value_or(1), 1});
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

Json body_of(const Workload& workload) {
  if (!workload.body_files.empty()) {
    Json bodies = Json::array();
    for (const std::string& file : workload.body_files) bodies.push_back(read_body(file));
    return bodies.size() == 1 ? Json{{"text", bodies[0]}} : Json{{"lines", bodies}};
  }
  if (!workload.variable_size.empty())
    return {{"size", profile_of(intervals_of(workload.variable_size, "--variable-size"), "B")}};
  return {{"size", workload.size}};
}

// PerfTest takes the names of the Java client; what is none of them is a header there and here.
void add_properties(const Workload& workload, Json& publish) {
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
  for (const std::string& word : workload.properties) {
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

Json publish_of(const Workload& workload, const Ways& ways) {
  Json publish = {
      {"exchange", ways.exchange()}, {"routing_key", ways.routing_key()}, {"body", body_of(workload)}};
  if (has_flag(workload, "persistent") || workload.quorum || workload.stream) publish["persistent"] = true;
  if (!workload.content_type.empty()) publish["content_type"] = workload.content_type;
  add_properties(workload, publish);
  for (const std::string& flag : workload.flags) {
    if (flag != "persistent" && flag != "mandatory")
      refuse("unknown flag \"" + flag + "\"", "--flag", "use persistent or mandatory");
  }
  return publish;
}

Json load_of(const Workload& workload, const Ways& ways) {
  Json load = {{"name", "producer"},
               {"instances", workload.producers * workload.producer_channels},
               {"channels_per_connection", workload.producer_channels},
               {"arrivals", arrivals_of(workload)},
               {"publish", publish_of(workload, ways)}};
  const int confirm = workload.confirm.value_or(0);
  load["confirms"] = confirm > 0 ? Json{{"window", confirm}} : Json{{"enabled", false}};
  if (workload.producer_transaction.value_or(0) > 0) {
    if (confirm > 0)
      refuse("a channel has transactions or confirms", "--ptxsize, --confirm", "leave one of them out");
    load["transaction"] = *workload.producer_transaction;
    load.erase("confirms");
  }
  if (workload.producer_messages.value_or(0) > 0) load["stop"] = {{"count", *workload.producer_messages}};
  if (workload.random_start_delay) load["start"] = {{"within", seconds_text(*workload.random_start_delay)}};
  return load;
}

std::string ack_of(const Workload& workload) {
  if (workload.auto_ack) return "auto";
  const int every = workload.multi_ack.value_or(0);
  const int limit = std::max(workload.prefetch.value_or(0), workload.global_prefetch.value_or(0));
  if (limit > 0 && every > limit)
    refuse(fmt::format("--multi-ack-every {} never comes about with a prefetch limit of {}", every, limit),
           "--multi-ack-every, --qos", fmt::format("a --qos of at least {}", every));
  return every > 1 ? fmt::format("multiple({})", every) : "manual";
}

Json consume_of(const Workload& workload, const Ways& ways) {
  Json consume = {{"queue", ways.consumed()}, {"ack", ack_of(workload)}};
  if (workload.prefetch.value_or(0) > 0) consume["prefetch"] = *workload.prefetch;
  if (workload.global_prefetch.value_or(0) > 0) consume["channel_prefetch"] = *workload.global_prefetch;
  if (workload.polling || workload.polling_interval) {
    const int interval = std::max(workload.polling_interval.value_or(0), 0);
    consume["get"] = interval == 0 ? Json("100us") : Json(fmt::format("{}ms", interval));
  }
  if (workload.consumer_rate) consume["rate"] = *workload.consumer_rate;
  if (workload.consumer_start_delay) consume["start"]["after"] = seconds_text(*workload.consumer_start_delay);
  if (workload.slow_start) consume["start"]["every"] = "1s";
  if (workload.consumer_transaction.value_or(0) > 0) consume["transaction"] = *workload.consumer_transaction;
  Json arguments = arguments_of(workload.consumer_arguments, "--consumer-args");
  if (!workload.stream_offset.empty()) {
    std::int64_t number = 0;
    const char* end = workload.stream_offset.data() + workload.stream_offset.size();
    const bool whole = std::from_chars(workload.stream_offset.data(), end, number).ptr == end;
    arguments["x-stream-offset"] = whole ? Json(number) : Json(workload.stream_offset);
  }
  if (!arguments.empty()) consume["arguments"] = arguments;
  return consume;
}

Json role_of(const Workload& workload, const Ways& ways) {
  Json role = {{"role", "consumer"},
               {"instances", workload.consumers * workload.consumer_channels},
               {"channels_per_connection", workload.consumer_channels},
               {"consume", consume_of(workload, ways)}};
  if (!workload.variable_latency.empty()) {
    role["effort"] = {
        {"kind", "sleep"},
        {"seconds", profile_of(intervals_of(workload.variable_latency, "--variable-latency"), "us")}};
  } else if (workload.consumer_latency.value_or(0) > 0) {
    role["effort"] = {{"kind", "sleep"}, {"seconds", fmt::format("{}us", *workload.consumer_latency)}};
  }
  if (workload.nack) role["settle"] = {{workload.requeue ? "requeue" : "nack", 1}};
  return role;
}

}  // namespace

Json experiment_of(const Workload& workload) {
  const Ways ways(workload);
  Json experiment = {{"name", workload.name}, {"topology", ways.topology()}};
  if (workload.producers > 0) experiment["load"] = Json::array({load_of(workload, ways)});
  if (workload.consumers > 0) experiment["roles"] = Json::array({role_of(workload, ways)});
  if (workload.producers <= 0 && workload.consumers <= 0)
    refuse("neither producers nor consumers", "--producers 0 --consumers 0", "give one of them");
  const bool by_count = workload.producer_messages.value_or(0) > 0 && !workload.seconds;
  experiment["phases"] = {{"measure", by_count ? std::string(kLongest) : seconds_text(length_s(workload))}};
  if (workload.heartbeat) experiment["broker"] = {{"heartbeat", fmt::format("{}s", *workload.heartbeat)}};
  return experiment;
}

}  // namespace brokerlab
