#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "roles/role_spec.h"

namespace brokerlab {

// A message that a role publishes because of one it received.
struct Outgoing {
  std::size_t output = 0;   // in the role's `outputs`
  std::string routing_key;  // used where the output has no key of its own
  std::string body;
};

// What a role makes of a message before any work is done.
struct Reaction {
  enum class Verdict {
    kAct,         // do the work, publish, acknowledge
    kIgnore,      // not for this role: settled as `otherwise` says
    kUnreadable,  // not what this role expects: settled as `otherwise` says, and counted
    kReject,      // understood and turned down: nacked without requeue, so that it is dead-lettered
  };
  Verdict verdict = Verdict::kAct;
  Json body;  // parsed, where the behaviour or the effort looks into it; else null
  // Heavy work, made in the thread pool after the effort and before finish(); it must own what it touches,
  // or share it with nobody who runs meanwhile: its consumer may be gone before it ends.
  std::function<void()> compute;
};

// What a role does with its messages beyond the time they take: reads them, keeps what it must remember, and
// says what to publish. One per consumer, which calls receive() and finish() in turn, one message at a time.
// One loop; no I/O but files of its own.
class Behaviour {
 public:
  virtual ~Behaviour() = default;
  // Called once, before anything else; whatever reaches out, to files or to others, has its place here,
  // because an entry that is only checked is constructed, too. May throw Error. What a person should know
  // before anything happens; empty for nothing.
  virtual std::string begin() { return ""; }
  // What to publish of its own accord before anything is received, and again, as far as it is not settled,
  // after a lost connection.
  virtual std::vector<Outgoing> opening() { return {}; }
  // What became of a message of opening(), in their order: the broker has it in a queue, or has not.
  virtual void settled(const Outgoing& /*message*/, bool /*reached_a_queue*/) {}
  // Never throws for whatever bytes come: they are unreadable then. `routing_key` is the delivery's.
  virtual Reaction receive(std::string_view body, std::string_view routing_key) = 0;
  // After the effort: what to publish, in order.
  virtual std::vector<Outgoing> finish(const Reaction& reaction, std::string_view body) = 0;
  // After finish(): the work was in vain. Where the role acknowledges itself, the message goes back to its
  // queue.
  virtual bool undone() const { return false; }
  // After finish(): what has happened that the result of an experiment should tell, too; mostly nothing.
  virtual std::string news() const { return ""; }
  // A line for a person who runs the role by hand: what has just been done; empty for nothing to add.
  virtual std::string remark() const { return ""; }
};

struct BehaviourSetting {
  const RoleSpec& spec;
  std::string consumer;             // name of the instance
  std::filesystem::path directory;  // where relative paths in the settings start
};

// The behaviour that the entry names, by default the rule of when, set and publish. Throws Error (kUsage) for
// settings that cannot be used.
std::unique_ptr<Behaviour> make_behaviour(const BehaviourSetting& setting);

// Parses a message that must be a JSON object; null for anything else. Nothing nested so deeply that printing
// it could exhaust the stack is let in.
Json parse_message(std::string_view body);
std::string print_message(const Json& body);

}  // namespace brokerlab
