#pragma once

#include "core/control_pipe.h"
#include "core/json.h"

namespace brokerlab {

// The child process of a load, from its assignment to its exit status (ARCHITECTURE.md, "Processes"). Runs
// the loop of `pipe` until the recording is closed. Failures go to the controller as an error line, and 1 is
// returned.
int load_process_main(ControlPipe& pipe, const Json& assignment);

}  // namespace brokerlab
