#pragma once

#include <string>

#include "core/json.h"

namespace brokerlab {

// The errors of `result` against results/schema/result.schema.json, one a line; "" when it is valid.
std::string schema_errors(const Json& result);

}  // namespace brokerlab
