#pragma once

#include <filesystem>
#include <vector>

#include "experiments/expansion.h"
#include "experiments/problem.h"

namespace brokerlab {

// Replaces every {"use": "NAME"} or {"use": "NAME/VARIANT"} in the variant's load and roles by the entry of
// that role file with what stands beside `use` merged over it, and adds the topologies of those files to the
// variant's own. `directory` is the experiment's. Appends what is wrong to `problems`; false when there is
// anything.
bool resolve_uses(ExpandedVariant& variant, const std::filesystem::path& directory,
                  std::vector<Problem>& problems);

}  // namespace brokerlab
