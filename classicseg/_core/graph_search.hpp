// Maximum flow on a sparse graph by sweeps along exact distances: the method of sweep_repair.hpp.
//
// As on a grid, a way down is found by comparing the labels of eight neighbours at once. But each
// labelled node also remembers one arc to the level below, its parent arc, and looks for another one
// only when that one is used up or its head has lost its label: a node whose parent still stands is
// left alone when another neighbour falls.
//
// While a node keeps its label, an arc that does not lead to the level below will not do so later:
// labels never fall, and flow only moves down, which opens arcs that lead up. Nodes of many arcs look
// from their last parent on, around the circle, which they go round at most twice for each label.
//
// What was tried on superpixel graphs and left out: a first flow from a coarser graph (groups of 2 to
// 8 neighbours, by capacity or not), which makes grids 2 to 4 times as fast, made these 1 to 2.5 times
// as slow; both residual capacities beside the head instead of two bits: as fast without SIMD, and
// 1.3 times as slow as with it.
#pragma once

#include "sparse_graph.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The search over the nodes [first, end). Arrays have an entry for each node of the graph; of those
// outside the range nothing is read or written.
template <class Capacity>
class GraphSearch {
public:
    // `detached + d` is waiting to be given distance d; `unlabelled` is further away than the search has come.
    static constexpr GraphLabel detached = 1 << 29;
    static constexpr GraphLabel unlabelled = 1 << 30;
    // The search grows by half of its depth between sweeps, but at least by this. A quarter is as
    // good, an eighth, all of it or 4 levels at least are 5 to 20 % slower, all levels at once twice.
    static constexpr GraphLabel first_levels = 1;

    GraphSearch(SparseGraph<Capacity>& graph, GraphLabel* label, int32_t* parent, int32_t* next,
                int32_t first, int32_t end)
        : g_(graph), d_(label), parent_(parent), next_(next), first_(first), end_(end), limit_(end_of_links()) {
        close_seam();
    }

    // Whether the nodes [first, end) have arcs enough for a search of their own.
    static bool can_search(const SparseGraph<Capacity>& graph, int32_t first, int32_t end) {
        return graph.first[static_cast<size_t>(end)] - graph.first[static_cast<size_t>(first)] >= 8;
    }

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

    // Takes over the nodes of `after`, which begin where this one's end, and finds a maximum flow on
    // both. Labels start anew: what is left to do lies near the seam.
    void join(const GraphSearch& after) {
        end_ = after.end_;
        limit_ = end_of_links();
        for (size_t s = 0; s < after.seam_.size(); s++) seam_.push(after.seam_[s]);
        open_seam();
        solve();
    }

private:
    int32_t end_of_links() const {
        return end_ == g_.n_nodes ? static_cast<int32_t>(g_.link.size()) : begin(end_);
    }

    struct SeamArc {
        int32_t arc, head;
    };

    // Arcs that leave the range lead nowhere: back to their own node, without capacity.
    void close_seam() {
        for (int32_t i = first_; i < end_; i++) {
            at_times_();
            for (int32_t a = begin(i); a < end(i); a++) {
                const int32_t j = head(a);
                if (j >= first_ && j < end_) continue;
                seam_.push({a, j});
                g_.link[static_cast<size_t>(a)] = Link::to(i, false, false);
            }
        }
    }

    void open_seam() {
        size_t kept = 0;
        for (size_t s = 0; s < seam_.size(); s++) {
            const auto [a, j] = seam_[s];
            if (j < first_ || j >= end_) {
                seam_.set(kept++, seam_[s]);
                continue;
            }
            g_.link[static_cast<size_t>(a)] = Link::to(j, residual(a) > 0, residual(twin(a)) > 0);
        }
        while (seam_.size() > kept) seam_.pop();
    }

    static constexpr int32_t none = -1;  // ends a chain of nodes

    int32_t begin(int32_t i) const { return g_.first[static_cast<size_t>(i)]; }
    int32_t end(int32_t i) const { return g_.first[static_cast<size_t>(i) + 1]; }
    int32_t head(int32_t a) const { return g_.link[static_cast<size_t>(a)].head(); }
    int32_t twin(int32_t a) const { return g_.arcs[static_cast<size_t>(a)].twin; }
    Capacity residual(int32_t a) const { return g_.arcs[static_cast<size_t>(a)].residual; }
    // The arcs from a on, eight at most, of those that end before `end`.
    Links links(int32_t a, int32_t end) const { return Links(g_.link.data(), a, end, limit_, d_); }
    // Calls task(arc, head) for each arc of node i that choose(links) has the bit of.
    template <class Choose, class Task>
    void for_arcs(int32_t i, Choose choose, Task task) {
        for (int32_t a = begin(i), last = end(i); a < last; a += 8) {
            for (uint32_t b = choose(links(a, last)); b; b &= b - 1) {
                const int32_t chosen = a + std::countr_zero(b);
                task(chosen, head(chosen));
            }
        }
    }
    int32_t& parent(int32_t i) { return parent_[i]; }
    Capacity& excess(int32_t i) { return g_.excess[static_cast<size_t>(i)]; }

    void start() {
        frontier_.clear();
        horizon_ = 0;
        top_ = 0;
        for (int32_t i = first_; i < end_; i++) {
            at_times_();
            const bool at_sink = excess(i) < 0;
            d_[i] = at_sink ? 0 : unlabelled;
            if (at_sink) frontier_.push(i);
        }
    }

    void grow() {
        next_frontier_.clear();
        for (size_t f = 0; f < frontier_.size(); f++) {
            at_times_();
            const int32_t i = frontier_[f];
            if (d_[i] != horizon_) continue;
            const auto new_ones = [](const Links& l) { return l.in() & l.equal(unlabelled); };
            for_arcs(i, new_ones, [&](int32_t a, int32_t j) {
                if (d_[j] != unlabelled) return;  // a parallel arc was first
                d_[j] = horizon_ + 1;
                parent(j) = twin(a);
                next_frontier_.push(j);
                if (excess(j) > 0) add_active(j, horizon_ + 1);
            });
        }
        frontier_.swap(next_frontier_);
        horizon_++;
    }

    // Nodes with excess, one chain per level through next_.
    void add_active(int32_t i, GraphLabel level) {
        while (static_cast<size_t>(level) >= active_.size()) active_.push(none);
        next_[i] = active_[static_cast<size_t>(level)];
        active_.set(static_cast<size_t>(level), i);
        top_ = std::max(top_, level);
    }

    void sweep() {
        for (GraphLabel level = top_; level >= 1; level--) {
            int32_t i = active_[static_cast<size_t>(level)];
            active_.set(static_cast<size_t>(level), none);
            while (i != none) {
                at_times_();
                const int32_t following = next_[i];
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
            const auto a = static_cast<size_t>(parent(i));
            const int32_t j = g_.link[a].head();
            const Capacity room = g_.arcs[a].residual;
            bool closed = d_[j] != level - 1 || room == 0;
            if (!closed) {
                const Capacity flow = std::min(room, rest);
                g_.push(a, flow);
                rest -= flow;
                const Capacity before = excess(j);
                excess(j) = before + flow;
                closed = flow == room;
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
        const int32_t first = begin(i), last = end(i);
        if (last - first <= 8) return find_parent_among(i, first, last, level);
        const int32_t before = parent(i);
        return find_parent_among(i, before, last, level) || find_parent_among(i, first, before, level);
    }

    bool find_parent_among(int32_t i, int32_t a, int32_t last, GraphLabel level) {
        for (; a < last; a += 8) {
            const Links l = links(a, last);
            if (const uint32_t down = l.out() & l.equal(level - 1)) {
                parent(i) = a + std::countr_zero(down);
                return true;
            }
        }
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
                at_times_();
                const int32_t i = here[o];
                lost_.push(i);
                const auto above = [level](const Links& l) { return l.in() & l.equal(level + 1); };
                for_arcs(i, above, [&](int32_t a, int32_t j) {
                    if (parent(j) == twin(a) && !find_parent(j, level + 1)) orphan(j, level + 1);
                });
            }
            here.clear();
        }
        lowest_orphan_ = unlabelled;
        highest_orphan_ = -1;

        // Their new distances, beginning with those that touch labelled nodes.
        GraphLabel lowest = unlabelled, highest = -1;
        for (size_t o = 0; o < lost_.size(); o++) {
            at_times_();
            const int32_t i = lost_[o];
            GraphLabel distance = unlabelled;
            if (excess(i) < 0) {
                distance = 0;
            } else {
                for (int32_t a = begin(i), last = end(i); a < last; a += 8) {
                    const Links l = links(a, last);
                    const GraphLabel nearest = l.smallest(l.out(), unlabelled);
                    if (nearest + 1 >= distance) continue;
                    distance = nearest + 1;
                    parent(i) = a + std::countr_zero(l.out() & l.equal(nearest));
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
        const auto further = [level](const Links& l) { return l.in() & l.above(detached + level + 1); };
        for_arcs(i, further, [&](int32_t a, int32_t j) {
            parent(j) = twin(a);
            await(j, level + 1, lowest, highest);
        });
    }

    // Gives waiting nodes their distances in increasing order (Dial's algorithm).
    void settle(GraphLabel lowest, GraphLabel highest) {
        for (GraphLabel level = lowest; level <= highest; level++) {
            waiting_.at(static_cast<size_t>(level) + 1);  // so that pushing there moves no list
            List<int32_t>& here = waiting_.at(static_cast<size_t>(level));
            for (size_t w = 0; w < here.size(); w++) {
                at_times_();
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
    int32_t* parent_;  // an arc to the level below; of use while the node has a distance above 0
    int32_t* next_;
    int32_t first_, end_;
    int32_t limit_;  // of the links that this search may read
    List<SeamArc> seam_;  // closed arcs

    GraphLabel horizon_ = 0;  // the largest distance given so far
    List<int32_t> frontier_, next_frontier_;
    List<int32_t> active_;
    GraphLabel top_ = 0;
    LevelLists orphans_, waiting_;
    GraphLabel lowest_orphan_ = unlabelled, highest_orphan_ = -1;
    List<int32_t> lost_;
    Interval at_times_;
};

}  // namespace classicseg::CLASSICSEG_ISA
