// One pass of sequential message passing over the nodes.
//
// A node gathers what came in, and sends on to the nodes after it in the pass; the next pass goes the
// other way. So each edge keeps one message: between two visits of a node every neighbour is visited
// once, and what lies on its edges is directed at it when its turn comes.
//
// With gamma = 1 / max(edges to earlier nodes, edges to later nodes) this is TRW-S: every edge lies in
// one monotonic chain, a node's energy is shared out to its chains, and the sum of the chains' minima
// is a lower bound. After a pass the minimum of a chain is what its messages were normalised by plus
// the share of the node at its end. With gamma = 1 it is belief propagation in the same order.
//
// V. Kolmogorov: Convergent tree-reweighted message passing for energy minimization. TPAMI 2006.
#pragma once

#include "local_edges.hpp"
#include "messages.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Adds weight * cost of an edge to each of a node's labels, the other end's label being fixed.
inline void add_cost(const LabelCost& c, const LocalEdge& e, int32_t fixed, int n, float* cost) {
    const float* row = (e.first ? c.transposed : c.rows) + static_cast<ptrdiff_t>(fixed) * c.padded;
    for (int j = 0; j < n; j++) cost[j] += e.weight * row[j];
}

inline int32_t lowest_label(const float* cost, int n_labels) {
    int32_t best = 0;
    for (int32_t j = 1; j < n_labels; j++)
        if (cost[j] < cost[best]) best = j;
    return best;
}

// Visits a node; returns its part of the lower bound. for_each(visit) enumerates its edges.
template <class Message, class Edges>
double visit_node(const LabelCost& c, const Sweep& s, const Message& update, size_t node, Edges&& for_each) {
    using N = typename Message::N;
    const N n = update.n;
    const size_t length = static_cast<size_t>(n());
    alignas(64) float belief[N::capacity];
    alignas(64) float rest[N::capacity];
    const float* unary = s.unary + node * length;
    for (int j = 0; j < n(); j++) belief[j] = unary[j];
    int incoming = 0, outgoing = 0;
    for_each([&](const LocalEdge& e) {
        const float* m = s.messages + e.slot * length;
        for (int j = 0; j < n(); j++) belief[j] += m[j];
        (e.later == s.forward ? outgoing : incoming)++;
    });

    if (s.labels) {
        // The nodes before this one have their labels; the others are known by their messages.
        for (int j = 0; j < n(); j++) rest[j] = unary[j];
        for_each([&](const LocalEdge& e) {
            const float* m = s.messages + e.slot * length;
            if (e.later != s.forward)
                add_cost(c, e, s.labels[e.other], n(), rest);
            else
                for (int j = 0; j < n(); j++) rest[j] += m[j];
        });
        s.labels[node] = lowest_label(rest, c.n_labels);
    }
    if (s.beliefs)
        std::memcpy(s.beliefs + node * static_cast<size_t>(c.n_labels), belief,
                    static_cast<size_t>(c.n_labels) * sizeof(float));

    int chains = incoming > outgoing ? incoming : outgoing;
    if (chains == 0) chains = 1;
    if (s.tree_reweighted) {
        const float gamma = 1.0f / static_cast<float>(chains);
        for (int j = 0; j < n(); j++) belief[j] *= gamma;
    }
    double bound = 0;
    if (chains > outgoing) bound = static_cast<double>(minimum(n, belief)) * (chains - outgoing);
    for_each([&](const LocalEdge& e) {
        if (e.later != s.forward) return;
        float* m = s.messages + e.slot * length;
        for (int j = 0; j < n(); j++) rest[j] = belief[j] - m[j];
        bound += static_cast<double>(update(rest, e.weight, e.first, m));
    });
    return bound;
}

template <class Message>
double sweep_grid(const LocalGrid& g, const LabelCost& c, const Sweep& s, Pool& pool) {
    const Message update(c);
    Buffer<double> bounds(static_cast<size_t>(g.height));
    in_raster_order(pool, g, s.forward, [&](int y, int x) {
        const size_t node = static_cast<size_t>(y) * static_cast<size_t>(g.width) + static_cast<size_t>(x);
        bounds[static_cast<size_t>(y)] += visit_node(
            c, s, update, node, [&](auto&& visit) { for_edges(g, node, y, x, visit); });
    });
    double bound = 0;
    for (size_t y = 0; y < bounds.size(); y++) bound += bounds[y];
    return bound;
}

template <class Message>
double sweep_graph(const LocalGraph& g, const LabelCost& c, const Sweep& s) {
    const Message update(c);
    double bound = 0;
    const auto n = static_cast<size_t>(g.n_nodes);
    for (size_t i = 0; i < n; i++) {
        if (i % 256 == 0) checkpoint();
        const size_t node = s.forward ? i : n - 1 - i;
        bound += visit_node(c, s, update, node, [&](auto&& visit) { for_edges(g, node, visit); });
    }
    return bound;
}

}  // namespace classicseg::CLASSICSEG_ISA
