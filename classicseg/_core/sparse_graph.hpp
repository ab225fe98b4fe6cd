// The residual graph of a max-flow problem on any sparse graph, in compressed rows.
//
// The arcs that leave a node lie side by side. Each knows its twin in the opposite direction and both
// residual capacities, so that one pass over a node's own arcs tells which neighbours it can push to
// and which can push to it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "buffer.hpp"

namespace classicseg::CLASSICSEG_ISA {

template <class Capacity>
struct Arc {
    int32_t head;
    int32_t twin;
    Capacity out, in;  // residual capacity of this arc and of its twin
};

template <class Capacity>
struct SparseGraph {
    int32_t n_nodes;
    Buffer<int32_t> first;  // node i has the arcs [first[i], first[i + 1])
    Buffer<Arc<Capacity>> arcs;
    Buffer<Capacity> excess;  // > 0: flow waiting for a way to the sink; < 0: room at the sink

    explicit SparseGraph(int32_t n)
        : n_nodes(n), first(static_cast<size_t>(n) + 1), excess(static_cast<size_t>(n)) {}

    const Arc<Capacity>* begin(int32_t i) const { return arcs.data() + first[static_cast<size_t>(i)]; }
    const Arc<Capacity>* end(int32_t i) const { return arcs.data() + first[static_cast<size_t>(i) + 1]; }

    // Lays out the arcs of `n_edges` pairs of nodes; loops get none. capacities(e) are those of edge e.
    template <class Capacities>
    void build(const int32_t* pairs, size_t n_edges, Capacities capacities) {
        for (size_t e = 0; e < n_edges; e++) {
            const int32_t i = pairs[2 * e], j = pairs[2 * e + 1];
            const int32_t one = i != j;
            first[static_cast<size_t>(i) + 1] += one;
            first[static_cast<size_t>(j) + 1] += one;
        }
        for (size_t i = 0; i < static_cast<size_t>(n_nodes); i++) first[i + 1] += first[i];
        arcs = Buffer<Arc<Capacity>>(static_cast<size_t>(first[static_cast<size_t>(n_nodes)]));
        for_edges(pairs, n_edges, [&](size_t e, int32_t i, int32_t j, int32_t a, int32_t b) {
            const auto [there, back] = capacities(e);
            arcs[static_cast<size_t>(a)] = {j, b, there, back};
            arcs[static_cast<size_t>(b)] = {i, a, back, there};
        });
    }

    // Calls task(e, i, j, arc from i to j, its twin) for each edge e that is no loop, in the order
    // in which `build` laid them out.
    template <class Task>
    void for_edges(const int32_t* pairs, size_t n_edges, Task task) {
        Buffer<int32_t> next(static_cast<size_t>(n_nodes));
        std::copy_n(first.data(), next.size(), next.data());
        for (size_t e = 0; e < n_edges; e++) {
            const int32_t i = pairs[2 * e], j = pairs[2 * e + 1];
            if (i == j) continue;
            const int32_t a = next[static_cast<size_t>(i)]++, b = next[static_cast<size_t>(j)]++;
            task(e, i, j, a, b);
        }
    }
};

}  // namespace classicseg::CLASSICSEG_ISA
