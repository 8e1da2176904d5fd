#include "experiments/schema.h"

namespace brokerlab {

extern const std::string_view kEmbeddedExperimentSchema;  // written by embed_schema.cmake
extern const std::string_view kEmbeddedRoleSchema;

std::string_view experiment_schema_text() { return kEmbeddedExperimentSchema; }

const Json& experiment_schema() {
  static const Json schema = Json::parse(experiment_schema_text());
  return schema;
}

const Json& role_schema() {
  static const Json schema = Json::parse(kEmbeddedRoleSchema);
  return schema;
}

std::string whole_role_schema_text() {
  constexpr std::string_view kOtherFile = "experiment.schema.json#";
  std::string text(kEmbeddedRoleSchema);
  for (std::size_t at = text.find(kOtherFile); at != std::string::npos; at = text.find(kOtherFile, at)) {
    text.replace(at, kOtherFile.size(), "#");
  }
  Json schema = Json::parse(text);
  schema["definitions"] = experiment_schema().at("definitions");
  return schema.dump();
}

const Json& resolve_schema(const Json& node) {
  const auto reference = node.find("$ref");
  if (reference == node.end()) return node;
  const auto text = reference->get<std::string>();
  return resolve_schema(experiment_schema().at(JsonPointer(text.substr(text.find('#') + 1))));
}

const Json* schema_branch(const Json& schema, const Json& value, std::string& constant) {
  const auto branches = schema.find("oneOf");
  if (branches == schema.end()) return nullptr;
  for (const Json& branch : *branches) {
    if (!branch.contains("properties")) continue;
    for (const auto& [key, property] : branch["properties"].items()) {
      if (!property.contains("const")) continue;
      constant = key;
      if (value.is_object() && value.contains(key) && value[key] == property["const"]) return &branch;
    }
  }
  return nullptr;
}

namespace {

void fill(const Json& node, Json& value);

void fill_properties(const Json& schema, Json& value) {
  const auto properties = schema.find("properties");
  if (properties == schema.end()) return;
  for (const auto& [key, property] : properties->items()) {
    if (!value.contains(key)) {
      const Json& resolved = resolve_schema(property);
      if (property.contains("default")) {
        value[key] = property["default"];
      } else if (resolved.contains("default")) {
        value[key] = resolved["default"];
      } else {
        continue;
      }
    }
    fill(property, value[key]);
  }
}

void fill(const Json& node, Json& value) {
  const Json& schema = resolve_schema(node);
  if (value.is_array() && schema.contains("items")) {
    for (Json& item : value) fill(schema["items"], item);
  }
  if (!value.is_object()) return;
  fill_properties(schema, value);
  std::string constant;
  if (const Json* branch = schema_branch(schema, value, constant)) fill_properties(*branch, value);
  if (!schema.contains("anyOf")) return;
  for (const Json& option : schema["anyOf"]) {
    if (resolve_schema(option).value("type", Json()) == "object") return fill(option, value);
  }
}

}  // namespace

void fill_defaults(Json& document) { fill(experiment_schema(), document); }

}  // namespace brokerlab
