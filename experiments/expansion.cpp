#include "experiments/expansion.h"

#include <algorithm>
#include <set>

#include "core/units.h"

namespace brokerlab {
namespace {

constexpr std::size_t kMostVariants = 1000;
constexpr std::size_t kLongestVariantName = 64;

bool is_index(const std::string& text) {
  constexpr std::size_t kMostDigits = 6;
  return !text.empty() && text.size() <= kMostDigits &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

std::vector<std::string> split_path(const std::string& path) {
  if (!path.empty() && path.front() == '/') return tokens_of(JsonPointer(path));
  std::vector<std::string> keys(1);
  for (const char c : path) {
    if (c == '.') {
      keys.emplace_back();
    } else {
      keys.back() += c;
    }
  }
  return keys;
}

// An entry that uses a role file without giving it a name of its own goes by the file's.
std::string entry_name(const Json& entry) {
  for (const char* key : {"name", "role", "use"}) {
    if (!entry.is_object() || !entry.contains(key) || !entry[key].is_string()) continue;
    const std::string name = entry[key];
    return key == std::string_view("use") ? name.substr(0, name.find('/')) : name;
  }
  return "";
}

// The number of the entry of `list` that `key` means, or an explanation.
std::string index_in(const Json& list, const std::string& key, ResolvedPath& path) {
  if (is_index(key) && std::stoul(key) < list.size()) return std::to_string(std::stoul(key));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < list.size(); ++i) {
    names.push_back(entry_name(list[i]));
    if (!names.back().empty() && names.back() == key) return std::to_string(i);
  }
  path.problem = "the list has " + std::to_string(list.size()) + " entries and none is \"" + key + "\"";
  const std::string nearest = nearest_word(key, names);
  path.remedy = nearest.empty() ? "name an entry by its number, from 0, or by its name"
                                : "did you mean \"" + nearest + "\"?";
  return "";
}

// {"a": {"b": value}} for /a/b: a merge patch that sets one value.
Json patch_setting(const JsonPointer& pointer, const Json& value) {
  const std::vector<std::string> keys = tokens_of(pointer);
  Json patch = value;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) patch = Json{{*key, std::move(patch)}};
  return patch;
}

Json parse_value(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

// Patches address an entry of a list by {"0": …}, and the number of entries adds one: what lies beyond cannot
// be patched.
void check_patch(const Json& document, const Json& patch, const JsonPointer& at, const Origin& origin,
                 std::vector<Problem>& problems) {
  if (!patch.is_object()) return;
  for (const auto& [key, value] : patch.items()) {
    if (document.is_array() && !(is_index(key) && std::stoul(key) <= document.size())) {
      problems.push_back(origin.problem(
          at / key, "\"" + key + "\" is no entry of the list, which has " + std::to_string(document.size()),
          "numbers count from 0; a list in the patch replaces the whole list"));
    } else if (document.is_array() && std::stoul(key) < document.size()) {
      check_patch(document[std::stoul(key)], value, at / key, origin, problems);
    } else if (document.is_object() && document.contains(key)) {
      check_patch(document[key], value, at / key, origin, problems);
    }
  }
}

// Keys that belong to the comparison as a whole.
void check_common_keys(const Json& patch, const JsonPointer& at, const Origin& origin,
                       std::vector<Problem>& problems) {
  for (const char* key : {"name", "description", "question", "seed", "repetitions", "thresholds", "charts",
                          "search", "variants", "matrix", "quick", "suite", "$schema"}) {
    if (!patch.contains(key)) continue;
    problems.push_back(origin.problem(at / key, std::string("\"") + key + "\" is the same for all variants",
                                      "set it at the top of the file"));
  }
}

// One axis of the matrix.
struct Axis {
  std::string key;  // as written
  JsonPointer pointer;
  std::string label;
  const Json* values = nullptr;
};

// The last keys of the pointer, as many as it takes to tell the axes apart.
void label_axes(std::vector<Axis>& axes) {
  for (std::size_t depth = 1; depth <= 16; ++depth) {
    std::set<std::string> labels;
    for (Axis& axis : axes) {
      const std::vector<std::string> keys = tokens_of(axis.pointer);
      axis.label.clear();
      for (std::size_t i = keys.size() - std::min(depth, keys.size()); i < keys.size(); ++i) {
        axis.label += (axis.label.empty() ? "" : ".") + keys[i];
      }
      labels.insert(axis.label);
    }
    if (labels.size() == axes.size()) return;
  }
}

std::string value_label(const Json& values, std::size_t index) {
  const Json& value = values[index];
  std::string text = value.is_structured() ? "value" + std::to_string(index + 1)
                     : value.is_string()   ? value.get<std::string>()
                                           : value.dump();
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  }
  return text;
}

std::vector<Axis> axes_of(const Json& document, const Origin& origin, std::vector<Problem>& problems) {
  std::vector<Axis> axes;
  const auto matrix = document.find("matrix");
  if (matrix == document.end() || !matrix->is_object()) return axes;
  for (const auto& [key, values] : matrix->items()) {
    const ResolvedPath path = resolve_path(document, key);
    if (!path.problem.empty()) {
      problems.push_back(origin.problem(JsonPointer() / "matrix" / key, path.problem, path.remedy));
    } else if (values.is_array() && !values.empty()) {
      axes.push_back({key, path.pointer, "", &values});
    }
  }
  label_axes(axes);
  return axes;
}

ExpandedVariant with_value(const ExpandedVariant& variant, const Axis& axis, std::size_t index, bool only) {
  ExpandedVariant result = variant;
  const Json patch = patch_setting(axis.pointer, (*axis.values)[index]);
  merge_patch(result.document, patch);
  result.origin.add_inner_value(JsonPointer() / "matrix" / axis.key, patch);
  const std::string label = axis.label + "=" + value_label(*axis.values, index);
  result.name = only ? label : result.name + "," + label;
  return result;
}

void add_matrix(const std::vector<Axis>& axes, bool named, std::vector<ExpandedVariant>& variants) {
  for (const Axis& axis : axes) {
    std::vector<ExpandedVariant> combined;
    for (const ExpandedVariant& variant : variants) {
      for (std::size_t i = 0; i < axis.values->size() && combined.size() <= kMostVariants; ++i) {
        combined.push_back(with_value(variant, axis, i, !named));
      }
    }
    variants = std::move(combined);
    named = true;
  }
}

// Names of combinations may be too long for a file name or, after the replacing of characters, alike.
void make_names_usable(std::vector<ExpandedVariant>& variants) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    std::string& name = variants[i].name;
    const std::string number = "-" + std::to_string(i + 1);
    if (name.size() > kLongestVariantName || taken.contains(name)) {
      name = name.substr(0, kLongestVariantName - number.size()) + number;
    }
    taken.insert(name);
  }
}

void warn_of_undone_options(const Json& document, const ExpandedVariant& variant, const Overrides& overrides,
                            std::vector<Problem>& problems) {
  for (const std::string& option : overrides.set) {
    const std::string path = option.substr(0, option.find('='));
    const ResolvedPath resolved = resolve_path(document, path);
    if (!resolved.problem.empty() || resolved.pointer.empty()) continue;
    const Json after =
        variant.document.contains(resolved.pointer) ? variant.document[resolved.pointer] : Json();
    if (!document.contains(resolved.pointer) || document[resolved.pointer] == after) continue;
    const std::string first = tokens_of(resolved.pointer).front();
    if (first == "variants" || first == "matrix") continue;
    Problem problem =
        option_problem("--set " + option, "variant " + variant.name + " sets " + path + " itself",
                       "to change it there, set variants." + variant.name + "." + path);
    problem.severity = Problem::Severity::kWarning;
    problems.push_back(std::move(problem));
  }
}

void apply_duration(const Overrides& overrides, ExpandedVariant& variant) {
  if (!overrides.duration) return;
  const Json patch = {{"phases", {{"measure", *overrides.duration}}}};
  merge_patch(variant.document, patch);
  variant.origin.add_option("--duration " + *overrides.duration, patch);
}

// The experiment as a search.
Json search_patch(const Json& document, const Json& search) {
  Json patch = {{"search", search}};
  if (document.contains("search")) return patch;
  Json conditions = Json::array();
  const Json thresholds = document.value("thresholds", Json::array());
  for (const Json& threshold : thresholds)
    conditions.push_back(threshold.is_object() ? Json(threshold.value("expression", "")) : threshold);
  if (!search.contains("conditions")) patch["search"]["conditions"] = std::move(conditions);
  for (const char* key : {"thresholds", "repetitions"})
    if (document.contains(key)) patch[key] = nullptr;
  return patch;
}

}  // namespace

ResolvedPath resolve_path(const Json& document, const std::string& path) {
  ResolvedPath result;
  try {
    const Json* node = &document;
    for (std::string key : split_path(path)) {
      if (node != nullptr && node->is_array()) {
        key = index_in(*node, key, result);
        if (!result.problem.empty()) return result;
        node = &(*node)[std::stoul(key)];
      } else {
        node = node != nullptr && node->is_object() && node->contains(key) ? &(*node)[key] : nullptr;
      }
      result.pointer /= key;
    }
  } catch (const Json::exception&) {
    result.problem = "\"" + path + "\" is no JSON pointer";
    result.remedy = "write /roles/0/consume/prefetch or roles.0.consume.prefetch";
  }
  return result;
}

void apply_overrides(const Overrides& overrides, Json& document, Origin& origin,
                     std::vector<Problem>& problems) {
  const auto apply = [&](const std::string& option, const JsonPointer& pointer, const Json& value) {
    Json patch = patch_setting(pointer, value);
    merge_patch(document, patch);
    origin.add_option(option, std::move(patch));
  };
  if (overrides.search && document.is_object()) {
    Json patch = search_patch(document, *overrides.search);
    merge_patch(document, patch);
    origin.add_option("brokerlab search", std::move(patch));
  }
  for (const std::string& set : overrides.set) {
    const std::string option = "--set " + set;
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems.push_back(
          option_problem(option, "no PATH=VALUE", "for example --set roles.0.consume.prefetch=1"));
      continue;
    }
    const ResolvedPath path = resolve_path(document, set.substr(0, equals));
    if (!path.problem.empty()) {
      problems.push_back(option_problem(option, path.problem, path.remedy));
    } else {
      apply(option, path.pointer, parse_value(set.substr(equals + 1)));
    }
  }
  if (overrides.seed)
    apply("--seed " + std::to_string(*overrides.seed), JsonPointer("/seed"), *overrides.seed);
  if (overrides.repetitions) {
    apply("--repeat " + std::to_string(*overrides.repetitions), JsonPointer("/repetitions"),
          *overrides.repetitions);
  }
}

std::vector<ExpandedVariant> expand_variants(const Json& document, const Origin& origin,
                                             const Overrides& overrides, std::vector<Problem>& problems) {
  Json base = document;
  for (const char* key : {"variants", "matrix", "quick", "$schema"}) base.erase(key);
  std::vector<ExpandedVariant> variants;
  Json patches = document.value("variants", Json::object());
  if (!patches.is_object()) patches = Json::object();
  for (const auto& [name, patch] : patches.items()) {
    if (!patch.is_object()) continue;
    const JsonPointer at = JsonPointer() / "variants" / name;
    const std::size_t before = problems.size();
    check_patch(base, patch, at, origin, problems);
    check_common_keys(patch, at, origin, problems);
    if (problems.size() > before) continue;
    ExpandedVariant variant{name, base, origin};
    merge_patch(variant.document, patch);
    variant.origin.add_inner_patch(at, patch);
    variants.push_back(std::move(variant));
  }
  const bool named = !patches.empty();
  if (!named) variants.push_back({kOnlyVariant, base, origin});
  add_matrix(axes_of(document, origin, problems), named, variants);
  if (variants.size() > kMostVariants) {
    problems.push_back(
        origin.problem(JsonPointer("/matrix"), "more than 1000 combinations", "compare fewer values"));
    variants.erase(variants.begin() + 1, variants.end());
  }
  make_names_usable(variants);
  for (ExpandedVariant& variant : variants) {
    warn_of_undone_options(document, variant, overrides, problems);
    apply_duration(overrides, variant);
  }
  return variants;
}

}  // namespace brokerlab
