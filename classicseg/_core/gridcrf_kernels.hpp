// Local random fields as the bindings see them.
//
// E(x) = sum of unary[p][x_p] + sum over edges of weight * cost[x_first][x_second]. Nodes have an
// order (raster order of a grid, index order of a graph); an edge lies with its earlier node.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool.hpp"

namespace classicseg {

constexpr int max_labels = 4096;

struct LabelCost {
    enum Kind { potts, linear, quadratic, matrix };
    Kind kind;
    int n_labels, padded;     // labels and the length of a row of floats that holds them
    float scale, limit;       // min(scale * distance, limit), min(scale * distance^2, limit), Potts: limit
    float lowest;             // of all costs
    const float* rows;        // (n_labels, padded): cost by first label, second label
    const float* transposed;  // (n_labels, padded): cost by second label, first label
};

struct LocalGrid {
    int height, width, n_offsets;
    struct Offset {
        int dy, dx;           // towards a later pixel
        const float* weight;  // (height, width); what leads outside is not read
    } offsets[4];
};

struct LocalGraph {
    int64_t n_nodes;
    const int32_t* pairs;           // (E, 2): earlier and later node, sorted
    const float* weight;            // (E)
    const uint8_t* flipped;         // (E): the later node is the first of the label cost
    const int64_t* later_start;     // (n_nodes + 1): a node's edges to later nodes
    const int64_t* earlier_start;   // (n_nodes + 1): its edges to earlier nodes, in `earlier_edges`
    const int64_t* earlier_edges;   // (E)
};

// One pass over all nodes that brings every message to the nodes that come after in the pass.
struct Sweep {
    bool forward, tree_reweighted, sum_product;
    const float* unary;  // (n_nodes, padded), `far` behind the last label
    float* messages;     // (slots, padded): towards whichever end of the edge is visited next
    int32_t* labels;     // (n_nodes) or null: decided in the pass's order
    float* beliefs;      // (n_nodes, n_labels) or null: unary + incoming messages
};

struct GridcrfKernels {
    // Returns the lower bound where the messages are tree-reweighted.
    double (*grid_sweep)(const LocalGrid&, const LabelCost&, const Sweep&, Pool&);
    double (*graph_sweep)(const LocalGraph&, const LabelCost&, const Sweep&, Pool&);
    // One round of iterated conditional modes; returns how many labels changed.
    int64_t (*grid_icm)(const LocalGrid&, const LabelCost&, const float* unary, int32_t* labels, Pool&);
    int64_t (*graph_icm)(const LocalGraph&, const LabelCost&, const float* unary, int32_t* labels, Pool&);
    double (*grid_energy)(const LocalGrid&, const LabelCost&, const float* unary, const int32_t* labels, Pool&);
    double (*graph_energy)(const LocalGraph&, const LabelCost&, const float* unary, const int32_t* labels, Pool&);
};

}  // namespace classicseg
