// Max-flow on small sparse graphs, cold and after changes, against the reference.
#include <memory>

#include "choices.hpp"
#include "reference_maxflow.hpp"

using namespace classicseg;

namespace {

template <class T>
struct Problem {
    int32_t n_nodes;
    double scale;
    std::vector<int32_t> pairs;
    std::vector<T> there, back, source, sink;

    GraphEdges<T> edges() const { return {pairs.data(), there.data(), back.data(), there.size()}; }
    int64_t whole(T value) const { return static_cast<int64_t>(std::llround(static_cast<double>(value) * scale)); }

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
};

template <class T>
void fill(Choices& choices, std::vector<T>& values, size_t n, int64_t largest, double scale) {
    values.resize(n);
    for (T& value : values) value = static_cast<T>(static_cast<double>(choices.between(0, largest)) / scale);
}

template <class T>
void run(Choices& choices, int64_t largest) {
    Problem<T> p{choices.size(1, 14), std::is_integral_v<T> ? 1.0 : 8.0, {}, {}, {}, {}, {}};
    const auto n_edges = static_cast<size_t>(choices.between(0, 40)), n = static_cast<size_t>(p.n_nodes);
    for (size_t i = 0; i < 2 * n_edges; i++) p.pairs.push_back(choices.size(0, p.n_nodes - 1));
    fill(choices, p.there, n_edges, largest, p.scale);
    fill(choices, p.back, n_edges, largest, p.scale);
    fill(choices, p.source, n, 3 * largest, p.scale);
    fill(choices, p.sink, n, 3 * largest, p.scale);
    int64_t limit = 1;
    while (limit <= largest * static_cast<int64_t>(2 * n_edges + 3)) limit *= 2;
    std::vector<std::unique_ptr<GraphMaxflow>> solvers;
    for (const Kernels* kernels : tables()) {
        for (int wide = limit > 1 << 29; wide < 2; wide++) {
            solvers.push_back(kernels->graph.graph_maxflow(p.n_nodes, wide, limit));
            solvers.back()->build(p.edges(), p.scale);
            solvers.back()->set_terminals(p.source.data(), p.sink.data(), nullptr, nullptr, p.scale);
        }
    }
    Pool pool(1);
    for (int change = 0; change < 3; change++) {
        const ReferenceCut cut = p.reference();
        std::vector<uint8_t> minimal(n), maximal(n);
        for (auto& solver : solvers) {
            CHECK(solver->solve(pool) == cut.flow);
            solver->cut(minimal.data(), maximal.data());
            CHECK(minimal == cut.minimal && maximal == cut.maximal);
        }
        if (choices.left() == 0) return;
        const Problem<T> old = p;
        const int what = choices.size(1, 3);
        if (what & 1) fill(choices, p.there, n_edges, largest, p.scale);
        if (what & 2) fill(choices, p.source, n, 3 * largest, p.scale);
        for (auto& solver : solvers) {
            if (what & 1) solver->change(p.edges(), old.edges(), p.scale);
            if (what & 2) solver->set_terminals(p.source.data(), p.sink.data(), old.source.data(), old.sink.data(), p.scale);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Choices choices(data, size);
    const int type = choices.size(0, 3);
    const int64_t small[] = {1, 3, 255, 65535}, large[] = {1, 255, int64_t{1} << 32, int64_t{1} << 44};
    switch (type) {
        case 0: run<int32_t>(choices, choices.pick(small)); break;
        case 1: run<int64_t>(choices, choices.pick(large)); break;
        case 2: run<float>(choices, choices.pick(small)); break;
        default: run<double>(choices, choices.pick(large));
    }
    return 0;
}
