#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/json.h"

namespace brokerlab {

// experiments/schema/experiment.schema.json, built into the program: the one declaration of every key of an
// experiment file, its default and its description. Parser, checks, defaults and docs/experiment-file.md all
// follow from it.
const Json& experiment_schema();
std::string_view experiment_schema_text();

// Adds every default that `document` leaves out, at every depth.
void fill_defaults(Json& document);

// Something in `document` that the schema does not allow.
using SchemaProblemSink =
    std::function<void(const JsonPointer& at, const std::string& what, const std::string& remedy)>;
void check_schema(const Json& document, const SchemaProblemSink& report);

// docs/experiment-file.md's reference part: one table per object, from the schema.
std::string schema_markdown();

}  // namespace brokerlab
