#include "watch.hpp"

#include <algorithm>
#include <ctime>

namespace classicseg {
namespace {

thread_local Watch* watch_of_thread = nullptr;
thread_local bool thread_asks = false;

int64_t now() {
#if defined(CLOCK_MONOTONIC_COARSE)
    timespec t;  // right to some milliseconds, and a fifth of the time that the exact clock takes
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return static_cast<int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec;
#else
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

constexpr int64_t interval = std::chrono::nanoseconds(between_questions).count();

}  // namespace

Watch::Watch(bool (*ask)(void*), void* context, const std::atomic<bool>* flag)
    : ask_(ask), context_(context), flag_(flag), next_time_(now() + interval), before_(watch_of_thread),
      before_asks_(thread_asks) {
    watch_of_thread = this;
    thread_asks = true;
}

Watch::~Watch() {
    watch_of_thread = before_;
    thread_asks = before_asks_;
}

Watch* Watch::current() { return watch_of_thread; }

Watch::Helper::Helper(Watch* watch) {
    watch_of_thread = watch;
    thread_asks = false;
}

void Watch::check(bool may_ask) {
    if (may_ask) {
        const int64_t before = now();
        if (before >= next_time_) {
            if (ask_(context_)) stopped_.store(true, std::memory_order_relaxed);
            // Asking waits for Python's lock, which other threads may keep for milliseconds: then less often.
            const int64_t after = now();
            next_time_ = after + std::clamp(50 * (after - before), interval, 4 * interval);
        }
    }
    if (flag_ && flag_->load(std::memory_order_relaxed)) stopped_.store(true, std::memory_order_relaxed);
    if (stopped_.load(std::memory_order_relaxed)) throw Stopped();
}

void checkpoint() {
    if (Watch* watch = watch_of_thread) watch->check(thread_asks);
}

}  // namespace classicseg
