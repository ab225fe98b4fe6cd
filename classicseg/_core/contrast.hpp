// Contrast-sensitive weights of neighbouring pixels (Boykov & Jolly 2001; Rother et al. 2004, eq. 11):
// gamma / distance * exp(-beta * |difference of colours|^2). Of images and volumes: an image is a volume
// of depth 1.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "exp.hpp"
#include "graphcut_kernels.hpp"
#include "rows.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Directions in raster order.
enum Direction { NW, N, NE, W, E, SW, S, SE };
constexpr int direction_dy[8] = {-1, -1, -1, 0, 0, 1, 1, 1};
constexpr int direction_dx[8] = {-1, 0, 1, -1, 1, -1, 0, 1};

// A row of an image or a volume and the rows beside it that neighbours lie in, channel by channel, so
// that loops over pixels read consecutive values.
template <int C>
class NeighbourRows {
public:
    NeighbourRows(VolumeView v, const ContrastNeighbour* neighbours, size_t n)
        : v_(v), rows_(n_slots * C * static_cast<size_t>(v.width)) {
        wanted_[slot(0, 0)] = true;
        for (size_t k = 0; k < n; k++) wanted_[slot(neighbours[k].dz, neighbours[k].dy)] = true;
    }

    void load(int z, int y) {
        z_ = z, y_ = y;
        for (int dz = 0; dz < 2; dz++)
            for (int dy = -1; dy < 2; dy++)
                if (dz + dy >= 0 && wanted_[slot(dz, dy)] && inside(dz, dy)) load_row(dz, dy);
    }
    // Is the row of that neighbour in the volume?
    bool has(const ContrastNeighbour& k) const { return inside(k.dz, k.dy); }
    // Squared difference of the colours of pixel x and its neighbour.
    float squared_difference(const ContrastNeighbour& k, int x) const {
        const float* p = row(0, 0) + x;
        const float* q = row(k.dz, k.dy) + x + k.dx;
        float sum = 0;
        for (int c = 0; c < C; c++, p += v_.width, q += v_.width) sum += (*p - *q) * (*p - *q);
        return sum;
    }

private:
    // Neighbours come later in raster order: (0, 0), (0, 1), (1, -1), (1, 0), (1, 1).
    static constexpr size_t n_slots = 5;
    static size_t slot(int dz, int dy) { return static_cast<size_t>(3 * dz + dy); }
    bool inside(int dz, int dy) const { return z_ + dz < v_.depth && y_ + dy >= 0 && y_ + dy < v_.height; }
    const float* row(int dz, int dy) const { return rows_.data() + slot(dz, dy) * C * static_cast<size_t>(v_.width); }
    void load_row(int dz, int dy) {
        const ptrdiff_t at = (static_cast<ptrdiff_t>(z_ + dz) * v_.height + y_ + dy) * v_.width * C;
        float* to = rows_.data() + slot(dz, dy) * C * static_cast<size_t>(v_.width);
        for (int x = 0; x < v_.width; x++)
            for (int c = 0; c < C; c++) to[static_cast<ptrdiff_t>(c) * v_.width + x] = v_.data[at + x * C + c];
    }

    VolumeView v_;
    Buffer<float> rows_;
    bool wanted_[n_slots] = {};
    int z_ = 0, y_ = 0;
};

// The pixels x of a row whose neighbour at x + dx is in the row.
inline void row_range(int dx, int width, int& first, int& end) {
    first = dx < 0 ? 1 : 0;
    end = dx > 0 ? width - 1 : width;
}

// Sum of value(x) over [first, end). Eight partial sums of floats, since one alone would be a chain of
// dependent additions, and short enough ones not to lose digits.
template <class Value>
double sum_in_lanes(int first, int end, Value&& value) {
    double total = 0;
    for (int begin = first; begin < end; begin += 1024) {
        const int stop = std::min(end, begin + 1024);
        float part[8] = {};
        int x = begin;
        for (; x + 8 <= stop; x += 8)
            for (int lane = 0; lane < 8; lane++) part[lane] += value(x + lane);
        for (; x < stop; x++) part[0] += value(x);
        for (float f : part) total += static_cast<double>(f);
    }
    return total;
}

// Sum of |difference|^2 over all pairs of neighbours.
template <int C>
double sum_squared_differences(VolumeView v, const ContrastNeighbour* neighbours, size_t n, Pool& pool) {
    const int n_rows = v.depth * v.height;
    Buffer<double> sums(n_row_chunks(n_rows));
    for_rows(pool, n_rows, [&](int r0, int r1, size_t chunk) {
        double total = 0;
        NeighbourRows<C> rows(v, neighbours, n);
        for (int r = r0; r < r1; r++) {
            rows.load(r / v.height, r % v.height);
            for (size_t k = 0; k < n; k++) {
                if (!rows.has(neighbours[k])) continue;
                int first, end;
                row_range(neighbours[k].dx, v.width, first, end);
                total += sum_in_lanes(first, end, [&](int x) { return rows.squared_difference(neighbours[k], x); });
            }
        }
        sums[chunk] = total;
    });
    double total = 0;
    for (size_t c = 0; c < sums.size(); c++) total += sums[c];
    return total;
}

// Writes strength * exp(-beta d^2) of each pixel and its neighbour; 0 where that is outside.
template <int C>
void contrast_weights(VolumeView v, float beta, const ContrastNeighbour* neighbours, size_t n, Pool& pool) {
    for_rows(pool, v.depth * v.height, [&](int r0, int r1, size_t) {
        NeighbourRows<C> rows(v, neighbours, n);
        for (int r = r0; r < r1; r++) {
            rows.load(r / v.height, r % v.height);
            for (size_t k = 0; k < n; k++) {
                const ContrastNeighbour neighbour = neighbours[k];
                float* out = neighbour.weights + static_cast<ptrdiff_t>(r) * v.width;
                int first, end;
                row_range(neighbour.dx, v.width, first, end);
                if (!rows.has(neighbour)) end = first = 0;
                for (int x = 0; x < first; x++) out[x] = 0;
                for (int x = end; x < v.width; x++) out[x] = 0;
                for (int x = first; x < end; x++)
                    out[x] = neighbour.strength * exp_negative(-beta * rows.squared_difference(neighbour, x));
            }
        }
    });
}

// Sum of the weights between pixels of different masks.
inline double cut_cost(const float* const* weights, const uint8_t* mask, int height, int width, Pool& pool) {
    Buffer<double> sums(n_row_chunks(height));
    for_rows(pool, height, [&](int y0, int y1, size_t chunk) {
        double total = 0;
        for (int y = y0; y < y1; y++) {
            const ptrdiff_t row = static_cast<ptrdiff_t>(y) * width;
            for (int k = E; k <= SE; k++) {
                if (!weights[k - E] || y + direction_dy[k] >= height) continue;
                const uint8_t* m = mask + row;
                const uint8_t* n = m + direction_dy[k] * static_cast<ptrdiff_t>(width) + direction_dx[k];
                const float* w = weights[k - E] + row;
                int first, end;
                row_range(direction_dx[k], width, first, end);
                // Most pairs lie in one side of the mask, and their weights need not be read.
                constexpr int word = sizeof(uint64_t);
                int x = first;
                for (; x + word <= end; x += word) {
                    uint64_t here, there;
                    std::memcpy(&here, m + x, word);
                    std::memcpy(&there, n + x, word);
                    if (here == there) continue;
                    for (int i = x; i < x + word; i++) total += m[i] != n[i] ? static_cast<double>(w[i]) : 0.0;
                }
                for (; x < end; x++) total += m[x] != n[x] ? static_cast<double>(w[x]) : 0.0;
            }
        }
        sums[chunk] = total;
    });
    double total = 0;
    for (size_t c = 0; c < sums.size(); c++) total += sums[c];
    return total;
}

}  // namespace classicseg::CLASSICSEG_ISA
