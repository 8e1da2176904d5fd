#include "core/json.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.h"
#include "core/random.h"

namespace brokerlab {
namespace {

class Folder {
 public:
  Folder() : path_(std::filesystem::path(::testing::TempDir()) / ("json-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Error error_of(const std::string& text) {
  try {
    parse_json(text, "file.json");
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "accepted: " << text;
  return Error("", "", "");
}

TEST(Json, ParsesCommentsAndKeepsTheOrderOfKeys) {
  const Json value = parse_json("// first\n{\"z\": 1, /* in\nbetween */ \"a\": [1, 2]} // last", "x");
  EXPECT_EQ(value.dump(), R"({"z":1,"a":[1,2]})");
}

TEST(Json, SaysWhereItIsBroken) {
  const Error missing = error_of("{\n  \"a\": 1\n  \"b\": 2\n}");
  EXPECT_EQ(missing.where(), "file.json:3:5");
  EXPECT_EQ(missing.status(), ExitStatus::kUsage);
  EXPECT_NE(missing.summary().find("expected"), std::string::npos) << missing.summary();
  EXPECT_EQ(error_of("").where(), "file.json:1:1");
  EXPECT_EQ(error_of("{\"a\": [1, 2,\n]}").where(), "file.json:2:1");
  EXPECT_LT(error_of("{\"a\": \"" + std::string(100000, 'x')).summary().size(), 400u);
}

TEST(Json, RefusesAKeyThatStandsTwice) {
  const Error error = error_of("{\"a\": {\"b\": 1,\n \"c\": [{}],\n\n  \"b\": 2}}");
  EXPECT_EQ(error.where(), "file.json:4:3");
  EXPECT_NE(error.summary().find("\"b\""), std::string::npos);
  EXPECT_NO_THROW(parse_json("[{\"a\": 1}, {\"a\": {\"a\": 2}}]", "x"));
  EXPECT_THROW(parse_json(R"({"a": 1, "\u0061": 2})", "x"), Error);
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_NO_THROW(parse_json(std::string(200, '[') + std::string(200, ']'), "x"));
  EXPECT_THROW(parse_json(std::string(300, '[') + std::string(300, ']'), "x"), Error);
  EXPECT_THROW(parse_json(std::string(100000, '[') + std::string(100000, ']'), "x"), Error);
}

TEST(Json, SurvivesDamagedText) {
  const std::string text = R"({"name": "a\"b", /* c */ "list": [1, 2.5e3, {"x": null}], // d
    "deep": {"e": [[], {}, [true]]}})";
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = text;
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    damaged.resize(damaged.size() - random.below(4) * random.below(10));
    line_of(damaged, JsonPointer("/deep/e/1"));
    try {
      parse_json(damaged, "x");
    } catch (const Error&) {
    }
  }
}

TEST(Json, FindsLines) {
  const std::string text = R"(// a comment
{
  "name": "x", /* { "list": */ "list": [
    {"a": 1},
    {"a/b": "//no comment",
     "c": {
       "d": [10,
             20]
     }}
  ]
})";
  EXPECT_EQ(line_of(text, JsonPointer("")), 2);
  EXPECT_EQ(line_of(text, JsonPointer("/name")), 3);
  EXPECT_EQ(line_of(text, JsonPointer("/list")), 3);
  EXPECT_EQ(line_of(text, JsonPointer("/list/0/a")), 4);
  EXPECT_EQ(line_of(text, JsonPointer("/list/1/a~1b")), 5);
  EXPECT_EQ(line_of(text, JsonPointer("/list/1/c/d/0")), 7);
  EXPECT_EQ(line_of(text, JsonPointer("/list/1/c/d/1")), 8);
  EXPECT_EQ(line_of(text, JsonPointer("/list/1/c/missing/x")), 6);
  EXPECT_EQ(line_of(text, JsonPointer("/list/7")), 3);
  EXPECT_EQ(line_of("", JsonPointer("/a")), 1);
}

TEST(Json, NamesTheNearestWord) {
  const std::vector<std::string> keys{"prefetch", "processes", "publish", "queue"};
  EXPECT_EQ(nearest_word("prefecth", keys), "prefetch");
  EXPECT_EQ(nearest_word("Queue", keys), "queue");
  EXPECT_EQ(nearest_word("procesess", keys), "processes");
  EXPECT_EQ(nearest_word("weather", keys), "");
  EXPECT_EQ(nearest_word("", keys), "");
  EXPECT_EQ(nearest_word("x", {}), "");
  EXPECT_EQ(nearest_word(std::string(10000, 'a'), keys), "");
}

// The examples of RFC 7396, appendix A.
TEST(MergePatch, ExamplesOfTheStandard) {
  const char* examples[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [target, patch, expected] : examples) {
    Json value = Json::parse(target);
    merge_patch(value, Json::parse(patch));
    EXPECT_EQ(value.dump(), expected) << target << " + " << patch;
  }
}

TEST(MergePatch, AnObjectOfIndicesPatchesEntriesOfAList) {
  Json value =
      Json::parse(R"({"roles": [{"role": "a", "consume": {"prefetch": 0, "queue": "q"}}, {"role": "b"}]})");
  merge_patch(value, Json::parse(R"({"roles": {"0": {"consume": {"prefetch": 1}}}})"));
  EXPECT_EQ(value["roles"].dump(), R"([{"role":"a","consume":{"prefetch":1,"queue":"q"}},{"role":"b"}])");
  merge_patch(value, Json::parse(R"({"roles": {"2": {"role": "c"}, "0": null}})"));
  EXPECT_EQ(value["roles"].dump(), R"([{"role":"b"},{"role":"c"}])");
  EXPECT_THROW(merge_patch(value, Json::parse(R"({"roles": {"3": {}}})")), Error);
  merge_patch(value, Json::parse(R"({"roles": {"01": 1}})"));  // no index: replaced, as the standard has it
  EXPECT_EQ(value["roles"].dump(), R"({"01":1})");
  merge_patch(value, Json::parse(R"({"names": {"0": "x"}})"));  // no list there: an object
  EXPECT_EQ(value["names"].dump(), R"({"0":"x"})");
}

TEST(JsonFile, IsWrittenWholeAndReadBack) {
  const Folder folder;
  const auto path = folder.path() / "result.json";
  write_json_file(path, {{"b", 1}, {"a", "\xff broken UTF-8"}});
  write_json_file(path, {{"b", 2}});
  EXPECT_EQ(read_json_file(path)["b"], 2);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    ++files;
  }
  EXPECT_EQ(files, 1u);
}

TEST(JsonFile, ErrorsNameThePath) {
  const Folder folder;
  const auto missing = folder.path() / "missing" / "result.json";
  try {
    write_json_file(missing, Json::object());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.where().find("missing"), std::string::npos);
    EXPECT_FALSE(error.remedy().empty());
  }
  EXPECT_THROW(read_json_file(missing), Error);
  EXPECT_THROW(read_json_file(folder.path()), Error);
  std::ofstream(folder.path() / "large.json") << "[" << std::string(5000, ' ') << "]";
  EXPECT_NO_THROW(read_json_file(folder.path() / "large.json"));
  EXPECT_THROW(read_json_file(folder.path() / "large.json", 4000), Error);
}

}  // namespace
}  // namespace brokerlab
