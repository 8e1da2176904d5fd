#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// experiments/schema/experiment.schema.json, built into the program: the one declaration of every key of an
// experiment file, its default and its description. Checks, defaults and docs/experiment-file.md follow from
// it.
const Json& experiment_schema();
std::string_view experiment_schema_text();

// experiments/schema/role.schema.json: that of a role file, whose entries are those of an experiment.
const Json& role_schema();
// The same in one piece, as a validator wants it: with the experiment's definitions in it.
std::string whole_role_schema_text();

// What a schema node's "$ref" stands for, a definition of the experiment's schema; the node itself without
// one.
const Json& resolve_schema(const Json& node);
// The branch of a "oneOf" whose constant key has the value that `value` has there; nullptr when there is
// none. `constant` is set to the name of that key where the branches have one.
const Json* schema_branch(const Json& schema, const Json& value, std::string& constant);

// Adds every default that `document` leaves out, at every depth. What does not fit the schema is left alone.
void fill_defaults(Json& document);

// Told of each thing in a document that the schema does not allow. `at` is the place; for an unknown key the
// key itself, for a missing one the object that lacks it.
using SchemaProblemSink =
    std::function<void(const JsonPointer& at, const std::string& what, const std::string& remedy)>;

// Every problem in words for people. What this finds is what the schema forbids: an independent validator
// (valijson) has the last word, and a document it alone refuses is reported with its message.
void check_schema(const Json& document, const SchemaProblemSink& report);
void check_role_schema(const Json& document, const SchemaProblemSink& report);

// The reference part of docs/experiment-file.md: one table per object.
std::string schema_markdown();
// That of docs/roles.md: what a role file has of its own.
std::string role_schema_markdown();

}  // namespace brokerlab
