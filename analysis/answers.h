#pragma once

#include "core/json.h"

namespace brokerlab {

// The five questions one must ask of every way to hand tasks to workers, answered for each variant whose
// settings ask for it (`"answers": true`): [{question, variant, answer, evidence}]. Answers rest on what was
// measured in the variant's runs, all repetitions together, and on nothing else; evidence holds the figures
// by their names. `plan`: of the result.
Json answer_questions(const Json& runs, const Json& plan);

}  // namespace brokerlab
