// Contrast-sensitive weights of neighbouring pixels (Boykov & Jolly 2001; Rother et al. 2004, eq. 11):
// gamma / distance * exp(-beta * |difference of colours|^2).
#pragma once

#include <cmath>
#include <cstdint>

#include "buffer.hpp"
#include "exp.hpp"
#include "rows.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Directions in raster order.
enum Direction { NW, N, NE, W, E, SW, S, SE };
constexpr int direction_dy[8] = {-1, -1, -1, 0, 0, 1, 1, 1};
constexpr int direction_dx[8] = {-1, 0, 1, -1, 1, -1, 0, 1};

// A row of an image and the one below it, channel by channel, so that loops over pixels read
// consecutive values.
template <int C>
class RowPair {
public:
    RowPair(const float* image, int height, int width)
        : image_(image),
          height_(height),
          width_(width),
          rows_(2 * C * static_cast<size_t>(width)) {}

    void load(int y) {
        for (int below = 0; below < 2 && y + below < height_; below++) {
            const float* from = image_ + static_cast<ptrdiff_t>(y + below) * width_ * C;
            float* to = rows_.data() + static_cast<ptrdiff_t>(below) * C * width_;
            for (int x = 0; x < width_; x++)
                for (int c = 0; c < C; c++) to[static_cast<ptrdiff_t>(c) * width_ + x] = from[x * C + c];
        }
    }
    // Squared difference of the colours of pixel x and its neighbour in a direction E, SW, S or SE.
    float squared_difference(int k, int x) const {
        const float* p = rows_.data() + x;
        const float* q = p + static_cast<ptrdiff_t>(direction_dy[k]) * C * width_ + direction_dx[k];
        float sum = 0;
        for (int c = 0; c < C; c++, p += width_, q += width_) sum += (*p - *q) * (*p - *q);
        return sum;
    }

private:
    const float* image_;
    int height_, width_;
    Buffer<float> rows_;
};

// The pixels x of a row whose neighbour in direction k is in the image.
inline void row_range(int k, int width, int& first, int& end) {
    first = direction_dx[k] < 0 ? 1 : 0;
    end = direction_dx[k] > 0 ? width - 1 : width;
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

// Sum of |difference|^2 over all pairs of neighbours, diagonals if asked for.
template <int C>
double sum_squared_differences(const float* image, int height, int width, bool diagonals, Pool& pool) {
    Buffer<double> sums(n_row_chunks(height));
    for_rows(pool, height, [&](int y0, int y1, size_t chunk) {
        double total = 0;
        RowPair<C> rows(image, height, width);
        for (int y = y0; y < y1; y++) {
            rows.load(y);
            for (int k = E; k <= SE; k++) {
                if ((k == SW || k == SE) && !diagonals) continue;
                if (y + direction_dy[k] >= height) continue;
                int first, end;
                row_range(k, width, first, end);
                total += sum_in_lanes(first, end, [&](int x) { return rows.squared_difference(k, x); });
            }
        }
        sums[chunk] = total;
    });
    double total = 0;
    for (size_t c = 0; c < sums.size(); c++) total += sums[c];
    return total;
}

// Writes gamma / distance * exp(-beta d^2) of the arcs towards E, SW, S, SE into `weights`, each
// (height, width); 0 where the neighbour is outside. Null pointers are left out.
template <int C>
void contrast_weights(const float* image, int height, int width, float gamma, float beta,
                      float* const* weights, Pool& pool) {
    for_rows(pool, height, [&](int y0, int y1, size_t) {
        RowPair<C> rows(image, height, width);
        for (int y = y0; y < y1; y++) {
            rows.load(y);
            for (int k = E; k <= SE; k++) {
                if (!weights[k - E]) continue;
                const ptrdiff_t row = static_cast<ptrdiff_t>(y) * width;
                float* out = weights[k - E] + row;
                const bool inside = y + direction_dy[k] < height;
                int first, end;
                row_range(k, width, first, end);
                if (!inside) end = first = 0;
                for (int x = 0; x < first; x++) out[x] = 0;
                for (int x = end; x < width; x++) out[x] = 0;
                const float scale = k == SW || k == SE ? gamma / std::sqrt(2.0f) : gamma;
                for (int x = first; x < end; x++)
                    out[x] = scale * exp_negative(-beta * rows.squared_difference(k, x));
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
                row_range(k, width, first, end);
                // Most blocks lie in one side of the mask, and their weights need not be read.
                constexpr int block = 64;
                for (int x0 = first; x0 < end; x0 += block) {
                    const int x1 = std::min(end, x0 + block);
                    uint8_t differs = 0;
                    for (int x = x0; x < x1; x++) differs |= m[x] ^ n[x];
                    if (!differs) continue;
                    total += sum_in_lanes(x0, x1, [&](int x) { return m[x] != n[x] ? w[x] : 0.0f; });
                }
            }
        }
        sums[chunk] = total;
    });
    double total = 0;
    for (size_t c = 0; c < sums.size(); c++) total += sums[c];
    return total;
}

}  // namespace classicseg::CLASSICSEG_ISA
