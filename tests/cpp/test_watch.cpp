// Calls that are stopped: where, by whom, and that nothing is left hanging.
#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "check.hpp"
#include "kernels.hpp"
#include "pool.hpp"
#include "watch.hpp"

using namespace classicseg;

namespace {

const int pool_sizes[] = {1, 2, 3, 8};

bool never(void*) { return false; }
bool always(void*) { return true; }

template <class Task>
bool stopped(Task&& task) {
    try {
        task();
    } catch (const Stopped&) {
        return true;
    }
    return false;
}

void test_without_a_watch() {
    CHECK(Watch::current() == nullptr);
    checkpoint();
    for (int n : pool_sizes) Pool(n).run(20, [](size_t) { checkpoint(); });
}

void test_flag() {
    std::atomic<bool> flag{false};
    for (int threads : pool_sizes) {
        current_case = std::to_string(threads) + " threads";
        flag = false;
        const Watch watch(never, nullptr, &flag);
        Pool pool(threads);
        std::atomic<int> begun{0};
        CHECK(!stopped([&] { pool.run(50, [&](size_t) { begun++; }); }));
        CHECK(begun == 50);
        // A task sets it: those at work end at their next checkpoint, and no other one begins.
        begun = 0;
        const auto work = [&](size_t) {
            begun++;
            flag = true;
            for (;;) checkpoint();
        };
        CHECK(stopped([&] { pool.run(1000, [&](size_t i) { work(i); }); }));
        CHECK(begun >= 1 && begun <= threads);
        begun = 0;
        CHECK(stopped([&] { pool.run(1000, [&](size_t i) { work(i); }); }));  // it stays stopped, whatever the flag says
        flag = false;
        CHECK(stopped([&] { pool.run(1000, [&](size_t i) { work(i); }); }));
        CHECK(begun == 0);
    }
    CHECK(Watch::current() == nullptr);
}

// Only the thread that made the watch asks, also while it waits for the others.
void test_question() {
    struct Asked {
        std::thread::id thread;
        int times = 0;
    };
    const auto ask = [](void* context) {
        auto* asked = static_cast<Asked*>(context);
        CHECK(std::this_thread::get_id() == asked->thread);
        return ++asked->times == 3;
    };
    for (int threads : pool_sizes) {
        current_case = std::to_string(threads) + " threads";
        Asked asked{std::this_thread::get_id()};
        const Watch watch(ask, &asked, nullptr);
        Pool pool(threads);
        const auto begin = std::chrono::steady_clock::now();
        CHECK(stopped([&] {
            std::atomic<bool> others_work{false};
            pool.run(2, [&](size_t) {
                // The caller's own task ends, so that it has nothing to do but to wait.
                if (threads > 1 && std::this_thread::get_id() == asked.thread) {
                    while (!others_work) std::this_thread::yield();
                    return;
                }
                others_work = true;
                for (;;) checkpoint();
            });
        }));
        CHECK(asked.times == 3);
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    }
}

void test_nested() {
    const Watch outer(never, nullptr, nullptr);
    CHECK(Watch::current() == &outer);
    {
        const Watch inner(always, nullptr, nullptr);
        CHECK(stopped([] {
            for (;;) checkpoint();
        }));
    }
    CHECK(Watch::current() == &outer);
    checkpoint();
}

// Stops calls of a kernel at moments that lie further and further from its start, until one is not
// stopped. Each has objects of its own, as what was stopped is not used again.
template <class Run>
void stop_everywhere(const std::string& name, Run&& run) {
    for (int threads : pool_sizes) {
        int n_stopped = 0;
        for (int microseconds = 10;; microseconds *= 2) {
            current_case = name + ", " + std::to_string(threads) + " threads, " + std::to_string(microseconds) + " us";
            std::atomic<bool> flag{false}, ended{false};
            bool was_stopped = false;
            std::thread other([&] {
                std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
                flag = true;
            });
            {
                const Watch watch(never, nullptr, &flag);
                was_stopped = stopped([&] { run(threads); });
            }
            other.join();
            n_stopped += was_stopped;
            if (!was_stopped) break;
        }
        CHECK(n_stopped > 0);
    }
}

void test_maxflow() {
    constexpr int height = 300, width = 80;
    std::mt19937 random(1);
    std::vector<int32_t> source(height * width), sink(source.size()), down(source.size()), right(source.size());
    for (auto* values : {&source, &sink, &down, &right})
        for (int32_t& value : *values) value = static_cast<int32_t>(random() % 20);
    for (int x = 0; x < width; x++) down[(height - 1) * width + static_cast<size_t>(x)] = 0;
    for (int y = 0; y < height; y++) right[static_cast<size_t>(y) * width + width - 1] = 0;
    stop_everywhere("max-flow", [&](int threads) {
        const auto solver = kernels().graphcut.grid_maxflow(height, width, false, 1 << 20);
        Pool pool(threads);
        GridArcs<int32_t> arcs;
        arcs.towards[4] = right.data();
        arcs.towards[6] = down.data();
        solver->set_arcs(arcs, 1, pool);
        solver->set_terminals(source.data(), sink.data(), nullptr, nullptr, 1, pool);
        std::vector<uint8_t> minimal(source.size()), maximal(source.size());
        for (int round = 0; round < 3; round++) {
            solver->solve(pool);
            solver->cut(minimal.data(), maximal.data(), pool);
        }
    });
}

// Bands of rows wait for each other there.
void test_messages() {
    constexpr int height = 200, width = 90, n_labels = 8;
    std::mt19937 random(2);
    std::vector<float> unary(static_cast<size_t>(height * width * n_labels)), weights(height * width, 1.0f);
    for (float& value : unary) value = static_cast<float>(random() % 100);
    std::vector<float> rows(n_labels * n_labels, 1.0f);
    for (size_t l = 0; l < n_labels; l++) rows[l * n_labels + l] = 0;
    LocalGrid grid{};
    grid.height = height;
    grid.width = width;
    std::vector<float> across = weights, along = weights;
    for (int y = 0; y < height; y++) along[static_cast<size_t>(y * width + width - 1)] = 0;
    for (int x = 0; x < width; x++) across[static_cast<size_t>((height - 1) * width + x)] = 0;
    grid.offsets[grid.n_offsets++] = {0, 1, along.data()};
    grid.offsets[grid.n_offsets++] = {1, 0, across.data()};
    const LabelCost cost = {LabelCost::potts, n_labels, n_labels, 1, 1, 0, rows.data(), rows.data()};
    stop_everywhere("messages", [&](int threads) {
        std::vector<float> messages(2 * unary.size());
        Pool pool(threads);
        for (int round = 0; round < 4; round++) {
            const Sweep sweep = {round % 2 == 0, true, false, unary.data(), messages.data(), nullptr, nullptr};
            kernels().gridcrf.grid_sweep(grid, cost, sweep, pool);
        }
    });
}

}  // namespace

int main() {
    test_without_a_watch();
    test_flag();
    test_question();
    test_nested();
    test_maxflow();
    test_messages();
}
