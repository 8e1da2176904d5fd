#include "roles/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "roles/effort.h"

namespace brokerlab {
namespace {

RoleSpec spec_of(Json entry) {
  entry["role"] = "worker";
  if (!entry.contains("consume")) entry["consume"] = {{"queue", "q"}};
  return RoleSpec::from_json(entry);
}

using Verdict = Reaction::Verdict;

Verdict verdict_of(const Json& entry, std::string_view body) {
  const RoleSpec spec = spec_of(entry);
  return Rule({spec, "worker-0", "."}).receive(body, "key").verdict;
}

std::vector<std::string> published_of(const Json& entry, std::string_view body) {
  const RoleSpec spec = spec_of(entry);
  Rule rule({spec, "worker-0", "."});
  std::vector<std::string> bodies;
  for (const Outgoing& message : rule.finish(rule.receive(body, "key"), body)) bodies.push_back(message.body);
  return bodies;
}

TEST(Rule, WithoutAConditionEverythingIsActedUpon) {
  EXPECT_EQ(verdict_of({}, "no json at all"), Verdict::kAct);
  EXPECT_EQ(verdict_of({{"when", Json::object()}}, "no json at all"), Verdict::kAct);
}

TEST(Rule, WhenAsksForAllOfItsValues) {
  const Json when = {{"when", {{"/status", "submitted"}, {"/a/0/b", 2}}}};
  EXPECT_EQ(verdict_of(when, R"({"status": "submitted", "a": [{"b": 2}], "more": 1})"), Verdict::kAct);
  EXPECT_EQ(verdict_of(when, R"({"status": "submitted", "a": [{"b": "2"}]})"), Verdict::kIgnore);
  EXPECT_EQ(verdict_of(when, R"({"status": "corrected", "a": [{"b": 2}]})"), Verdict::kIgnore);
  EXPECT_EQ(verdict_of(when, R"({"status": "submitted"})"), Verdict::kIgnore);
  EXPECT_EQ(verdict_of(when, R"({"status": "submitted", "a": "text"})"), Verdict::kIgnore);
}

TEST(Rule, NoBodyWhateverItIsThrows) {
  const Json when = {{"when", {{"/status", "submitted"}}}};
  const std::string deep(1'000'000, '[');
  for (const std::string& body :
       {std::string(), std::string("text"), std::string("{\"status\": "), std::string("[1, 2]"),
        std::string("\"text\""), std::string("\xff\xfe{\x00", 4), std::string("null"),
        std::string("{\"a\": 1e999}"), deep}) {
    EXPECT_EQ(verdict_of(when, body), Verdict::kUnreadable) << body.substr(0, 30);
  }
  const std::string brackets_in_text = R"({"status": "submitted", "t": ")" + deep + R"("})";
  EXPECT_EQ(verdict_of(when, brackets_in_text), Verdict::kAct);
}

TEST(Rule, SetPatchesTheBody) {
  const Json entry = {{"set", {{"status", "corrected"}, {"gone", nullptr}, {"mark", {{"points", 5}}}}},
                      {"publish", {{"routing_key", "next"}}}};
  const std::string_view body = R"({"StudentID": 7, "status": "submitted", "gone": 1})";
  EXPECT_THAT(published_of(entry, body),
              testing::ElementsAre(R"({"StudentID":7,"status":"corrected","mark":{"points":5}})"));
}

TEST(Rule, WithoutASetTheBytesGoOnAsTheyCame) {
  const std::string_view body = "{ \"a\" : 1 }";
  EXPECT_THAT(published_of({{"when", {{"/a", 1}}}, {"publish", {{"exchange", "x"}}}}, body),
              testing::ElementsAre(body));
  EXPECT_THAT(published_of({{"when", {{"/a", 1}}}}, body), testing::IsEmpty());
}

TEST(EffortLength, OfTheBodyMustStandThere) {
  const RoleSpec spec = spec_of({{"effort", {{"kind", "sleep"}, {"from", "/effort"}}}});
  const EffortLength length(spec.effort, 1, "worker");
  EXPECT_TRUE(length.stands_in(Json::parse(R"({"effort": 2.5})")));
  EXPECT_TRUE(length.stands_in(Json::parse(R"({"effort": 0})")));
  EXPECT_FALSE(length.stands_in(Json::parse(R"({"effort": "2.5"})")));
  EXPECT_FALSE(length.stands_in(Json::parse(R"({"effort": -1})")));
  EXPECT_FALSE(length.stands_in(Json::parse("{}")));
  EXPECT_FALSE(length.stands_in(nullptr));
}

TEST(Behaviour, IsFoundByItsName) {
  const RoleSpec rule = spec_of({});
  EXPECT_NE(make_behaviour({rule, "worker-0", "."}), nullptr);
  const RoleSpec unknown = spec_of({{"behaviour", "rul"}});
  try {
    make_behaviour({unknown, "worker-0", "."});
    FAIL() << "an unknown behaviour was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_THAT(error.what(), testing::HasSubstr("\"rule\""));
  }
}

TEST(RoleSpec, OutputsHaveNamesAndMayLeaveTheKeyToTheBehaviour) {
  const RoleSpec spec = spec_of({{"outputs",
                                  {{"bills", {{"routing_key", "billing_events"}, {"persistent", true}}},
                                   {"customers", {{"exchange", "customer_app_events"}}}}}});
  EXPECT_EQ(spec.outputs[spec.output("bills")].routing_key, "billing_events");
  EXPECT_TRUE(spec.outputs[spec.output("bills")].persistent);
  EXPECT_EQ(spec.outputs[spec.output("customers")].routing_key, std::nullopt);
  EXPECT_THROW(spec.output("nobody"), Error);
  EXPECT_FALSE(spec.settles_at_once());
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
  ASSERT_EQ(spec.outputs.size(), 1U);
  EXPECT_TRUE(spec.outputs[0].mandatory);
  EXPECT_EQ(spec.outputs[0].routing_key, "");
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
