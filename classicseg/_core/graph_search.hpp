// Maximum flow on a sparse graph by sweeps along exact distances: the method of sweep_repair.hpp.
//
// A grid's search finds a way down by comparing all neighbours' labels at once. Here each labelled
// node remembers one arc to the level below, its parent arc, and looks for another one around the
// circle of its arcs only when that one is used up or its head has lost its label. A node whose
// parent still stands is left alone when another neighbour falls.
//
// While a node keeps its label, an arc that does not lead to the level below will not do so later:
// labels never fall, and flow only moves down, which opens arcs that lead up. So a node's circle is
// gone round at most twice per label, and a solve takes O(n^2 m) steps at worst.
#pragma once

#include "sparse_graph.hpp"

namespace classicseg::CLASSICSEG_ISA {

using GraphLabel = int32_t;

template <class Capacity>
class GraphSearch {
public:
    // `detached + d` is waiting to be given distance d; `unlabelled` is further away than the search has come.
    static constexpr GraphLabel detached = 1 << 29;
    static constexpr GraphLabel unlabelled = 1 << 30;
    // The search grows by half of its depth between sweeps, but at least by this.
    static constexpr GraphLabel first_levels = 1;

    explicit GraphSearch(SparseGraph<Capacity>& graph, GraphLabel* label)
        : g_(graph),
          d_(label),
          parent_(static_cast<size_t>(graph.n_nodes)),
          next_(static_cast<size_t>(graph.n_nodes)) {}

    // Finds a maximum flow; excess that stays can't reach the sink.
    void solve() {
        start();
        while (!frontier_.empty()) {
            const GraphLabel levels = std::max(first_levels, horizon_ / 2);
            for (GraphLabel k = 0; k < levels && !frontier_.empty(); k++) grow();
            while (top_ > 0) {
                sweep();
                repair();
            }
        }
    }

private:
    static constexpr int32_t none = -1;  // ends a chain of nodes

    Arc<Capacity>& arc(int32_t a) { return g_.arcs[static_cast<size_t>(a)]; }
    int32_t& parent(int32_t i) { return parent_[static_cast<size_t>(i)]; }
    Capacity& excess(int32_t i) { return g_.excess[static_cast<size_t>(i)]; }

    void start() {
        frontier_.clear();
        horizon_ = 0;
        top_ = 0;
        for (int32_t i = 0; i < g_.n_nodes; i++) {
            const bool at_sink = excess(i) < 0;
            d_[i] = at_sink ? 0 : unlabelled;
            if (at_sink) frontier_.push(i);
        }
    }

    void grow() {
        next_frontier_.clear();
        for (size_t f = 0; f < frontier_.size(); f++) {
            const int32_t i = frontier_[f];
            if (d_[i] != horizon_) continue;
            for (const Arc<Capacity>* a = g_.begin(i); a != g_.end(i); a++) {
                const int32_t j = a->head;
                if (d_[j] != unlabelled || a->in == 0) continue;
                d_[j] = horizon_ + 1;
                parent(j) = a->twin;
                next_frontier_.push(j);
                if (excess(j) > 0) add_active(j, horizon_ + 1);
            }
        }
        frontier_.swap(next_frontier_);
        horizon_++;
    }

    // Nodes with excess, one chain per level through next_.
    void add_active(int32_t i, GraphLabel level) {
        while (static_cast<size_t>(level) >= active_.size()) active_.push(none);
        next_[static_cast<size_t>(i)] = active_[static_cast<size_t>(level)];
        active_.set(static_cast<size_t>(level), i);
        top_ = std::max(top_, level);
    }

    void sweep() {
        for (GraphLabel level = top_; level >= 1; level--) {
            int32_t i = active_[static_cast<size_t>(level)];
            active_.set(static_cast<size_t>(level), none);
            while (i != none) {
                const int32_t following = next_[static_cast<size_t>(i)];
                discharge(i, level);
                i = following;
            }
        }
        top_ = 0;
    }

    // Pushes the excess of node i to the level below, as far as the arcs carry it.
    void discharge(int32_t i, GraphLabel level) {
        Capacity rest = excess(i);
        for (;;) {
            Arc<Capacity>& a = arc(parent(i));
            const int32_t j = a.head;
            bool closed = d_[j] != level - 1 || a.out == 0;
            if (!closed) {
                const Capacity flow = std::min(a.out, rest);
                Arc<Capacity>& b = arc(a.twin);
                a.out -= flow;
                a.in += flow;
                b.in -= flow;
                b.out += flow;
                rest -= flow;
                const Capacity before = excess(j);
                excess(j) = before + flow;
                closed = a.out == 0;
                if (level == 1) {
                    if (before + flow >= 0) {  // the sink's room at j is used up
                        orphan(j, 0);
                        closed = true;
                    }
                } else if (before == 0) {
                    add_active(j, level - 1);
                }
            }
            if (closed && !find_parent(i, level)) {
                orphan(i, level);
                break;
            }
            if (rest == 0) break;
        }
        excess(i) = rest;
    }

    // The next arc of node i, around the circle, that leads to the level below.
    bool find_parent(int32_t i, GraphLabel level) {
        const int32_t begin = g_.first[static_cast<size_t>(i)], end = g_.first[static_cast<size_t>(i) + 1];
        const int32_t last = parent(i);
        const auto leads_down = [&](int32_t a) { return d_[arc(a).head] == level - 1 && arc(a).out > 0; };
        for (int32_t a = last + 1; a < end; a++)
            if (leads_down(a)) return parent(i) = a, true;
        for (int32_t a = begin; a <= last; a++)
            if (leads_down(a)) return parent(i) = a, true;
        return false;
    }

    // Node i, at distance `level`, has lost its last way down.
    void orphan(int32_t i, GraphLabel level) {
        d_[i] = detached;
        orphans_.push(static_cast<size_t>(level), i);
        lowest_orphan_ = std::min(lowest_orphan_, level);
        highest_orphan_ = std::max(highest_orphan_, level);
    }

    void repair() {
        // Whoever stood only on orphans is one too.
        lost_.clear();
        for (GraphLabel level = lowest_orphan_; level <= highest_orphan_; level++) {
            orphans_.at(static_cast<size_t>(level) + 1);  // so that pushing there moves no list
            List<int32_t>& here = orphans_.at(static_cast<size_t>(level));
            for (size_t o = 0; o < here.size(); o++) {
                const int32_t i = here[o];
                lost_.push(i);
                for (const Arc<Capacity>* a = g_.begin(i); a != g_.end(i); a++) {
                    const int32_t j = a->head;
                    if (d_[j] != level + 1 || parent(j) != a->twin) continue;
                    if (!find_parent(j, level + 1)) orphan(j, level + 1);
                }
            }
            here.clear();
        }
        lowest_orphan_ = unlabelled;
        highest_orphan_ = -1;

        // Their new distances, beginning with those that touch labelled nodes.
        GraphLabel lowest = unlabelled, highest = -1;
        for (size_t o = 0; o < lost_.size(); o++) {
            const int32_t i = lost_[o];
            GraphLabel distance = unlabelled;
            if (excess(i) < 0) {
                distance = 0;
            } else {
                for (const Arc<Capacity>* a = g_.begin(i); a != g_.end(i); a++) {
                    if (a->out == 0 || d_[a->head] + 1 >= distance) continue;
                    distance = d_[a->head] + 1;
                    parent(i) = static_cast<int32_t>(a - g_.arcs.data());
                }
            }
            if (distance <= horizon_) {
                await(i, distance, lowest, highest);
            } else {
                d_[i] = unlabelled;
            }
        }
        settle(lowest, highest);
    }

    void await(int32_t i, GraphLabel distance, GraphLabel& lowest, GraphLabel& highest) {
        d_[i] = detached + distance;
        waiting_.push(static_cast<size_t>(distance), i);
        lowest = std::min(lowest, distance);
        highest = std::max(highest, distance);
    }

    // Offers distance level + 1 to the neighbours of i that are further away or have none.
    void lower_neighbours(int32_t i, GraphLabel level, GraphLabel& lowest, GraphLabel& highest) {
        for (const Arc<Capacity>* a = g_.begin(i); a != g_.end(i); a++) {
            const int32_t j = a->head;
            if (a->in == 0 || d_[j] <= detached + level + 1) continue;
            parent(j) = a->twin;
            await(j, level + 1, lowest, highest);
        }
    }

    // Gives waiting nodes their distances in increasing order (Dial's algorithm).
    void settle(GraphLabel lowest, GraphLabel highest) {
        for (GraphLabel level = lowest; level <= highest; level++) {
            waiting_.at(static_cast<size_t>(level) + 1);  // so that pushing there moves no list
            List<int32_t>& here = waiting_.at(static_cast<size_t>(level));
            for (size_t w = 0; w < here.size(); w++) {
                const int32_t i = here[w];
                if (d_[i] != detached + level) continue;
                d_[i] = level;
                if (excess(i) > 0) add_active(i, level);
                if (level == horizon_) {
                    frontier_.push(i);
                } else {
                    lower_neighbours(i, level, lowest, highest);
                }
            }
            here.clear();
        }
    }

    SparseGraph<Capacity>& g_;
    GraphLabel* d_;
    Buffer<int32_t> parent_, next_;

    GraphLabel horizon_ = 0;  // the largest distance given so far
    List<int32_t> frontier_, next_frontier_;
    List<int32_t> active_;
    GraphLabel top_ = 0;
    LevelLists orphans_, waiting_;
    GraphLabel lowest_orphan_ = unlabelled, highest_orphan_ = -1;
    List<int32_t> lost_;
};

}  // namespace classicseg::CLASSICSEG_ISA
