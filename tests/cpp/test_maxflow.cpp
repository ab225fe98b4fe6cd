// Max-flow on grids against a reference: flow, smallest and largest minimum cut.
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "reference_maxflow.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

const int dy[] = {-1, -1, -1, 0, 0, 1, 1, 1}, dx[] = {-1, 0, 1, -1, 1, -1, 0, 1};

// Capacities of type T; floats are whole numbers after multiplication by `scale` and rounding.
template <class T>
struct Problem {
    int height, width;
    double scale = 1;
    std::vector<T> towards[8];  // empty where a direction is not given
    std::vector<T> source, sink;

    size_t size() const { return static_cast<size_t>(height) * static_cast<size_t>(width); }
    size_t pixel(int y, int x) const { return static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x); }
    bool symmetric() const {
        for (int k = 0; k < 4; k++)
            if (!towards[k].empty() && !towards[7 - k].empty()) return false;
        return true;
    }
    static int64_t whole(T value, double scale) {
        if constexpr (std::is_integral_v<T>) return value;
        return static_cast<int64_t>(std::nearbyint(static_cast<double>(value) * scale));
    }
    int64_t capacity(int y, int x, int k) const {
        if (!towards[k].empty()) return whole(towards[k][pixel(y, x)], scale);
        if (!towards[7 - k].empty()) return whole(towards[7 - k][pixel(y + dy[k], x + dx[k])], scale);
        return 0;
    }
    bool inside(int y, int x) const { return y >= 0 && x >= 0 && y < height && x < width; }
};

// More than the arcs of any pixel carry, when no capacity is above `largest`.
int64_t limit_for(int64_t largest) {
    int64_t limit = 1;
    while (limit <= 8 * largest) limit *= 2;
    return limit;
}

// Flow beyond min(source, sink), as the kernel counts it.
template <class T>
ReferenceCut reference(const Problem<T>& problem, int64_t limit) {
    ReferenceMaxflow graph(problem.size());
    for (int y = 0; y < problem.height; y++) {
        for (int x = 0; x < problem.width; x++) {
            const size_t p = problem.pixel(y, x);
            int64_t net;
            if constexpr (std::is_integral_v<T>) {
                net = static_cast<int64_t>(problem.source[p]) - static_cast<int64_t>(problem.sink[p]);
            } else {
                const double exact = (static_cast<double>(problem.source[p]) - static_cast<double>(problem.sink[p])) * problem.scale;
                const double bound = static_cast<double>(limit);
                net = static_cast<int64_t>(std::nearbyint(std::min(bound, std::max(-bound, exact))));
            }
            net = std::min(limit, std::max(-limit, net));
            if (net > 0) graph.add_arc(graph.source(), p, net);
            if (net < 0) graph.add_arc(p, graph.sink(), -net);
            for (int k = 0; k < 8; k++)
                if (problem.inside(y + dy[k], x + dx[k]))
                    graph.add_arc(p, problem.pixel(y + dy[k], x + dx[k]), problem.capacity(y, x, k));
        }
    }
    ReferenceCut cut = graph.solve();
    return cut;
}

// A kernel's solver and what was put into it last.
template <class T>
class Solver {
public:
    Solver(const Kernels& kernels, const Problem<T>& problem, bool wide, int64_t limit)
        : solver_(kernels.graphcut.grid_maxflow(problem.height, problem.width, wide, limit)) {}

    void set_arcs(const Problem<T>& problem, Pool& pool) {
        GridArcs<T> arcs;
        for (int k = 0; k < 8; k++) arcs.towards[k] = problem.towards[k].empty() ? nullptr : problem.towards[k].data();
        arcs.symmetric = problem.symmetric();
        solver_->set_arcs(arcs, problem.scale, pool);
    }
    void set_terminals(const Problem<T>& problem, Pool& pool) {
        const bool warm = !source_.empty();
        const Sum<T> base = solver_->set_terminals(problem.source.data(), problem.sink.data(), warm ? source_.data() : nullptr,
                                                   warm ? sink_.data() : nullptr, problem.scale, pool);
        source_ = problem.source;
        sink_ = problem.sink;
        double expected = 0, rounding = 0;
        for (size_t p = 0; p < source_.size(); p++) {
            const double smaller = static_cast<double>(std::min(source_[p], sink_[p]));
            expected += smaller;
            rounding += std::abs(smaller) * 1e-12;
        }
        CHECK(std::abs(static_cast<double>(base) - expected) <= rounding);
    }
    void expect(const ReferenceCut& cut, Pool& pool) {
        const size_t n = cut.minimal.size();
        std::vector<uint8_t> minimal(n, 9), maximal(n, 9);
        CHECK(solver_->solve(pool) == cut.flow);
        solver_->cut(minimal.data(), maximal.data(), pool);
        CHECK(minimal == cut.minimal);
        CHECK(maximal == cut.maximal);
    }

private:
    std::unique_ptr<GridMaxflow> solver_;
    std::vector<T> source_, sink_;
};

// ---- random problems --------------------------------------------------------------------------

using Random = std::mt19937;

int64_t below(Random& random, int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(random); }

template <class T>
T random_value(Random& random, int64_t largest, double scale, bool whole) {
    if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(below(random, largest + 1));
    } else {
        if (whole) return static_cast<T>(static_cast<double>(below(random, largest + 1)) / scale);
        return static_cast<T>(std::uniform_real_distribution<double>(0, static_cast<double>(largest) / scale)(random));
    }
}

// Arcs: 4- or 8-connected, symmetric from either end, or one capacity per direction; some with many
// zeros. `largest` is reached by no scaled capacity but as such.
template <class T>
void randomize_arcs(Problem<T>& problem, Random& random, int64_t largest) {
    const bool diagonals = random() % 2, whole = random() % 2;
    const unsigned zeros = random() % 3;
    for (int k = 0; k < 4; k++) {
        const unsigned given = random() % 8;  // 0: none, 1: both, else one end
        for (int end = 0; end < 2; end++) {
            std::vector<T>& arcs = problem.towards[end ? 7 - k : k];
            arcs.clear();
            if (given == 0 || (given > 1 && given % 2 != static_cast<unsigned>(end))) continue;
            if (!diagonals && dy[k] != 0 && dx[k] != 0) continue;
            arcs.resize(problem.size());
            for (T& value : arcs)
                value = zeros && random() % 3 < zeros ? T{0} : random_value<T>(random, largest, problem.scale, whole);
        }
    }
}

template <class T>
void randomize_terminals(Problem<T>& problem, Random& random, int64_t largest, bool infinite = true) {
    problem.source.assign(problem.size(), 0);
    problem.sink.assign(problem.size(), 0);
    const unsigned style = random() % 4;
    const bool whole = random() % 2;
    for (size_t p = 0; p < problem.size(); p++) {
        if (style == 0 && random() % 8) continue;  // few
        if (style == 1 || random() % 2) problem.source[p] = random_value<T>(random, largest, problem.scale, whole);
        if (style == 1 || problem.source[p] == 0) problem.sink[p] = random_value<T>(random, largest, problem.scale, whole);
        if (infinite && style == 2 && random() % 5 == 0) {
            std::vector<T>& hard = random() % 2 ? problem.source : problem.sink;
            if constexpr (std::is_integral_v<T>) {
                hard[p] = static_cast<T>(1000000000);
            } else {
                problem.source[p] = problem.sink[p] = 0;
                hard[p] = std::numeric_limits<T>::infinity();
            }
        }
    }
}

template <class T>
std::string type_name() {
    return (std::is_integral_v<T> ? "int" : "float") + std::to_string(8 * sizeof(T));
}

// ---- tests ------------------------------------------------------------------------------------

// One problem and some changes of it, on every instruction set, with both widths of capacities.
template <class T>
void test_changing(const std::vector<const Kernels*>& tables, int height, int width, int64_t largest,
                   double scale, int n_changes, unsigned seed) {
    Random random(seed);
    const int64_t limit = limit_for(largest);
    Problem<T> problem{height, width, scale, {}, {}, {}};
    struct Way {
        Solver<T> solver;
        std::string name;
    };
    std::vector<Way> ways;
    for (const Kernels* kernels : tables)
        for (int wide = limit > (1 << 29); wide < 2; wide++)
            ways.push_back({Solver<T>(*kernels, problem, wide, limit), std::string(kernels->name) + (wide ? " 64" : " 32")});
    const int sizes[] = {1, 2, 3, 8};
    for (int change = 0; change <= n_changes; change++) {
        const unsigned what = change ? random() % 3 : 2;
        const int64_t terminal = random() % 2 ? largest : std::min<int64_t>(8 * largest, 2000000000);
        if (what != 0) randomize_arcs(problem, random, largest);
        if (what == 1 && random() % 2) {  // a few pixels only, as after a stroke
            for (size_t p = 0; p < problem.size(); p += 1 + random() % 7)
                std::swap(problem.source[p], problem.sink[p]);
        } else if (what != 1) {
            randomize_terminals(problem, random, terminal);
        }
        const ReferenceCut cut = reference(problem, limit);
        for (size_t w = 0; w < ways.size(); w++) {
            const int threads = sizes[(seed + w + static_cast<unsigned>(change)) % 4];
            current_case = ways[w].name + ", " + type_name<T>() + ", " + std::to_string(height) + " x " +
                           std::to_string(width) + ", seed " + std::to_string(seed) + ", change " + std::to_string(change) +
                           ", " + std::to_string(threads) + " threads";
            Pool pool(threads);
            if (what != 0) ways[w].solver.set_arcs(problem, pool);
            if (what != 0 && change && random() % 4 == 0) ways[w].solver.set_arcs(problem, pool);  // to no effect
            ways[w].solver.set_terminals(problem, pool);
            ways[w].solver.expect(cut, pool);
            if (random() % 8 == 0) ways[w].solver.expect(cut, pool);  // again
        }
    }
}

void test_any_type(const std::vector<const Kernels*>& tables, int height, int width, int64_t largest,
                   int n_changes, unsigned seed) {
    switch (seed % 4) {
        case 0: return test_changing<int32_t>(tables, height, width, largest, 1, n_changes, seed);
        case 1: return test_changing<int64_t>(tables, height, width, largest, 1, n_changes, seed);
        case 2: return test_changing<float>(tables, height, width, largest, 1024, n_changes, seed);
        default: return test_changing<double>(tables, height, width, largest, 65536, n_changes, seed);
    }
}

// The reference itself, against all cuts.
void test_reference() {
    Random random(1);
    for (int round = 0; round < 400; round++) {
        const int height = 1 + static_cast<int>(below(random, 3)), width = 1 + static_cast<int>(below(random, 3));
        Problem<int32_t> problem{height, width, 1, {}, {}, {}};
        randomize_arcs(problem, random, 3);
        randomize_terminals(problem, random, 6, false);
        const size_t n = problem.size();
        int64_t least = std::numeric_limits<int64_t>::max();
        uint32_t all = 0, any = 0;
        int64_t direct = 0;
        for (size_t p = 0; p < n; p++) direct += std::min(problem.source[p], problem.sink[p]);
        for (uint32_t side = 0; side < 1u << n; side++) {
            int64_t cost = -direct;
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++) {
                    const size_t p = problem.pixel(y, x);
                    const bool in = side >> p & 1;
                    cost += in ? problem.sink[p] : problem.source[p];
                    for (int k = 0; k < 8 && in; k++)
                        if (problem.inside(y + dy[k], x + dx[k]) && !(side >> problem.pixel(y + dy[k], x + dx[k]) & 1))
                            cost += problem.capacity(y, x, k);
                }
            if (cost < least) {
                least = cost;
                all = any = side;
            } else if (cost == least) {
                all &= side;
                any |= side;
            }
        }
        const ReferenceCut cut = reference(problem, 1 << 20);
        CHECK(cut.flow == least);
        for (size_t p = 0; p < n; p++) CHECK(cut.minimal[p] == (all >> p & 1) && cut.maximal[p] == (any >> p & 1));
    }
}

void test_small_grids(const std::vector<const Kernels*>& tables, int n_rounds) {
    Random random(2);
    for (int round = 0; round < n_rounds; round++) {
        int height = 1 + static_cast<int>(below(random, 9)), width = 1 + static_cast<int>(below(random, 9));
        if (round % 8 == 0) height = 1;
        if (round % 8 == 1) width = 1;
        if (round % 100 == 0) width = 1;
        const int64_t largest = int64_t{1} << below(random, 24);
        test_any_type(tables, height, width, largest, 3, static_cast<unsigned>(round));
    }
}

// Tall enough for strips (128 rows make two, 256 four, 512 eight) and for coarser levels.
void test_tall_grids(const std::vector<const Kernels*>& tables) {
    unsigned seed = 0;
    for (int height : {127, 128, 261, 300, 517})
        for (int width : {1, 2, 9, 16, 21}) test_any_type(tables, height, width, 50, 4, seed++);
    for (unsigned more = 0; more < 4; more++) test_any_type(tables, 263, 33, 1000, 3, 100 + more);
    test_any_type(tables, 1, 5001, 20, 2, 200);
    test_any_type(tables, 2, 2501, 20, 2, 201);
    test_any_type(tables, 5001, 1, 20, 2, 202);
}

// Long ways: all flow has to pass the whole grid, and every seam.
void test_long_ways(const std::vector<const Kernels*>& tables) {
    for (int height : {260, 521}) {
        for (const Kernels* kernels : tables) {
            for (int threads : {1, 2, 3, 8}) {
                Problem<int32_t> problem{height, 12, 1, {}, {}, {}};
                Random random(7);
                randomize_terminals(problem, random, 1, false);
                std::fill(problem.source.begin(), problem.source.end(), 0);
                std::fill(problem.sink.begin(), problem.sink.end(), 0);
                for (size_t x = 0; x < 12; x++) {
                    problem.source[x] = 1000;
                    problem.sink[problem.size() - 1 - x] = 1000;
                }
                for (int k : {4, 6}) {
                    problem.towards[k].resize(problem.size());
                    for (int32_t& value : problem.towards[k]) value = static_cast<int32_t>(1 + below(random, 300));
                }
                current_case = std::string(kernels->name) + ", long ways, " + std::to_string(height) + " rows, " +
                               std::to_string(threads) + " threads";
                Pool pool(threads);
                Solver<int32_t> solver(*kernels, problem, false, limit_for(300));
                solver.set_arcs(problem, pool);
                solver.set_terminals(problem, pool);
                solver.expect(reference(problem, limit_for(300)), pool);
            }
        }
    }
}

// The largest capacities that the limits of either width allow, on a grid with coarser levels.
template <class T>
void test_largest(const std::vector<const Kernels*>& tables, bool wide, int64_t largest, int64_t limit, int64_t terminal) {
    Random random(9);
    Problem<T> problem{66, 64, 1, {}, {}, {}};
    for (const Kernels* kernels : tables) {
        Solver<T> solver(*kernels, problem, wide, limit);
        for (int change = 0; change < 4; change++) {
            current_case = std::string(kernels->name) + ", largest capacities, " + type_name<T>() + ", change " + std::to_string(change);
            for (int k = 0; k < 8; k++) {
                problem.towards[k].assign(problem.size(), static_cast<T>(largest));
                for (T& value : problem.towards[k])
                    if (change % 2 || random() % 2) value = static_cast<T>(below(random, largest + 1));
            }
            problem.source.assign(problem.size(), 0);
            problem.sink.assign(problem.size(), 0);
            for (size_t p = 0; p < problem.size(); p++)
                (random() % 2 ? problem.source : problem.sink)[p] = static_cast<T>(terminal - below(random, 5));
            Pool pool(2);
            solver.set_arcs(problem, pool);
            solver.set_terminals(problem, pool);
            solver.expect(reference(problem, limit), pool);
        }
    }
}

// Arcs near the limit all lead east, from many sources to few sinks: on coarser levels their sums
// leave the type's range unless the descent ends in time.
template <class T>
void test_piling_up(const std::vector<const Kernels*>& tables, bool wide, int64_t largest) {
    Problem<T> problem{130, 128, 1, {}, {}, {}};
    problem.towards[3].assign(problem.size(), 0);
    problem.towards[4].assign(problem.size(), static_cast<T>(largest));
    problem.source.assign(problem.size(), 0);
    problem.sink.assign(problem.size(), 0);
    for (int y = 0; y < problem.height; y++) {
        for (int x = 0; x < 64; x++) problem.source[problem.pixel(y, x)] = static_cast<T>(largest);
        for (int x = 120; x < 128; x++) problem.sink[problem.pixel(y, x)] = static_cast<T>(largest);
    }
    for (const Kernels* kernels : tables) {
        current_case = std::string(kernels->name) + ", piling up, " + type_name<T>();
        Pool pool(2);
        Solver<T> solver(*kernels, problem, wide, largest + 1);
        solver.set_arcs(problem, pool);
        solver.set_terminals(problem, pool);
        solver.expect(reference(problem, largest + 1), pool);
    }
}

}  // namespace

int main(int n_arguments, char** arguments) {
    const int n_rounds = n_arguments > 1 ? std::atoi(arguments[1]) : 4000;
    const auto tables = runnable_tables();
    test_reference();
    test_small_grids(tables, n_rounds);
    test_tall_grids(tables);
    test_long_ways(tables);
    test_largest<int32_t>(tables, false, (1 << 26) - 1, 1 << 29, std::numeric_limits<int32_t>::max());
    test_largest<int64_t>(tables, false, (1 << 26) - 1, 1 << 29, int64_t{1} << 45);
    test_piling_up<int32_t>(tables, false, (1 << 29) - 1);
    test_piling_up<int64_t>(tables, true, (int64_t{1} << 47) - 1);
    // 2^62 is what all pixels together may reach.
    test_largest<int64_t>(tables, true, (int64_t{1} << 46) - 1, int64_t{1} << 49, int64_t{1} << 49);
}
