// The energy that moves lower: weights between the neighbours on a grid or a graph, costs of their
// labels, and the range of the unaries.
#pragma once

#include <algorithm>
#include <cmath>

#include "buffer.hpp"
#include "moves_kernels.hpp"
#include "pool.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Calls task(begin, end, chunk) on parts of [0, n) that do not depend on the pool.
constexpr int64_t node_chunk = 1 << 14;
inline size_t n_node_chunks(int64_t n) { return static_cast<size_t>((n + node_chunk - 1) / node_chunk); }
template <class Task>
void for_nodes(Pool& pool, int64_t n, Task&& task) {
    pool.run(n_node_chunks(n), [&](size_t chunk) {
        const int64_t begin = static_cast<int64_t>(chunk) * node_chunk;
        task(begin, std::min(n, begin + node_chunk), chunk);
    });
}

// The neighbours of a pixel, from the first to the last: weight 0 stands for none.
template <class Capacity>
class GridNeighbours {
public:
    GridNeighbours(const MoveGrid& grid, int32_t n_nodes, double scale, Pool& pool)
        : n_(grid.n_steps), real_(static_cast<size_t>(n_)), weights_(static_cast<size_t>(n_nodes) * 2 * static_cast<size_t>(n_)) {
        steps_ = Buffer<int32_t>(static_cast<size_t>(2 * n_));
        for (int k = 0; k < n_; k++) {
            real_[static_cast<size_t>(k)] = grid.weights[k];
            steps_[static_cast<size_t>(n_ + k)] = grid.steps[k];
            steps_[static_cast<size_t>(n_ - 1 - k)] = -grid.steps[k];
        }
        for_nodes(pool, n_nodes, [&](int64_t begin, int64_t end, size_t) {
            for (int64_t p = begin; p < end; p++) {
                Capacity* row = weights_.data() + static_cast<size_t>(p) * 2 * static_cast<size_t>(n_);
                for (int k = 0; k < 2 * n_; k++) {
                    const int64_t q = p + steps_[static_cast<size_t>(k)];
                    if (q < 0 || q >= n_nodes) continue;
                    row[k] = static_cast<Capacity>(std::nearbyint(real(static_cast<int32_t>(p), k) * scale));
                }
            }
        });
    }
    // Calls task(q, weight) for each neighbour q of p, in ascending order.
    template <class Task>
    void each(int32_t p, Task&& task) const {
        const Capacity* row = weights_.data() + static_cast<size_t>(p) * 2 * static_cast<size_t>(n_);
        for (int k = 0; k < 2 * n_; k++)
            if (row[k] > 0) task(p + steps_[static_cast<size_t>(k)], row[k]);
    }
    // The same with the weights as they were given.
    template <class Task>
    void each_real(int32_t p, int32_t n_nodes, Task&& task) const {
        for (int k = 0; k < 2 * n_; k++) {
            const int64_t q = static_cast<int64_t>(p) + steps_[static_cast<size_t>(k)];
            if (q >= 0 && q < n_nodes) task(static_cast<int32_t>(q), real(p, k));
        }
    }
    size_t degree(int32_t) const { return static_cast<size_t>(2 * n_); }

private:
    double real(int32_t p, int k) const {
        return k >= n_ ? real_[static_cast<size_t>(k - n_)][p]
                       : real_[static_cast<size_t>(n_ - 1 - k)][p + steps_[static_cast<size_t>(k)]];
    }
    int n_;
    Buffer<const double*> real_;
    Buffer<int32_t> steps_;
    Buffer<Capacity> weights_;  // 2 n_ for each pixel
};

template <class Capacity>
class GraphNeighbours {
public:
    GraphNeighbours(const MoveGraph& graph, int32_t n_nodes, double scale, Pool& pool)
        : graph_(graph), weights_(static_cast<size_t>(graph.first[n_nodes])) {
        for_nodes(pool, graph.first[n_nodes], [&](int64_t begin, int64_t end, size_t) {
            for (int64_t a = begin; a < end; a++)
                weights_[static_cast<size_t>(a)] = static_cast<Capacity>(std::nearbyint(graph.weights[a] * scale));
        });
    }
    template <class Task>
    void each(int32_t p, Task&& task) const {
        for (int64_t a = graph_.first[p]; a < graph_.first[p + 1]; a++)
            if (weights_[static_cast<size_t>(a)] > 0) task(graph_.heads[a], weights_[static_cast<size_t>(a)]);
    }
    template <class Task>
    void each_real(int32_t p, int32_t, Task&& task) const {
        for (int64_t a = graph_.first[p]; a < graph_.first[p + 1]; a++) task(graph_.heads[a], graph_.weights[a]);
    }
    size_t degree(int32_t p) const { return static_cast<size_t>(graph_.first[p + 1] - graph_.first[p]); }

private:
    MoveGraph graph_;
    Buffer<Capacity> weights_;
};

template <class T>
struct PottsCost {
    PottsCost(const double*, int, double) {}
    T operator()(int a, int b) const { return a != b; }
    T largest() const { return 1; }
};

template <class T>
class TableCost {
public:
    TableCost(const double* cost, int n_labels, double scale)
        : n_(static_cast<size_t>(n_labels)), table_(n_ * n_) {
        for (size_t i = 0; i < table_.size(); i++) {
            table_[i] = static_cast<T>(std::is_integral_v<T> ? std::nearbyint(cost[i] * scale) : cost[i]);
            largest_ = std::max(largest_, table_[i]);
        }
    }
    T operator()(int a, int b) const { return table_[static_cast<size_t>(a) * n_ + static_cast<size_t>(b)]; }
    T largest() const { return largest_; }

private:
    size_t n_;
    Buffer<T> table_;
    T largest_ = 0;
};

inline UnaryRange unary_range(const float* unary, int64_t n_nodes, int n_labels, Pool& pool) {
    Buffer<UnaryRange> parts(n_node_chunks(n_nodes));
    for_nodes(pool, n_nodes, [&](int64_t begin, int64_t end, size_t chunk) {
        double span = 0;
        bool whole = true;
        for (int64_t p = begin; p < end; p++) {
            const float* row = unary + p * n_labels;
            float low = row[0], high = row[0];
            for (int l = 0; l < n_labels; l++) {
                low = std::min(low, row[l]);
                high = std::max(high, row[l]);
                whole &= std::nearbyint(row[l]) == row[l];
            }
            span = std::max(span, static_cast<double>(high) - static_cast<double>(low));
        }
        parts[chunk] = {span, whole};
    });
    UnaryRange all;
    for (size_t c = 0; c < parts.size(); c++) {
        all.largest_span = std::max(all.largest_span, parts[c].largest_span);
        all.whole &= parts[c].whole;
    }
    return all;
}

}  // namespace classicseg::CLASSICSEG_ISA
