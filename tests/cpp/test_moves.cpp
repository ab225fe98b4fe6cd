// Expansion and swap moves: each the best of its kind (all sets of tiny problems are tried), energies
// that add up, and the same labels for any table, number of threads, on a grid and on its graph.
#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

struct Problem {
    int height, width, n_labels;
    std::vector<float> unary;
    std::vector<int32_t> steps;
    std::vector<std::vector<double>> weights;  // of each step
    std::vector<double> cost;                  // a metric; empty: Potts
    std::vector<int64_t> first;                // the same pairs as a graph, of tiny problems
    std::vector<int32_t> heads;
    std::vector<double> graph_weights;

    int32_t n() const { return height * width; }
    double cost_of(int a, int b) const {
        return cost.empty() ? a != b : cost[static_cast<size_t>(a * n_labels + b)];
    }
    double energy(const std::vector<int32_t>& labels) const {
        double sum = 0;
        for (size_t p = 0; p < labels.size(); p++)
            sum += static_cast<double>(unary[p * static_cast<size_t>(n_labels) + static_cast<size_t>(labels[p])]);
        for (size_t k = 0; k < steps.size(); k++)
            for (size_t p = 0; p + static_cast<size_t>(steps[k]) < labels.size(); p++)
                sum += weights[k][p] * cost_of(labels[p], labels[p + static_cast<size_t>(steps[k])]);
        return sum;
    }
};

Problem problem(int height, int width, int n_labels, bool potts, std::mt19937& random) {
    Problem out{height, width, n_labels, {}, {}, {}, {}, {}, {}, {}};
    const auto n = static_cast<size_t>(out.n());
    std::uniform_int_distribution<int> energies(-9, 9), strengths(0, 6);
    for (size_t i = 0; i < n * static_cast<size_t>(n_labels); i++)
        out.unary.push_back(static_cast<float>(energies(random)));
    const int offsets[][2] = {{0, 1}, {1, -1}, {1, 0}, {1, 1}};
    std::vector<std::pair<int32_t, std::vector<double>>> rows;
    for (const auto& [dy, dx] : offsets) {
        const int step = dy * width + dx;
        if (dy >= height || std::abs(dx) >= width || step <= 0) continue;
        std::vector<double> row(n);
        for (int y = 0; y + dy < height; y++)
            for (int x = std::max(0, -dx); x + dx < width && x < width; x++)
                row[static_cast<size_t>(y * width + x)] = strengths(random);
        rows.emplace_back(step, row);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [step, row] : rows) {
        out.steps.push_back(step);
        out.weights.push_back(row);
    }
    if (!potts)  // truncated distances of labels are a metric
        for (int a = 0; a < n_labels; a++)
            for (int b = 0; b < n_labels; b++) out.cost.push_back(std::min(2, std::abs(a - b)));
    if (out.n() > 64) return out;
    out.first.push_back(0);
    for (int32_t p = 0; p < out.n(); p++) {
        for (int32_t q = 0; q < out.n(); q++) {
            double sum = 0;
            for (size_t k = 0; k < out.steps.size(); k++)
                if (std::abs(p - q) == out.steps[k]) sum += out.weights[k][static_cast<size_t>(std::min(p, q))];
            if (sum == 0) continue;
            out.heads.push_back(q);
            out.graph_weights.push_back(sum);
        }
        out.first.push_back(static_cast<int64_t>(out.heads.size()));
    }
    return out;
}

struct Solver {
    std::vector<const double*> weights;
    std::unique_ptr<LabelMoves> moves;
};

Solver solver(const Kernels& table, const Problem& p, bool wide, bool as_graph, Pool& pool) {
    const MoveProblem given = {p.n(), p.n_labels, p.unary.data(), p.cost.empty() ? nullptr : p.cost.data(), 1, 1};
    Solver out;
    for (const auto& row : p.weights) out.weights.push_back(row.data());
    if (as_graph) {
        out.moves = table.moves.on_graph(given, {p.first.data(), p.heads.data(), p.graph_weights.data()}, wide, pool);
    } else {
        const MoveGrid grid = {static_cast<int>(p.steps.size()), p.steps.data(), out.weights.data()};
        out.moves = table.moves.on_grid(given, grid, wide, pool);
    }
    return out;
}

std::vector<int32_t> labels_of(const LabelMoves& moves, const Problem& p) {
    return {moves.labels(), moves.labels() + p.n()};
}

// The lowest energy that any set of nodes with one of these labels reaches by turning to `alpha`.
double best_expansion(const Problem& p, const std::vector<int32_t>& labels, int alpha) {
    double best = p.energy(labels);
    for (uint32_t set = 1; set < (1u << p.n()); set++) {
        std::vector<int32_t> moved = labels;
        for (size_t i = 0; i < moved.size(); i++)
            if (set >> i & 1) moved[i] = alpha;
        best = std::min(best, p.energy(moved));
    }
    return best;
}

void check_best_moves(const Kernels& table, const Problem& p, bool wide, bool as_graph) {
    Pool pool(1);
    Solver s = solver(table, p, wide, as_graph, pool);
    double energy = s.moves->start(nullptr, pool);
    CHECK(energy == p.energy(labels_of(*s.moves, p)));
    for (int alpha = 0; alpha < p.n_labels; alpha++) {
        const double best = best_expansion(p, labels_of(*s.moves, p), alpha);
        energy += s.moves->expand(alpha, -1, pool);
        CHECK(energy == p.energy(labels_of(*s.moves, p)));
        CHECK(energy == best);
    }
}

// Moves of both kinds until nothing changes, and what they end with.
std::vector<int32_t> run(const Kernels& table, const Problem& p, bool wide, int n_threads) {
    Pool pool(n_threads);
    Solver s = solver(table, p, wide, false, pool);
    std::vector<int32_t> begin(static_cast<size_t>(p.n()));
    for (size_t i = 0; i < begin.size(); i++) begin[i] = static_cast<int32_t>(i * 7 % static_cast<size_t>(p.n_labels));
    double energy = s.moves->start(begin.data(), pool);
    for (bool changed = true; changed;) {
        double change = 0;
        for (int alpha = 0; alpha < p.n_labels; alpha++) {
            change += s.moves->expand(alpha, -1, pool);
            for (int beta = 0; beta < p.n_labels; beta++) change += s.moves->expand(alpha, beta, pool);
        }
        changed = change < 0;
        energy += change;
    }
    CHECK(energy == p.energy(labels_of(*s.moves, p)));
    return labels_of(*s.moves, p);
}

}  // namespace

int main() {
    const auto tables = runnable_tables();
    std::mt19937 random(3);
    const int tiny[][2] = {{1, 1}, {1, 6}, {6, 1}, {3, 3}, {2, 4}};
    for (const auto& size : tiny) {
        for (int turn = 0; turn < 12; turn++) {
            const Problem p = problem(size[0], size[1], 2 + turn % 3, turn % 2 == 0, random);
            current_case = std::to_string(size[0]) + "x" + std::to_string(size[1]) + ", turn " + std::to_string(turn);
            for (const Kernels* table : tables)
                for (int mode = 0; mode < 4; mode++) check_best_moves(*table, p, mode % 2 == 1, mode / 2 == 1);
        }
    }
    for (int turn = 0; turn < 2; turn++) {
        const Problem p = problem(90, 200, 5, turn % 2 == 0, random);
        current_case = "90x200, turn " + std::to_string(turn);
        const auto expected = run(*tables[0], p, false, 1);
        for (const Kernels* table : tables)
            for (int threads : {1, 3}) CHECK(run(*table, p, threads == 1, threads) == expected);
    }
    std::puts("ok");
}
