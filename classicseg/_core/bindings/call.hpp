// A call of a kernel from Python.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>

#include "watch.hpp"

namespace classicseg {

// Lets go of Python's lock for the length of a kernel call. What ends the call early becomes a Python
// exception: that of a signal's handler, as KeyboardInterrupt after Ctrl-C, on the main thread, or
// `Stopped` where the thread runs under a `Stop` that has been set.
class Call {
public:
    Call();

private:
    static bool ask(void* self);

    enum class Thread { unknown, main, other };
    Thread thread_ = Thread::unknown;
    nanobind::gil_scoped_release release_;
    Watch watch_;
};

}  // namespace classicseg
