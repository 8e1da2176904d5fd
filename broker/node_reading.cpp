#include "broker/node_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/error.h"

namespace brokerlab {
namespace {

// Everything in it is tried by itself: what a version of RabbitMQ does not know becomes null and takes
// nothing else along. Sizes of results are bounded, and none of them is a list of numbers, which Erlang may
// write as a text.
//
// Held: credit flow keeps a process waiting at this moment, by its own account (credit_flow.erl). The states
// that the broker's statistics have hold on to "flow" for five seconds.
constexpr char kBeginning[] = R"(
Try = fun(F) -> try F() catch _:_ -> null end end,
Now = fun() -> Try(fun() ->
    Source = erlang:system_info(os_monotonic_time_source),
    {_, 'CLOCK_MONOTONIC'} = lists:keyfind(clock_id, 1, Source),
    {_, Time} = lists:keyfind(time, 1, Source),
    erlang:convert_time_unit(Time, native, nanosecond) end) end,
StatisticsMs = case application:get_env(rabbit, collect_statistics_interval) of {ok, Ms} -> Ms; _ -> 5000 end,
Count = fun(Is, L) -> length(lists:filter(Is, L)) end,
Held = fun(P) -> case process_info(P, dictionary) of
    {_, D} -> case lists:keyfind(credit_blocked, 1, D) of {_, [_ | _]} -> true; _ -> false end;
    _ -> false end end,
Blocked = fun(P) -> Try(fun() -> rabbit_reader:info(P, [state]) =:= [{state, blocked}] end) =:= true end,
In = fun(Table, State) -> Try(fun() -> ets:foldl(fun
    ({_, L}, N) -> case lists:keyfind(state, 1, L) of {_, State} -> N + 1; _ -> N end end, 0, Table) end) end,
From = Now(),
)";

constexpr char kEachQueue[] = R"(
One = fun({I, Name}) -> Try(fun() ->
  case rabbit_amqqueue:lookup({resource, Vhost, queue, Name}) of
    {ok, Q} ->
      P = amqqueue:get_pid(Q),
      case amqqueue:get_type(Q) of
        rabbit_classic_queue when node(P) =:= node() ->
          [{_, R}, {_, U}] = rabbit_amqqueue:info(Q, [messages_ready, messages_unacknowledged]),
          {I, R, U};
        rabbit_quorum_queue when element(2, P) =:= node() ->
          {ok, {_, R}, _} = ra:local_query(P, fun rabbit_fifo:query_messages_ready/1),
          {ok, {_, U}, _} = ra:local_query(P, fun rabbit_fifo:query_messages_checked_out/1),
          {I, R, U};
        _ -> null end;
    _ -> {I, 0, 0} end end) end,
Queues = {each, [{Reading} || {Reading} <- [{One(Name)} || Name <- Names], Reading =/= null]},
)";

constexpr char kAllQueues[] = R"(
Queues = Try(fun() ->
  {Ready, Unacked} = lists:unzip(ets:select(queue_coarse_metrics,
    [{{{resource, Vhost, queue, '_'}, '$1', '$2', '_', '_'},
      [{is_integer, '$1'}, {is_integer, '$2'}], [{{'$1', '$2'}}]}])),
  {all, {lists:sum(Ready), lists:sum(Unacked), StatisticsMs}} end),
)";

constexpr char kEnd[] = R"(
To = Now(),
Alarms = Try(fun() -> rabbit_alarm:get_alarms() end),
Alarm = fun(What) -> Try(fun() -> lists:member({{resource_limit, What, node()}, []}, Alarms) end) end,
Connections = Try(fun() ->
  L = rabbit_networking:local_connections(),
  case length(L) > Most of
    true -> {length(L), In(connection_metrics, flow), In(connection_metrics, blocked), 2 * StatisticsMs};
    false -> {length(L), Count(Held, L), Count(Blocked, L), 0} end end),
Channels = Try(fun() ->
  L = rabbit_channel:list_local(),
  case length(L) > Most of
    true -> {length(L), In(channel_metrics, flow), 2 * StatisticsMs};
    false -> {length(L), Count(Held, L), 0} end end),
{From, To, Queues, erlang:system_info(schedulers_online),
 Try(fun() -> vm_memory_monitor:get_process_memory() end),
 Try(fun() -> vm_memory_monitor:get_memory_limit() end),
 Alarm(memory), Alarm(disk), Connections, Channels}.
)";

constexpr Nanoseconds kMillisecond = 1'000'000;

// An Erlang binary. Only what cannot mean anything else stands in it as a text.
std::string binary(const std::string& text) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  if (std::all_of(text.begin(), text.end(), plain)) return "<<\"" + text + "\">>";
  std::string bytes;
  for (const unsigned char c : text) bytes += (bytes.empty() ? "" : ",") + std::to_string(c);
  return "<<" + bytes + ">>";
}

// Tuples and lists of numbers and the atoms null, true and false become JSON; other atoms become texts.
Json json_of_term(const std::string& term) {
  std::string text;
  for (std::size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) {
      text += c == '{' ? '[' : c == '}' ? ']' : c;
      continue;
    }
    std::string atom;
    while (i < term.size() && (std::isalnum(static_cast<unsigned char>(term[i])) != 0 || term[i] == '_'))
      atom += term[i++];
    --i;
    const bool word = atom == "null" || atom == "true" || atom == "false";
    text += word ? atom : '"' + atom + '"';
  }
  return Json::parse(text, nullptr, false);
}

template <class T>
std::optional<T> known(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}

Nanoseconds milliseconds(const Json& value) { return value.get<Nanoseconds>() * kMillisecond; }

void read_queues(const Json& queues, BrokerSample& sample) {
  if (queues.is_null()) return;
  if (queues.at(0) == "all") {
    sample.ready = queues.at(1).at(0).get<std::int64_t>();
    sample.unacked = queues.at(1).at(1).get<std::int64_t>();
    sample.lag_ns = milliseconds(queues.at(1).at(2));
    return;
  }
  for (const Json& wrapped : queues.at(1)) {
    const Json& queue = wrapped.at(0);
    sample.queues.push_back({queue.at(0), queue.at(1), queue.at(2)});
  }
}

void read_flow(const Json& connections, const Json& channels, BrokerSample& sample) {
  if (connections.is_array()) {
    sample.connections = connections.at(0).get<std::int64_t>();
    sample.connections_in_flow = known<std::int64_t>(connections.at(1));
    sample.connections_blocked = known<std::int64_t>(connections.at(2));
    sample.flow_lag_ns = milliseconds(connections.at(3));
  }
  if (!channels.is_array()) return;
  sample.channels = channels.at(0).get<std::int64_t>();
  sample.channels_in_flow = known<std::int64_t>(channels.at(1));
  sample.flow_lag_ns = std::max(sample.flow_lag_ns, milliseconds(channels.at(2)));
}

}  // namespace

std::string NodeReading::question(const std::string& vhost, const std::vector<std::string>& queues) {
  std::string text = std::string(kBeginning) + "Vhost = " + binary(vhost) + ",\n";
  text += "Most = " + std::to_string(kMostProcesses) + ",\n";
  if (queues.size() <= kMostAsked) {
    std::string names;
    for (std::size_t i = 0; i < queues.size(); ++i)
      names += fmt::format("{}{{{}, {}}}", i == 0 ? "" : ", ", i, binary(queues[i]));
    text += "Names = [" + names + "],\n" + kEachQueue;
  } else {
    text += kAllQueues;
  }
  text += kEnd;
  std::replace(text.begin(), text.end(), '\n', ' ');  // a question is one line
  return text;
}

BrokerSample NodeReading::sample(const std::string& answer, Nanoseconds asked_ns, Nanoseconds answered_ns) {
  BrokerSample sample;
  sample.source = "node";
  sample.at_ns = asked_ns;
  sample.within_ns = answered_ns - asked_ns;
  try {
    const Json json = json_of_term(answer);
    const auto from = known<Nanoseconds>(json.at(0)), to = known<Nanoseconds>(json.at(1));
    if (from && to && *from >= asked_ns && *to >= *from && *to <= answered_ns) {
      sample.at_ns = *from;
      sample.within_ns = *to - *from;
    }
    read_queues(json.at(2), sample);
    sample.cores = known<std::int64_t>(json.at(3));
    sample.memory_bytes = known<std::int64_t>(json.at(4));
    sample.memory_limit_bytes = known<std::int64_t>(json.at(5));
    sample.memory_alarm = known<bool>(json.at(6));
    sample.disk_alarm = known<bool>(json.at(7));
    read_flow(json.at(8), json.at(9), sample);
  } catch (const Json::exception&) {
    throw Error("a node tells something unexpected about itself: " + answer.substr(0, 200), "",
                "a newer RabbitMQ may have other names for it");
  }
  return sample;
}

}  // namespace brokerlab
