#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "experiments/experiment.h"
#include "experiments/origin.h"
#include "experiments/problem.h"

namespace brokerlab {

// A variant before defaults are filled in, and where its values came from.
struct ExpandedVariant {
  std::string name;
  Json document;
  Origin origin;
};

// The place that "PATH" of --set and of `matrix` means: a JSON pointer, or keys separated by dots; an entry
// of a list by its number or, for load and roles and topology, by its name. Reports to `problem` what is
// wrong, else leaves it alone.
struct ResolvedPath {
  JsonPointer pointer;
  std::string problem;
  std::string remedy;
};
ResolvedPath resolve_path(const Json& document, const std::string& path);

// Applies --set, --seed, --repeat to the document as if its file had been edited. Appends what is wrong to
// `problems`.
void apply_overrides(const Overrides& overrides, Json& document, Origin& origin,
                     std::vector<Problem>& problems);

// Every variant of the document: `variants` times the combinations of `matrix`; one named "default" without
// either. Appends what is wrong with patches, paths and names to `problems`, and a warning for every --set
// that a variant undoes.
std::vector<ExpandedVariant> expand_variants(const Json& document, const Origin& origin,
                                             const Overrides& overrides, std::vector<Problem>& problems);

}  // namespace brokerlab
