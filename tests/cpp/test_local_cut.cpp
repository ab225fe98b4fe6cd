// Cuts again after changes in a box: the mask, and the flow that a later solution goes on from, are
// those of a solution from scratch.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

using Random = std::mt19937;
int below(Random& random, int end) { return std::uniform_int_distribution<int>(0, end - 1)(random); }

constexpr int64_t limit = 1 << 16;

struct Image {
    int height, width;
    std::vector<int32_t> right, down, down_right, down_left, source, sink;
    size_t size() const { return static_cast<size_t>(height) * static_cast<size_t>(width); }
    size_t at(int y, int x) const { return static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x); }
};

enum Kind { everywhere, few, regions };

// Weak arcs cut excess off near its source; strong ones carry it far, so that boxes have to grow.
Image random_image(int height, int width, Kind kind, int strength, bool diagonals, Random& random) {
    Image out{height, width, {}, {}, {}, {}, {}, {}};
    for (auto* arcs : {&out.right, &out.down, &out.down_right, &out.down_left}) {
        arcs->resize(out.size());
        const bool none = !diagonals && arcs != &out.right && arcs != &out.down;
        for (auto& value : *arcs) value = none || below(random, 5) == 0 ? 0 : below(random, strength + 1);
    }
    out.source.resize(out.size());
    out.sink.resize(out.size());
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            if (kind == few && below(random, 200)) continue;
            const bool foreground = kind == regions ? (y / 20 + x / 25) % 2 == 0 : below(random, 2);
            (foreground ? out.source : out.sink)[out.at(y, x)] = below(random, kind == few ? 2000 : 30);
        }
    }
    return out;
}

struct Solver {
    std::unique_ptr<GridMaxflow> graph;
    std::vector<uint8_t> minimal, maximal;
    int64_t flow = 0;

    Solver(const Kernels& table, const Image& image) : minimal(image.size()), maximal(image.size()) {
        Pool pool(1);
        graph = table.graphcut.grid_maxflow(image.height, image.width, false, limit);
        GridArcs<int32_t> arcs;
        arcs.towards[4] = image.right.data();
        arcs.towards[5] = image.down_left.data();
        arcs.towards[6] = image.down.data();
        arcs.towards[7] = image.down_right.data();
        graph->set_arcs(arcs, 1, pool);
        graph->set_terminals(image.source.data(), image.sink.data(), nullptr, nullptr, 1, pool);
        solve(pool);
    }
    void solve(Pool& pool) {
        flow = graph->solve(pool);
        graph->cut(minimal.data(), maximal.data(), pool);
    }
};

// Changes the terminals in a box and solves again; true if that was done near the box.
bool change(Solver& solver, Image& image, int y, int x, int height, int width, Random& random, Pool& pool) {
    std::vector<int32_t> source, sink, old_source, old_sink;
    const int what = below(random, 4);
    for (int i = y; i < y + height; i++) {
        for (int j = x; j < x + width; j++) {
            const size_t p = image.at(i, j);
            old_source.push_back(image.source[p]);
            old_sink.push_back(image.sink[p]);
            if (what == 0) image.source[p] = image.sink[p] = 0;
            if (what == 1) image.source[p] = 0, image.sink[p] = limit;
            if (what == 2) image.source[p] = limit, image.sink[p] = 0;
            if (what == 3 && below(random, 2)) std::swap(image.source[p], image.sink[p]);
            source.push_back(image.source[p]);
            sink.push_back(image.sink[p]);
        }
    }
    const std::vector<uint8_t> before = solver.minimal;
    const Box box = solver.graph->solve_again(source.data(), sink.data(), old_source.data(), old_sink.data(),
                                              {y, y + height, 0, 1, x, x + width}, 1, solver.minimal.data(), pool);
    for (int i = 0; i < image.height; i++) {
        for (int j = 0; j < image.width; j++) {
            const bool in = i >= box.z0 && i < box.z1 && j >= box.x0 && j < box.x1;
            CHECK(in || before[image.at(i, j)] == solver.minimal[image.at(i, j)]);
        }
    }
    return box.n_pixels() < static_cast<int64_t>(image.size());
}

// What one source alone holds on its side, all of the grid, goes with it; and comes back.
void test_one_source_for_all(const Kernels& table) {
    constexpr int height = 160, width = 170;
    Image image{height, width, {}, {}, {}, {}, {}, {}};
    for (auto* arcs : {&image.right, &image.down, &image.down_right, &image.down_left}) arcs->assign(image.size(), 10);
    image.source.assign(image.size(), 0);
    image.sink.assign(image.size(), 0);
    image.source[image.at(80, 85)] = 500;
    Pool pool(1);
    Solver solver(table, image);
    const auto count = [&] { return std::count(solver.minimal.begin(), solver.minimal.end(), uint8_t{1}); };
    CHECK(count() == height * width);
    const int32_t none = 0, some = 500;
    const Box box = {80, 81, 0, 1, 85, 86};
    current_case = std::string(table.name) + ", the only source goes";
    solver.graph->solve_again(&none, &none, &some, &none, box, 1, solver.minimal.data(), pool);
    CHECK(count() == 0);
    current_case = std::string(table.name) + ", and comes back";
    solver.graph->solve_again(&some, &none, &none, &none, box, 1, solver.minimal.data(), pool);
    CHECK(count() == height * width);
    current_case = std::string(table.name) + ", and a sink far from it";
    solver.graph->solve_again(&none, &some, &none, &none, {3, 4, 0, 1, 3, 4}, 1, solver.minimal.data(), pool);
    image.sink[image.at(3, 3)] = 500;
    CHECK(solver.minimal == Solver(table, image).minimal);
}

// A sink appears at one end of a row that one source holds: wherever that stands, in the box or just
// outside it, its excess has to come.
void test_a_source_far_from_the_sink(const Kernels& table) {
    constexpr int width = 1200;
    const int32_t none = 0, some = 500;
    Pool pool(1);
    for (int x = 1; x < 200; x++) {
        Image image{1, width, {}, {}, {}, {}, {}, {}};
        for (auto* arcs : {&image.right, &image.down, &image.down_right, &image.down_left}) arcs->assign(width, 10);
        image.right[0] = 3;  // all that the source can bring: what lies between is on its side
        image.source.assign(width, 0);
        image.sink.assign(width, 0);
        image.source[x] = some;
        Solver solver(table, image);
        current_case = std::string(table.name) + ", a source at " + std::to_string(x);
        solver.graph->solve_again(&none, &some, &none, &none, {0, 1, 0, 1, 0, 1}, 1, solver.minimal.data(), pool);
        image.sink[0] = some;
        const Solver cold(table, image);
        CHECK(solver.minimal == cold.minimal);
        solver.solve(pool);
        CHECK(solver.flow == cold.flow && cold.flow == 3);
    }
}

}  // namespace

int main() {
    const auto tables = runnable_tables();
    for (const Kernels* table : tables) {
        test_one_source_for_all(*table);
        test_a_source_far_from_the_sink(*table);
    }
    Random random(11);
    const int sizes[][2] = {{150, 220}, {1, 900}, {900, 1}, {400, 90}};
    int near = 0, far = 0;
    for (int turn = 0; turn < 12; turn++) {
        const auto& size = sizes[turn % 4];
        const int strength = turn % 5 == 0 ? 3 : turn % 5 == 1 ? 10 : turn % 5 == 2 ? 30 : turn % 5 == 3 ? 100 : 500;
        Image image = random_image(size[0], size[1], static_cast<Kind>(turn % 3), strength, turn % 2 == 0, random);
        for (const Kernels* table : tables) {
            Pool pool(1 + turn % 3);
            Solver solver(*table, image);
            for (int round = 0; round < 8; round++) {
                current_case = std::string(table->name) + ", turn " + std::to_string(turn) + ", round " + std::to_string(round);
                const int height = 1 + below(random, std::min(8, size[0])), width = 1 + below(random, std::min(8, size[1]));
                const int y = below(random, size[0] - height + 1), x = below(random, size[1] - width + 1);
                (change(solver, image, y, x, height, width, random, pool) ? near : far)++;
                Solver cold(*table, image);
                CHECK(solver.minimal == cold.minimal);
                if (round % 4 == 3) {  // the flow and the sum of the sources are right as well
                    solver.solve(pool);
                    CHECK(solver.flow == cold.flow);
                    CHECK(solver.minimal == cold.minimal && solver.maximal == cold.maximal);
                }
            }
        }
    }
    std::printf("%d near the change, %d over all of the grid\n", near, far);
    CHECK(near > 60 && far > 5);
    std::puts("ok");
}
