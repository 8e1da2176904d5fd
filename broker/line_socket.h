#pragma once

#include <optional>
#include <string>

#include "core/json.h"

namespace brokerlab {

// Lines of JSON over a stream socket between controller and guard. Does not own the descriptor. One thread.
class LineSocket {
 public:
  explicit LineSocket(int descriptor) : descriptor_(descriptor) {}

  // Writes one line; a peer that is gone is no error: its end is noticed by receive().
  void send(const Json& line);
  // Takes what has arrived, without waiting. False at end of file.
  bool receive();
  // The next complete line. Nothing when there is none yet, or the line is no JSON.
  std::optional<Json> next();

 private:
  int descriptor_;
  std::string buffer_;
};

}  // namespace brokerlab
