// Max-flow on sparse graphs against a reference: flow, smallest and largest minimum cut.
#include <cmath>
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

// Capacities of type T; floats are whole numbers after multiplication by `scale`.
template <class T>
struct Problem {
    int32_t n_nodes;
    double scale = 1;
    std::vector<int32_t> pairs;
    std::vector<T> there, back, source, sink;

    GraphEdges<T> edges() const { return {pairs.data(), there.data(), back.data(), there.size()}; }
    int64_t whole(T value) const { return static_cast<int64_t>(std::llround(static_cast<double>(value) * scale)); }

    // Flow beyond min(source, sink), as the kernel counts it.
    ReferenceCut reference() const {
        ReferenceMaxflow graph(static_cast<size_t>(n_nodes));
        for (size_t i = 0; i < source.size(); i++) {
            const int64_t net = whole(source[i]) - whole(sink[i]);
            if (net > 0) graph.add_arc(graph.source(), i, net);
            if (net < 0) graph.add_arc(i, graph.sink(), -net);
        }
        for (size_t e = 0; e < there.size(); e++) {
            const auto i = static_cast<size_t>(pairs[2 * e]), j = static_cast<size_t>(pairs[2 * e + 1]);
            graph.add_arc(i, j, whole(there[e]));
            graph.add_arc(j, i, whole(back[e]));
        }
        return graph.solve();
    }
    int64_t load() const {
        std::vector<int64_t> loads(static_cast<size_t>(n_nodes));
        for (size_t e = 0; e < there.size(); e++) {
            if (pairs[2 * e] == pairs[2 * e + 1]) continue;
            for (size_t end = 0; end < 2; end++)
                loads[static_cast<size_t>(pairs[2 * e + end])] += std::max(whole(there[e]), whole(back[e]));
        }
        return *std::max_element(loads.begin(), loads.end());
    }
};

template <class T>
void randomize(Random& random, std::vector<T>& values, size_t count, int64_t largest, double scale) {
    values.resize(count);
    const int64_t odds = 1 + below(random, 4);
    for (T& value : values)
        value = below(random, 4) < odds ? static_cast<T>(static_cast<double>(below(random, largest + 1)) / scale) : T{0};
}

template <class T>
void randomize_capacities(Random& random, Problem<T>& p, int64_t largest) {
    randomize(random, p.there, p.pairs.size() / 2, largest, p.scale);
    randomize(random, p.back, p.pairs.size() / 2, largest, p.scale);
}

template <class T>
void randomize_terminals(Random& random, Problem<T>& p, int64_t largest) {
    randomize(random, p.source, static_cast<size_t>(p.n_nodes), 3 * largest, p.scale);
    randomize(random, p.sink, static_cast<size_t>(p.n_nodes), 3 * largest, p.scale);
}

// Any edges, loops and parallel ones among them, or mostly between close numbers.
template <class T>
Problem<T> random_problem(Random& random, int32_t n_nodes, int64_t n_edges, int64_t largest) {
    Problem<T> p{n_nodes, std::is_integral_v<T> ? 1.0 : 8.0, {}, {}, {}, {}, {}};
    const int64_t reach = below(random, 3) ? 4 : n_nodes;
    for (int64_t e = 0; e < n_edges; e++) {
        const int64_t i = below(random, n_nodes);
        p.pairs.push_back(static_cast<int32_t>(i));
        p.pairs.push_back(static_cast<int32_t>((i + below(random, 2 * reach)) % n_nodes));
    }
    randomize_capacities(random, p, largest);
    randomize_terminals(random, p, largest);
    return p;
}

template <class T>
void expect(GraphMaxflow& solver, const Problem<T>& p, Pool& pool) {
    const ReferenceCut cut = p.reference();
    std::vector<uint8_t> minimal(p.source.size(), 9), maximal(p.source.size(), 9);
    CHECK(solver.solve(pool) == cut.flow);
    solver.cut(minimal.data(), maximal.data());
    CHECK(minimal == cut.minimal);
    CHECK(maximal == cut.maximal);
}

// Solved cold, then warm after changes of capacities and terminals.
template <class T>
void test_problem(const std::vector<const Kernels*>& tables, Problem<T> p, int64_t largest, int n_threads, unsigned seed) {
    for (const Kernels* kernels : tables) {
        Random random(seed);
        Problem<T> now = p;
        current_case = std::string(kernels->name) + ", " + std::to_string(p.n_nodes) + " nodes, " + std::to_string(p.there.size()) +
                       " edges, " + std::to_string(sizeof(T)) + " bytes, seed " + std::to_string(seed);
        int64_t limit = 1;
        while (limit <= static_cast<int64_t>(largest) * static_cast<int64_t>(1 + p.there.size()) * 2) limit *= 2;
        CHECK(now.load() < limit);
        Pool pool(n_threads);
        const auto solver = kernels->graph.graph_maxflow(p.n_nodes, limit > 1 << 29, limit);
        solver->build(now.edges(), now.scale);
        solver->set_terminals(now.source.data(), now.sink.data(), nullptr, nullptr, now.scale);
        expect(*solver, now, pool);
        for (int change = 0; change < 2; change++) {
            const Problem<T> old = now;
            if (change == 0 || below(random, 2)) {
                randomize_capacities(random, now, largest);
                solver->change(now.edges(), old.edges(), now.scale);
            }
            if (change == 1 || below(random, 2)) {
                randomize_terminals(random, now, largest);
                const auto base = solver->set_terminals(now.source.data(), now.sink.data(), old.source.data(), old.sink.data(), now.scale);
                double expected = 0;
                for (size_t i = 0; i < now.source.size(); i++) expected += static_cast<double>(std::min(now.source[i], now.sink[i]));
                CHECK(static_cast<double>(base) == expected);
            }
            expect(*solver, now, pool);
        }
    }
}

template <class T>
void test_type(const std::vector<const Kernels*>& tables, int n_rounds) {
    Random random(sizeof(T));
    for (int round = 0; round < n_rounds; round++) {
        const auto n_nodes = static_cast<int32_t>(1 + below(random, round % 20 ? 12 : 200));
        const int64_t largest = int64_t{1} << below(random, 16);
        test_problem(tables, random_problem<T>(random, n_nodes, below(random, 4 * n_nodes + 1), largest), largest, 1, static_cast<unsigned>(round));
    }
    // Large enough for two and eight parts that are joined.
    for (int32_t n_nodes : {9000, 34000})
        test_problem(tables, random_problem<T>(random, n_nodes, 2 * n_nodes, 20), 20, 1 + n_nodes / 5000, 7);
    // Edges at one end only: the other part has none of its own.
    Problem<T> lopsided = random_problem<T>(random, 100, 300, 20);
    lopsided.n_nodes = 20000;
    randomize_terminals(random, lopsided, 20);
    test_problem(tables, lopsided, 20, 2, 9);
}

// One node with all the edges, more than eight of them at a time.
void test_star(const std::vector<const Kernels*>& tables) {
    Random random(3);
    for (int32_t n_nodes : {9, 17, 18, 1000}) {
        Problem<int32_t> p{n_nodes, 1, {}, {}, {}, {}, {}};
        for (int32_t i = 0; i < n_nodes; i++) p.pairs.insert(p.pairs.end(), {n_nodes / 2, i});
        randomize_capacities(random, p, 9);
        randomize_terminals(random, p, 9);
        test_problem(tables, p, 9, 1, 11);
    }
}

// All flow has to pass every part of a long path.
void test_path(const std::vector<const Kernels*>& tables) {
    Random random(5);
    Problem<int64_t> p{40000, 1, {}, {}, {}, {}, {}};
    for (int32_t i = 0; i + 1 < p.n_nodes; i++) p.pairs.insert(p.pairs.end(), {i, i + 1});
    randomize_capacities(random, p, 100);
    for (auto& value : p.there) value += 50;
    p.source.assign(40000, 0);
    p.sink.assign(40000, 0);
    p.source.front() = p.sink.back() = 1000;
    for (const Kernels* kernels : tables) {
        current_case = std::string(kernels->name) + ", path";
        Pool pool(3);
        const auto solver = kernels->graph.graph_maxflow(p.n_nodes, false, 1 << 20);
        solver->build(p.edges(), 1);
        solver->set_terminals(p.source.data(), p.sink.data(), nullptr, nullptr, 1);
        expect(*solver, p, pool);
    }
}

// The largest capacities that the limits of either width allow.
void test_largest(const std::vector<const Kernels*>& tables) {
    for (const bool wide : {false, true}) {
        const int64_t limit = wide ? int64_t{1} << 50 : int64_t{1} << 29;
        Random random(8);
        Problem<int64_t> p = random_problem<int64_t>(random, 60, 200, limit);
        for (int change = 0; change < 4; change++) {
            const int64_t largest = (limit - 1) / 40;
            randomize_capacities(random, p, largest);
            for (auto& value : p.there)
                if (change % 2) value = largest;
            for (size_t i = 0; i < p.source.size(); i++) {
                p.source[i] = below(random, 2) * (limit - below(random, 5));
                p.sink[i] = (p.source[i] == 0) * (limit - below(random, 5));
            }
            if (p.load() >= limit) continue;
            for (const Kernels* kernels : tables) {
                current_case = std::string(kernels->name) + ", largest capacities, change " + std::to_string(change);
                CHECK(kernels->graph.load_int64(p.edges(), p.n_nodes) == p.load());
                Pool pool(1);
                const auto solver = kernels->graph.graph_maxflow(p.n_nodes, wide, limit);
                solver->build(p.edges(), 1);
                solver->set_terminals(p.source.data(), p.sink.data(), nullptr, nullptr, 1);
                expect(*solver, p, pool);
                const Problem<int64_t> old = p;
                randomize_capacities(random, p, largest);
                std::swap(p.source, p.sink);
                solver->change(p.edges(), old.edges(), 1);
                solver->set_terminals(p.source.data(), p.sink.data(), old.source.data(), old.sink.data(), 1);
                expect(*solver, p, pool);
                p = old;
            }
        }
    }
}

void test_loads(const std::vector<const Kernels*>& tables) {
    const int64_t huge = int64_t{1} << 62;
    const std::vector<int32_t> pairs = {0, 1, 1, 2, 2, 2, 1, 0};
    const std::vector<int64_t> there = {huge, huge, huge, 1}, back = {0, huge, huge, 2};
    const std::vector<float> floats = {1, 2, 100, 4}, small = {0.5f, 3, 1, 0};
    for (const Kernels* kernels : tables) {
        current_case = std::string(kernels->name) + ", loads";
        CHECK(kernels->graph.load_int64({pairs.data(), there.data(), back.data(), 4}, 3) == huge);
        CHECK(kernels->graph.load_float({pairs.data(), floats.data(), small.data(), 4}, 3) == 8.0);
        CHECK(kernels->graph.load_float({pairs.data(), floats.data(), small.data(), 0}, 3) == 0.0);
    }
}

}  // namespace

int main(int n_arguments, char** arguments) {
    const int n_rounds = n_arguments > 1 ? std::atoi(arguments[1]) : 150;
    const auto tables = runnable_tables();
    test_loads(tables);
    test_star(tables);
    test_path(tables);
    test_largest(tables);
    test_type<int32_t>(tables, n_rounds);
    test_type<int64_t>(tables, n_rounds);
    test_type<float>(tables, n_rounds);
    test_type<double>(tables, n_rounds);
}
