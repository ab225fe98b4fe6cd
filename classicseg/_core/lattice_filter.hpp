// What a filter on permutohedral lattices does between splatting and slicing, for rows of values.
#pragma once

#include <type_traits>

#include "permutohedral.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The values of a lattice point: one float ...
struct SingleRow {
    using Scalar = float;
    using Value = float;
    static constexpr size_t step = 1;
    static constexpr int block = 1;
    size_t width() const { return 1; }
    static float get(const float* from) { return *from; }
    static void put(float* to, float x) { *to = x; }
    static float all(float x) { return x; }
};

// ... or N times eight; N is 0 where that is only known when the program runs.
template <int N>
struct LaneRow {
    using Scalar = float;
    using Value = Lanes;
    static constexpr size_t step = n_lanes;
    static constexpr int block = N ? N : 1;
    int count = N;
    int size() const { return N ? N : count; }
    size_t width() const { return static_cast<size_t>(size()) * n_lanes; }
    CLASSICSEG_INLINE static Lanes get(const float* from) { return load(from); }
    CLASSICSEG_INLINE static void put(float* to, Lanes x) { store(to, x); }
    CLASSICSEG_INLINE static Lanes all(float x) { return lanes(x); }
};

// The same of doubles: for derivatives that are to be exact.
struct DoubleRow {
    using Scalar = double;
    typedef double Value __attribute__((vector_size(64)));
    static constexpr size_t step = n_lanes;
    static constexpr int block = 1;
    int count;
    size_t width() const { return static_cast<size_t>(count) * n_lanes; }
    CLASSICSEG_INLINE static Value get(const double* from) {
        Value x;
        std::memcpy(&x, from, sizeof x);
        return x;
    }
    CLASSICSEG_INLINE static void put(double* to, Value x) { std::memcpy(to, &x, sizeof x); }
    CLASSICSEG_INLINE static Value all(double x) { return Value{x, x, x, x, x, x, x, x}; }
};

// Fetches a row that is needed soon; single floats mostly are in the cache.
template <class Row>
CLASSICSEG_INLINE void prefetch_row(Row row, const typename Row::Scalar* values) {
    if constexpr (!std::is_same_v<Row, SingleRow>)
        for (size_t i = 0; i < row.width(); i += 64 / sizeof *values) __builtin_prefetch(values + i);
}

// Calls use(row, home) for the copies of some homes, rows of `values`. (All that the loop needs is its
// own: the compiler could not know that what a task stores is not what it captured.)
template <class Row, class Use>
CLASSICSEG_INLINE void for_copies(const Permutohedral& lattices, size_t block, Row row, typename Row::Scalar* values,
                                  Use&& use) {
    const size_t width = row.width();
    for (const Copy *copy = lattices.block_begin(block), *end = lattices.block_end(block); copy < end; copy++) {
        prefetch_row(row, values + copy[Permutohedral::look_ahead].row * width);
        use(values + copy->row * width, values + copy->home * width);
    }
}

// Adds the tiles' copies of lattice points to the rows of their homes.
template <class Row>
void add_copies(const Permutohedral& lattices, Row row, typename Row::Scalar* values, Pool& pool) {
    pool.run(lattices.n_blocks(), [&](size_t block) {
        for_copies(lattices, block, row, values, [row](typename Row::Scalar* copy, typename Row::Scalar* home) {
            for (size_t i = 0; i < row.width(); i += Row::step) Row::put(home + i, Row::get(home + i) + Row::get(copy + i));
        });
    });
}

// The way back.
template <class Row>
void renew_copies(const Permutohedral& lattices, Row row, typename Row::Scalar* values, Pool& pool) {
    pool.run(lattices.n_blocks(), [&](size_t block) {
        for_copies(lattices, block, row, values, [row](typename Row::Scalar* copy, typename Row::Scalar* home) {
            for (size_t i = 0; i < row.width(); i += Row::step) Row::put(copy + i, Row::get(home + i));
        });
    });
}

// Blurs chains of lattice points in place with weights 1/2, 1, 1/2.
template <class Row>
CLASSICSEG_INLINE void blur_chains(const uint32_t* rows, size_t n_chains, size_t length, Row row,
                                   typename Row::Scalar* values) {
    using Value = typename Row::Value;
    constexpr int B = Row::block;  // values at a time
    const size_t width = row.width();
    const Value half = Row::all(0.5f);
    for (size_t i = 0; i < width; i += B * Row::step) {
        const uint32_t* chain = rows;
        for (size_t c = 0; c < n_chains; c++, chain += length) {
            Value before[B], own[B];
            for (int v = 0; v < B; v++) {
                before[v] = Row::all(0);
                own[v] = Row::get(values + chain[0] * width + i + static_cast<size_t>(v) * Row::step);
            }
            for (size_t m = 0; m < length; m++) {
                if (i == 0) prefetch_row(row, values + chain[m + Chains::look_ahead - 1] * width);
                typename Row::Scalar* to = values + chain[m] * width + i;
                const typename Row::Scalar* from = values + chain[m + 1] * width + i;
                const bool last = m + 1 == length;
                for (int v = 0; v < B; v++) {
                    const size_t at = static_cast<size_t>(v) * Row::step;
                    const Value after = last ? Row::all(0) : Row::get(from + at);
                    Row::put(to + at, own[v] + half * (before[v] + after));
                    before[v] = own[v];
                    own[v] = after;
                }
            }
        }
    }
}

// Blurs in place along all axes of all lattices: each point gets half of its neighbours'. A lattice
// has no points where it has no values, so that the order of the axes matters a little: backwards is
// the transpose.
template <class Row>
void blur(const Permutohedral& lattices, Row row, typename Row::Scalar* values, Pool& pool, bool backwards = false) {
    int n_axes = 0;
    for (int k = 0; k < lattices.n_kernels(); k++) n_axes = std::max(n_axes, lattices.lattice(k).n_axes);
    for (int turn = 0; turn < n_axes; turn++) {
        const int axis = backwards ? n_axes - 1 - turn : turn;
        // Pieces of all lattices that have this axis, one lattice after the other.
        size_t n_pieces = 0, end_of[Permutohedral::max_kernels];
        for (int k = 0; k < lattices.n_kernels(); k++) {
            if (axis < lattices.lattice(k).n_axes) n_pieces += lattices.lattice(k).chains[static_cast<size_t>(axis)].pieces.size();
            end_of[k] = n_pieces;
        }
        pool.run(n_pieces, [&](size_t p) {
            int k = 0;
            while (p >= end_of[k]) k++;
            const Chains& chains = lattices.lattice(k).chains[static_cast<size_t>(axis)];
            const Chains::Piece piece = chains.pieces[p + chains.pieces.size() - end_of[k]];
            blur_chains(chains.rows.data() + piece.begin, piece.n_chains, piece.length, row, values);
        });
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
