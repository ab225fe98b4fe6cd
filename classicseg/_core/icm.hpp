// The energy of a labelling, and iterated conditional modes: each node in turn takes the label that
// is best given its neighbours.
//
// J. Besag: On the statistical analysis of dirty pictures. J. R. Statist. Soc. B 1986.
#pragma once

#include "message_sweep.hpp"
#include "rows.hpp"

namespace classicseg::CLASSICSEG_ISA {

inline double edge_cost(const LabelCost& c, const LocalEdge& e, int32_t here, int32_t there) {
    const float* row = (e.first ? c.transposed : c.rows) + static_cast<ptrdiff_t>(there) * c.padded;
    return static_cast<double>(e.weight) * static_cast<double>(row[here]);
}

// Gives a node its best label. `cost` is room for a row of labels. The change is judged in doubles,
// so that the energy never rises.
template <class Edges>
bool improve_label(const LabelCost& c, const float* unary, int32_t* labels, size_t node, float* cost,
                   Edges&& for_each) {
    const float* own = unary + node * static_cast<size_t>(c.n_labels);
    for (int j = 0; j < c.n_labels; j++) cost[j] = own[j];
    for_each([&](const LocalEdge& e) {
        const int32_t fixed = labels[e.other];
        if (c.kind == LabelCost::potts)
            cost[fixed] -= e.weight * c.limit;
        else
            add_cost(c, e, fixed, c.n_labels, cost);
    });
    const int32_t old = labels[node], best = lowest_label(cost, c.n_labels);
    if (!(cost[best] < cost[old])) return false;
    double change = static_cast<double>(own[best]) - static_cast<double>(own[old]);
    for_each([&](const LocalEdge& e) {
        const int32_t fixed = labels[e.other];
        change += edge_cost(c, e, best, fixed) - edge_cost(c, e, old, fixed);
    });
    if (!(change < 0)) return false;
    labels[node] = best;
    return true;
}

// Colours in turn, no two neighbours of one: checkerboard, or 2 x 2 where diagonals are neighbours.
inline int64_t icm_grid(const LocalGrid& g, const LabelCost& c, const float* unary, int32_t* labels, Pool& pool) {
    const bool diagonals = g.n_offsets > 2;
    Buffer<int64_t> changed(n_row_chunks(g.height));
    for (int colour = 0; colour < (diagonals ? 4 : 2); colour++) {
        for_rows(pool, g.height, [&](int y0, int y1, size_t part) {
            float cost[max_labels];
            for (int y = y0; y < y1; y++) {
                if (diagonals && y % 2 != colour / 2) continue;
                for (int x = diagonals ? colour % 2 : (y + colour) % 2; x < g.width; x += 2) {
                    const size_t node =
                        static_cast<size_t>(y) * static_cast<size_t>(g.width) + static_cast<size_t>(x);
                    changed[part] += improve_label(c, unary, labels, node, cost,
                                                   [&](auto&& visit) { for_edges(g, node, y, x, visit); });
                }
            }
        });
    }
    int64_t total = 0;
    for (size_t i = 0; i < changed.size(); i++) total += changed[i];
    return total;
}

inline int64_t icm_graph(const LocalGraph& g, const LabelCost& c, const float* unary, int32_t* labels, Pool&) {
    float cost[max_labels];
    int64_t changed = 0;
    Interval at_times;
    for (size_t node = 0; node < static_cast<size_t>(g.n_nodes); node++) {
        at_times();
        changed += improve_label(c, unary, labels, node, cost,
                                 [&](auto&& visit) { for_edges(g, node, visit); });
    }
    return changed;
}

// A node's energy with its edges to later nodes.
template <class Edges>
double node_energy(const LabelCost& c, const float* unary, const int32_t* labels, size_t node, Edges&& for_each) {
    double sum = unary[node * static_cast<size_t>(c.n_labels) + static_cast<size_t>(labels[node])];
    for_each([&](const LocalEdge& e) {
        if (e.later) sum += edge_cost(c, e, labels[node], labels[e.other]);
    });
    return sum;
}

inline double energy_grid(const LocalGrid& g, const LabelCost& c, const float* unary, const int32_t* labels,
                          Pool& pool) {
    Buffer<double> sums(n_row_chunks(g.height));
    for_rows(pool, g.height, [&](int y0, int y1, size_t part) {
        for (int y = y0; y < y1; y++) {
            for (int x = 0; x < g.width; x++) {
                const size_t node = static_cast<size_t>(y) * static_cast<size_t>(g.width) + static_cast<size_t>(x);
                sums[part] += node_energy(c, unary, labels, node,
                                          [&](auto&& visit) { for_edges(g, node, y, x, visit); });
            }
        }
    });
    double total = 0;
    for (size_t i = 0; i < sums.size(); i++) total += sums[i];
    return total;
}

inline double energy_graph(const LocalGraph& g, const LabelCost& c, const float* unary, const int32_t* labels,
                           Pool&) {
    double total = 0;
    Interval at_times;
    for (size_t node = 0; node < static_cast<size_t>(g.n_nodes); node++) {
        at_times();
        total += node_energy(c, unary, labels, node, [&](auto&& visit) { for_edges(g, node, visit); });
    }
    return total;
}

}  // namespace classicseg::CLASSICSEG_ISA
