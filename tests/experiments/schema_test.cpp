#include "experiments/schema.h"

#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace brokerlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> problems_of(const Json& document) {
  std::vector<std::string> problems;
  check_schema(document, [&](const JsonPointer& at, const std::string& what, const std::string&) {
    problems.push_back(at.to_string() + ": " + what);
  });
  return problems;
}

// What the independent validator says of the published schema alone.
bool valijson_accepts(const Json& document) {
  static const nlohmann::json text = nlohmann::json::parse(experiment_schema_text());
  static const auto schema = [] {
    auto parsed = std::make_unique<valijson::Schema>();
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(text), *parsed);
    return parsed;
  }();
  const nlohmann::json plain = nlohmann::json::parse(document.dump());
  return valijson::Validator().validate(*schema, valijson::adapters::NlohmannJsonAdapter(plain), nullptr);
}

// An experiment that uses every key of the schema that can stand together.
Json rich() {
  return Json::parse(R"json({
    "name": "rich", "description": "d", "question": "q",
    "broker": {"kind": "private", "nodes": 3, "arguments": {"channel_max": 100}},
    "topology": {
      "exchanges": [{"name": "e", "type": "topic", "durable": true, "alternate_exchange": "f", "arguments": {"a": 1}},
                    {"name": "f", "type": "fanout", "internal": true, "auto_delete": true, "predeclared": false}],
      "queues": [{"name": "q-{i}", "copies": 3, "durable": true, "arguments": {"x-queue-type": "quorum"}}],
      "bindings": [{"exchange": "e", "queue": "q-{i}", "routing_key": "k.{i}"},
                   {"exchange": "e", "destination_exchange": "f", "arguments": {}}]},
    "load": [
      {"name": "a", "instances": 4, "processes": 2, "channels_per_connection": 10,
       "arrivals": {"process": "steps", "steps": [{"rate": 0, "for": "1s"}, {"rate": 10, "for": 2}]},
       "publish": {"exchange": "e", "routing_key": {"cycle": ["a", "b"]}, "mandatory": false, "persistent": true,
                   "priority": 3, "headers": {"h": 1, "t": "x", "b": true}, "content_type": "text/plain",
                   "expiration": "1m", "body": {"size": {"distribution": "uniform", "min": "1KiB", "max": 2048}}},
       "confirms": {"enabled": true, "window": 5}, "stop": {"count": 3, "after": "5s"}},
      {"name": "b", "arrivals": {"process": "closed", "outstanding": 2, "think": "1ms"}, "publish": {}}],
    "roles": [
      {"role": "w", "instances": 3, "processes": 1, "channels_per_connection": 3,
       "consume": {"queue": "q-{i}", "prefetch": 20, "ack": "multiple(10)", "subscribe": "after_load",
                   "exclusive": true, "priority": -1, "read_coalescing": "1ms", "arguments": {}},
       "effort": {"kind": "spin", "from": "/effort", "scale": "1ms"},
       "when": {"/status": "new"}, "set": {"status": "old"},
       "publish": {"exchange": "e", "routing_key": "r", "mandatory": true, "persistent": false}, "otherwise": "nack"},
      {"role": "g", "consume": {"queue": "q-0", "get": "100ms", "ack": "auto"},
       "effort": {"kind": "sleep", "seconds": "5ms"}}],
    "faults": [{"at": "1s", "kind": "pause", "target": "broker", "duration": "1s"},
               {"at": 2, "kind": "kill", "target": "w", "instance": 0, "mode": "one", "restart_after": "1s"}],
    "phases": {"warmup": "1s", "measure": 5, "drain": "1m"},
    "repetitions": 3, "seed": 9, "thresholds": ["ledger.lost == 0"], "charts": ["latency"]
  })json");
}

void each_place(const Json& value, const JsonPointer& at, std::vector<JsonPointer>& places) {
  places.push_back(at);
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) each_place(item, at / key, places);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) each_place(value[i], at / i, places);
  }
}

TEST(Schema, TheOneInTheProgramIsTheOnePublished) {
  std::ifstream file(std::string(BROKERLAB_SOURCE_DIR) + "/experiments/schema/experiment.schema.json");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(experiment_schema_text(), text.str());
}

TEST(Schema, AcceptsEveryKeyOfARichExperiment) {
  EXPECT_THAT(problems_of(rich()), IsEmpty());
  EXPECT_TRUE(valijson_accepts(rich()));
}

// Our words for people and the independent validator must agree on what is wrong: each value of the rich
// experiment is replaced by values of every kind.
TEST(Schema, AgreesWithAnIndependentValidator) {
  std::vector<JsonPointer> places;
  each_place(rich(), JsonPointer(), places);
  const std::vector<Json> replacements{nullptr, -1, 1.5, "no such thing", Json::array(), Json{{"bogus", 1}}};
  int refused = 0;
  for (const JsonPointer& place : places) {
    for (const Json& replacement : replacements) {
      Json document = rich();
      document[place] = replacement;
      const bool ours = problems_of(document).empty();
      EXPECT_EQ(ours, valijson_accepts(document)) << place << " := " << replacement;
      refused += ours ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(Schema, AgreesWithAnIndependentValidatorOnMissingAndAddedKeys) {
  std::vector<JsonPointer> places;
  each_place(rich(), JsonPointer(), places);
  for (const JsonPointer& place : places) {
    if (place.empty()) continue;
    Json without = rich();
    Json& parent = without[place.parent_pointer()];
    if (parent.is_object()) parent.erase(place.back());
    EXPECT_EQ(problems_of(without).empty(), valijson_accepts(without)) << "without " << place;
    Json with = rich();
    if (with[place].is_object()) with[place]["added"] = 1;
    EXPECT_EQ(problems_of(with).empty(), valijson_accepts(with)) << "added to " << place;
  }
}

TEST(Schema, ASuiteHasNothingElseBesideIt) {
  EXPECT_THAT(problems_of({{"name", "s"}, {"suite", {"a"}}}), IsEmpty());
  EXPECT_THAT(problems_of({{"name", "s"}, {"suite", {"a"}}, {"seed", 1}}),
              ElementsAre("/seed: \"seed\" has no meaning beside \"suite\""));
  EXPECT_FALSE(valijson_accepts({{"name", "s"}, {"suite", {"a"}}, {"seed", 1}}));
}

void expect_described(const Json& node, const std::string& where) {
  if (node.is_array()) {
    for (const Json& item : node) expect_described(item, where);
    return;
  }
  if (!node.is_object()) return;
  if (node.contains("properties") && node["properties"].is_object()) {
    for (const auto& [key, property] : node["properties"].items()) {
      if (!property.is_object()) continue;
      EXPECT_TRUE(property.contains("description") || resolve_schema(property).contains("description"))
          << where << "/" << key << " has no description";
    }
  }
  for (const auto& [key, item] : node.items()) {
    if (key != "properties" || !item.is_object()) {
      expect_described(item, where + "/" + key);
      continue;
    }
    // Names of properties, one of which may be "properties".
    for (const auto& [name, property] : item.items()) expect_described(property, where + "/" + name);
  }
}

TEST(Schema, EveryKeyHasADescription) { expect_described(experiment_schema(), ""); }

TEST(Defaults, AreFilledInAtEveryDepth) {
  Json document = {{"name", "x"},
                   {"topology", {{"queues", {{{"name", "q"}}}}}},
                   {"load", {{{"name", "p"}, {"publish", Json::object()}}}},
                   {"roles", {{{"role", "w"}, {"consume", {{"queue", "q"}}}}}}};
  fill_defaults(document);
  EXPECT_EQ(document["load"][0]["arrivals"], Json::parse(R"({"process": "constant", "rate": 100})"));
  EXPECT_EQ(document["load"][0]["confirms"], Json::parse(R"({"enabled": true, "window": 1000})"));
  EXPECT_EQ(document["load"][0]["publish"]["body"], Json::parse(R"({"size": 100})"));
  EXPECT_EQ(document["load"][0]["publish"]["mandatory"], true);
  EXPECT_EQ(document["load"][0]["publish"]["routing_key"], "");
  EXPECT_EQ(document["load"][0]["channels_per_connection"], 100);
  EXPECT_EQ(document["roles"][0]["consume"]["ack"], "manual");
  EXPECT_EQ(document["roles"][0]["effort"]["kind"], "none");
  EXPECT_EQ(document["topology"]["queues"][0]["copies"], 1);
  EXPECT_EQ(document["topology"]["exchanges"], Json::array());
  EXPECT_EQ(document["phases"]["drain"], "30s");
  EXPECT_EQ(document["broker"]["kind"], "private");
  EXPECT_EQ(document["seed"], 1);
  EXPECT_THAT(problems_of(document), IsEmpty());
}

TEST(Defaults, OfTheBranchThatTheProcessNames) {
  Json document = {
      {"name", "x"},
      {"load", {{{"name", "p"}, {"publish", Json::object()}, {"arrivals", {{"process", "closed"}}}}}}};
  fill_defaults(document);
  EXPECT_EQ(document["load"][0]["arrivals"], Json::parse(R"({"process": "closed", "outstanding": 1})"));
}

TEST(Defaults, LeaveWhatIsWrittenAlone) {
  Json document = rich();
  fill_defaults(document);
  std::vector<JsonPointer> places;
  each_place(rich(), JsonPointer(), places);
  for (const JsonPointer& place : places) {
    if (rich()[place].is_structured()) continue;
    EXPECT_EQ(document[place], rich()[place]) << place;
  }
  Json again = document;
  fill_defaults(again);
  EXPECT_EQ(again, document);
}

TEST(Defaults, DoNotTripOverNonsense) {
  std::vector<JsonPointer> places;
  each_place(rich(), JsonPointer(), places);
  for (const JsonPointer& place : places) {
    for (const Json& replacement :
         {Json(nullptr), Json(7), Json("x"), Json::array({Json::array()}), Json::object()}) {
      Json document = rich();
      document[place] = replacement;
      EXPECT_NO_THROW(fill_defaults(document)) << place << " := " << replacement;
    }
  }
}

}  // namespace
}  // namespace brokerlab
