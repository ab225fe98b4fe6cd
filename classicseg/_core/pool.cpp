#include "pool.hpp"

#include <system_error>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace classicseg {
namespace {

// Whether something comes true within some ten microseconds. Others who want this processor get it.
template <class Condition>
bool comes_true(Condition&& condition) {
    for (int i = 0; i < 128; i++) {
        if (condition()) return true;
#if defined(__x86_64__) || defined(_M_X64)
        _mm_pause();
#endif
    }
    for (int i = 0; i < 64; i++) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return false;
}

}  // namespace

Pool::Pool(int n_threads) {
    for (int i = 1; i < n_threads; i++) {
        try {
            workers_.emplace_back([this] { work(); });
        } catch (const std::system_error&) {
            break;  // the system has no more threads to give: the ones there are do all the work
        }
    }
}

Pool::~Pool() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
}

void Pool::run(size_t n, void (*task)(void*, size_t), void* context) {
    if (workers_.empty() || n < 2) {
        for (size_t i = 0; i < n; i++) {
            checkpoint();
            task(context, i);
        }
        return;
    }
    {
        std::lock_guard lock(mutex_);
        task_ = task;
        context_ = context;
        n_ = n;
        next_ = 0;
        error_ = nullptr;
        open_ = true;
        round_++;
    }
    wake_.notify_all();
    take_tasks();
    std::unique_lock lock(mutex_);
    open_ = false;
    const auto all_done = [this] { return busy_ == 0; };
    lock.unlock();
    comes_true(all_done);
    lock.lock();
    while (watch_ && !error_ && !done_.wait_for(lock, between_questions, all_done)) {
        lock.unlock();
        try {
            checkpoint();
        } catch (...) {
            fail();
        }
        lock.lock();
    }
    done_.wait(lock, all_done);
    if (error_) std::rethrow_exception(error_);
}

void Pool::take_tasks() {
    for (size_t i; (i = next_.fetch_add(1)) < n_;) {
        try {
            checkpoint();
            task_(context_, i);
        } catch (...) {
            fail();
        }
    }
}

// Keeps the exception that is being handled, the first one.
void Pool::fail() {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    next_ = n_;
}

void Pool::work() {
    const Watch::Helper helper(watch_);
    size_t seen = 0;
    for (;;) {
        comes_true([&] { return stop_ || round_ != seen; });
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [&] { return stop_ || round_ != seen; });
            if (stop_) return;
            seen = round_;
            if (!open_) continue;  // too late for this round, perhaps in time for the next
            busy_++;
        }
        take_tasks();
        std::lock_guard lock(mutex_);
        if (--busy_ == 0) done_.notify_one();
    }
}

}  // namespace classicseg
