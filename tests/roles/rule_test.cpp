#include "roles/rule.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace brokerlab {
namespace {

RoleSpec spec_of(Json entry) {
  entry["role"] = "worker";
  if (!entry.contains("consume")) entry["consume"] = {{"queue", "q"}};
  return RoleSpec::from_json(entry);
}

Rule::Verdict verdict_of(const Json& entry, std::string_view body) {
  return Rule(spec_of(entry)).read(body).verdict;
}

TEST(Rule, WithoutAConditionEverythingIsActedUpon) {
  EXPECT_EQ(verdict_of({}, "no json at all"), Rule::Verdict::kAct);
  EXPECT_EQ(verdict_of({{"when", Json::object()}}, "no json at all"), Rule::Verdict::kAct);
}

TEST(Rule, WhenAsksForAllOfItsValues) {
  const Json when = {{"when", {{"/status", "submitted"}, {"/a/0/b", 2}}}};
  EXPECT_EQ(verdict_of(when, R"({"status": "submitted", "a": [{"b": 2}], "more": 1})"), Rule::Verdict::kAct);
  EXPECT_EQ(verdict_of(when, R"({"status": "submitted", "a": [{"b": "2"}]})"), Rule::Verdict::kIgnore);
  EXPECT_EQ(verdict_of(when, R"({"status": "corrected", "a": [{"b": 2}]})"), Rule::Verdict::kIgnore);
  EXPECT_EQ(verdict_of(when, R"({"status": "submitted"})"), Rule::Verdict::kIgnore);
  EXPECT_EQ(verdict_of(when, R"({"status": "submitted", "a": "text"})"), Rule::Verdict::kIgnore);
}

TEST(Rule, NoBodyWhateverItIsThrows) {
  const Json when = {{"when", {{"/status", "submitted"}}}};
  const std::string deep(1'000'000, '[');
  for (const std::string& body :
       {std::string(), std::string("text"), std::string("{\"status\": "), std::string("[1, 2]"),
        std::string("\"text\""), std::string("\xff\xfe{\x00", 4), std::string("null"),
        std::string("{\"a\": 1e999}"), deep}) {
    EXPECT_EQ(verdict_of(when, body), Rule::Verdict::kUnreadable) << body.substr(0, 30);
  }
  const std::string brackets_in_text = R"({"status": "submitted", "t": ")" + deep + R"("})";
  EXPECT_EQ(verdict_of(when, brackets_in_text), Rule::Verdict::kAct);
}

TEST(Rule, SetPatchesTheBody) {
  const Rule rule(
      spec_of({{"set", {{"status", "corrected"}, {"gone", nullptr}, {"mark", {{"points", 5}}}}}}));
  const std::string_view body = R"({"StudentID": 7, "status": "submitted", "gone": 1})";
  EXPECT_EQ(rule.onward(rule.read(body), body),
            R"({"StudentID":7,"status":"corrected","mark":{"points":5}})");
}

TEST(Rule, WithoutASetTheBytesGoOnAsTheyCame) {
  const Rule rule(spec_of({{"when", {{"/a", 1}}}}));
  const std::string_view body = "{ \"a\" : 1 }";
  EXPECT_EQ(rule.onward(rule.read(body), body), body);
}

TEST(Rule, AnEffortFromTheBodyMustBeThere) {
  const Json effort = {{"effort", {{"kind", "sleep"}, {"from", "/effort"}}}};
  EXPECT_EQ(verdict_of(effort, R"({"effort": 2.5})"), Rule::Verdict::kAct);
  EXPECT_EQ(verdict_of(effort, R"({"effort": 0})"), Rule::Verdict::kAct);
  EXPECT_EQ(verdict_of(effort, R"({"effort": "2.5"})"), Rule::Verdict::kUnreadable);
  EXPECT_EQ(verdict_of(effort, R"({"effort": -1})"), Rule::Verdict::kUnreadable);
  EXPECT_EQ(verdict_of(effort, R"({})"), Rule::Verdict::kUnreadable);
}

TEST(RoleSpec, ReadsItsEntry) {
  const RoleSpec spec =
      spec_of({{"consume", {{"queue", "q"}, {"prefetch", 5}, {"ack", "multiple(100)"}, {"get", "10ms"}}},
               {"effort", {{"kind", "spin"}, {"seconds", "5ms"}}},
               {"publish", {{"exchange", "x"}}},
               {"otherwise", "dead_letter"}});
  EXPECT_EQ(spec.consume.prefetch, 5);
  EXPECT_EQ(spec.consume.ack, AckMode::kMultiple);
  EXPECT_EQ(spec.consume.multiple, 100U);
  EXPECT_EQ(spec.consume.get_ns, 10'000'000);
  EXPECT_DOUBLE_EQ(spec.effort.seconds->mean(), 0.005);
  EXPECT_TRUE(spec.publish->mandatory);
  EXPECT_EQ(spec.otherwise, Otherwise::kDeadLetter);
  EXPECT_FALSE(spec.settles_at_once());
  EXPECT_TRUE(spec_of({{"effort", {{"kind", "none"}}}}).settles_at_once());
}

TEST(RoleSpec, RefusesWhatMakesNoSense) {
  EXPECT_THROW(spec_of({{"consume", {{"queue", "q"}, {"ack", "multiple(0)"}}}}), Error);
  EXPECT_THROW(spec_of({{"consume", {{"queue", "q"}, {"ack", "sometimes"}}}}), Error);
  EXPECT_THROW(spec_of({{"effort", {{"kind", "sleep"}}}}), Error);
  EXPECT_THROW(spec_of({{"effort", {{"kind", "sleep"}, {"seconds", 1}, {"from", "dots"}}}}), Error);
  EXPECT_THROW(spec_of({{"consume", {{"queue", 7}}}}), Error);
}

}  // namespace
}  // namespace brokerlab
