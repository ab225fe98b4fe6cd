// What a filter on permutohedral lattices does between splatting and slicing, for rows of values.
#pragma once

#include "permutohedral.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The values of a lattice point: one float ...
struct SingleRow {
    using Value = float;
    int size() const { return 1; }
    size_t width() const { return 1; }
    static float get(const float* from) { return *from; }
    static void put(float* to, float x) { *to = x; }
    static float all(float x) { return x; }
};

// ... or N times eight; N is 0 where that is only known when the program runs.
template <int N>
struct LaneRow {
    using Value = Lanes;
    int count = N;
    int size() const { return N ? N : count; }
    size_t width() const { return static_cast<size_t>(size()) * n_lanes; }
    CLASSICSEG_INLINE static Lanes get(const float* from) { return load(from); }
    CLASSICSEG_INLINE static void put(float* to, Lanes x) { store(to, x); }
    CLASSICSEG_INLINE static Lanes all(float x) { return lanes(x); }
};

// Adds up the tiles' rows: `values` has one row for each lattice point, and one of zeros beyond.
template <class Row>
void add_tile_rows(const Permutohedral& lattices, Row row, const float* tile_values, float* values, Pool& pool) {
    using Value = typename Row::Value;
    constexpr uint32_t block = 2048;
    const uint32_t n = lattices.n_rows();
    const size_t width = row.width(), step = width / static_cast<size_t>(row.size());
    for (size_t i = 0; i < width; i++) values[n * width + i] = 0;
    pool.run((n + block - 1) / block, [&](size_t b) {
        const uint32_t begin = static_cast<uint32_t>(b) * block, end = std::min(n, begin + block);
        const uint32_t* source_begin = lattices.source_begin();
        const uint32_t* sources = lattices.sources();
        for (uint32_t r = begin; r < end; r++) {
            const uint32_t first = source_begin[r], last = source_begin[r + 1];
            for (int v = 0; v < row.size(); v++) {
                const float* from = tile_values + static_cast<size_t>(v) * step;
                Value sum = Row::get(from + sources[first] * width);
                for (uint32_t s = first + 1; s < last; s++) sum = sum + Row::get(from + sources[s] * width);
                Row::put(values + r * width + static_cast<size_t>(v) * step, sum);
            }
        }
    });
}

// Blurs along all axes of all lattices, between two arrays. finish(kernel, row) sees each row at the
// end, when it lies in blurred(kernel, ...).
template <class Row, class Finish>
void blur(const Permutohedral& lattices, Row row, float* values, float* spare, Pool& pool, Finish&& finish) {
    using Value = typename Row::Value;
    constexpr uint32_t block = 2048;
    const size_t width = row.width(), step = width / static_cast<size_t>(row.size());
    for (size_t i = 0; i < width; i++) spare[lattices.n_rows() * width + i] = 0;
    int n_axes = 0;
    for (int k = 0; k < lattices.n_kernels(); k++) n_axes = std::max(n_axes, lattices.lattice(k).n_axes);
    for (int axis = 0; axis < n_axes; axis++) {
        const float* from = axis & 1 ? spare : values;
        float* to = axis & 1 ? values : spare;
        // Blocks of all lattices that have this axis, one lattice after the other.
        size_t n_blocks = 0, end_of[Permutohedral::max_kernels];
        for (int k = 0; k < lattices.n_kernels(); k++) {
            if (axis < lattices.lattice(k).n_axes) n_blocks += (lattices.lattice(k).n_rows + block - 1) / block;
            end_of[k] = n_blocks;
        }
        pool.run(n_blocks, [&](size_t b) {
            int k = 0;
            while (b >= end_of[k]) k++;
            const Lattice& lattice = lattices.lattice(k);
            const size_t n_own = (lattice.n_rows + block - 1) / block;
            const uint32_t begin = static_cast<uint32_t>(b - (end_of[k] - n_own)) * block;
            const uint32_t end = std::min(lattice.n_rows, begin + block);
            const uint32_t* pair = lattice.neighbours.data() + (static_cast<size_t>(axis) * lattice.n_rows + begin) * 2;
            const Value half = Row::all(0.5f);
            const bool last = axis + 1 == lattice.n_axes;
            for (uint32_t r = begin; r < end; r++, pair += 2) {
                const float* own = from + (lattice.first_row + size_t{r}) * width;
                const float *below = from + pair[0] * width, *above = from + pair[1] * width;
                float* result = to + (lattice.first_row + size_t{r}) * width;
                for (int v = 0; v < row.size(); v++) {
                    const size_t i = static_cast<size_t>(v) * step;
                    Row::put(result + i, Row::get(own + i) + half * (Row::get(below + i) + Row::get(above + i)));
                }
                if (last) finish(k, result);
            }
        });
    }
}

// Where a kernel's rows lie after a blur.
inline const float* blurred(const Permutohedral& lattices, int kernel, const float* values, const float* spare) {
    return lattices.lattice(kernel).n_axes & 1 ? spare : values;
}

}  // namespace classicseg::CLASSICSEG_ISA
