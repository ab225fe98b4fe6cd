// Expansion and swap moves on tiny grids: the best of their kind, energies that add up.
#include <algorithm>
#include <memory>

#include "choices.hpp"

using namespace classicseg;

namespace {

struct Problem {
    int height, width, n_labels;
    std::vector<float> unary;
    std::vector<int32_t> steps;
    std::vector<std::vector<double>> weights;
    std::vector<double> cost;  // empty: Potts

    size_t n() const { return static_cast<size_t>(height * width); }
    double energy(const std::vector<int32_t>& labels) const {
        double sum = 0;
        for (size_t p = 0; p < n(); p++)
            sum += static_cast<double>(unary[p * static_cast<size_t>(n_labels) + static_cast<size_t>(labels[p])]);
        for (size_t k = 0; k < steps.size(); k++)
            for (size_t p = 0; p + static_cast<size_t>(steps[k]) < n(); p++) {
                const int32_t a = labels[p], b = labels[p + static_cast<size_t>(steps[k])];
                sum += weights[k][p] * (cost.empty() ? a != b : cost[static_cast<size_t>(a * n_labels + b)]);
            }
        return sum;
    }
};

Problem problem_of(Choices& choices) {
    Problem p{choices.size(1, 3), choices.size(1, 3), choices.size(1, 4), {}, {}, {}, {}};
    const int largest = choices.size(1, 60);
    if (choices.coin()) {
        const int most = choices.size(1, 3);
        for (int a = 0; a < p.n_labels; a++)
            for (int b = 0; b < p.n_labels; b++) p.cost.push_back(std::min(most, std::abs(a - b)));
    }
    for (size_t i = 0; i < p.n() * static_cast<size_t>(p.n_labels); i++)
        p.unary.push_back(static_cast<float>(choices.size(-largest, largest)));
    std::vector<std::pair<int32_t, std::vector<double>>> rows;
    const int offsets[][2] = {{0, 1}, {1, -1}, {1, 0}, {1, 1}};
    for (const auto& [dy, dx] : offsets) {
        const int step = dy * p.width + dx;
        if (dy >= p.height || std::abs(dx) >= p.width || step <= 0) continue;
        std::vector<double> row(p.n());
        for (int y = 0; y + dy < p.height; y++)
            for (int x = std::max(0, -dx); x + dx < p.width && x < p.width; x++)
                row[static_cast<size_t>(y * p.width + x)] = choices.size(0, 12);
        rows.emplace_back(step, row);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [step, row] : rows) {
        p.steps.push_back(step);
        p.weights.push_back(row);
    }
    return p;
}

double best_expansion(const Problem& p, const std::vector<int32_t>& labels, int alpha) {
    double best = p.energy(labels);
    for (uint32_t set = 1; set < 1u << p.n(); set++) {
        std::vector<int32_t> moved = labels;
        for (size_t i = 0; i < moved.size(); i++)
            if (set >> i & 1) moved[i] = alpha;
        best = std::min(best, p.energy(moved));
    }
    return best;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Choices choices(data, size);
    const Problem p = problem_of(choices);
    std::vector<const double*> rows;
    for (const auto& row : p.weights) rows.push_back(row.data());
    const MoveProblem given{static_cast<int32_t>(p.n()), p.n_labels, p.unary.data(), p.cost.empty() ? nullptr : p.cost.data(), 1, 1};
    const MoveGrid grid{static_cast<int>(p.steps.size()), p.steps.data(), rows.data()};
    std::vector<int32_t> labels(p.n());
    for (int32_t& label : labels) label = choices.size(0, p.n_labels - 1);
    Pool pool(1);
    std::vector<std::unique_ptr<LabelMoves>> solvers;
    double energy = p.energy(labels);
    for (const Kernels* kernels : tables())
        for (const bool wide : {false, true}) {
            solvers.push_back(kernels->moves.on_grid(given, grid, wide, pool));
            CHECK(solvers.back()->start(labels.data(), pool) == energy);
        }
    for (int move = 0; move < 4; move++) {
        const int alpha = choices.size(0, p.n_labels - 1), only = choices.size(-1, p.n_labels - 1);
        const bool expansion = only < 0 || only == alpha;
        const double best = expansion ? best_expansion(p, labels, alpha) : 0;
        std::vector<int32_t> first;
        for (auto& solver : solvers) {
            const double change = solver->expand(alpha, expansion ? -1 : only, pool);
            const std::vector<int32_t> now(solver->labels(), solver->labels() + p.n());
            CHECK(change <= 0 && p.energy(now) == energy + change);
            CHECK(!expansion || p.energy(now) == best);
            for (size_t i = 0; i < now.size(); i++)
                CHECK(now[i] == labels[i] || (now[i] == alpha && (expansion || labels[i] == only)));
            if (first.empty()) first = now;
            CHECK(now == first);
        }
        labels = first;
        energy = p.energy(labels);
    }
    return 0;
}
