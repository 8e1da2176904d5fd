#include <deque>
#include <set>

#include "experiments/schema.h"

namespace brokerlab {
namespace {

std::string code(const std::string& text) { return "`" + text + "`"; }

std::string joined(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

// A bar would end the cell.
std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? std::string("\\|") : std::string(1, c);
  return safe;
}

std::string range_of(const Json& schema) {
  const auto bound = [&](const char* key) {
    return schema.contains(key) ? schema[key].dump() : std::string();
  };
  const std::string least = bound("minimum"), above = bound("exclusiveMinimum"), most = bound("maximum");
  std::string text;
  if (!least.empty()) text += ", from " + least;
  if (!above.empty()) text += ", above " + above;
  if (!most.empty()) text += (text.empty() ? ", at most " : " to ") + most;
  return text;
}

std::string anchor_of(const std::string& title) {
  std::string anchor;
  for (const char c : title) {
    if (c == ' ') anchor += '-';
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-') anchor += c;
  }
  return "[" + title + "](#" + anchor + ")";
}

// Writes a section per object, in the order in which they are first named, the file itself first.
class SchemaMarkdown {
 public:
  std::string write(const std::string& title, const Json& schema) {
    enqueue(title, schema);
    while (!waiting_.empty()) {
      const Section section = waiting_.front();
      waiting_.pop_front();
      write_section(section);
    }
    return text_;
  }

  // An object that another page describes: only named here.
  void leave_out(const std::string& title) { elsewhere_.insert(title); }

 private:
  struct Section {
    std::string title;
    const Json* schema;
  };

  void enqueue(const std::string& title, const Json& schema) {
    if (!elsewhere_.contains(title) && titles_.insert(title).second) waiting_.push_back({title, &schema});
  }

  // A link to the section of an object, which it brings about.
  std::string section_of(const std::string& title, const Json& schema) {
    enqueue(title, schema);
    return elsewhere_.contains(title) ? "[" + title + "](experiment-file.md#" + title + ")"
                                      : anchor_of(title);
  }

  void write_section(const Section& section) {
    const Json& schema = *section.schema;
    text_ += "\n### " + section.title + "\n\n";
    if (schema.contains("description")) text_ += schema["description"].get<std::string>() + "\n\n";
    if (schema.contains("oneOf") && schema["oneOf"][0].contains("properties")) return write_branches(section);
    text_ += "| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
    write_rows(section.title, schema, "");
  }

  void write_branches(const Section& section) {
    text_ += "| process | key | value | default | meaning |\n| --- | --- | --- | --- | --- |\n";
    for (const Json& branch : (*section.schema)["oneOf"]) {
      const Json& process = branch["properties"]["process"];
      text_ +=
          "| " + code(process["const"]) + " | | | | " + process["description"].get<std::string>() + " |\n";
      write_rows(section.title, branch, "| ");
    }
  }

  void write_rows(const std::string& title, const Json& schema, const std::string& indent) {
    for (const auto& [key, property] : schema["properties"].items()) {
      if (property.contains("const")) continue;
      const Json& resolved = resolve_schema(property);
      const std::string description = property.value("description", resolved.value("description", ""));
      text_ += indent + "| " + code(key) + " | " + cell(type_of(property, title, key)) + " | " +
               cell(default_of(schema, key, property)) + " | " + cell(description) + " |\n";
    }
  }

  static std::string default_of(const Json& schema, const std::string& key, const Json& property) {
    for (const Json& required : schema.value("required", Json::array())) {
      if (required == key) return "required";
    }
    const Json without_use = schema.value("else", Json::object());
    for (const Json& required : without_use.value("required", Json::array())) {
      if (required == key) return "required without `use`";
    }
    const Json& resolved = resolve_schema(property);
    if (property.contains("default")) return code(property["default"].dump());
    return resolved.contains("default") ? code(resolved["default"].dump()) : "";
  }

  static std::string definition_of(const Json& property) {
    const std::string reference = property.value("$ref", "");
    return reference.substr(reference.rfind('/') + 1);
  }

  std::string type_of(const Json& property, const std::string& title, const std::string& key) {
    const Json& schema = resolve_schema(property);
    const std::string definition = definition_of(property);
    if (schema.contains("enum")) {
      std::vector<std::string> values;
      for (const Json& value : schema["enum"]) values.push_back(code(value));
      return joined(values, ", ");
    }
    if (definition == "quantity") enqueue("distribution", experiment_schema()["definitions"]["distribution"]);
    if (definition == "duration" || definition == "size" || definition == "quantity") {
      return anchor_of(definition);
    }
    if (schema.contains("anyOf")) return any_of(schema, definition.empty() ? title + "." + key : definition);
    const Json type = schema.value("type", Json("anything"));
    if (type == "array" && !schema.contains("items")) return "list";
    if (type == "array") return "list of " + type_of(schema["items"], title, key + "[]");
    if (schema.contains("properties") || schema.contains("oneOf")) {
      const std::string below = title == "experiment" ? key : title + (key.empty() ? "" : ".") + key;
      return section_of(definition.empty() ? below : definition, schema);
    }
    const auto named = schema.find("additionalProperties");
    if (named != schema.end() && named->is_object() && named->contains("properties")) {
      return "object of " + section_of(title + "." + key, *named);
    }
    return plain_type(schema, type);
  }

  static std::string plain_type(const Json& schema, const Json& type) {
    if (type.is_array()) return "text, number or truth value";
    if (type == "string") return "text";
    if (type == "boolean") return "`true` or `false`";
    if (type == "integer") return "whole number" + range_of(schema);
    if (type == "number") return "number" + range_of(schema);
    if (type == "object") return "object";
    return "anything";
  }

  std::string any_of(const Json& schema, const std::string& title) {
    std::vector<std::string> parts;
    for (const Json& option : schema["anyOf"]) parts.push_back(type_of(option, title, ""));
    return joined(parts, " or ");
  }

  std::string text_;
  std::deque<Section> waiting_;
  std::set<std::string> titles_;
  std::set<std::string> elsewhere_;
};

}  // namespace

std::string schema_markdown() { return SchemaMarkdown().write("experiment", experiment_schema()); }

std::string role_schema_markdown() {
  SchemaMarkdown markdown;
  for (const char* described_elsewhere : {"topology", "load", "role"})
    markdown.leave_out(described_elsewhere);
  return markdown.write("role file", role_schema());
}

}  // namespace brokerlab
