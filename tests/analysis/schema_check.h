#pragma once

#include <string>

#include "core/json.h"

namespace brokerlab {

// The errors of `result` against results/schema/result.schema.json, one a line; "" when it is valid.
std::string schema_errors(const Json& result);
// The same for the result of a single run.
std::string run_schema_errors(const Json& run);

}  // namespace brokerlab
