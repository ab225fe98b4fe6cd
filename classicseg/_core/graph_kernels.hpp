// Max-flow on sparse graphs as the bindings see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "pool.hpp"

namespace classicseg {

// What sums of capacities of type T are kept in.
template <class T>
using GraphSum = std::conditional_t<std::is_integral_v<T>, int64_t, double>;

// Edges between nodes 0 ... n_nodes - 1. Edge e leads from pairs[2 e] to pairs[2 e + 1].
template <class T>
struct GraphEdges {
    const int32_t* pairs = nullptr;
    const T* forward = nullptr;
    const T* backward = nullptr;  // may be `forward`
    size_t count = 0;
};

class GraphMaxflow {
public:
    virtual ~GraphMaxflow() = default;

#define CLASSICSEG_FOR_CAPACITY(T)                                                             \
    /* Lays out the edges, once. Floats are multiplied by the scale and rounded. */            \
    virtual void build(const GraphEdges<T>& edges, double scale) = 0;                          \
    /* Replaces the capacities of `old` edges by those of `now`, which join the same nodes. */ \
    /* The flow that is there stays, cut to the new capacities. */                             \
    virtual void change(const GraphEdges<T>& now, const GraphEdges<T>& old, double scale) = 0; \
    /* Replaces source and sink capacities; `old_*` are the ones set before, or null. */       \
    /* Returns the sum of min(source, sink), unscaled. */                                      \
    virtual GraphSum<T> set_terminals(const T* source, const T* sink, const T* old_source,     \
                                      const T* old_sink, double scale) = 0;
    CLASSICSEG_FOR_CAPACITY(int32_t)
    CLASSICSEG_FOR_CAPACITY(int64_t)
    CLASSICSEG_FOR_CAPACITY(float)
    CLASSICSEG_FOR_CAPACITY(double)
#undef CLASSICSEG_FOR_CAPACITY

    // Maximum flow beyond min(source, sink), in scaled units.
    virtual int64_t solve(Pool& pool) = 0;
    // The smallest and the largest set of nodes on the source side of a minimum cut, as 0 and 1.
    virtual void cut(uint8_t* minimal, uint8_t* maximal) = 0;
};

struct GraphKernels {
    // `wide` takes 64-bit capacities; excesses are cut to [-limit, limit].
    std::unique_ptr<GraphMaxflow> (*graph_maxflow)(int32_t n_nodes, bool wide, int64_t limit);
    // What the edges of a node carry at most, away from it or towards it. Integers end at 2^62.
    int64_t (*load_int32)(const GraphEdges<int32_t>& edges, int32_t n_nodes);
    int64_t (*load_int64)(const GraphEdges<int64_t>& edges, int32_t n_nodes);
    double (*load_float)(const GraphEdges<float>& edges, int32_t n_nodes);
    double (*load_double)(const GraphEdges<double>& edges, int32_t n_nodes);
};

}  // namespace classicseg
