#pragma once

#include <string>
#include <string_view>

namespace brokerlab {

// Messages as a person at a terminal reads them. Pure.

// A body, cut after some 200 characters with its whole size told. Control characters, which could move the
// cursor, and bytes that are no UTF-8 are escaped.
std::string shown_body(std::string_view body);

// The same of one line in somebody else's words, e.g. a broker's reason: whole, and "" where there are none.
std::string shown_words(std::string_view words);

// Where a publish went: 'queue "tasks"' for the default exchange, else 'exchange "desk", key "new"'.
std::string shown_target(std::string_view exchange, std::string_view routing_key);

}  // namespace brokerlab
