// Expansion and swap moves as the bindings see them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "pool.hpp"

namespace classicseg {

// Neighbours that lie at the same steps from every pixel. weights[k][p] belongs to the pair p, p + steps[k];
// it is 0 where there is no such pair.
struct MoveGrid {
    int n_steps = 0;
    const int32_t* steps = nullptr;  // > 0, ascending
    const double* const* weights = nullptr;
};

// Node i has the neighbours heads[first[i] ... first[i + 1]), ascending, with a weight each. Every
// pair is there both ways.
struct MoveGraph {
    const int64_t* first = nullptr;
    const int32_t* heads = nullptr;
    const double* weights = nullptr;
};

struct MoveProblem {
    int32_t n_nodes = 0;
    int n_labels = 0;
    const float* unary = nullptr;  // (n_nodes, n_labels)
    const double* cost = nullptr;  // (n_labels, n_labels), symmetric; null: 1 between different labels
    // What moves are decided with are whole numbers: energies times `scale`, weights times
    // scale / cost_scale, label costs times cost_scale, rounded.
    double scale = 1, cost_scale = 1;
};

// A labelling, and moves that make its energy smaller. All arrays of the problem must outlive it.
class LabelMoves {
public:
    virtual ~LabelMoves() = default;
    // Begins with these labels, or with the ones of the smallest unaries; returns their energy.
    virtual double start(const int32_t* labels, Pool& pool) = 0;
    virtual const int32_t* labels() const = 0;
    // The best change to alpha of any nodes' labels, or of the label `only` if that is not -1.
    // Returns by how much the energy changed: 0 if there was nothing to win.
    virtual double expand(int alpha, int only, Pool& pool) = 0;
};

struct UnaryRange {
    double largest_span = 0;  // of a node's largest and smallest unary
    bool whole = true;        // all are whole numbers
};

struct MovesKernels {
    UnaryRange (*unary_range)(const float* unary, int64_t n_nodes, int n_labels, Pool& pool);
    // `wide` decides in 64 bits instead of 32.
    std::unique_ptr<LabelMoves> (*on_grid)(const MoveProblem& problem, const MoveGrid& grid, bool wide, Pool& pool);
    std::unique_ptr<LabelMoves> (*on_graph)(const MoveProblem& problem, const MoveGraph& graph, bool wide, Pool& pool);
};

}  // namespace classicseg
