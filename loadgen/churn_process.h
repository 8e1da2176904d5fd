#pragma once

#include "core/control_pipe.h"
#include "core/json.h"

namespace brokerlab {

// The child process of an entry of `churn`: as load_process_main, with things opened and closed instead of
// messages.
int churn_process_main(ControlPipe& pipe, const Json& assignment);

}  // namespace brokerlab
