// Gaussian mixtures of colours with hard assignment (Rother, Kolmogorov & Blake 2004, section 3):
// the energy of a colour is its smallest -log(weight * density) over the components.
#pragma once

#include <cstdint>
#include <limits>

#include "buffer.hpp"
#include "lane_sums.hpp"
#include "rows.hpp"

namespace classicseg::CLASSICSEG_ISA {

// One component as the kernel wants it: energy = constant + |lower (z - mean)|^2, where `lower` is
// the inverse Cholesky factor of the covariance over sqrt(2), row by row.
template <int C>
struct Component {
    float constant;
    float mean[C];
    float lower[C * (C + 1) / 2];
};

// |lower (z - mean)|^2, written out so that loops over pixels are vectorised.
template <int C>
inline float distance(const Component<C>& g, const float (&z)[C]) {
    const float* l = g.lower;
    if constexpr (C == 1) {
        const float a = l[0] * (z[0] - g.mean[0]);
        return a * a;
    } else {
        static_assert(C == 3);
        const float x = z[0] - g.mean[0], y = z[1] - g.mean[1], w = z[2] - g.mean[2];
        const float a = l[0] * x;
        const float b = l[1] * x + l[2] * y;
        const float c = l[3] * x + l[4] * y + l[5] * w;
        return a * a + b * b + c * c;
    }
}

// Energies and best components of n colours of C channels. Blocks of 64 pixels none of which is
// wanted are skipped: their energy is 0 and their component 0. A null `wanted` wants all.
template <int C>
void gmm_energies(const float* colours, const uint8_t* wanted, int64_t n,
                  const Component<C>* components, int n_components, float* energy, uint8_t* best) {
    constexpr int block = 64;
    float z[C][block], least[block];
    int32_t which[block];
    for (int c = 0; c < C; c++)
        for (int i = 0; i < block; i++) z[c][i] = 0;
    for (int64_t begin = 0; begin < n; begin += block) {
        const int m = static_cast<int>(std::min<int64_t>(block, n - begin));
        if (wanted) {
            uint8_t any = 0;
            for (int i = 0; i < m; i++) any |= wanted[begin + i];
            if (!any) {
                std::fill_n(energy + begin, m, 0.0f);
                std::fill_n(best + begin, m, uint8_t{0});
                continue;
            }
        }
        for (int i = 0; i < m; i++)
            for (int c = 0; c < C; c++) z[c][i] = colours[(begin + i) * C + c];
        for (int k = 0; k < n_components; k++) {
            const Component<C> g = components[k];
            for (int i = 0; i < block; i++) {
                float pixel[C];
                for (int c = 0; c < C; c++) pixel[c] = z[c][i];
                const float e = g.constant + distance<C>(g, pixel);
                const bool better = k == 0 || e < least[i];
                least[i] = better ? e : least[i];
                which[i] = better ? k : which[i];
            }
        }
        for (int i = 0; i < m; i++) {
            energy[begin + i] = least[i];
            best[begin + i] = static_cast<uint8_t>(which[i]);
        }
    }
}

// Source and sink capacities of a cut between two energy maps: the dearer side's energy above the
// cheaper one's, infinite where the trimap (0 background, 1 foreground, 2, 3 open) fixes a pixel.
inline void trimap_terminals(const float* background, const float* foreground, const uint8_t* trimap,
                             int64_t n, float* source, float* sink) {
    const float infinity = std::numeric_limits<float>::infinity();
    for (int64_t p = 0; p < n; p++) {
        const float difference = background[p] - foreground[p];
        const float to_source = difference > 0 ? difference : 0.0f;
        const float to_sink = difference < 0 ? -difference : 0.0f;
        source[p] = trimap[p] == 1 ? infinity : trimap[p] == 0 ? 0.0f : to_source;
        sink[p] = trimap[p] == 0 ? infinity : trimap[p] == 1 ? 0.0f : to_sink;
    }
}

// The data term: the sum of each pixel's energy on its side of the mask.
inline double data_energy(const float* background, const float* foreground, const uint8_t* mask,
                          int64_t n) {
    LaneSums<double> sums;
    sums.add(n, [&](int64_t p) { return mask[p] ? foreground[p] : background[p]; });
    return sums.sum();
}

// Sums over the pixels of one component: the count, colours, their squares, and the products of each
// channel with the next. Padded for vectors of four.
struct alignas(32) Sums {
    double colours[4], squares[4], products[4];
    double count;

    template <int C>
    void add(const float* z) {
        double here[4] = {}, next[4] = {};
        for (int c = 0; c < C; c++) here[c] = static_cast<double>(z[c]);
        for (int c = 0; c < C; c++) next[c] = here[(c + 1) % C];
        for (int i = 0; i < 4; i++) colours[i] += here[i];
        for (int i = 0; i < 4; i++) squares[i] += here[i] * here[i];
        for (int i = 0; i < 4; i++) products[i] += here[i] * next[i];
        count += 1;
    }
};

// Count, sums and sums of products (lower triangle, row by row) of the colours of each component,
// for both sides of the mask: `totals` is (2, n_components, 1 + C + C (C + 1) / 2), where side 1 is
// the foreground. `component[0]` and `component[1]` hold a pixel's component on either side.
template <int C>
void gmm_statistics(const float* image, const uint8_t* mask, const uint8_t* const component[2],
                    int height, int width, int n_components, double* totals, Pool& pool) {
    constexpr size_t fields = 1 + C + C * (C + 1) / 2;
    // Neighbours often fall into one component: they take turns on several sums, so that an
    // addition need not wait for the one before it.
    constexpr int64_t n_turns = 4;
    const size_t n_sums = 2 * static_cast<size_t>(n_components);
    const size_t n_chunks = n_row_chunks(height);
    Buffer<Sums> parts(n_chunks * n_turns * n_sums);
    for_rows(pool, height, [&](int y0, int y1, size_t chunk) {
        Sums* part = parts.data() + chunk * n_turns * n_sums;
        const int64_t begin = static_cast<int64_t>(y0) * width, end = static_cast<int64_t>(y1) * width;
        for (int64_t p = begin; p < end; p++) {
            const size_t side = mask[p] != 0;
            const size_t turn = static_cast<size_t>(p % n_turns);
            const size_t sum = side * static_cast<size_t>(n_components) + component[side][p];
            part[turn * n_sums + sum].template add<C>(image + p * C);
        }
    });
    for (size_t i = 0; i < n_sums * fields; i++) totals[i] = 0;
    for (size_t i = 0; i < parts.size(); i++) {
        const Sums& sums = parts[i];
        double* total = totals + i % n_sums * fields;
        *total++ += sums.count;
        for (int c = 0; c < C; c++) *total++ += sums.colours[c];
        for (int r = 0; r < C; r++)
            for (int c = 0; c <= r; c++)  // channels 0 and 2 follow each other as well
                *total++ += r == c ? sums.squares[c] : sums.products[r - c == 1 ? c : r];
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
