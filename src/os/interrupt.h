// One stop request for the whole process: SIGINT, SIGTERM and SIGHUP set it, long work looks at it.
#pragma once

namespace vprov::os {

// Installs the handlers, once, from main(). A second signal while unwinding is ignored on purpose: cleaning up is
// short, and ending in the middle of it would leave what the first one promised to remove.
void catch_stop_signals();

bool stop_requested() noexcept;

// Throws Error(ErrorKind::interrupted, "interrupted") when a stop was requested. Cheap enough for inner loops.
void check_stop();

// Readable from the moment a stop is requested: for poll(2). Valid for the life of the process.
int stop_fd() noexcept;

// For a forked child that is told of a stop by a signal of its own: what its parent saw or will see is not its
// business.
void detach_stop_requests() noexcept;

// Asks for a stop from within the process (a worker that failed, a test).
void request_stop() noexcept;
void forget_stop() noexcept;  // a new one can be asked for

}  // namespace vprov::os
