// Images made smaller by area averages, maps made larger by bilinear interpolation.
#pragma once

#include <cstdint>

#include "buffer.hpp"
#include "rows.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The part of a line of `from` pixels that pixel i of `to` covers: whole pixels first..last, the two
// at the ends by a share of each.
struct Span {
    int first, last;
    float first_share, last_share;

    Span(int i, int from, int to) {
        const double step = static_cast<double>(from) / to;
        const double begin = i * step, end = (i + 1) * step;
        first = std::min(static_cast<int>(begin), from - 1);
        last = std::min(std::max(first, static_cast<int>(end)), from - 1);
        first_share = static_cast<float>(std::min(end, first + 1.0) - begin);
        last_share = last > first ? static_cast<float>(std::max(0.0, std::min(end, from * 1.0) - last)) : 0.0f;
    }
    float share(int i) const { return i == first ? first_share : i == last ? last_share : 1.0f; }
};

// (height, width, C) of T -> (to_height, to_width, C) of float, neither side larger than before.
template <class T, int C>
void shrink(const T* image, int height, int width, float* out, int to_height, int to_width, Pool& pool) {
    for_rows(pool, to_height, [&](int y0, int y1, size_t) {
        const ptrdiff_t n = static_cast<ptrdiff_t>(width) * C;
        Buffer<float> row(static_cast<size_t>(n));
        const float area = static_cast<float>(static_cast<double>(height) / to_height * width / to_width);
        for (int y = y0; y < y1; y++) {
            float* sum = row.data();
            for (ptrdiff_t i = 0; i < n; i++) sum[i] = 0;
            const Span rows(y, height, to_height);
            for (int from = rows.first; from <= rows.last; from++) {
                const T* in = image + from * n;
                const float share = rows.share(from);
                for (ptrdiff_t i = 0; i < n; i++) sum[i] += share * static_cast<float>(in[i]);
            }
            float* to = out + static_cast<ptrdiff_t>(y) * to_width * C;
            for (int x = 0; x < to_width; x++) {
                const Span columns(x, width, to_width);
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

    Between(int i, int from, int to) {
        const double at = std::min(std::max((i + 0.5) * from / to - 0.5, 0.0), from - 1.0);
        first = std::min(static_cast<int>(at), from - 1);
        second = std::min(first + 1, from - 1);
        weight = static_cast<float>(at - first);
    }
};

inline void enlarge(const float* map, int height, int width, float* out, int to_height, int to_width, Pool& pool) {
    Buffer<int32_t> first(static_cast<size_t>(to_width)), second(static_cast<size_t>(to_width));
    Buffer<float> weight(static_cast<size_t>(to_width));
    for (int x = 0; x < to_width; x++) {
        const Between columns(x, width, to_width);
        const auto i = static_cast<size_t>(x);
        first[i] = columns.first;
        second[i] = columns.second;
        weight[i] = columns.weight;
    }
    for_rows(pool, to_height, [&](int y0, int y1, size_t) {
        Buffer<float> mixed(static_cast<size_t>(width));
        const int32_t *left = first.data(), *right = second.data();
        const float* share = weight.data();
        float* row = mixed.data();
        for (int y = y0; y < y1; y++) {
            const Between rows(y, height, to_height);
            const float* above = map + static_cast<ptrdiff_t>(rows.first) * width;
            const float* below = map + static_cast<ptrdiff_t>(rows.second) * width;
            for (int x = 0; x < width; x++) row[x] = above[x] + rows.weight * (below[x] - above[x]);
            float* to = out + static_cast<ptrdiff_t>(y) * to_width;
            for (int x = 0; x < to_width; x++) to[x] = row[left[x]] + share[x] * (row[right[x]] - row[left[x]]);
        }
    });
}

}  // namespace classicseg::CLASSICSEG_ISA
