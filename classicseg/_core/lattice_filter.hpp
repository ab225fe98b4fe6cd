// What a filter on permutohedral lattices does between splatting and slicing, for rows of values.
#pragma once

#include <type_traits>

#include "permutohedral.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The values of a lattice point: one float ...
struct SingleRow {
    using Scalar = float;
    using Value = float;
    static constexpr int block = 1;
    int size() const { return 1; }
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
    static constexpr int block = 1;
    int count;
    int size() const { return count; }
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

// Adds up the tiles' rows to one row for each lattice point; finish(kernel, row) sees each of them.
template <class Row, class Finish>
void add_tile_rows(const Permutohedral& lattices, Row row, const typename Row::Scalar* tile_values,
                   typename Row::Scalar* values, Pool& pool, Finish&& finish) {
    using Value = typename Row::Value;
    constexpr uint32_t block = 2048;
    const uint32_t n = lattices.n_rows();
    const size_t width = row.width(), step = width / static_cast<size_t>(row.size());
    pool.run((n + block - 1) / block, [&](size_t b) {
        const uint32_t begin = static_cast<uint32_t>(b) * block, end = std::min(n, begin + block);
        const uint32_t* source_begin = lattices.source_begin();
        const uint32_t* sources = lattices.sources();
        int k = lattices.n_kernels() - 1;
        while (begin < lattices.lattice(k).first_row) k--;
        for (uint32_t r = begin; r < end; r++) {
            while (r - lattices.lattice(k).first_row >= lattices.lattice(k).n_rows) k++;
            const uint32_t first = source_begin[r], last = source_begin[r + 1];
            for (uint32_t s = first; s < last; s++)
                prefetch_row(row, tile_values + sources[s + Permutohedral::look_ahead] * width);
            for (size_t i = 0; i < width; i += step) {
                const typename Row::Scalar* from = tile_values + i;
                Value sum = Row::get(from + sources[first] * width);
                for (uint32_t s = first + 1; s < last; s++) sum = sum + Row::get(from + sources[s] * width);
                Row::put(values + r * width + i, sum);
            }
            finish(k, values + r * width);
        }
    });
}

// Single floats are added where they belong, tile by tile: looking up a row's sources takes longer.
template <class Finish>
void add_tile_rows(const Permutohedral& lattices, SingleRow, const float* tile_values, float* values, Pool& pool,
                   Finish&& finish) {
    pool.run(static_cast<size_t>(lattices.n_kernels()), [&](size_t kernel) {
        const auto k = static_cast<int>(kernel);
        const Lattice& lattice = lattices.lattice(k);
        const uint32_t* rows = lattices.row_of_tile_row();
        std::memset(values + lattice.first_row, 0, lattice.n_rows * sizeof(float));
        for (size_t tile = 0; tile < lattices.tiles().count(); tile++) {
            checkpoint();
            for (uint32_t i = lattices.tile_rows(tile).begin[k], end = lattices.tile_end(tile, k); i < end; i++)
                values[rows[i]] += tile_values[i];
        }
        for (uint32_t r = 0; r < lattice.n_rows; r++) finish(k, values + lattice.first_row + r);
    });
}

// Blurs in place along all axes of all lattices with weights 1/2, 1, 1/2: each point gets half of
// its neighbours'. A lattice has no points where it has no values, so that the order of the axes
// matters a little: backwards is the transpose.
template <class Row>
void blur(const Permutohedral& lattices, Row row, typename Row::Scalar* values, Pool& pool, bool backwards = false) {
    using Value = typename Row::Value;
    constexpr int B = Row::block;  // values at a time
    const size_t width = row.width(), step = width / static_cast<size_t>(row.size());
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
            const Value half = Row::all(0.5f);
            for (size_t i = 0; i < width; i += B * step) {
                const uint32_t* rows = chains.rows.data() + piece.begin;
                for (size_t c = 0; c < piece.n_chains; c++, rows += piece.length) {
                    Value before[B], own[B];
                    for (int v = 0; v < B; v++) {
                        before[v] = Row::all(0);
                        own[v] = Row::get(values + rows[0] * width + i + static_cast<size_t>(v) * step);
                    }
                    for (size_t m = 0; m < piece.length; m++) {
                        if (i == 0) prefetch_row(row, values + rows[m + Chains::look_ahead - 1] * width);
                        typename Row::Scalar* to = values + rows[m] * width + i;
                        const typename Row::Scalar* from = values + rows[m + 1] * width + i;
                        const bool last = m + 1 == piece.length;
                        for (int v = 0; v < B; v++) {
                            const size_t at = static_cast<size_t>(v) * step;
                            const Value after = last ? Row::all(0) : Row::get(from + at);
                            Row::put(to + at, own[v] + half * (before[v] + after));
                            before[v] = own[v];
                            own[v] = after;
                        }
                    }
                }
            }
        });
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
