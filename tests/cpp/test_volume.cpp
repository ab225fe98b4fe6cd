// Max-flow on volumes against a reference: flow, smallest and largest minimum cut; changes, threads,
// instruction sets and the largest capacities.
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "reference_maxflow.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

using Random = std::mt19937;

int64_t below(Random& random, int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(random); }

struct Step {
    int z, y, x;
};

// In raster order; the opposite of k is n - 1 - k.
std::vector<Step> steps_of(int connectivity) {
    std::vector<Step> steps;
    for (int z = -1; z <= 1; z++)
        for (int y = -1; y <= 1; y++)
            for (int x = -1; x <= 1; x++) {
                const int length = z * z + y * y + x * x;
                if (length == 1 || (length > 1 && connectivity == 26)) steps.push_back({z, y, x});
            }
    return steps;
}

struct Problem {
    int depth, height, width, connectivity;
    std::vector<Step> steps = steps_of(connectivity);
    std::vector<std::vector<int64_t>> towards = std::vector<std::vector<int64_t>>(steps.size());
    std::vector<int64_t> source = std::vector<int64_t>(size()), sink = source;

    size_t size() const { return static_cast<size_t>(depth) * static_cast<size_t>(height) * static_cast<size_t>(width); }
    size_t voxel(int z, int y, int x) const {
        return (static_cast<size_t>(z) * static_cast<size_t>(height) + static_cast<size_t>(y)) * static_cast<size_t>(width) + static_cast<size_t>(x);
    }
    bool inside(int z, int y, int x) const { return z >= 0 && y >= 0 && x >= 0 && z < depth && y < height && x < width; }
    bool symmetric() const {
        for (size_t k = 0; k < steps.size() / 2; k++)
            if (!towards[k].empty() && !towards[steps.size() - 1 - k].empty()) return false;
        return true;
    }
    std::string name() const {
        return std::to_string(depth) + " x " + std::to_string(height) + " x " + std::to_string(width) + ", " +
               std::to_string(connectivity) + " neighbours";
    }
};

// Flow beyond min(source, sink), as the kernel counts it.
ReferenceCut reference(const Problem& p, int64_t limit) {
    ReferenceMaxflow graph(p.size());
    for (int z = 0; z < p.depth; z++)
        for (int y = 0; y < p.height; y++)
            for (int x = 0; x < p.width; x++) {
                const size_t i = p.voxel(z, y, x);
                const int64_t net = std::min(limit, std::max(-limit, p.source[i] - p.sink[i]));
                if (net > 0) graph.add_arc(graph.source(), i, net);
                if (net < 0) graph.add_arc(i, graph.sink(), -net);
                for (size_t k = 0; k < p.steps.size(); k++) {
                    const Step s = p.steps[k];
                    if (!p.inside(z + s.z, y + s.y, x + s.x)) continue;
                    const size_t j = p.voxel(z + s.z, y + s.y, x + s.x);
                    const auto& there = p.towards[k];
                    const auto& back = p.towards[p.steps.size() - 1 - k];
                    if (!there.empty()) graph.add_arc(i, j, there[i]);
                    if (there.empty() && !back.empty()) graph.add_arc(i, j, back[j]);
                }
            }
    return graph.solve();
}

// A kernel's solver and what was put into it last.
class Solver {
public:
    Solver(const Kernels& kernels, const Problem& p, bool wide, int64_t limit)
        : solver_(kernels.graphcut.volume_maxflow(p.depth, p.height, p.width, p.connectivity, wide, limit)) {}

    void expect(const Problem& p, const ReferenceCut& cut, Pool& pool) {
        GridArcs<int64_t> arcs;
        for (size_t k = 0; k < p.steps.size(); k++) arcs.towards[k] = p.towards[k].empty() ? nullptr : p.towards[k].data();
        arcs.symmetric = p.symmetric();
        solver_->set_arcs(arcs, 1, pool);
        const bool warm = !source_.empty();
        solver_->set_terminals(p.source.data(), p.sink.data(), warm ? source_.data() : nullptr, warm ? sink_.data() : nullptr, 1, pool);
        source_ = p.source;
        sink_ = p.sink;
        std::vector<uint8_t> minimal(p.size(), 9), maximal(p.size(), 9);
        CHECK(solver_->solve(pool) == cut.flow);
        solver_->cut(minimal.data(), maximal.data(), pool);
        CHECK(minimal == cut.minimal);
        CHECK(maximal == cut.maximal);
    }

private:
    std::unique_ptr<GridMaxflow> solver_;
    std::vector<int64_t> source_, sink_;
};

void randomize_arcs(Problem& p, Random& random, int64_t largest) {
    const unsigned zeros = random() % 3;
    for (size_t k = 0; k < p.steps.size() / 2; k++) {
        const unsigned given = random() % 8;  // 0: none, 1: both, else one end
        for (unsigned end = 0; end < 2; end++) {
            std::vector<int64_t>& arcs = p.towards[end ? p.steps.size() - 1 - k : k];
            arcs.clear();
            if (given == 0 || (given > 1 && given % 2 != end)) continue;
            arcs.resize(p.size());
            for (int64_t& value : arcs) value = zeros && random() % 3 < zeros ? 0 : below(random, largest + 1);
        }
    }
}

void randomize_terminals(Problem& p, Random& random, int64_t largest) {
    const bool few = random() % 3 == 0;
    for (size_t i = 0; i < p.size(); i++) {
        p.source[i] = p.sink[i] = 0;
        if (few && random() % 8) continue;
        (random() % 2 ? p.source : p.sink)[i] = below(random, largest + 1);
    }
}

// More than the arcs of any voxel carry, when no capacity is above `largest`.
int64_t limit_for(int connectivity, int64_t largest) {
    int64_t limit = 1;
    while (limit <= connectivity * largest) limit *= 2;
    return limit;
}

void test_changing(const std::vector<const Kernels*>& tables, Problem problem, int64_t largest, int n_changes, unsigned seed) {
    Random random(seed);
    const int64_t limit = limit_for(problem.connectivity, largest);
    struct Way {
        Solver solver;
        std::string name;
    };
    std::vector<Way> ways;
    for (const Kernels* kernels : tables)
        for (int wide = limit > (1 << 29); wide < 2; wide++)
            ways.push_back({Solver(*kernels, problem, wide, limit), std::string(kernels->name) + (wide ? " 64" : " 32")});
    const int sizes[] = {1, 2, 3, 8};
    for (int change = 0; change <= n_changes; change++) {
        if (change == 0 || random() % 2) randomize_arcs(problem, random, largest);
        if (change == 0 || random() % 3) randomize_terminals(problem, random, random() % 2 ? largest : 8 * largest);
        const ReferenceCut cut = reference(problem, limit);
        for (size_t w = 0; w < ways.size(); w++) {
            const int threads = sizes[(seed + w + static_cast<unsigned>(change)) % 4];
            current_case = ways[w].name + ", " + problem.name() + ", seed " + std::to_string(seed) + ", change " +
                           std::to_string(change) + ", " + std::to_string(threads) + " threads";
            Pool pool(threads);
            ways[w].solver.expect(problem, cut, pool);
        }
    }
}

void test_small(const std::vector<const Kernels*>& tables, int n_rounds) {
    Random random(2);
    for (int round = 0; round < n_rounds; round++) {
        int shape[3];
        for (int& n : shape) n = 1 + static_cast<int>(below(random, 5));
        if (round % 8 < 3) shape[round % 8] = 1;
        if (round % 40 == 0) shape[0] = shape[2] = 1;
        const int connectivity = random() % 2 ? 6 : 26;
        test_changing(tables, {shape[0], shape[1], shape[2], connectivity}, int64_t{1} << below(random, 24), 3, static_cast<unsigned>(round));
    }
}

// Deep enough for two, four and eight slabs, large enough for coarser levels.
void test_deep(const std::vector<const Kernels*>& tables) {
    unsigned seed = 1000;
    for (int connectivity : {6, 26})
        for (int depth : {32, 67, 130})
            for (int width : {1, 5, 9}) test_changing(tables, {depth, 1 + width / 2, width, connectivity}, 50, 2, seed++);
    test_changing(tables, {17, 16, 18, 6}, 1000, 2, seed++);
    test_changing(tables, {17, 16, 18, 26}, 1000, 1, seed++);
    test_changing(tables, {5000, 1, 1, 26}, 20, 1, seed++);
    test_changing(tables, {1, 1, 5000, 6}, 20, 1, seed++);
}

// The largest capacities that 32 and 64 bits take, with a coarser level or two.
void test_largest(const std::vector<const Kernels*>& tables) {
    Random random(9);
    for (int connectivity : {6, 26}) {
        for (int wide = 0; wide < 2; wide++) {
            const int64_t limit = int64_t{1} << (wide ? 48 : 29);
            const int64_t largest = (limit - 1) / connectivity;
            Problem problem{18, 16, 15, connectivity};
            for (const Kernels* kernels : tables) {
                Solver solver(*kernels, problem, wide, limit);
                for (int change = 0; change < 3; change++) {
                    for (auto& arcs : problem.towards) {
                        arcs.assign(problem.size(), largest);
                        for (int64_t& value : arcs)
                            if (change == 1 || random() % 2) value = below(random, largest + 1);
                    }
                    for (size_t i = 0; i < problem.size(); i++) {
                        problem.source[i] = problem.sink[i] = 0;
                        (random() % 2 ? problem.source : problem.sink)[i] = 2 * limit - below(random, 5);
                    }
                    current_case = std::string(kernels->name) + ", largest capacities, " + problem.name() + ", change " + std::to_string(change);
                    Pool pool(2);
                    solver.expect(problem, reference(problem, limit), pool);
                }
            }
        }
    }
}

}  // namespace

int main() {
    const auto tables = runnable_tables();
    test_small(tables, 400);
    test_deep(tables);
    test_largest(tables);
}
