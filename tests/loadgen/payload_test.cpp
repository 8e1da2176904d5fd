#include "loadgen/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>

#include "core/error.h"
#include "core/recording.h"
#include "loadgen/csv.h"
#include "loadgen/message_properties.h"
#include "loadgen/routing_key.h"
#include "loadgen/schedule.h"

namespace brokerlab {
namespace {

LoadSpec spec_of(const Json& publish, std::uint32_t instances = 1) {
  return LoadSpec::from_json({{"name", "load"}, {"instances", instances}, {"publish", publish}},
                             std::filesystem::temp_directory_path());
}

std::vector<std::string> bodies_of(const Json& body, std::size_t count, std::uint32_t instances = 1,
                                   std::uint32_t instance = 0, std::uint64_t seed = 1) {
  const auto payload = Payload::make(spec_of({{"body", body}}, instances), seed, instance);
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < count; ++i) {
    bodies.emplace_back(payload->next({.sequence = i,
                                       .publisher = 40 + instance,
                                       .instance = instance,
                                       .intended_ns = static_cast<Nanoseconds>(i) * 1'500'000'000}));
  }
  return bodies;
}

// A file that is gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) : name_("payload-test-" + std::to_string(::getpid())) {
    std::ofstream(path()) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path()); }
  std::string name() const { return name_; }
  std::filesystem::path path() const { return std::filesystem::temp_directory_path() / name_; }

 private:
  std::string name_;
};

TEST(Payload, ASizeIsFillerOfThatSizeWithoutDots) {
  const auto payload = Payload::make(spec_of({{"body", {{"size", "1KiB"}}}}), 1, 0);
  EXPECT_TRUE(payload->fixed());
  EXPECT_EQ(payload->next({}).size(), 1024U);
  EXPECT_EQ(payload->next({}).find('.'), std::string_view::npos);
  EXPECT_EQ(bodies_of({{"size", 0}}, 1)[0], "");
  EXPECT_THROW(bodies_of({{"size", "1000MiB"}}, 1), Error);
}

TEST(Payload, SizesCanChangeOverTime) {
  const Json body =
      Json::parse(R"({"size": {"profile": [{"value": "10B", "for": "2s"}, {"value": 20, "for": "1s"}]}})");
  std::vector<std::size_t> sizes;
  for (const std::string& one : bodies_of(body, 4)) sizes.push_back(one.size());  // every 1.5 s
  EXPECT_THAT(sizes, testing::ElementsAre(10, 10, 10, 10));
  const auto payload = Payload::make(spec_of({{"body", body}}), 1, 0);
  EXPECT_EQ(payload->next({.intended_ns = 2'500'000'000}).size(), 20U);
}

TEST(RoutingKeys, RandomOnesAreCachedOrNew) {
  const auto keys_of = [](const Json& key, std::uint32_t instance) {
    const LoadSpec spec = spec_of({{"routing_key", key}});
    RoutingKey keys(spec, {}, 1, instance);
    std::set<std::string> seen;
    for (std::uint64_t i = 0; i < 200; ++i) seen.insert(std::string(keys.next({.sequence = i}, "").key));
    return seen;
  };
  EXPECT_EQ(keys_of({{"random", 5}}, 0).size(), 5U);
  EXPECT_EQ(keys_of({{"random", 0}}, 0).size(), 200U);
  EXPECT_NE(keys_of({{"random", 5}}, 0), keys_of({{"random", 5}}, 1));
  EXPECT_TRUE(possible_routes({{"name", "l"}, {"publish", {{"routing_key", {{"random", 5}}}}}}).empty());
}

TEST(MessageProperties, AreRenderedWhereTheyDiffer) {
  const LoadSpec spec =
      spec_of({{"headers", {{"kind", "{choice:a|b}"}, {"fixed", "x"}, {"count", 3}}},
               {"properties", {{"message_id", "{publisher}-{sequence}"}, {"app_id", "lab"}}}});
  MessageProperties properties(spec, "text/plain", 1, 0);
  EXPECT_FALSE(properties.fixed());
  std::set<std::string> kinds;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const amqp::Properties& next = properties.next({.sequence = i, .publisher = 7});
    EXPECT_EQ(next.message_id, "7-" + std::to_string(i));
    EXPECT_EQ(next.app_id, "lab");
    EXPECT_EQ(next.content_type, "text/plain");
    EXPECT_EQ(next.headers.at("fixed"), "x");
    EXPECT_EQ(next.headers.at("count"), 3);
    kinds.insert(next.headers.at("kind").get<std::string>());
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"a", "b"}));
  EXPECT_TRUE(MessageProperties(spec_of({{"headers", {{"a", "b"}}}}), "", 1, 0).fixed());
  EXPECT_THROW(MessageProperties(spec_of({{"headers", {{"a", "{sequense}"}}}}), "", 1, 0), Error);
}

TEST(Template, InstancesGoRoundNumbers) {
  const Template text = Template::of_text("q-{instance:2-4}");
  Random random(1, "x", 0);
  std::string rendered;
  for (const std::uint32_t instance : {0U, 2U, 3U})
    text.render({.instance = instance}, random, rendered += " ");
  EXPECT_EQ(rendered, " q-2 q-4 q-2");
  EXPECT_THAT(*text.all(5, 10), testing::ElementsAre("q-2", "q-3", "q-4"));
}

TEST(Payload, SizesCanBeDrawn) {
  const auto bodies = bodies_of({{"size", {{"distribution", "cycle"}, {"values", {"10B", "1kB"}}}}}, 4);
  EXPECT_EQ(bodies[0].size(), 10U);
  EXPECT_EQ(bodies[1].size(), 1000U);
  EXPECT_EQ(bodies[2].size(), 10U);
  const Json uniform = {{"size", {{"distribution", "uniform"}, {"min", 10}, {"max", 20}}}};
  EXPECT_EQ(bodies_of(uniform, 50), bodies_of(uniform, 50));
  EXPECT_NE(bodies_of(uniform, 50), bodies_of(uniform, 50, 1, 0, 2));
  for (const std::string& body : bodies_of(uniform, 50)) {
    EXPECT_GE(body.size(), 10U);
    EXPECT_LE(body.size(), 20U);
  }
}

TEST(Payload, TemplatesAreFilledIn) {
  const auto bodies =
      bodies_of({{"template", "{{{publisher}}} #{sequence} of {instance} at {time}"}}, 2, 5, 3);
  EXPECT_EQ(bodies[0], "{43} #0 of 3 at 0.000000");
  EXPECT_EQ(bodies[1], "{43} #1 of 3 at 1.500000");
  std::map<std::string, int> seen;
  for (const std::string& body : bodies_of({{"template", "{random:-1-2}{choice:a|b c|}"}}, 400)) ++seen[body];
  EXPECT_EQ(seen.size(), 12U);
  EXPECT_TRUE(seen.contains("-1b c"));
  EXPECT_TRUE(seen.contains("2"));
  for (const std::string& id : bodies_of({{"template", "{id}"}}, 100)) {
    EXPECT_GE(std::stoi(id), 1000);
    EXPECT_LE(std::stoi(id), 9999);
  }
}

TEST(Payload, NumbersFollowTheSequence) {
  EXPECT_THAT(bodies_of({{"template", "p{number:9-11}"}}, 4), testing::ElementsAre("p9", "p10", "p11", "p9"));
  EXPECT_THAT(bodies_of({{"template", "{number:-9223372036854775808-9223372036854775807}"}}, 1),
              testing::ElementsAre("-9223372036854775808"));
}

TEST(Payload, ATemplateWithoutPlaceholdersIsFixed) {
  const auto payload = Payload::make(spec_of({{"body", {{"template", "{{}}"}}}}), 1, 0);
  EXPECT_TRUE(payload->fixed());
  EXPECT_EQ(payload->next({}), "{}");
}

TEST(Payload, BadTemplatesAreRefusedWithTheNearestName) {
  for (const char* text :
       {"{sequense}", "{", "a}b", "{random:5}", "{random:5-1}", "{random:a-b}", "{number:5}"}) {
    EXPECT_THROW(bodies_of({{"template", text}}, 1), Error) << text;
  }
  try {
    bodies_of({{"template", "{sequense}"}}, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.remedy(), testing::HasSubstr("{sequence}"));
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
  }
}

TEST(Payload, JsonBodiesAreJsonWhateverStandsInThem) {
  const Json object = {{"StudentID", "{id}"},
                       {"Answer", "say \"{sequence}\" {{x}}"},
                       {"nested", {{"list", {"{random:1-5}", 2, true, nullptr}}, {"empty", Json::object()}}},
                       {"effort", "{choice:0.018|0.002}"},
                       {"Module", "{choice:cloud|\"data\"}"}};
  const auto payload = Payload::make(spec_of({{"body", {{"json", object}}}}), 1, 0);
  EXPECT_EQ(payload->content_type(), "application/json");
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Json body = Json::parse(payload->next({.sequence = i}));
    EXPECT_TRUE(body.at("StudentID").is_number_integer());
    EXPECT_EQ(body.at("Answer"), "say \"" + std::to_string(i) + "\" {x}");
    EXPECT_TRUE(body.at("nested").at("list").at(0).is_number());
    EXPECT_EQ(body.at("nested").at("empty"), Json::object());
    EXPECT_TRUE(body.at("effort") == 0.018 || body.at("effort") == 0.002);
    EXPECT_TRUE(body.at("Module") == "cloud" || body.at("Module") == "\"data\"");
  }
}

TEST(Payload, ListedMessagesAreDealtOutOverTheInstances) {
  const Json lines = {{"lines", {"a", "b", "c", "d", "e"}}};
  EXPECT_THAT(bodies_of(lines, 6), testing::ElementsAre("a", "b", "c", "d", "e", "a"));
  EXPECT_THAT(bodies_of(lines, 3, 2, 0), testing::ElementsAre("a", "c", "e"));
  EXPECT_THAT(bodies_of(lines, 3, 2, 1), testing::ElementsAre("b", "d", "a"));
}

TEST(Payload, CsvRowsAreJoinedByOneSpace) {
  const TemporaryFile file(
      "first,task..\n\n\"with, comma\",\"and \"\"quotes\"\"\",.\r\n\"two\nlines\"\nlast");
  EXPECT_THAT(bodies_of({{"csv", file.name()}}, 5),
              testing::ElementsAre("first task..", "with, comma and \"quotes\" .", "two\nlines", "last",
                                   "first task.."));
}

TEST(Payload, JsonLinesAreCheckedOnce) {
  const TemporaryFile good("{\"a\": 1}\n\n[2]\n");
  EXPECT_THAT(bodies_of({{"jsonl", good.name()}}, 2), testing::ElementsAre("{\"a\":1}", "[2]"));
}

TEST(Payload, BadFilesNameFileAndLine) {
  EXPECT_THROW(bodies_of({{"csv", "no such file"}}, 1), Error);
  const TemporaryFile bad("{\"a\": 1}\n{a\n");
  try {
    bodies_of({{"jsonl", bad.name()}}, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.where(), testing::HasSubstr(bad.name() + ":2"));
  }
  const TemporaryFile empty("");
  EXPECT_THROW(bodies_of({{"csv", empty.name()}}, 1), Error);
}

TEST(Csv, AnUnclosedQuoteNamesItsLine) {
  try {
    read_csv_rows("a,b\n\"c\nd", "tasks.csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "tasks.csv:2");
  }
  EXPECT_THAT(read_csv_rows("\xEF\xBB\xBF a , \tb \n,,\nc,\n", "x"), testing::ElementsAre("a b", "c "));
  EXPECT_THAT(read_csv_rows("", "x"), testing::IsEmpty());
}

std::vector<std::string> keys_of(const Json& routing_key, std::size_t count,
                                 const RoutingKey::Routes& routes = {}, std::string_view body = {}) {
  RoutingKey keys(spec_of({{"exchange", "x"}, {"routing_key", routing_key}}), routes, 1, 0);
  std::vector<std::string> drawn;
  for (std::size_t i = 0; i < count; ++i) {
    const auto choice = keys.next({.sequence = i}, body);
    drawn.push_back(std::string(choice.key) + "/" + std::to_string(choice.route));
  }
  return drawn;
}

TEST(RoutingKey, IsFixedCycledDrawnOrRendered) {
  const RoutingKey::Routes routes = {{"", "a"}, {"x", "b"}, {"x", "a"}};
  EXPECT_THAT(keys_of("a", 2, routes), testing::ElementsAre("a/2", "a/2"));
  EXPECT_THAT(keys_of({{"cycle", {"a", "b", "c"}}}, 4, routes),
              testing::ElementsAre("a/2", "b/1", "c/255", "a/2"));
  EXPECT_THAT(keys_of({{"template", "key-{sequence}"}}, 2), testing::ElementsAre("key-0/255", "key-1/255"));
  std::map<std::string, int> seen;
  for (const std::string& key : keys_of({{"choice", {"a", "b"}}}, 10'000, routes)) ++seen[key];
  EXPECT_NEAR(seen["a/2"], 5000, 200);
  EXPECT_NEAR(seen["b/1"], 5000, 200);
}

TEST(RoutingKey, IsTakenFromTheBody) {
  const Json product = {{"body", {{"pointer", "/product_number"}}}};
  EXPECT_THAT(keys_of(product, 1, {}, R"({"product_number": "17"})"), testing::ElementsAre("17/255"));
  EXPECT_THAT(keys_of(product, 1, {}, R"({"product_number": 17})"), testing::ElementsAre("17/255"));
  EXPECT_THROW(keys_of(product, 1, {}, R"({"product": 17})"), Error);
  EXPECT_THROW(keys_of(product, 1, {}, "no json"), Error);
  const Json module = {{"body", {{"pointer", "/Module"}, {"map", {{"data_mining", "demonstrator_dm"}}}}}};
  EXPECT_THAT(keys_of(module, 1, {{"x", "demonstrator_dm"}}, R"({"Module": "data_mining"})"),
              testing::ElementsAre("demonstrator_dm/0"));
  EXPECT_THROW(keys_of(module, 1, {}, R"({"Module": "cooking"})"), Error);
}

std::vector<std::pair<std::string, std::string>> routes_of(const Json& routing_key,
                                                           std::uint32_t instances = 1) {
  return possible_routes({{"name", "load"},
                          {"instances", instances},
                          {"arrivals", {{"process", "replay"}, {"file", "read only by the load itself"}}},
                          {"publish", {{"exchange", "x"}, {"routing_key", routing_key}}}});
}

TEST(PossibleRoutes, AreListedWhenTheyAreFinite) {
  using Routes = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(routes_of("a"), (Routes{{"x", "a"}}));
  EXPECT_EQ(routes_of({{"choice", {"a", "b", "a"}}}), (Routes{{"x", "a"}, {"x", "b"}}));
  EXPECT_EQ(routes_of({{"template", "{choice:p|q}.{instance}"}}, 2),
            (Routes{{"x", "p.0"}, {"x", "q.0"}, {"x", "p.1"}, {"x", "q.1"}}));
  EXPECT_TRUE(routes_of({{"template", "{sequence}"}}).empty());
  EXPECT_TRUE(routes_of({{"template", "{number:1-3}"}}).empty());
  EXPECT_EQ(routes_of({{"body", {{"pointer", "/m"}, {"map", {{"v", "a"}, {"w", "b"}}}}}}),
            (Routes{{"x", "a"}, {"x", "b"}}));
  EXPECT_TRUE(routes_of({{"body", {{"pointer", "/m"}}}}).empty());
  EXPECT_TRUE(routes_of({{"template", "{instance}"}}, 255).empty());
  EXPECT_EQ(routes_of({{"template", "{instance}"}}, 254).size(), 254U);
}

}  // namespace
}  // namespace brokerlab
