#include "pool.hpp"

#include <system_error>

namespace classicseg {

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
        busy_ = workers_.size();
        error_ = nullptr;
        round_++;
    }
    wake_.notify_all();
    take_tasks();
    std::unique_lock lock(mutex_);
    const auto all_done = [this] { return busy_ == 0; };
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
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [&] { return stop_ || round_ != seen; });
            if (stop_) return;
            seen = round_;
        }
        take_tasks();
        std::lock_guard lock(mutex_);
        if (--busy_ == 0) done_.notify_one();
    }
}

}  // namespace classicseg
