// Maximum flow on adjacency lists by Dinic's algorithm (1970): slow, short, and checked against all
// 2^n cuts of small grids in test_maxflow.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

struct ReferenceCut {
    int64_t flow;
    std::vector<uint8_t> minimal, maximal;  // the smallest and the largest source side
};

class ReferenceMaxflow {
public:
    explicit ReferenceMaxflow(size_t n_pixels) : n_(n_pixels), arcs_of_(n_pixels + 2) {}

    size_t source() const { return n_; }
    size_t sink() const { return n_ + 1; }

    void add_arc(size_t from, size_t to, int64_t capacity) {
        arcs_of_[from].push_back(arcs_.size());
        arcs_.push_back({to, capacity});
        arcs_of_[to].push_back(arcs_.size());
        arcs_.push_back({from, 0});
    }

    ReferenceCut solve() {
        ReferenceCut cut{0, {}, {}};
        for (;;) {
            level_ = distances(source(), [&](size_t arc) { return arcs_[arc].rest > 0; });
            if (level_[sink()] < 0) break;
            next_.assign(n_ + 2, 0);
            while (const int64_t flow = augment(source(), std::numeric_limits<int64_t>::max())) cut.flow += flow;
        }
        const auto from_sink = distances(sink(), [&](size_t arc) { return arcs_[arc ^ 1].rest > 0; });
        for (size_t p = 0; p < n_; p++) {
            cut.minimal.push_back(level_[p] >= 0);
            cut.maximal.push_back(from_sink[p] < 0);
        }
        return cut;
    }

private:
    struct Arc {
        size_t to;
        int64_t rest;
    };

    template <class Usable>
    std::vector<int> distances(size_t start, Usable usable) const {
        std::vector<int> distance(n_ + 2, -1);
        std::vector<size_t> queue = {start};
        distance[start] = 0;
        for (size_t q = 0; q < queue.size(); q++) {
            for (size_t arc : arcs_of_[queue[q]]) {
                const size_t to = arcs_[arc].to;
                if (distance[to] >= 0 || !usable(arc)) continue;
                distance[to] = distance[queue[q]] + 1;
                queue.push_back(to);
            }
        }
        return distance;
    }

    int64_t augment(size_t node, int64_t flow) {
        if (node == sink()) return flow;
        for (size_t& a = next_[node]; a < arcs_of_[node].size(); a++) {
            const size_t arc = arcs_of_[node][a];
            if (arcs_[arc].rest == 0 || level_[arcs_[arc].to] != level_[node] + 1) continue;
            if (const int64_t sent = augment(arcs_[arc].to, std::min(flow, arcs_[arc].rest))) {
                arcs_[arc].rest -= sent;
                arcs_[arc ^ 1].rest += sent;
                return sent;
            }
        }
        return 0;
    }

    size_t n_;
    std::vector<std::vector<size_t>> arcs_of_;
    std::vector<Arc> arcs_;
    std::vector<int> level_;
    std::vector<size_t> next_;
};
