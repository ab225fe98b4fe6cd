// Threads for the length of one kernel call.
//
// A pool belongs to the call that made it: nothing is left to break after fork(), and two Python
// threads never share one. Between two rounds of tasks workers look for the next one for some
// microseconds, then sleep on a condition variable: waking up takes longer than a short round, but
// threads that went on looking would take the processor from whoever has work. Nobody waits for a
// worker that is still asleep when a round ends.
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
    bool open_ = false;             // workers may still join the round
    std::atomic<size_t> round_{0};  // written with the mutex held, as is the next
    std::atomic<size_t> busy_{0};   // workers that joined
    std::atomic<bool> stop_{false};
    std::exception_ptr error_;
};

}  // namespace classicseg
