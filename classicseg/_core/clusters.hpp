// Clusters of pixels: where they start, their means.
#pragma once

#include <cmath>
#include <cstdint>

#include "buffer.hpp"
#include "isa.hpp"
#include "pool.hpp"
#include "superpixels_kernels.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Labels of pixels outside the mask, and of pixels that no cluster's window has reached.
constexpr int32_t outside = -1, unassigned = -2;

// Count, sums of z, y, x, sums of the channels; and the same as means, in single precision.
// All are sums of whole numbers, exact in double precision, so that their order does not matter.
class Clusters {
public:
    Clusters(int64_t n, int channels)
        : n_(n), fields_(4 + channels), sums_(static_cast<size_t>(n * fields_)),
          means_(static_cast<size_t>(n * fields_)) {}

    int64_t size() const { return n_; }
    int64_t fields() const { return fields_; }
    double* sums(int64_t k) { return sums_.data() + k * fields_; }
    const double* sums(int64_t k) const { return sums_.data() + k * fields_; }
    double count(int64_t k) const { return sums(k)[0]; }
    // Mean z, y, x, then the channels. Of an empty cluster: what it was before.
    const float* mean(int64_t k) const { return means_.data() + k * fields_ + 1; }
    float* mean(int64_t k) { return means_.data() + k * fields_ + 1; }

    void set_means() {
        for (int64_t k = 0; k < n_; k++) {
            const double* s = sums(k);
            if (s[0] == 0) continue;
            for (int64_t f = 1; f < fields_; f++) mean(k)[f - 1] = static_cast<float>(s[f] / s[0]);
        }
    }

private:
    int64_t n_, fields_;
    Buffer<double> sums_;
    Buffer<float> means_;
};

// Sums of the pixels of every `step`-th row from `first`, by label (negative: none).
template <int C>
void add_row(const Volume& v, const int32_t* labels, int64_t row, int64_t fields, double* sums) {
    const int channels = C ? C : v.channels;
    const int64_t n = v.size(), begin = row * v.width;
    const double z = static_cast<double>(row / v.height), y = static_cast<double>(row % v.height);
    const int32_t* label = labels + begin;
    for (int64_t x = 0; x < v.width;) {
        const int32_t k = label[x];
        const int64_t x0 = x;
        if (k < 0) {
            x++;
            continue;
        }
        double* s = sums + k * fields;
        if constexpr (C > 0) {
            double run[C] = {};
            for (; x < v.width && label[x] == k; x++)
                for (int c = 0; c < C; c++) run[c] += static_cast<double>(v.data[c * n + begin + x]);
            for (int c = 0; c < C; c++) s[4 + c] += run[c];
        } else {
            while (x < v.width && label[x] == k) x++;
            for (int c = 0; c < channels; c++) {
                double run = 0;
                for (int64_t i = x0; i < x; i++) run += static_cast<double>(v.data[c * n + begin + i]);
                s[4 + c] += run;
            }
        }
        const double length = static_cast<double>(x - x0);
        s[0] += length;
        s[1] += z * length;
        s[2] += y * length;
        s[3] += static_cast<double>(x0 + x - 1) * length / 2;
    }
}

template <int C>
void sum_clusters(const Volume& v, const int32_t* labels, int64_t first, int64_t step, Clusters& clusters,
                  Pool& pool) {
    const int64_t rows = v.depth * v.height, fields = clusters.fields(), size = clusters.size() * fields;
    const int64_t parts = pool.size();
    Buffer<double> partial(static_cast<size_t>(parts > 1 ? parts * size : 0));
    double* total = clusters.sums(0);
    std::memset(total, 0, static_cast<size_t>(size) * sizeof(double));
    pool.run(static_cast<size_t>(parts), [&](size_t part) {
        const int64_t p = static_cast<int64_t>(part);
        double* sums = parts > 1 ? partial.data() + p * size : total;
        int64_t row = rows * p / parts;
        const int64_t end = rows * (p + 1) / parts;
        row += ((first - row) % step + step) % step;
        for (; row < end; row += step) add_row<C>(v, labels, row, fields, sums);
    });
    for (int64_t p = 0; parts > 1 && p < parts; p++)
        for (int64_t i = 0; i < size; i++) total[i] += partial[static_cast<size_t>(p * size + i)];
    clusters.set_means();
}

}  // namespace classicseg::CLASSICSEG_ISA
