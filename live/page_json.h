#pragma once

#include <string>

#include "live/state.h"

namespace brokerlab::live {

// What the page asks for once a second (docs/live.md). Text of others is in it as text: the page never makes
// markup of it. Pure.
std::string page_json(const Snapshot& snapshot, const Points& points);

}  // namespace brokerlab::live
