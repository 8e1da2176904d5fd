#include <algorithm>
#include <map>
#include <memory>
#include <regex>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "experiments/findings.h"
#include "experiments/schema.h"

namespace brokerlab {
namespace {

std::string quoted(const std::string& text) { return '"' + text + '"'; }

// A value as a message shows it: short enough for a line.
std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  constexpr std::size_t kLongest = 60;
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "…";
}

std::string kind_of(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "true or false";
  if (value.is_number_integer()) return "a whole number";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  return value.is_array() ? "a list" : "an object";
}

std::string kind_named(const std::string& type) {
  if (type == "integer") return "a whole number";
  if (type == "number") return "a number";
  if (type == "string") return "a text";
  if (type == "boolean") return "true or false";
  if (type == "array") return "a list";
  return type == "object" ? "an object" : type;
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return type == "null" && value.is_null();
}

// The schema's few patterns, compiled once: that takes longer than everything else here. Checks run on one
// thread.
const std::regex& compiled(const std::string& pattern) {
  static std::map<std::string, std::regex> patterns;
  const auto found = patterns.find(pattern);
  return found != patterns.end() ? found->second
                                 : patterns.emplace(pattern, std::regex(pattern)).first->second;
}

// Walks a document along the schema. Lives for one check.
class SchemaCheck {
 public:
  explicit SchemaCheck(const SchemaProblemSink& report) : report_(report) {}

  void check(const Json& node, const Json& value, const JsonPointer& at) {
    const Json& schema = resolve_schema(node);
    if (!check_type(schema, value, at) || !check_enum(schema, value, at)) return;
    if (schema.contains("anyOf")) check_any(node, schema, value, at);
    if (value.is_number()) check_number(schema, value, at);
    if (value.is_string()) check_text(schema, value, at);
    if (value.is_array()) check_list(schema, value, at);
    if (value.is_object()) check_object(schema, value, at);
  }

 private:
  bool check_type(const Json& schema, const Json& value, const JsonPointer& at) {
    const auto type = schema.find("type");
    if (type == schema.end()) return true;
    std::string wanted;
    for (const Json& name : type->is_array() ? *type : Json::array({*type})) {
      if (has_type(value, name)) return true;
      wanted += (wanted.empty() ? "" : " or ") + kind_named(name);
    }
    report_(at, shown(value) + " is " + kind_of(value) + ", but " + wanted + " is wanted",
            schema.value("description", ""));
    return false;
  }

  bool check_enum(const Json& schema, const Json& value, const JsonPointer& at) {
    if (schema.contains("const") && value != schema["const"]) {
      report_(at, shown(value) + " is not " + shown(schema["const"]), "");
      return false;
    }
    const auto allowed = schema.find("enum");
    if (allowed == schema.end()) return true;
    std::vector<std::string> names;
    for (const Json& one : *allowed) {
      if (value == one) return true;
      if (one.is_string()) names.push_back(one);
    }
    report_(at, "unknown value " + shown(value), suggestion(value.is_string() ? value : Json(""), names));
    return false;
  }

  void check_number(const Json& schema, const Json& value, const JsonPointer& at) {
    const double number = value;
    const auto report = [&](const std::string& rule, const char* key) {
      report_(at, value.dump() + " is out of range", "must be " + rule + " " + schema[key].dump());
    };
    if (schema.contains("minimum") && number < schema["minimum"].get<double>()) report("at least", "minimum");
    if (schema.contains("maximum") && number > schema["maximum"].get<double>()) report("at most", "maximum");
    if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>()) {
      report("greater than", "exclusiveMinimum");
    }
  }

  void check_text(const Json& schema, const Json& value, const JsonPointer& at) {
    const std::string& text = value.get_ref<const std::string&>();
    if (text.size() < schema.value("minLength", std::size_t{0})) {
      report_(at, "must not be empty", schema.value("description", ""));
    }
    if (schema.contains("maxLength") && text.size() > schema["maxLength"].get<std::size_t>()) {
      report_(at, "longer than " + schema["maxLength"].dump() + " characters", "");
    }
    // Longer texts would overflow the stack of std::regex; no pattern of ours allows them.
    constexpr std::size_t kLongestMatched = 1000;
    if (schema.contains("pattern") &&
        (text.size() > kLongestMatched || !std::regex_search(text, compiled(schema["pattern"])))) {
      report_(at, shown(value) + " is not allowed here",
              schema.value("$comment", schema.value("description", "")));
    }
  }

  void check_list(const Json& schema, const Json& value, const JsonPointer& at) {
    if (value.size() < schema.value("minItems", std::size_t{0})) report_(at, "must not be an empty list", "");
    if (!schema.contains("items")) return;
    for (std::size_t i = 0; i < value.size(); ++i) check(schema["items"], value[i], at / i);
  }

  void check_object(const Json& schema, const Json& value, const JsonPointer& at) {
    std::string constant;
    const Json* branch = schema_branch(schema, value, constant);
    if (!constant.empty() && branch == nullptr) return report_unknown_branch(schema, value, constant, at);
    if (branch != nullptr) check_object(*branch, value, at);
    if (schema.contains("oneOf") && constant.empty()) check_exactly_one(schema["oneOf"], value, at);
    check_size(schema, value, at);
    check_company(schema, value, at);
    for (const Json& key : schema.value("required", Json::array())) {
      if (!value.contains(key) && key != constant) report_missing(schema, key, at);
    }
    check_keys(schema, value, at);
  }

  void report_unknown_branch(const Json& schema, const Json& value, const std::string& constant,
                             const JsonPointer& at) {
    std::vector<std::string> known;
    for (const Json& branch : schema["oneOf"]) known.push_back(branch["properties"][constant]["const"]);
    if (!value.contains(constant)) {
      return report_(at, quoted(constant) + " is missing", suggestion("", known));
    }
    const Json& given = value[constant];
    report_(at / constant, "unknown " + constant + " " + shown(given),
            suggestion(given.is_string() ? given : Json(""), known));
  }

  void report_missing(const Json& schema, const std::string& key, const JsonPointer& at) {
    std::string remedy;
    const Json property = schema.value("properties", Json::object()).value(key, Json::object());
    if (property.is_object()) {
      remedy = property.value("description", resolve_schema(property).value("description", ""));
    }
    report_(at, quoted(key) + " is missing", remedy);
  }

  void check_exactly_one(const Json& branches, const Json& value, const JsonPointer& at) {
    std::string names;
    int present = 0;
    for (const Json& branch : branches) {
      const std::string name = branch["required"][0];
      names += (names.empty() ? "" : " or ") + quoted(name);
      present += value.contains(name) ? 1 : 0;
    }
    if (present != 1)
      report_(at, "exactly one of " + names + " is wanted, " + std::to_string(present) + " given", "");
  }

  // "if" this key is there, "then" only some others may be, or "else" some others must.
  void check_company(const Json& schema, const Json& value, const JsonPointer& at) {
    if (!schema.contains("if")) return;
    const std::string key = schema["if"]["required"][0];
    if (!value.contains(key)) {
      const Json wanted = schema.value("else", Json::object()).value("required", Json::array());
      for (const Json& other : wanted) {
        if (!value.contains(other)) report_missing(schema, other, at);
      }
      return;
    }
    if (!schema.contains("then")) return;
    const Json& allowed = schema["then"]["propertyNames"]["enum"];
    for (const auto& [other, unused] : value.items()) {
      const bool fits = std::find(allowed.begin(), allowed.end(), Json(other)) != allowed.end();
      if (fits || !schema["properties"].contains(other)) continue;
      report_(at / other, quoted(other) + " has no meaning beside " + quoted(key),
              schema["then"].value("$comment", ""));
    }
  }

  void check_size(const Json& schema, const Json& value, const JsonPointer& at) {
    std::string keys;
    for (const auto& [key, unused] : value.items()) keys += (keys.empty() ? "" : ", ") + key;
    if (value.size() < schema.value("minProperties", std::size_t{0})) {
      report_(at, "must not be empty", schema.value("description", ""));
    }
    if (schema.contains("maxProperties") && value.size() > schema["maxProperties"].get<std::size_t>()) {
      report_(at, "has " + keys + " where one is wanted",
              "to replace one by another in a patch, set the first to null");
    }
  }

  void check_keys(const Json& schema, const Json& value, const JsonPointer& at) {
    const auto properties = schema.find("properties");
    const auto additional = schema.find("additionalProperties");
    std::vector<std::string> known;
    if (properties != schema.end()) {
      for (const auto& [key, unused] : properties->items()) known.push_back(key);
    }
    for (const auto& [key, item] : value.items()) {
      if (schema.contains("propertyNames")) check_key(schema["propertyNames"], key, at / key);
      if (properties != schema.end() && properties->contains(key)) {
        check((*properties)[key], item, at / key);
      } else if (additional == schema.end()) {
        continue;
      } else if (additional->is_object()) {
        check(*additional, item, at / key);
      } else if (!additional->get<bool>()) {
        report_(at / key, "unknown key " + quoted(key), suggestion(key, known));
      }
    }
  }

  void check_key(const Json& schema, const std::string& key, const JsonPointer& at) {
    check(schema, key, at);
  }

  // Reports what is wrong with the branch that was meant: the one of the value's type.
  void check_any(const Json& node, const Json& schema, const Json& value, const JsonPointer& at) {
    const Json* meant = nullptr;
    for (const Json& option : schema["anyOf"]) {
      bool fits = true;
      const SchemaProblemSink note = [&fits](const auto&, const auto&, const auto&) { fits = false; };
      SchemaCheck(note).check(option, value, at);
      if (fits) return;
      const Json& resolved = resolve_schema(option);
      const bool same_type = !resolved.contains("type") || has_type(value, resolved["type"]);
      if (same_type && (value.is_object() || value.is_array())) meant = &option;
      if (same_type && value.is_number() && meant == nullptr) meant = &option;
    }
    if (meant != nullptr) return check(*meant, value, at);
    report_(at, shown(value) + " is not allowed here",
            schema.value("description", node.value("description", "")));
  }

  const SchemaProblemSink& report_;
};

// One of the two schemas: as we read it, and as the independent validator does.
struct KnownSchema {
  explicit KnownSchema(const Json& ours, std::string_view text)
      : own(ours), document(nlohmann::json::parse(text)) {
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(document), parsed);
  }
  const Json& own;
  const nlohmann::json document;
  valijson::Schema parsed;
};

JsonPointer pointer_of(const std::vector<std::string>& context) {
  JsonPointer pointer;
  for (std::size_t i = 1; i < context.size(); ++i) {  // the first is "<root>", the others "[key]"
    pointer /= context[i].substr(1, context[i].size() - 2);
  }
  return pointer;
}

void check_against(const KnownSchema& schema, const Json& document, const SchemaProblemSink& report) {
  bool found = false;
  const SchemaProblemSink note = [&](const JsonPointer& at, const std::string& what,
                                     const std::string& remedy) {
    found = true;
    report(at, what, remedy);
  };
  SchemaCheck(note).check(schema.own, document, JsonPointer());
  if (found) return;
  const nlohmann::json plain =
      nlohmann::json::parse(document.dump(-1, ' ', false, Json::error_handler_t::replace));
  valijson::ValidationResults results;
  if (valijson::Validator().validate(schema.parsed, valijson::adapters::NlohmannJsonAdapter(plain),
                                     &results)) {
    return;
  }
  valijson::ValidationResults::Error error;
  if (!results.popError(error)) return report(JsonPointer(), "does not fit the schema", "");
  report(pointer_of(error.context), error.description, "");
}

}  // namespace

void check_schema(const Json& document, const SchemaProblemSink& report) {
  static const KnownSchema schema(experiment_schema(), experiment_schema_text());
  check_against(schema, document, report);
}

void check_role_schema(const Json& document, const SchemaProblemSink& report) {
  static const KnownSchema schema(role_schema(), whole_role_schema_text());
  check_against(schema, document, report);
}

}  // namespace brokerlab
