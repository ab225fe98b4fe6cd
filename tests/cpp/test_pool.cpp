// The thread pool: every task once, exceptions, many rounds, pools inside pools.
#include <chrono>
#include <ctime>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "pool.hpp"

using classicseg::Pool;

namespace {

const int pool_sizes[] = {1, 2, 3, 8};

void test_size() {
    for (int n : pool_sizes) CHECK(Pool(n).size() == n);
    CHECK(Pool(0).size() == 1);
    CHECK(Pool(-5).size() == 1);
}

// The counters are plain integers: the thread sanitizer sees whether run() orders the accesses.
void test_every_task_once() {
    for (int threads : pool_sizes) {
        Pool pool(threads);
        for (size_t n : {0, 1, 2, 3, 7, 8, 9, 64, 5000}) {
            current_case = std::to_string(threads) + " threads, " + std::to_string(n) + " tasks";
            std::vector<int> calls(n);
            pool.run(n, [&](size_t i) { calls[i]++; });
            for (int c : calls) CHECK(c == 1);
        }
    }
}

// Each round reads what other threads wrote in the round before.
void test_many_rounds() {
    for (int threads : pool_sizes) {
        Pool pool(threads);
        for (size_t n : {2, 3, 20}) {
            current_case = std::to_string(threads) + " threads, " + std::to_string(n) + " tasks";
            std::vector<size_t> now(n), next(n);
            for (size_t round = 0; round < 2000; round++) {
                pool.run(n, [&](size_t i) { next[i] = now[(i + 1) % n] + 1; });
                now.swap(next);
            }
            for (size_t value : now) CHECK(value == 2000);
        }
    }
}

void test_short_life() {
    for (int round = 0; round < 300; round++) {
        Pool idle(3);  // made and ended without work
        Pool pool(4);
        int sum[2] = {};
        pool.run(2, [&](size_t i) { sum[i]++; });
        CHECK(sum[0] == 1 && sum[1] == 1);
    }
}

void test_exception() {
    for (int threads : pool_sizes) {
        Pool pool(threads);
        for (size_t bad : {0, 1, 50, 99}) {
            current_case = std::to_string(threads) + " threads, task " + std::to_string(bad);
            std::vector<int> calls(100);
            bool caught = false;
            try {
                pool.run(calls.size(), [&](size_t i) {
                    calls[i]++;
                    if (i == bad) throw std::runtime_error("task " + std::to_string(i));
                });
            } catch (const std::runtime_error& error) {
                caught = error.what() == "task " + std::to_string(bad);
            }
            CHECK(caught);
            for (size_t i = 0; i < calls.size(); i++) CHECK(calls[i] <= 1 && (i > bad || calls[i] == 1));
            if (threads == 1) CHECK(bad == 99 || calls[bad + 1] == 0);  // no more are handed out

            int done[3] = {};  // the pool goes on working, and has forgotten the exception
            pool.run(3, [&](size_t i) { done[i]++; });
            CHECK(done[0] == 1 && done[1] == 1 && done[2] == 1);
        }
        bool caught = false;  // all tasks throw: one of the exceptions arrives
        try {
            pool.run(40, [](size_t i) { throw i; });
        } catch (size_t i) {
            caught = i < 40;
        }
        CHECK(caught);
    }
}

void test_exception_of_a_worker() {
    const auto caller = std::this_thread::get_id();
    Pool pool(3);
    std::atomic<bool> thrown{false};
    bool caught = false;
    try {
        pool.run(3, [&](size_t) {
            if (std::this_thread::get_id() != caller) {
                thrown = true;
                throw std::bad_alloc();
            }
            while (!thrown) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
    } catch (const std::bad_alloc&) {
        caught = true;
    }
    CHECK(caught);
}

void test_all_threads_work() {
    for (int threads : pool_sizes) {
        Pool pool(threads);
        std::atomic<int> inside{0};
        // Each task waits for the others: this ends only if every thread takes one.
        pool.run(static_cast<size_t>(threads), [&](size_t) {
            inside++;
            while (inside < threads) std::this_thread::yield();
        });
        CHECK(inside == threads);
    }
}

// Threads that went on looking for work would take the processor from other programs.
void test_waiting_threads_sleep() {
    Pool pool(3);
    const std::clock_t before = std::clock();  // of the processor, on all threads
    constexpr auto pause = std::chrono::milliseconds(10);
    constexpr int rounds = 30;
    for (int round = 0; round < rounds; round++)
        pool.run(2, [&](size_t i) {
            if (i == 0) std::this_thread::sleep_for(pause);
        });
    const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    CHECK(seconds < 0.25 * rounds * std::chrono::duration<double>(pause).count());
}

void test_pools_in_pools() {
    for (int outer : pool_sizes) {
        for (int inner : pool_sizes) {
            Pool pool(outer);
            std::vector<int> calls(60);
            pool.run(6, [&](size_t i) {
                Pool(inner).run(10, [&](size_t j) { calls[10 * i + j]++; });
            });
            for (int c : calls) CHECK(c == 1);
        }
    }
}

}  // namespace

int main() {
    test_size();
    test_every_task_once();
    test_many_rounds();
    test_short_life();
    test_exception();
    test_exception_of_a_worker();
    test_all_threads_work();
    test_waiting_threads_sleep();
    test_pools_in_pools();
}
