#include "broker/node_control.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "broker/child_process.h"
#include "broker/guard_plan.h"
#include "broker/line_socket.h"
#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

// Reads a list [number, node, text] per line (JSON without escapes beyond \" and \\ is Erlang, too), has the
// node evaluate the text, and answers with a line of JSON. One process per question: a node that hangs holds
// up nobody else. Ends with its standard input.
constexpr char kServer[] = R"(
Answer = fun(Id, Good, Value) ->
  Text = lists:flatmap(
    fun($") -> "\\\""; ($\\) -> "\\\\"; (C) when C < 32; C > 126 -> "?"; (C) -> [C] end,
    lists:flatten(io_lib:format("~0p", [Value]))),
  io:format("{\"id\":~w,\"good\":~w,\"value\":\"~s\"}~n", [Id, Good, Text]) end,
Ask = fun(Line) ->
  {ok, Tokens, _} = erl_scan:string(Line ++ "."),
  {ok, [Id, Node, Text]} = erl_parse:parse_term(Tokens),
  try
    {ok, Words, _} = erl_scan:string(Text),
    {ok, Forms} = erl_parse:parse_exprs(Words),
    {value, Value, _} = erpc:call(list_to_atom(Node), erl_eval, exprs, [Forms, []], 60000),
    Answer(Id, true, Value)
  catch _:Reason -> Answer(Id, false, Reason) end end,
Serve = fun(Self) ->
  case io:get_line("") of
    Line when is_list(Line) -> spawn(fun() -> Ask(Line) end), Self(Self);
    _ -> halt()
  end end,
spawn(fun() -> Serve(Serve) end).
)";

class ControlNode final : public NodeControl {
 public:
  explicit ControlNode(const GuardPlan& plan) {
    for (const PrivateBroker::Node& node : plan.nodes) nodes_.push_back(node.name);
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      throw Error(std::string("cannot make a socket pair: ") + std::strerror(errno), "",
                  "raise the limit of open files");
    }
    descriptor_ = pair[0];
    socket_.emplace(descriptor_);
    try {
      pid_ = spawn(plan, pair[1]);
    } catch (const Error&) {
      ::close(pair[1]);
      ::close(descriptor_);
      throw;
    }
    ::close(pair[1]);
  }

  ~ControlNode() override {
    ::close(descriptor_);
    ::kill(pid_, SIGKILL);  // it holds nothing
    ::waitpid(pid_, nullptr, 0);
  }

  Ticket ask(std::size_t node, const std::string& expression) override {
    take();
    socket_->send(Json::array({++last_, nodes_.at(node), expression}));
    asked_[last_] = nodes_[node];
    return last_;
  }

  std::optional<std::string> answer(Ticket ticket) override {
    take();
    const auto found = answers_.find(ticket);
    if (found == answers_.end()) return std::nullopt;
    const Json line = std::move(found->second);
    answers_.erase(found);
    const std::string node = asked_.extract(ticket).mapped();
    auto value = line.at("value").get<std::string>();
    if (!line.at("good").get<bool>()) {
      throw Error("the node refused what it was told: " + value, node,
                  "see whether it runs; a newer RabbitMQ may have other names for it");
    }
    return value;
  }

 private:
  static pid_t spawn(const GuardPlan& plan, int socket) {
    ChildProcess erlang;
    erlang.program = plan.installation.epmd.parent_path() / "erl";
    if (::access(erlang.program.c_str(), X_OK) != 0) {
      throw Error("there is no erl beside epmd", erlang.program, "install erlang-base (Debian: erlang-base)");
    }
    erlang.arguments = {
        "erl",   "-noshell",     "-hidden", "-sname",  "labctl@localhost",        "-start_epmd",
        "false", "-connect_all", "false",   "-kernel", "inet_dist_use_interface", "{127,0,0,1}",
        "+S",    "1:1",          "-eval",   kServer};
    erlang.environment = epmd_environment(plan);
    erlang.folder = plan.directory;
    erlang.input = erlang.output_descriptor = socket;
    erlang.dies_with_parent = true;
    erlang.own_session = true;  // Ctrl-C is for us: faults heal before it goes
    return erlang.spawn();
  }

  void take() {
    const bool open = socket_->receive();
    while (auto line = socket_->next()) {
      if (line->contains("id")) answers_[line->at("id").get<Ticket>()] = *line;
    }
    if (open) return;
    throw Error("the Erlang node that controls the private broker is gone", "labctl@localhost",
                "try again; see whether `erl` runs on this machine and memory is left");
  }

  std::vector<std::string> nodes_;
  int descriptor_ = -1;
  std::optional<LineSocket> socket_;
  pid_t pid_ = -1;
  Ticket last_ = 0;
  std::map<Ticket, std::string> asked_;  // the node
  std::map<Ticket, Json> answers_;
};

}  // namespace

std::string NodeControl::wait(std::size_t node, const std::string& expression, const Clock& clock,
                              Nanoseconds limit) {
  const Nanoseconds end = clock.now() + limit;
  const Ticket ticket = ask(node, expression);
  for (;;) {
    if (auto value = answer(ticket)) return *value;
    if (clock.now() > end) {
      throw Error("a node of the private broker did not answer within " + format_duration(limit),
                  std::to_string(node), "see whether it is paused");
    }
    ::poll(nullptr, 0, 2);
  }
}

std::unique_ptr<NodeControl> start_node_control(const GuardPlan& plan) {
  return std::make_unique<ControlNode>(plan);
}

}  // namespace brokerlab
