#include "experiments/origin.h"

#include <algorithm>
#include <optional>

namespace brokerlab {
namespace {

// How far a patch speaks about a place.
struct Reach {
  std::size_t depth = 0;    // keys of the place found in the patch
  bool whole_path = false;  // all of them
  bool replaces = false;    // the patch put this value there, rather than adding keys to an object
};

Reach reach_of(const Json& patch, const std::vector<std::string>& keys) {
  Reach reach;
  const Json* node = &patch;
  bool in_list = false;  // a list in a patch replaces the list that was there
  for (const std::string& key : keys) {
    if (node->is_object() && node->contains(key)) {
      node = &(*node)[key];
    } else if (node->is_array() && !key.empty() && key.size() < 10 &&
               key.find_first_not_of("0123456789") == std::string::npos && std::stoul(key) < node->size()) {
      node = &(*node)[std::stoul(key)];
      in_list = true;
    } else {
      break;
    }
    ++reach.depth;
  }
  reach.whole_path = reach.depth == keys.size();
  reach.replaces = in_list || !node->is_object();
  return reach;
}

JsonPointer pointer_to(const std::vector<std::string>& keys, std::size_t depth) {
  JsonPointer pointer;
  for (std::size_t i = 0; i < depth; ++i) pointer /= keys[i];
  return pointer;
}

}  // namespace

std::vector<std::string> tokens_of(const JsonPointer& pointer) {
  std::vector<std::string> tokens;
  for (JsonPointer rest = pointer; !rest.empty(); rest.pop_back()) tokens.push_back(rest.back());
  std::reverse(tokens.begin(), tokens.end());
  return tokens;
}

Origin::Origin(std::shared_ptr<const SourceText> source, Json document) {
  layers_.push_back({Kind::kFile, std::move(source), JsonPointer(), std::move(document)});
}

void Origin::add_file_patch(std::shared_ptr<const SourceText> source, const JsonPointer& at, Json patch) {
  layers_.push_back({Kind::kFile, std::move(source), at, std::move(patch)});
}

void Origin::add_option(std::string option, Json patch) {
  auto source = std::make_shared<const SourceText>(SourceText{std::move(option), ""});
  layers_.push_back({Kind::kOption, std::move(source), JsonPointer(), std::move(patch)});
}

void Origin::add_inner_patch(const JsonPointer& at, Json patch) {
  layers_.push_back({Kind::kInnerPatch, nullptr, at, std::move(patch)});
}

void Origin::add_inner_value(const JsonPointer& at, Json patch) {
  layers_.push_back({Kind::kInnerValue, nullptr, at, std::move(patch)});
}

void Origin::add_base(const JsonPointer& under, std::shared_ptr<const Origin> base, const JsonPointer& at,
                      Json value) {
  bases_.push_back({tokens_of(under), std::move(base), at, std::move(value)});
}

Problem Origin::problem(const JsonPointer& at, std::string what, std::string remedy) const {
  Problem problem;
  problem.what = std::move(what);
  problem.remedy = std::move(remedy);
  if (!locate_in_base(tokens_of(at), problem)) locate(at, layers_.size(), problem);
  return problem;
}

// A base speaks where no layer above it reaches as far.
bool Origin::locate_in_base(const std::vector<std::string>& keys, Problem& problem) const {
  std::size_t deepest = 0;
  for (const Layer& layer : layers_) {
    deepest = std::max(deepest, reach_of(layer.patch, keys).depth);
  }
  for (const Base& base : bases_) {
    const std::size_t prefix = base.under.size();
    if (keys.size() < prefix || !std::equal(base.under.begin(), base.under.end(), keys.begin())) continue;
    const std::vector<std::string> rest(keys.begin() + static_cast<std::ptrdiff_t>(prefix), keys.end());
    const std::size_t depth = reach_of(base.value, rest).depth;
    if (prefix + depth <= deepest) continue;
    const JsonPointer place = base.at / pointer_to(rest, depth);
    if (!base.origin->locate_in_base(tokens_of(place), problem)) {
      base.origin->locate(place, base.origin->layers_.size(), problem);
    }
    return true;
  }
  return false;
}

// Looks among the first `layers` layers. The last one that put a value at the place or replaced something
// above it is where it came from; where none did, the place is an object put together from several, and the
// first that has it stands for it; where it is missing altogether, the layer that leads nearest to it.
void Origin::locate(const JsonPointer& at, std::size_t layers, Problem& problem) const {
  const std::vector<std::string> keys = tokens_of(at);
  std::optional<std::size_t> first_whole;
  std::size_t nearest = 0, nearest_depth = 0;
  for (std::size_t i = layers; i-- > 0;) {
    const Reach reach = reach_of(layers_[i].patch, keys);
    const bool sets = reach.replaces || (layers_[i].kind == Kind::kInnerValue && reach.whole_path);
    if (reach.depth > 0 && sets) {
      // Unless a later layer put more below what this one has: an entry added to a list.
      const bool added_later = !reach.whole_path && nearest_depth > reach.depth;
      if (added_later) break;
      return locate_in(layers_[i], i, pointer_to(keys, reach.depth), problem);
    }
    if (reach.whole_path) first_whole = i;
    if (reach.depth >= nearest_depth) nearest = i, nearest_depth = reach.depth;
  }
  const std::size_t chosen = first_whole.value_or(nearest);
  const std::size_t depth = first_whole ? keys.size() : nearest_depth;
  locate_in(layers_[chosen], chosen, pointer_to(keys, depth), problem);
}

void Origin::locate_in(const Layer& layer, std::size_t index, const JsonPointer& rest,
                       Problem& problem) const {
  switch (layer.kind) {
    case Kind::kFile: {
      const JsonPointer place = layer.at / rest;
      problem.source = layer.source->name;
      problem.line = line_of(layer.source->text, place);
      problem.path = place.to_string();
      return;
    }
    case Kind::kOption:
      problem.source = layer.source->name;
      problem.path = rest.to_string();
      return;
    case Kind::kInnerPatch:
      return locate(layer.at / rest, index, problem);
    case Kind::kInnerValue:
      return locate(layer.at, index, problem);
  }
}

}  // namespace brokerlab
