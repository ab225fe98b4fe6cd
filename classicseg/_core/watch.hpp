// How a kernel call ends early: after Ctrl-C, or when another thread no longer wants its result.
//
// Whoever makes a call puts a Watch around it. Kernels call checkpoint() now and then, at least every
// few milliseconds: pools do before each task, long loops by an Interval. It throws `Stopped` where
// the call is to end, on the thread that called and on those of its pools. What a stopped call was
// writing to is half-way, and is not used again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "isa.hpp"

namespace classicseg {

struct Stopped {};

class Watch {
public:
    // Over the calling thread, until this object ends. `ask(context)` says whether to stop; only the
    // calling thread asks, some twenty times a second. `flag`, or null, stops the call as well.
    Watch(bool (*ask)(void* context), void* context, const std::atomic<bool>* flag);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    static Watch* current();  // of this thread, or null

    // Lets a pool's thread stop with the call that it works for.
    class Helper {
    public:
        explicit Helper(Watch* watch);
        Helper(const Helper&) = delete;
        Helper& operator=(const Helper&) = delete;
    };

private:
    friend void checkpoint();
    void check(bool may_ask);

    bool (*ask_)(void*);
    void* context_;
    const std::atomic<bool>* flag_;
    std::atomic<bool> stopped_{false};
    int64_t next_time_;  // in nanoseconds
    Watch* before_;
    bool before_asks_;
};

constexpr auto between_questions = std::chrono::milliseconds(50);

// Throws Stopped if this thread's call is to end. Takes some ten nanoseconds.
[[gnu::cold]] void checkpoint();

}  // namespace classicseg

namespace classicseg::CLASSICSEG_ISA {

// A checkpoint once in so many turns of a loop whose turns take up to a microsecond.
class Interval {
public:
    void operator()() {
        if (--turns_ == 0) [[unlikely]] {
            turns_ = between;
            checkpoint();
        }
    }

private:
    static constexpr uint32_t between = 0x4000;
    uint32_t turns_ = between;
};

}  // namespace classicseg::CLASSICSEG_ISA
