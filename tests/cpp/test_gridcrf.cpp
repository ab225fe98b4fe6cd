// The local CRF's passes: the same bits for any table and number of threads, every form of label
// cost and length of rows; bounds below and never falling.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

struct Outcome {
    std::vector<float> messages, beliefs;
    std::vector<int32_t> labels;
    std::vector<double> bounds;
    int64_t changed = 0;
    double energy = 0;
    bool operator==(const Outcome&) const = default;
};

struct Case {
    int height, width, n_labels, padded;
    bool diagonals, tree_reweighted, sum_product;
    LabelCost::Kind kind;
};

Outcome run(const Kernels& table, const Case& k, int n_threads) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(0, 2);
    const size_t n = static_cast<size_t>(k.height) * static_cast<size_t>(k.width);
    const auto labels = static_cast<size_t>(k.n_labels), padded = static_cast<size_t>(k.padded);
    std::vector<float> unary(n * labels), rows_of_unary(n * padded, 1e37f), weight(n);
    for (auto& u : unary) u = uniform(random);
    for (auto& w : weight) w = std::max(0.0f, uniform(random) - 0.3f);
    for (size_t p = 0; p < n; p++)
        std::copy_n(&unary[p * labels], labels, &rows_of_unary[p * padded]);
    std::vector<float> cost(labels * padded);
    const float scale = 0.3f, limit = k.kind == LabelCost::quadratic ? 1e6f : 1.1f;
    for (size_t i = 0; i < labels; i++) {
        for (size_t j = 0; j < padded; j++) {
            const float d = j < labels ? static_cast<float>(i < j ? j - i : i - j) : static_cast<float>(i);
            const float power = k.kind == LabelCost::quadratic ? d * d : d;
            cost[i * padded + j] = k.kind == LabelCost::potts ? (d > 0 ? limit : 0) : std::min(scale * power, limit);
        }
    }
    const float* w = weight.data();
    const LocalGrid grid = {k.height, k.width, k.diagonals ? 4 : 2,
                            {{0, 1, w}, {1, k.diagonals ? -1 : 0, w}, {1, 0, w}, {1, 1, w}}};
    const LabelCost c = {k.kind, k.n_labels, k.padded, scale, limit, 0, cost.data(), cost.data()};
    Outcome out;
    out.messages.resize(n * padded * static_cast<size_t>(grid.n_offsets));
    out.beliefs.resize(n * labels);
    out.labels.resize(n);
    Pool pool(n_threads);
    Sweep s = {true, k.tree_reweighted, k.sum_product, rows_of_unary.data(), out.messages.data(), nullptr, nullptr};
    for (int pass = 0; pass < 4; pass++) {
        s.forward = pass % 2 == 0;
        s.labels = pass == 3 ? out.labels.data() : nullptr;
        s.beliefs = pass == 3 ? out.beliefs.data() : nullptr;
        out.bounds.push_back(table.gridcrf.grid_sweep(grid, c, s, pool));
    }
    out.energy = table.gridcrf.grid_energy(grid, c, unary.data(), out.labels.data(), pool);
    if (k.tree_reweighted) {
        CHECK(std::is_sorted(out.bounds.begin(), out.bounds.end(),
                             [](double a, double b) { return a < b - 1e-3; }));
        CHECK(out.bounds.back() <= out.energy + 1e-3);
    }
    out.changed = table.gridcrf.grid_icm(grid, c, unary.data(), out.labels.data(), pool);
    const double after = table.gridcrf.grid_energy(grid, c, unary.data(), out.labels.data(), pool);
    CHECK(after <= out.energy);
    return out;
}

}  // namespace

int main() {
    const auto tables = runnable_tables();
    const int sizes[][2] = {{1, 1}, {1, 40}, {40, 1}, {33, 97}};
    const int lengths[][2] = {{5, 8}, {21, 24}, {1, 4}, {16, 16}, {40, 40}};
    int turn = 0;  // the lengths take turns
    for (const auto& size : sizes) {
        for (int kind = 0; kind < 4; kind++) {
            for (int mode = 0; mode < 6; mode++) {
                const auto& length = lengths[turn++ % 5];
                const Case k = {size[0], size[1], length[0], length[1], mode % 2 == 1, mode / 2 == 0,
                                mode / 2 == 2, static_cast<LabelCost::Kind>(kind)};
                current_case = std::to_string(size[0]) + "x" + std::to_string(size[1]) + ", " +
                               std::to_string(length[0]) + " labels, cost " + std::to_string(kind) + ", mode " +
                               std::to_string(mode);
                const Outcome expected = run(*tables[0], k, 1);
                for (const Kernels* table : tables)
                    for (int threads : {1, 3}) CHECK(run(*table, k, threads) == expected);
            }
        }
    }
    std::puts("ok");
}
