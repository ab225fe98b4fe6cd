// Images made smaller by area averages, maps made larger by bilinear interpolation.
#pragma once

#include <cstdint>
#include <utility>

#include "buffer.hpp"
#include "rows.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The part of a line of `from` pixels that pixel i of `to` covers: whole pixels first..last, the two
// at the ends by a share of each.
struct Span {
    int first, last;
    float first_share, last_share;

    Span() = default;
    Span(int i, int from, int to) {
        const double step = static_cast<double>(from) / to;
        const double begin = i * step, end = (i + 1) * step;
        first = std::min(static_cast<int>(begin), from - 1);
        last = std::min(std::max(first, static_cast<int>(end)), from - 1);
        first_share = static_cast<float>(std::min(end, first + 1.0) - begin);
        last_share = last > first ? static_cast<float>(std::max(0.0, std::min(end, from * 1.0) - last)) : 0.0f;
    }
};

// Adds `rows` rows of n values to sum.
inline void add_rows(const float* in, int rows, ptrdiff_t n, Buffer<uint16_t>&, float* sum) {
    for (int y = 0; y < rows; y++, in += n)
        for (ptrdiff_t i = 0; i < n; i++) sum[i] += in[i];
}

// Bytes are first added up in 16 bits, of which four times as many fit into a register as floats with
// their conversion; 257 rows of 255 do not overflow them.
inline void add_rows(const uint8_t* in, int rows, ptrdiff_t n, Buffer<uint16_t>& whole, float* sum) {
    if (whole.size() == 0) whole = Buffer<uint16_t>(static_cast<size_t>(n));
    uint16_t* total = whole.data();
    while (rows > 0) {
        const int some = std::min(rows, 256);
        for (ptrdiff_t i = 0; i < n; i++) total[i] = 0;
        for (int y = 0; y < some; y++, in += n)
            for (ptrdiff_t i = 0; i < n; i++) total[i] = static_cast<uint16_t>(total[i] + in[i]);
        for (ptrdiff_t i = 0; i < n; i++) sum[i] += static_cast<float>(total[i]);
        rows -= some;
    }
}

// (height, width, C) of T -> (to_height, to_width, C) of float, neither side larger than before.
template <class T, int C>
void shrink(const T* image, int height, int width, float* out, int to_height, int to_width, Pool& pool) {
    Buffer<Span> spans(static_cast<size_t>(to_width));
    for (int x = 0; x < to_width; x++) spans[static_cast<size_t>(x)] = Span(x, width, to_width);
    for_rows(pool, to_height, [&](int y0, int y1, size_t) {
        const ptrdiff_t n = static_cast<ptrdiff_t>(width) * C;
        Buffer<float> row(static_cast<size_t>(n));
        Buffer<uint16_t> whole;
        const float area = static_cast<float>(static_cast<double>(height) / to_height * width / to_width);
        for (int y = y0; y < y1; y++) {
            float* sum = row.data();
            for (ptrdiff_t i = 0; i < n; i++) sum[i] = 0;
            const Span rows(y, height, to_height);
            // Whole rows first: sums of whole numbers are exact, however they are added up.
            const T* in = image + rows.first * n;
            add_rows(in + n, rows.last - rows.first - 1, n, whole, sum);
            const T* last = image + rows.last * n;
            for (ptrdiff_t i = 0; i < n; i++)
                sum[i] += rows.first_share * static_cast<float>(in[i]) + rows.last_share * static_cast<float>(last[i]);
            float* to = out + static_cast<ptrdiff_t>(y) * to_width * C;
            for (int x = 0; x < to_width; x++) {
                const Span& columns = spans[static_cast<size_t>(x)];
                float total[C];
                for (int c = 0; c < C; c++) total[c] = columns.first_share * sum[columns.first * C + c];
                for (int from = columns.first + 1; from < columns.last; from++)
                    for (int c = 0; c < C; c++) total[c] += sum[from * C + c];
                for (int c = 0; c < C; c++)
                    to[x * C + c] = (total[c] + columns.last_share * sum[columns.last * C + c]) / area;
            }
        }
    });
}

// Pixel i of `to` lies between two of `from`, weight of the second; the ends are repeated.
struct Between {
    int first, second;
    float weight;

    Between() = default;
    Between(int i, int from, int to) {
        const double at = std::min(std::max((i + 0.5) * from / to - 0.5, 0.0), from - 1.0);
        first = std::min(static_cast<int>(at), from - 1);
        second = std::min(first + 1, from - 1);
        weight = static_cast<float>(at - first);
    }
};

// A row of `width` values drawn out to one of `to_width`.
inline void draw_out(const float* row, const Buffer<Between>& columns, float* out, int to_width) {
    for (int x = 0; x < to_width; x++) {
        const Between& at = columns[static_cast<size_t>(x)];
        out[x] = row[at.first] + at.weight * (row[at.second] - row[at.first]);
    }
}

// Neighbouring rows of the output lie between the same two rows of the map, drawn out once.
inline void enlarge(const float* map, int height, int width, float* out, int to_height, int to_width, Pool& pool) {
    Buffer<Between> columns(static_cast<size_t>(to_width));
    for (int x = 0; x < to_width; x++) columns[static_cast<size_t>(x)] = Between(x, width, to_width);
    for_rows(pool, to_height, [&](int y0, int y1, size_t) {
        Buffer<float> drawn(2 * static_cast<size_t>(to_width));
        float *above = drawn.data(), *below = above + to_width;
        int above_row = -1, below_row = -1;
        for (int y = y0; y < y1; y++) {
            const Between rows(y, height, to_height);
            if (rows.first == below_row) {
                std::swap(above, below);
                std::swap(above_row, below_row);
            }
            if (rows.first != above_row)
                draw_out(map + static_cast<ptrdiff_t>(rows.first) * width, columns, above, to_width);
            if (rows.second != below_row)
                draw_out(map + static_cast<ptrdiff_t>(rows.second) * width, columns, below, to_width);
            above_row = rows.first;
            below_row = rows.second;
            float* to = out + static_cast<ptrdiff_t>(y) * to_width;
            for (int x = 0; x < to_width; x++) to[x] = above[x] + rows.weight * (below[x] - above[x]);
        }
    });
}

}  // namespace classicseg::CLASSICSEG_ISA
