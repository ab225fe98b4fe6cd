// The residual graph of a max-flow problem on a grid of pixels, without pointers.
//
// Pixel (z, y, x) is a node of an array with a margin around the grid, so that a neighbour is a
// constant offset away. For an image z is the row and y is 0 (see topology.hpp).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "buffer.hpp"
#include "neighbour_labels.hpp"
#include "watch.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Bit k: is arc k's residual capacity positive? May read up to the next multiple of 8 arcs.
template <int n, class Capacity>
inline uint32_t positive(const Capacity* arcs) {
    uint32_t m = 0;
#if defined(__AVX2__)
    if constexpr (sizeof(Capacity) == 4) {
        for (int k = 0; k < n; k += 8) {
            const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(arcs + k));
            const __m256i above = _mm256_cmpgt_epi32(v, _mm256_setzero_si256());
            m |= static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(above))) << k;
        }
        return m & ((uint32_t{1} << (n - 1) << 1) - 1);
    }
#endif
    for (int k = 0; k < n; k++) m |= static_cast<uint32_t>(arcs[k] > 0) << k;
    return m;
}

template <class Topology_, class Capacity_>
struct Grid {
    using Topology = Topology_;
    using Capacity = Capacity_;
    using Mask = typename Topology::Mask;
    using Neighbours = NeighbourLabels<Topology>;
    static constexpr int n_directions = Topology::n_directions, first_forward = n_directions / 2;
    static constexpr size_t n_arcs = n_directions;
    static constexpr int opposite(int k) { return n_directions - 1 - k; }

    int depth = 0, height = 0, width = 0;
    Strides strides = {};
    int32_t n_nodes = 0;
    int32_t offset[n_directions] = {};

    Buffer<Capacity> residual;  // n_arcs per node
    Buffer<Capacity> excess;    // > 0: flow waiting for a way to the sink; < 0: room at the sink
    Buffer<Mask> out, in;       // bit k: the arc to / from neighbour k has residual capacity

    Grid() = default;
    Grid(int d, int h, int w) : depth(d), height(h), width(w) {
        strides.row = (static_cast<ptrdiff_t>(w) + 2 + 7) / 8 * 8;
        strides.slice = strides.row * (h + 2 * row_margin);
        n_nodes = static_cast<int32_t>(strides.slice * (d + 2));
        const size_t n = static_cast<size_t>(n_nodes);
        residual = Buffer<Capacity>(n * n_arcs + 8);  // `positive` reads up to 7 arcs too many
        excess = Buffer<Capacity>(n);
        out = Buffer<Mask>(n);
        in = Buffer<Mask>(n);
        for (int k = 0; k < n_directions; k++) offset[k] = static_cast<int32_t>(offset_of<Topology>(k, strides));
    }

    int32_t node(int z, int y, int x) const {
        return static_cast<int32_t>((z + 1) * strides.slice + (y + row_margin) * strides.row + x + 1);
    }
    int64_t n_pixels() const { return static_cast<int64_t>(depth) * height * width; }
    Capacity* arcs(int32_t i) { return residual.data() + static_cast<size_t>(i) * n_arcs; }

    bool has_row(int z, int y) const { return z >= 0 && z < depth && y >= 0 && y < height; }

    // Calls task(first node, index of its pixel, z, y) for each row of the slices [z0, z1).
    template <class Task>
    void for_rows_of(int z0, int z1, Task&& task) const {
        for (int z = z0; z < z1; z++)
            for (int y = 0; y < height; y++) {
                if ((z + y) % 16 == 0) checkpoint();
                task(node(z, y, 0), (static_cast<size_t>(z) * static_cast<size_t>(height) + static_cast<size_t>(y)) * static_cast<size_t>(width), z, y);
            }
    }

    void push(int32_t i, int k, Capacity flow) {
        const int32_t j = i + offset[k];
        const Mask there = static_cast<Mask>(Mask{1} << k), back = static_cast<Mask>(Mask{1} << opposite(k));
        Capacity& forward = arcs(i)[k];
        Capacity& backward = arcs(j)[opposite(k)];
        if (backward == 0) {
            out[j] |= back;
            in[i] |= there;
        }
        backward += flow;
        forward -= flow;
        if (forward == 0) {
            out[i] &= static_cast<Mask>(~there);
            in[j] &= static_cast<Mask>(~back);
        }
    }

    // Moves flow along arc k of node i in either direction, leaving the masks alone.
    void shift(int32_t i, int k, Capacity flow) {
        const int32_t j = i + offset[k];
        arcs(i)[k] -= flow;
        arcs(j)[opposite(k)] += flow;
        excess[i] -= flow;
        excess[j] += flow;
    }

    // Arcs of a pixel in slice z that leave the slices [z0, z1).
    static uint32_t leaving(int z, int z0, int z1) {
        return (z == z0 ? directions_along<Topology>(-1) : 0) | (z == z1 - 1 ? directions_along<Topology>(1) : 0);
    }

    // Sets `out` of slices [z0, z1) from the residual capacities, without arcs that leave them.
    void mark_out(int z0, int z1) {
        for_rows_of(z0, z1, [&](int32_t row, size_t, int z, int) {
            const uint32_t keep = ~leaving(z, z0, z1);
            for (int32_t i = row; i < row + width; i++)
                out[i] = static_cast<Mask>(positive<n_directions>(arcs(i)) & keep);
        });
    }
    // Sets `in` of slices [z0, z1) from `out` of the same slices.
    void mark_in(int z0, int z1) {
        for_rows_of(z0, z1, [&](int32_t row, size_t, int z, int) {
            const Mask* p = out.data() + row;
            Mask* q = in.data() + row;
            std::fill_n(q, width, Mask{0});
            const uint32_t away = leaving(z, z0, z1);
            for (int k = 0; k < n_directions; k++) {
                if (away >> k & 1) continue;
                const Mask* from = p + offset[k];
                const int shift = opposite(k);
                for (int x = 0; x < width; x++) q[x] |= static_cast<Mask>((from[x] >> shift & 1) << k);
            }
        });
    }
    // Takes the arcs that leave the slices [z0, z1) out of the masks of these slices.
    void close(int z0, int z1) {
        for (int side = 0; side < 2; side++) {
            const int z = side == 0 ? z0 : z1 - 1;
            const Mask keep = static_cast<Mask>(~leaving(z, z0, z1));
            for_rows_of(z, z + 1, [&](int32_t row, size_t, int, int) {
                for (int32_t i = row; i < row + width; i++) {
                    out[i] &= keep;
                    in[i] &= keep;
                }
            });
        }
    }
    // Puts the arcs across the boundary between slices z - 1 and z back into the masks.
    void open_seam(int z) {
        for (int side = 0; side < 2; side++) {
            for_rows_of(z - 1 + side, z + side, [&](int32_t row, size_t, int, int) {
                for (int32_t i = row; i < row + width; i++) {
                    for (uint32_t b = directions_along<Topology>(side ? -1 : 1); b; b &= b - 1) {
                        const int k = std::countr_zero(b);
                        const int32_t j = i + offset[k];
                        if (arcs(i)[k] > 0) out[i] |= static_cast<Mask>(Mask{1} << k);
                        if (arcs(j)[opposite(k)] > 0) in[i] |= static_cast<Mask>(Mask{1} << k);
                    }
                }
            });
        }
    }

private:
    static constexpr int row_margin = Topology::has_rows ? 1 : 0;
};

}  // namespace classicseg::CLASSICSEG_ISA
