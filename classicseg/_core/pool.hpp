// Threads for the length of one kernel call.
//
// A pool belongs to the call that made it: nothing is left to break after fork(), two Python
// threads never share one, and idle workers sleep on a condition variable instead of spinning.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "watch.hpp"

namespace classicseg {

class Pool {
public:
    explicit Pool(int n_threads);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    int size() const { return static_cast<int>(workers_.size()) + 1; }

    // Calls task(context, i) once for each i in [0, n), on all threads, the caller's among them.
    // An exception in a task stops the hand-out of further ones and is thrown again here. Each task
    // begins with a checkpoint (see watch.hpp).
    void run(size_t n, void (*task)(void* context, size_t i), void* context);

    template <class Task>
    void run(size_t n, Task&& task) {
        run(n, [](void* context, size_t i) { (*static_cast<Task*>(context))(i); }, &task);
    }

private:
    void work();
    void take_tasks();
    void fail();

    Watch* const watch_ = Watch::current();
    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    void (*task_)(void*, size_t) = nullptr;
    void* context_ = nullptr;
    size_t n_ = 0;
    std::atomic<size_t> next_{0};
    size_t round_ = 0;
    size_t busy_ = 0;
    bool stop_ = false;
    std::exception_ptr error_;
};

}  // namespace classicseg
