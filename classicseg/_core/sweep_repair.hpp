// Maximum flow by sweeps along exact distances.
//
// Every node near enough to the sink holds its distance to it in the residual graph (a breadth-first
// search that is kept up to date). Three steps alternate until no excess can reach the sink:
//
//   grow    the search by some levels (a growing number of them);
//   sweep   all excess down, level by level from the top, along arcs to the level below;
//   repair  the distances of nodes that lost every arc to the level below, and of all that stood on them.
//
// Excess is merged before it travels on, as in the wave method of Tarjan (1984,
// doi:10.1016/0167-6377(84)90076-2); the search is kept and mended instead of being run again, as in
// the incremental breadth-first search of Goldberg, Hed, Kaplan, Tarjan & Werneck (2011,
// doi:10.1007/978-3-642-23719-5_39) and its excesses version (2015,
// doi:10.1007/978-3-662-48350-3_52). There are no tree pointers: a parent is any neighbour one level
// below with residual capacity, found by comparing all neighbours' labels at once.
//
// Termination. Distances never fall while the search does not grow, a distance is at most n - 1, and
// in a sweep after which none rises all excess below the horizon has reached the sink: at most n^2
// sweeps of at most n + m pushes each. Overflow: a node receives at most what its incoming arcs
// carry, so that |excess| + sum of the residuals at a node stays within a bound that the caller
// checks (GridMaxflow).
#pragma once

#include "grid.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The search over the slices [z0, z1) of a grid. `label` points at the label of node 0; the labels of
// the slices z0 - 1 and z1 must be `unlabelled` and nobody else's.
template <class Grid>
class Search {
public:
    // The search grows by half of its depth between sweeps, but at least by this. On photographs 2,
    // 4 and 8 are 3 to 20 % slower, a quarter of the depth or all of it likewise, and one level at a
    // time (with no multilevel start) 1.5 to 2.4 times.
    static constexpr int first_levels = 1;

    Search(Grid& grid, Label* label, int32_t* next, int z0, int z1)
        : g_(&grid), d_(label), next_(next), z0_(z0), z1_(z1) {}

    // Finds a maximum flow from scratch labels; excess that stays can't reach the sink.
    void solve() {
        start();
        while (!frontier_.empty()) {
            const int levels = std::max(first_levels, horizon_ / 2);
            for (int k = 0; k < levels && !frontier_.empty(); k++) grow();
            exhaust();
        }
    }

    // Takes over the slices of `below`, which begin where this one's end, and finds a maximum flow on
    // both. Labels start anew: what is left to do lies near the seam, and a new search with a near
    // horizon finds it in a fifth of the time that mending all labels across the seam took.
    void join(const Search& below) {
        g_->open_seam(z1_);
        z1_ = below.z1_;
        solve();
    }

private:
    using Capacity = typename Grid::Capacity;
    using Neighbours = typename Grid::Neighbours;
    Neighbours neighbours(int32_t i) const { return Neighbours(d_ + i, g_->strides); }
    int32_t neighbour(int32_t i, uint32_t bits) const {
        return i + g_->offset[std::countr_zero(bits)];
    }

    void start() {
        frontier_.clear();
        horizon_ = 0;
        g_->for_rows_of(z0_, z1_, [&](int32_t row, size_t, int, int) {
            const Capacity* e = g_->excess.data() + row;
            Label* d = d_ + row;
            const int width = g_->width;  // which the labels do not overwrite, as compilers cannot know
            for (int x = 0; x < width; x++) d[x] = e[x] < 0 ? 0 : unlabelled;
        });
        g_->for_rows_of(z0_, z1_, [&](int32_t row, size_t, int, int) {
            int32_t i = row;
            const int32_t end = row + g_->width;
            for (; i + block <= end; i += block)
                if (!among_sinks(i)) find_frontier(i, i + block);
            find_frontier(i, end);
        });
    }

    // Do eight nodes from i on and all their neighbours have room at the sink?
    static constexpr int32_t block = 8;
    bool among_sinks(int32_t i) const {
        Label any[block] = {};
        for (int k = 0; k < Grid::n_directions; k++) {
            const Label* d = d_ + i + g_->offset[k];
            for (int32_t b = 0; b < block; b++) any[b] |= d[b];
        }
        Label all = 0;
        for (int32_t b = 0; b < block; b++) all |= any[b] | d_[i + b];
        return all == 0;
    }
    void find_frontier(int32_t i, int32_t end) {
        for (; i < end; i++)
            if (d_[i] == 0 && g_->in[i] & neighbours(i).equal(unlabelled)) frontier_.push(i);
    }

    void grow() {
        next_frontier_.clear();
        for (size_t f = 0; f < frontier_.size(); f++) {
            at_times_();
            const int32_t i = frontier_[f];
            if (d_[i] != horizon_ || !g_->in[i]) continue;
            for (uint32_t b = g_->in[i] & neighbours(i).equal(unlabelled); b; b &= b - 1) {
                const int32_t j = neighbour(i, b);
                d_[j] = horizon_ + 1;
                next_frontier_.push(j);
                if (g_->excess[j] > 0) add_active(j, horizon_ + 1);
            }
        }
        frontier_.swap(next_frontier_);
        horizon_++;
    }

    // Sweeps and repairs until no excess is left at a distance within the horizon.
    void exhaust() {
        while (top_ > 0) {
            sweep();
            repair();
        }
    }

    // Nodes with excess, one chain per level through next_; entry 0 ends a chain (it is margin).
    void add_active(int32_t i, Label level) {
        while (static_cast<size_t>(level) >= active_.size()) active_.push(0);
        next_[i] = active_[static_cast<size_t>(level)];
        active_.set(static_cast<size_t>(level), i);
        top_ = std::max(top_, level);
    }

    void sweep() {
        for (Label level = top_; level >= 1; level--) {
            int32_t i = active_[static_cast<size_t>(level)];
            active_.set(static_cast<size_t>(level), 0);
            while (i != 0) {
                at_times_();
                const int32_t following = next_[i];
                discharge(i, level);
                i = following;
            }
        }
        top_ = 0;
    }

    // Pushes the excess of node i to the level below, as far as the arcs carry it.
    void discharge(int32_t i, Label level) {
        Capacity rest = g_->excess[i];
        uint32_t b = g_->out[i] & neighbours(i).equal(level - 1);
        while (b) {
            const int k = std::countr_zero(b);
            const int32_t j = i + g_->offset[k];
            const Capacity room = g_->arcs(i)[k];
            const Capacity flow = std::min(room, rest);
            g_->push(i, k, flow);
            const Capacity before = g_->excess[j];
            g_->excess[j] = before + flow;
            rest -= flow;
            bool closed = flow == room;
            if (level == 1) {
                if (before + flow >= 0) {  // the sink's room at j is used up
                    orphan(j, 0);
                    closed = true;
                }
            } else if (before == 0) {
                add_active(j, level - 1);
            }
            if (closed) b &= b - 1;
            if (rest == 0) break;
        }
        g_->excess[i] = rest;
        if (!b) orphan(i, level);
    }

    // Node i, at distance `level`, has lost its last way down.
    void orphan(int32_t i, Label level) {
        d_[i] = detached;
        orphans_.push(static_cast<size_t>(level), i);
        lowest_orphan_ = std::min(lowest_orphan_, level);
        highest_orphan_ = std::max(highest_orphan_, level);
    }

    void repair() {
        // Whoever stood only on orphans is one too.
        lost_.clear();
        for (Label level = lowest_orphan_; level <= highest_orphan_; level++) {
            orphans_.at(static_cast<size_t>(level) + 1);  // so that pushing there moves no list
            List<int32_t>& here = orphans_.at(static_cast<size_t>(level));
            for (size_t o = 0; o < here.size(); o++) {
                at_times_();
                const int32_t i = here[o];
                lost_.push(i);
                if (!g_->in[i]) continue;
                for (uint32_t b = g_->in[i] & neighbours(i).equal(level + 1); b; b &= b - 1) {
                    const int32_t j = neighbour(i, b);
                    if (!(g_->out[j] & neighbours(j).equal(level))) orphan(j, level + 1);
                }
            }
            here.clear();
        }
        lowest_orphan_ = unlabelled;
        highest_orphan_ = -1;

        // Their new distances, beginning with those that touch labelled nodes.
        Label lowest = unlabelled, highest = -1;
        for (size_t o = 0; o < lost_.size(); o++) {
            at_times_();
            const int32_t i = lost_[o];
            Label distance = unlabelled;
            if (g_->excess[i] < 0) {
                distance = 0;
            } else if (g_->out[i]) {
                distance = neighbours(i).smallest(g_->out[i]) + 1;
            }
            if (distance <= horizon_) {
                await(i, distance, lowest, highest);
            } else {
                d_[i] = unlabelled;
            }
        }
        settle(lowest, highest);
    }

    void await(int32_t i, Label distance, Label& lowest, Label& highest) {
        d_[i] = detached + distance;
        waiting_.push(static_cast<size_t>(distance), i);
        lowest = std::min(lowest, distance);
        highest = std::max(highest, distance);
    }

    // Offers distance level + 1 to the neighbours of i that are further away or have none.
    void lower_neighbours(int32_t i, Label level, Label& lowest, Label& highest) {
        if (!g_->in[i]) return;
        uint32_t b = g_->in[i] & neighbours(i).above(detached + level + 1);
        for (; b; b &= b - 1) await(neighbour(i, b), level + 1, lowest, highest);
    }

    // Gives waiting nodes their distances in increasing order (Dial's algorithm).
    void settle(Label lowest, Label highest) {
        for (Label level = lowest; level <= highest; level++) {
            waiting_.at(static_cast<size_t>(level) + 1);  // so that pushing there moves no list
            List<int32_t>& here = waiting_.at(static_cast<size_t>(level));
            for (size_t w = 0; w < here.size(); w++) {
                at_times_();
                const int32_t i = here[w];
                if (d_[i] != detached + level) continue;
                d_[i] = level;
                if (g_->excess[i] > 0) add_active(i, level);
                if (level == horizon_) {
                    frontier_.push(i);
                } else {
                    lower_neighbours(i, level, lowest, highest);
                }
            }
            here.clear();
        }
    }

    Grid* g_;
    Label* d_;
    int32_t* next_;
    int z0_, z1_;

    Label horizon_ = 0;  // the largest distance given so far
    List<int32_t> frontier_, next_frontier_;
    List<int32_t> active_;
    Label top_ = 0;
    LevelLists orphans_, waiting_;
    Label lowest_orphan_ = unlabelled, highest_orphan_ = -1;
    List<int32_t> lost_;
    Interval at_times_;
};

}  // namespace classicseg::CLASSICSEG_ISA
