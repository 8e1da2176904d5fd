#pragma once

namespace brokerlab {

// The guard is the process between the controller and a private broker: parent of epmd and of every beam, in
// a session of its own so that Ctrl-C does not reach it. It reads one line of JSON (the plan, credentials
// included) and then commands from its standard input, a socket to the controller. At end of file, SIGTERM or
// SIGINT it ends every process below it and removes the broker's folder and journal entry; a detached guard
// ignores end of file once its broker has booted. Should the guard itself be killed, the kernel kills its
// children (PR_SET_PDEATHSIG) and `brokerlab cleanup` removes the folder.
//
// Entry point of the hidden subcommand `brokerlab guard`; takes no arguments, returns the exit status.
// Single-threaded.
int guard_main();

}  // namespace brokerlab
