#include "analysis/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "analysis/chart_source.h"
#include "analysis/report_text.h"

namespace brokerlab {
namespace {

using report::bytes_text;
using report::count_text;
using report::duration_text;
using report::index_text;
using report::ratio_text;
using report::share_text;

struct Answer {
  std::string text;
  Json evidence = Json::object();
};

// The runs of one variant. Every figure that an answer looks at is noted as its evidence.
class Evidence {
 public:
  explicit Evidence(std::vector<const Json*> runs) : runs_(std::move(runs)) {}

  // Sum over the repetitions; nothing unless every run has it.
  std::optional<double> sum(const std::string& pointer, Answer& answer) const {
    double all = 0;
    for (const Json* run : runs_) {
      const auto value = find_number(*run, pointer);
      if (!value) return std::nullopt;
      all += *value;
    }
    note(pointer, all, answer);
    return all;
  }
  std::optional<double> mean(const std::string& pointer, Answer& answer) const {
    double all = 0;
    std::size_t count = 0;
    for (const Json* run : runs_) {
      const auto value = find_number(*run, pointer);
      all += value.value_or(0);
      count += value.has_value();
    }
    if (count == 0) return std::nullopt;
    note(pointer, all / static_cast<double>(count), answer);
    return all / static_cast<double>(count);
  }
  // Consumers of the first repetition.
  const Json& consumers() const {
    static const Json kNone = Json::array();
    const Json* list = runs_.empty() ? nullptr : find_value(*runs_.front(), "/fairness/consumers");
    return list != nullptr && list->is_array() ? *list : kNone;
  }

 private:
  static void note(std::string name, double value, Answer& answer) {
    std::replace(name.begin(), name.end(), '/', '.');
    answer.evidence[name.substr(1)] = value;
  }

  std::vector<const Json*> runs_;
};

std::string tasks_text(double count) { return count_text(count) + (count == 1 ? " task" : " tasks"); }

// "1 of 100"
std::string of(double part, double whole) { return count_text(part) + " of " + count_text(whole); }

Answer is_assigned(const Evidence& evidence) {
  Answer answer;
  const double tasks = evidence.sum("/network/tasks", answer).value_or(0);
  const double published = evidence.sum("/ledger/published", answer).value_or(tasks);
  const double returned = evidence.sum("/ledger/returned", answer).value_or(0);
  const double unroutable = evidence.mean("/network/unroutable_share", answer).value_or(0);
  const auto lost = evidence.sum("/ledger/lost", answer);
  const double left = evidence.sum("/ledger/outstanding", answer).value_or(0);
  if (unroutable > 0) {
    answer.text = fmt::format("No. {} of all messages had no queue to go to", share_text(unroutable));
    answer.text += returned > 0 ? fmt::format(": {} came back unroutable.", of(returned, published)) : ".";
  } else if (!lost) {
    answer.text = "It cannot be told: the queues were not empty when the run ended.";
  } else if (*lost > 0) {
    answer.text = fmt::format(
        "No. {} had been taken in by the broker and are gone: nobody finished them, and nobody gets them "
        "again.",
        tasks_text(*lost));
  } else if (left > 0) {
    answer.text = fmt::format("Not within this run: {} still waited in queues.", tasks_text(left));
  } else {
    const double deliveries = evidence.mean("/network/amplification", answer).value_or(0);
    answer.text = fmt::format("Yes, in this run: all of {} had a queue, none was lost", tasks_text(tasks));
    answer.text += deliveries > 1.05 ? fmt::format("; each was delivered {} times.", ratio_text(deliveries))
                                     : ", and each was delivered.";
  }
  return answer;
}

// How the deliveries of a variant were acknowledged, as the consumers' records have it.
struct Acknowledgement {
  double deliveries, automatic, acked, after_work;

  Acknowledgement(const Evidence& evidence, Answer& answer)
      : deliveries(evidence.sum("/ledger/deliveries", answer).value_or(0)),
        automatic(evidence.sum("/ledger/settled_automatically", answer).value_or(0)),
        acked(evidence.sum("/ledger/acked", answer).value_or(0)),
        after_work(evidence.sum("/ledger/acked_after_work", answer).value_or(0)) {}
};

// " 4 deliveries that had not been acknowledged came again."
std::string came_again(const Evidence& evidence, Answer& answer) {
  const double again = evidence.sum("/ledger/redelivered_flag", answer).value_or(0);
  if (again == 0) return "";
  return fmt::format(" {} not acknowledged by the worker it was sent to {} handed out again.",
                     again == 1 ? "1 delivery" : count_text(again) + " deliveries",
                     again == 1 ? "was" : "were");
}

Answer is_taken_on(const Evidence& evidence) {
  Answer answer;
  const Acknowledgement ack(evidence, answer);
  if (ack.deliveries == 0) {
    answer.text = "It cannot be told: nothing was delivered.";
  } else if (ack.automatic > 0) {
    const auto done = evidence.sum("/ledger/done", answer);
    const auto lost = evidence.sum("/ledger/lost", answer);
    answer.text = fmt::format(
        "No. {} deliveries were acknowledged automatically, by being sent: the broker forgot them before any "
        "worker had seen them.",
        of(ack.automatic, ack.deliveries));
    if (lost && *lost > 0)
      answer.text += fmt::format(" {} of them nobody ever finished.", count_text(lost));
    else if (done)
      answer.text += fmt::format(" That {} were finished is known from the workers' own records only.",
                                 count_text(done));
  } else if (ack.acked > 0) {
    const auto after = evidence.mean("/latency/ack/mean_ns", answer);
    answer.text = fmt::format("Yes, by its acknowledgement: {} deliveries were acknowledged by hand",
                              of(ack.acked, ack.deliveries));
    answer.text += after ? fmt::format(", {} after their receipt on average.", duration_text(after)) : ".";
    answer.text += " Until then the broker knows only to whom it sent the task, and keeps it.";
    answer.text += came_again(evidence, answer);
  } else {
    answer.text = fmt::format("No. None of {} deliveries was acknowledged.", count_text(ack.deliveries));
  }
  return answer;
}

Answer is_carried_out(const Evidence& evidence) {
  Answer answer;
  const Acknowledgement ack(evidence, answer);
  const double done = evidence.sum("/ledger/done", answer).value_or(0);
  const double copies = evidence.sum("/ledger/copies", answer).value_or(0);
  const auto lost = evidence.sum("/ledger/lost", answer);
  if (ack.deliveries == 0) {
    answer.text = "It cannot be told: nothing was delivered.";
  } else if (ack.automatic > 0) {
    answer.text = "No. With automatic acknowledgement nothing is said after the work.";
    if (lost && *lost > 0)
      answer.text += fmt::format(" {} had been acknowledged, and their work was never done: {} copies were.",
                                 tasks_text(*lost), of(done, copies));
    else
      answer.text += fmt::format(
          " That {} copies were done stands in the workers' records, not with the broker.", of(done, copies));
  } else if (ack.after_work > 0 && ack.after_work == ack.acked) {
    answer.text =
        fmt::format("Yes. {} acknowledgements were written after the work was done; {} copies were done.",
                    of(ack.after_work, ack.acked), of(done, copies));
    const double wasted = evidence.sum("/ledger/done_again", answer).value_or(0);
    if (wasted > 0)
      answer.text += fmt::format(
          " {} of them were done twice, since their first acknowledgement was missing.", count_text(wasted));
    answer.text += came_again(evidence, answer);
  } else {
    answer.text =
        fmt::format("Not for all: {} acknowledgements came after the work.", of(ack.after_work, ack.acked));
  }
  return answer;
}

Answer network_load(const Evidence& evidence) {
  Answer answer;
  const auto messages = evidence.mean("/network/per_task/messages", answer);
  const auto bytes = evidence.mean("/network/per_task/bytes", answer);
  const auto out = evidence.sum("/network/messages_to_broker", answer);
  const auto in = evidence.sum("/network/messages_from_broker", answer);
  const auto tasks = evidence.sum("/network/tasks", answer);
  if (!messages || !tasks) {
    answer.text = "It was not measured: nothing was published.";
    return answer;
  }
  answer.text = fmt::format("{} messages", ratio_text(messages));
  if (bytes) answer.text += fmt::format(" and {}", bytes_text(bytes));
  answer.text += " per task between the broker and all processes";
  if (out && in)
    answer.text += fmt::format(": {} went to the broker and {} came from it, for {}", count_text(out),
                               count_text(in), tasks_text(*tasks));
  answer.text += ".";
  return answer;
}

// How many consumers share a queue, where the most do; and how many there are.
std::pair<std::size_t, std::size_t> sharers(const Json& consumers) {
  std::size_t most = 0;
  for (const Json& one : consumers) {
    const std::string queue = find_text(one, "/queue");
    const auto same = std::count_if(consumers.begin(), consumers.end(),
                                    [&](const Json& other) { return find_text(other, "/queue") == queue; });
    most = std::max(most, static_cast<std::size_t>(same));
  }
  return {most, consumers.size()};
}

// "Jain's index 0.998 by messages, 0.9 by busy time"
std::string evenness(std::optional<double> by_messages, std::optional<double> by_busy_time) {
  std::vector<std::string> parts;
  if (by_messages) parts.push_back(index_text(by_messages) + " by messages");
  if (by_busy_time) parts.push_back(index_text(by_busy_time) + " by busy time");
  return parts.empty() ? "" : "Jain's index is " + report::joined(parts);
}

Answer is_balanced(const Evidence& evidence) {
  constexpr double kEven = 0.95;
  Answer answer;
  const auto [most, all] = sharers(evidence.consumers());
  answer.evidence["consumers"] = all;
  answer.evidence["consumers of one queue"] = most;
  const auto deliveries = evidence.mean("/network/amplification", answer);
  if (all < 2) {
    answer.text = "No: there is one consumer, and nobody to share with.";
    return answer;
  }
  if (most < 2) {
    answer.text = fmt::format("No: each of {} consumers has a queue of its own", all);
    if (deliveries) answer.text += fmt::format(", and a task means {} deliveries", ratio_text(deliveries));
    answer.text += deliveries.value_or(0) > 1.05 ? ": the work is multiplied, not shared." : ".";
    return answer;
  }
  const auto messages = evidence.mean("/fairness/by_messages/jain", answer);
  const auto busy = evidence.mean("/fairness/by_busy_time/jain", answer);
  const auto idle = evidence.mean("/work/0/idle_share", answer);
  const bool works = idle.has_value();  // without any effort, busy time is a matter of microseconds
  const auto decisive = works ? busy : messages;
  answer.text = fmt::format("{} consumers share a queue", most);
  if (decisive)
    answer.text = (*decisive >= kEven ? "Yes, evenly: " : "Yes, but unevenly: ") + answer.text;
  else
    answer.text = "Yes: " + answer.text;
  if (const std::string even = evenness(messages, works ? busy : std::nullopt); !even.empty())
    answer.text += fmt::format("; {} (1 is even)", even);
  if (idle) answer.text += fmt::format(", and workers idled for {} of their time", share_text(idle));
  answer.text += ".";
  const auto gone = std::count_if(evidence.consumers().begin(), evidence.consumers().end(),
                                  [](const Json& one) { return !one.value("alive", true); });
  if (gone > 0) {
    answer.evidence["consumers gone"] = gone;
    answer.text += fmt::format(
        " {} of {} were not there all the time; the indices are those of the others, who took "
        "over what was left.",
        gone, all);
  }
  return answer;
}

struct Question {
  const char* text;
  Answer (*answer)(const Evidence&);
};
constexpr std::array kQuestions = std::to_array<Question>({
    {"Is it certain that every task is some day assigned to a worker?", is_assigned},
    {"Can it be confirmed that a worker has taken a task on?", is_taken_on},
    {"Can it be confirmed that a worker has carried a task out?", is_carried_out},
    {"How much does it load the network?", network_load},
    {"Can the load be balanced among the active workers, and how well is it?", is_balanced},
});

bool asks(const Json& plan, const std::string& variant) {
  const Json variants = plan.is_object() ? plan.value("variants", Json::object()) : Json::object();
  const auto settings = variants.find(variant);
  return settings != variants.end() && settings->is_object() && settings->value("answers", false);
}

}  // namespace

Json answer_questions(const Json& runs, const Json& plan) {
  std::vector<std::string> variants;
  for (const Json& run : runs) {
    const std::string variant = run.value("variant", "");
    if (asks(plan, variant) && std::find(variants.begin(), variants.end(), variant) == variants.end())
      variants.push_back(variant);
  }
  Json answers = Json::array();
  for (const Question& question : kQuestions) {
    for (const std::string& variant : variants) {
      std::vector<const Json*> own;
      for (const Json& run : runs)
        if (run.value("variant", "") == variant) own.push_back(&run);
      Answer answer = question.answer(Evidence(std::move(own)));
      answers.push_back({{"question", question.text},
                         {"variant", variant},
                         {"answer", std::move(answer.text)},
                         {"evidence", std::move(answer.evidence)}});
    }
  }
  return answers;
}

}  // namespace brokerlab
