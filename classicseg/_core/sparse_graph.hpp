// The residual graph of a max-flow problem on any sparse graph, in compressed rows.
//
// The arcs that leave a node lie side by side. What a search looks at all the time, an arc's head and
// whether it and its twin in the opposite direction can carry flow, is one word, so that the labels of
// eight neighbours are compared at once. Capacities and twins' places are only read to push.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "buffer.hpp"
#include "watch.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace classicseg::CLASSICSEG_ISA {

using GraphLabel = int32_t;

// An arc as seen from its tail: its head, and which of it and its twin have residual capacity.
struct Link {
    static constexpr uint32_t out = 1, in = 2;
    uint32_t word;
    static Link to(int32_t head, bool out, bool in) {
        return {static_cast<uint32_t>(head) << 2 | static_cast<uint32_t>(in) << 1 | static_cast<uint32_t>(out)};
    }
    int32_t head() const { return static_cast<int32_t>(word >> 2); }
};

// The links [a, end), eight at most, and the labels of their heads. Bit k of a result belongs to
// arc a + k. Links before `limit` may be read, eight of which there must be; no others are.
#if defined(__AVX2__)
class Links {
public:
    Links(const Link* links, int32_t a, int32_t end, int32_t limit, const GraphLabel* label) {
        const int32_t from = std::min(a, limit - 8);
        shift_ = a - from;
        words_ = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(links + from));
        labels_ = _mm256_i32gather_epi32(label, _mm256_srli_epi32(words_, 2), 4);
        valid_ = end - a >= 8 ? 0xff : (1u << (end - a)) - 1;
    }
    uint32_t out() const { return mask(_mm256_slli_epi32(words_, 31)) & valid_; }
    uint32_t in() const { return mask(_mm256_slli_epi32(words_, 30)) & valid_; }
    uint32_t equal(GraphLabel x) const { return mask(_mm256_cmpeq_epi32(labels_, _mm256_set1_epi32(x))); }
    uint32_t above(GraphLabel x) const { return mask(_mm256_cmpgt_epi32(labels_, _mm256_set1_epi32(x))); }
    GraphLabel smallest(uint32_t among, GraphLabel most) const {
        const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        const __m256i chosen = _mm256_cmpeq_epi32(
            _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(among << shift_)), bits), bits);
        const __m256i w = _mm256_blendv_epi8(_mm256_set1_epi32(most), labels_, chosen);
        __m128i m = _mm_min_epi32(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1));
        m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0x4e));
        m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0xb1));
        return _mm_cvtsi128_si32(m);
    }

private:
    uint32_t mask(__m256i m) const {
        return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(m))) >> shift_;
    }
    __m256i words_, labels_;
    int32_t shift_;
    uint32_t valid_;
};
#else
class Links {
public:
    Links(const Link* links, int32_t a, int32_t end, int32_t, const GraphLabel* label)
        : links_(links + a), count_(std::min(end - a, 8)) {
        for (int32_t k = 0; k < count_; k++) labels_[k] = label[links_[k].head()];
    }
    uint32_t out() const { return where([&](int32_t k) { return links_[k].word & 1; }); }
    uint32_t in() const { return where([&](int32_t k) { return links_[k].word >> 1 & 1; }); }
    uint32_t equal(GraphLabel x) const { return where([&](int32_t k) { return labels_[k] == x; }); }
    uint32_t above(GraphLabel x) const { return where([&](int32_t k) { return labels_[k] > x; }); }
    GraphLabel smallest(uint32_t among, GraphLabel most) const {
        for (uint32_t b = among; b; b &= b - 1) most = std::min(most, labels_[std::countr_zero(b)]);
        return most;
    }

private:
    template <class Test>
    uint32_t where(Test test) const {
        uint32_t m = 0;
        for (int32_t k = 0; k < count_; k++) m |= static_cast<uint32_t>(test(k)) << k;
        return m;
    }
    const Link* links_;
    int32_t count_;
    GraphLabel labels_[8];
};
#endif

template <class Capacity>
struct Arc {
    int32_t twin;
    Capacity residual;
};

template <class Capacity>
struct SparseGraph {
    int32_t n_nodes;
    Buffer<int32_t> first;  // node i has the arcs [first[i], first[i + 1])
    Buffer<Link> link;      // and eight more, so that eight can always be read
    Buffer<Arc<Capacity>> arcs;
    Buffer<Capacity> excess;  // > 0: flow waiting for a way to the sink; < 0: room at the sink

    explicit SparseGraph(int32_t n)
        : n_nodes(n), first(static_cast<size_t>(n) + 1), excess(static_cast<size_t>(n)) {}

    // Lays out the arcs of `n_edges` pairs of nodes; loops get none. capacities(e) are those of edge e.
    template <class Capacities>
    void build(const int32_t* pairs, size_t n_edges, Capacities capacities) {
        Interval at_times;
        for (size_t e = 0; e < n_edges; e++) {
            at_times();
            const int32_t i = pairs[2 * e], j = pairs[2 * e + 1];
            const int32_t one = i != j;
            first[static_cast<size_t>(i) + 1] += one;
            first[static_cast<size_t>(j) + 1] += one;
        }
        for (size_t i = 0; i < static_cast<size_t>(n_nodes); i++) first[i + 1] += first[i];
        const auto n_arcs = static_cast<size_t>(first[static_cast<size_t>(n_nodes)]);
        link = Buffer<Link>(n_arcs + 8);
        arcs = Buffer<Arc<Capacity>>(n_arcs);
        for_edges(pairs, n_edges, [&](size_t e, int32_t i, int32_t j, size_t a, size_t b) {
            const auto [there, back] = capacities(e);
            set(a, b, i, j, there, back);
        });
    }

    // Calls task(e, i, j, arc from i to j, its twin) for each edge e that is no loop, in the order
    // in which `build` laid them out.
    template <class Task>
    void for_edges(const int32_t* pairs, size_t n_edges, Task task) {
        Buffer<int32_t> next(static_cast<size_t>(n_nodes));
        std::copy_n(first.data(), next.size(), next.data());
        Interval at_times;
        for (size_t e = 0; e < n_edges; e++) {
            at_times();
            const int32_t i = pairs[2 * e], j = pairs[2 * e + 1];
            if (i == j) continue;
            const int32_t a = next[static_cast<size_t>(i)]++, b = next[static_cast<size_t>(j)]++;
            task(e, i, j, static_cast<size_t>(a), static_cast<size_t>(b));
        }
    }

    // The arc a from i to j and its twin b.
    void set(size_t a, size_t b, int32_t i, int32_t j, Capacity there, Capacity back) {
        link[a] = Link::to(j, there > 0, back > 0);
        link[b] = Link::to(i, back > 0, there > 0);
        arcs[a] = {static_cast<int32_t>(b), there};
        arcs[b] = {static_cast<int32_t>(a), back};
    }

    // Leaves the excesses of its ends alone.
    void push(size_t a, Capacity flow) {
        Arc<Capacity>& forward = arcs[a];
        const auto b = static_cast<size_t>(forward.twin);
        Arc<Capacity>& backward = arcs[b];
        if (backward.residual == 0) {
            link[b].word |= Link::out;
            link[a].word |= Link::in;
        }
        backward.residual += flow;
        forward.residual -= flow;
        if (forward.residual == 0) {
            link[a].word &= ~Link::out;
            link[b].word &= ~Link::in;
        }
    }
};

}  // namespace classicseg::CLASSICSEG_ISA
