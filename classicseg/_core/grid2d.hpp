// The residual graph of a max-flow problem on an 8-connected pixel grid, without pointers.
//
// Pixel (y, x) is node (y + 1) * stride + x + 1 of an array with a margin around the image, so that
// a neighbour is a constant offset away. A 4-connected grid is one whose diagonals have no capacity.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "buffer.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace classicseg::CLASSICSEG_ISA {

using Label = int32_t;

// Labels of nodes that have no distance: `detached + d` is waiting to be given distance d, and
// `unlabelled` is further away than the search has come.
constexpr Label detached = 1 << 29;
constexpr Label unlabelled = 1 << 30;

// Directions in raster order; the opposite of k is 7 - k.
enum Direction { NW, N, NE, W, E, SW, S, SE };
constexpr int n_directions = 8;
constexpr int direction_dy[8] = {-1, -1, -1, 0, 0, 1, 1, 1};
constexpr int direction_dx[8] = {-1, 0, 1, -1, 1, -1, 0, 1};
constexpr int opposite(int k) { return 7 - k; }
constexpr int direction_of(int dy, int dx) {
    const int k = (dy + 1) * 3 + dx + 1;
    return k > 4 ? k - 1 : k;
}

// The labels of a node's eight neighbours, and tests on all of them at once. Bit k of a result
// belongs to direction k.
#if defined(__AVX2__)
struct NeighbourLabels {
    __m256i v;
    NeighbourLabels(const Label* p, ptrdiff_t stride) {
        const auto load = [](const Label* q) {
            return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q));
        };
        // Each load puts its row's neighbours into the lanes of their directions.
        const __m256i north = load(p - stride - 1), west = load(p - 4), east = load(p - 3),
                      south = load(p + stride - 6);
        v = _mm256_blend_epi32(_mm256_blend_epi32(north, west, 0x08),
                               _mm256_blend_epi32(east, south, 0xE0), 0xF0);
    }
    uint32_t equal(Label x) const { return mask(_mm256_cmpeq_epi32(v, _mm256_set1_epi32(x))); }
    uint32_t above(Label x) const { return mask(_mm256_cmpgt_epi32(v, _mm256_set1_epi32(x))); }
    Label smallest(uint32_t among) const {
        const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        const __m256i chosen = _mm256_cmpeq_epi32(
            _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(among)), bits), bits);
        const __m256i w = _mm256_blendv_epi8(_mm256_set1_epi32(unlabelled), v, chosen);
        __m128i m = _mm_min_epi32(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1));
        m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0x4e));
        m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0xb1));
        return _mm_cvtsi128_si32(m);
    }

private:
    static uint32_t mask(__m256i m) {
        return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(m)));
    }
};
#else
struct NeighbourLabels {
    Label v[8];
    NeighbourLabels(const Label* p, ptrdiff_t stride)
        : v{p[-stride - 1], p[-stride],    p[-stride + 1], p[-1],
            p[1],           p[stride - 1], p[stride],      p[stride + 1]} {}
    uint32_t equal(Label x) const {
        uint32_t m = 0;
        for (int k = 0; k < 8; k++) m |= static_cast<uint32_t>(v[k] == x) << k;
        return m;
    }
    uint32_t above(Label x) const {
        uint32_t m = 0;
        for (int k = 0; k < 8; k++) m |= static_cast<uint32_t>(v[k] > x) << k;
        return m;
    }
    Label smallest(uint32_t among) const {
        Label m = unlabelled;
        for (int k = 0; k < 8; k++)
            if (among >> k & 1) m = std::min(m, v[k]);
        return m;
    }
};
#endif

// Bit k: is arc k's residual capacity positive?
template <class Capacity>
inline uint32_t positive(const Capacity* arcs) {
    uint32_t m = 0;
    for (int k = 0; k < 8; k++) m |= static_cast<uint32_t>(arcs[k] > 0) << k;
    return m;
}
#if defined(__AVX2__)
inline uint32_t positive(const int32_t* arcs) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(arcs));
    const __m256i m = _mm256_cmpgt_epi32(v, _mm256_setzero_si256());
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(m)));
}
#endif

template <class Capacity>
struct Grid2D {
    int height = 0, width = 0;
    ptrdiff_t stride = 0;
    int32_t n_nodes = 0;
    int32_t offset[8] = {};

    Buffer<Capacity> residual;  // 8 per node
    Buffer<Capacity> excess;    // > 0: flow waiting for a way to the sink; < 0: room at the sink
    Buffer<uint8_t> out, in;    // bit k: the arc to / from neighbour k has residual capacity

    Grid2D() = default;
    Grid2D(int h, int w)
        : height(h),
          width(w),
          stride((static_cast<ptrdiff_t>(w) + 2 + 7) / 8 * 8),
          n_nodes(static_cast<int32_t>(stride * (h + 2))),
          residual(static_cast<size_t>(n_nodes) * 8),
          excess(static_cast<size_t>(n_nodes)),
          out(static_cast<size_t>(n_nodes)),
          in(static_cast<size_t>(n_nodes)) {
        for (int k = 0; k < 8; k++)
            offset[k] = static_cast<int32_t>(direction_dy[k] * stride + direction_dx[k]);
    }

    int32_t node(int y, int x) const {
        return static_cast<int32_t>((y + 1) * stride + x + 1);
    }
    Capacity* arcs(int32_t i) { return residual.data() + static_cast<size_t>(i) * 8; }

    void push(int32_t i, int k, Capacity flow) {
        const int32_t j = i + offset[k];
        Capacity& forward = arcs(i)[k];
        Capacity& backward = arcs(j)[opposite(k)];
        if (backward == 0) {
            out[j] |= static_cast<uint8_t>(1u << opposite(k));
            in[i] |= static_cast<uint8_t>(1u << k);
        }
        backward += flow;
        forward -= flow;
        if (forward == 0) {
            out[i] &= static_cast<uint8_t>(~(1u << k));
            in[j] &= static_cast<uint8_t>(~(1u << opposite(k)));
        }
    }

    // Arcs of a pixel in row y that leave the rows [y0, y1).
    static uint8_t leaving(int y, int y0, int y1) {
        return static_cast<uint8_t>((y == y0 ? 0x07 : 0) | (y == y1 - 1 ? 0xE0 : 0));
    }

    // Sets `out` of rows [y0, y1) from the residual capacities, without arcs that leave them.
    void mark_out(int y0, int y1) {
        for (int y = y0; y < y1; y++) {
            const uint8_t keep = static_cast<uint8_t>(~leaving(y, y0, y1));
            for (int x = 0; x < width; x++) {
                const int32_t i = node(y, x);
                out[i] = static_cast<uint8_t>(positive(arcs(i)) & keep);
            }
        }
    }
    // Sets `in` of rows [y0, y1) from `out` of the same rows.
    void mark_in(int y0, int y1) {
        for (int y = y0; y < y1; y++) {
            const uint8_t* p = out.data() + node(y, 0);
            uint8_t* q = in.data() + node(y, 0);
            std::fill_n(q, width, uint8_t{0});
            const uint32_t keep = static_cast<uint8_t>(~leaving(y, y0, y1));
            for (uint32_t b = keep; b; b &= b - 1) {
                const int k = std::countr_zero(b);
                const uint8_t* from = p + offset[k];
                const int shift = opposite(k);
                for (int x = 0; x < width; x++)
                    q[x] |= static_cast<uint8_t>((from[x] >> shift & 1) << k);
            }
        }
    }
    // Puts the arcs across the line between rows y - 1 and y back into the masks.
    void open_seam(int y) {
        for (int x = 0; x < width; x++) {
            for (int side = 0; side < 2; side++) {
                const int32_t i = node(y - 1 + side, x);
                for (uint32_t b = side ? 0x07u : 0xE0u; b; b &= b - 1) {
                    const int k = std::countr_zero(b);
                    const int32_t j = i + offset[k];
                    if (arcs(i)[k] > 0) out[i] |= static_cast<uint8_t>(1u << k);
                    if (arcs(j)[opposite(k)] > 0) in[i] |= static_cast<uint8_t>(1u << k);
                }
            }
        }
    }
};

}  // namespace classicseg::CLASSICSEG_ISA
