// The edges of a node, on a grid without any list of them and on a graph in compressed rows.
#pragma once

#include <algorithm>
#include <atomic>
#include <new>
#include <thread>

#include "buffer.hpp"
#include "gridcrf_kernels.hpp"
#include "isa.hpp"
#include "pool.hpp"

namespace classicseg::CLASSICSEG_ISA {

struct LocalEdge {
    size_t slot;    // of its message
    size_t other;   // the node at the other end
    float weight;
    bool later;     // the other node comes after this one in the nodes' order
    bool first;     // this node is the first of the label cost
};

// Calls visit(edge) for each edge of weight above 0: others carry no message.
template <class Visit>
void for_edges(const LocalGrid& g, size_t node, int y, int x, Visit&& visit) {
    const auto n = static_cast<size_t>(g.n_offsets);
    for (size_t k = 0; k < n; k++) {
        const auto& o = g.offsets[k];
        const ptrdiff_t step = static_cast<ptrdiff_t>(o.dy) * g.width + o.dx;
        if (y + o.dy < g.height && x + o.dx >= 0 && x + o.dx < g.width && o.weight[node] > 0)
            visit(LocalEdge{node * n + k, node + static_cast<size_t>(step), o.weight[node], true, true});
        if (y - o.dy >= 0 && x - o.dx >= 0 && x - o.dx < g.width) {
            const size_t before = node - static_cast<size_t>(step);
            if (o.weight[before] > 0) visit(LocalEdge{before * n + k, before, o.weight[before], false, false});
        }
    }
}

template <class Visit>
void for_edges(const LocalGraph& g, size_t node, Visit&& visit) {
    for (int64_t i = g.earlier_start[node]; i < g.earlier_start[node + 1]; i++) {
        const auto e = static_cast<size_t>(g.earlier_edges[i]);
        if (g.weight[e] > 0)
            visit(LocalEdge{e, static_cast<size_t>(g.pairs[2 * e]), g.weight[e], false, g.flipped[e] != 0});
    }
    for (int64_t i = g.later_start[node]; i < g.later_start[node + 1]; i++) {
        const auto e = static_cast<size_t>(i);
        if (g.weight[e] > 0)
            visit(LocalEdge{e, static_cast<size_t>(g.pairs[2 * e + 1]), g.weight[e], true, g.flipped[e] == 0});
    }
}

// Visits the pixels of a grid in raster order, or backwards: bands of rows run side by side, each a
// little behind the one before it, so that every pixel finds its earlier neighbours done and the
// result is that of one thread. Bands are handed out in order: one that is waited for is at work.
template <class Visit>
void in_raster_order(Pool& pool, const LocalGrid& g, bool forward, Visit&& visit) {
    const auto here = [&](int row, int column) {
        forward ? visit(row, column) : visit(g.height - 1 - row, g.width - 1 - column);
    };
    if (pool.size() == 1) {
        for (int r = 0; r < g.height; r++) {
            for (int i = 0; i < g.width; i++) {
                if (i % 256 == 0) checkpoint();
                here(r, i);
            }
        }
        return;
    }
    constexpr int band = 16, block = 32;
    constexpr size_t line = 64 / sizeof(std::atomic<int>);  // each band's progress in its own cache line
    const int lag = g.n_offsets > 2 ? 1 : 0;                // how far ahead the row above must be
    const auto n_bands = static_cast<size_t>((g.height + band - 1) / band);
    Buffer<char> memory(n_bands * line * sizeof(std::atomic<int>));
    auto* done = reinterpret_cast<std::atomic<int>*>(memory.data());  // columns of a band's last row
    for (size_t b = 0; b < n_bands; b++) new (&done[b * line]) std::atomic<int>(0);
    pool.run(n_bands, [&](size_t b) {
        const int first = static_cast<int>(b) * band;
        const int last = std::min(first + band, g.height) - 1;
        for (int finished = 0, column = 0; finished < g.width; column += block) {
            const int needed = std::min(column + block + lag, g.width);
            checkpoint();
            for (int spins = 0; b > 0 && done[(b - 1) * line].load(std::memory_order_acquire) < needed; spins++) {
                if (spins <= 1000) continue;
                std::this_thread::yield();
                checkpoint();  // the band before may have been stopped
            }
            // Each row of the block begins and ends `lag` pixels before the one above.
            for (int row = first; row <= last; row++) {
                const int shift = (row - first) * lag;
                finished = std::clamp(column + block - shift, 0, g.width);
                for (int i = std::max(column - shift, 0); i < finished; i++) here(row, i);
            }
            done[b * line].store(finished, std::memory_order_release);
        }
    });
}

}  // namespace classicseg::CLASSICSEG_ISA
