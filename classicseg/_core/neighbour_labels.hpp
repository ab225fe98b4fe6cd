// The labels of all neighbours of a pixel, and tests on all of them at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "topology.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace classicseg::CLASSICSEG_ISA {

using Label = int32_t;

// Labels of nodes that have no distance: `detached + d` is waiting to be given distance d, and
// `unlabelled` is further away than the search has come.
constexpr Label detached = 1 << 29;
constexpr Label unlabelled = 1 << 30;

// How far from a neighbour the loads below may begin or end.
constexpr ptrdiff_t label_margin = 16;

// Distances in memory between rows and between slices.
struct Strides {
    ptrdiff_t row, slice;
};

template <class Topology>
constexpr ptrdiff_t offset_of(int k, Strides strides) {
    const Step s = Topology::steps[k];
    return s.dz * strides.slice + s.dy * strides.row + s.dx;
}

// Bit k of a result belongs to direction k; bits beyond the last direction mean nothing.
#if defined(__AVX2__)
template <class Topology>
class NeighbourLabels {
public:
    NeighbourLabels(const Label* p, Strides strides) {
        v_[0] = gather<0>(p, strides);
        if constexpr (n_vectors == 4) {
            v_[1] = gather<8>(p, strides);
            v_[2] = gather<16>(p, strides);
            v_[3] = gather<24>(p, strides);
        }
    }
    uint32_t equal(Label x) const {
        const __m256i wanted = _mm256_set1_epi32(x);
        return mask([&](__m256i v) { return _mm256_cmpeq_epi32(v, wanted); });
    }
    uint32_t above(Label x) const {
        const __m256i bound = _mm256_set1_epi32(x);
        return mask([&](__m256i v) { return _mm256_cmpgt_epi32(v, bound); });
    }
    Label smallest(uint32_t among) const {
        __m256i w = chosen(0, among);
        for (int i = 1; i < n_vectors; i++) w = _mm256_min_epi32(w, chosen(i, among));
        __m128i m = _mm_min_epi32(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1));
        m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0x4e));
        m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0xb1));
        return _mm_cvtsi128_si32(m);
    }

private:
    static constexpr int n = Topology::n_directions, n_vectors = (n + 7) / 8;
    static_assert(n_vectors == 1 || n_vectors == 4);

    // Does direction k not lie beside k - 1 in memory?
    static constexpr bool apart(int k) {
        const Step a = Topology::steps[k - 1], b = Topology::steps[k];
        return a.dz != b.dz || a.dy != b.dy || a.dx + 1 != b.dx;
    }
    // The lane nearest to the middle of lane ... end - 1 whose direction lies apart from the one before
    // it; `lane` itself if there is none.
    static constexpr int split(int first, int lane, int end) {
        int best = lane;
        for (int l = lane + 1; l < end && first + l < n; l++)
            if (apart(first + l) && (best == lane || 2 * l <= lane + end)) best = l;
        return best;
    }
    // Directions first + lane ... first + end - 1 in their lanes; the others hold anything. Each load
    // takes neighbours that lie side by side.
    template <int first, int lane = 0, int end = 8>
    static __m256i gather(const Label* p, Strides strides) {
        constexpr int middle = split(first, lane, end);
        if constexpr (middle == lane) {
            const Label* from = p + offset_of<Topology>(first + lane, strides) - lane;
            return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        } else {
            const __m256i low = gather<first, lane, middle>(p, strides), high = gather<first, middle, end>(p, strides);
            return _mm256_blend_epi32(low, high, 0xff & (0xff << middle));
        }
    }
    template <class Test>
    uint32_t mask(Test&& test) const {
        if constexpr (n_vectors == 1) {
            return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(test(v_[0]))));
        } else {
            const __m256i a = _mm256_packs_epi32(test(v_[0]), test(v_[1]));
            const __m256i b = _mm256_packs_epi32(test(v_[2]), test(v_[3]));
            // Packing works within halves: fours of lanes come as 0, 2, 4, 6, 1, 3, 5, 7.
            const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order);
            return static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
        }
    }
    __m256i chosen(int i, uint32_t among) const {
        const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        const __m256i these = _mm256_set1_epi32(static_cast<int>(among >> (8 * i)));
        const __m256i in = _mm256_cmpeq_epi32(_mm256_and_si256(these, bits), bits);
        return _mm256_blendv_epi8(_mm256_set1_epi32(unlabelled), v_[i], in);
    }

    __m256i v_[n_vectors];
};
#else
template <class Topology>
class NeighbourLabels {
public:
    NeighbourLabels(const Label* p, Strides strides) {
        for (int k = 0; k < n; k++) v_[k] = p[offset_of<Topology>(k, strides)];
    }
    uint32_t equal(Label x) const {
        uint32_t m = 0;
        for (int k = 0; k < n; k++) m |= static_cast<uint32_t>(v_[k] == x) << k;
        return m;
    }
    uint32_t above(Label x) const {
        uint32_t m = 0;
        for (int k = 0; k < n; k++) m |= static_cast<uint32_t>(v_[k] > x) << k;
        return m;
    }
    Label smallest(uint32_t among) const {
        Label m = unlabelled;
        for (int k = 0; k < n; k++)
            if (among >> k & 1) m = std::min(m, v_[k]);
        return m;
    }

private:
    static constexpr int n = Topology::n_directions;
    Label v_[n];
};
#endif

}  // namespace classicseg::CLASSICSEG_ISA
