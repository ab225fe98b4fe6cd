// Gaussian mixtures of colours with hard assignment (Rother, Kolmogorov & Blake 2004, section 3):
// the energy of a colour is its smallest -log(weight * density) over the components.
#pragma once

#include <cstdint>

#include "buffer.hpp"
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

// Energies and best components of n colours of C channels, `energy` and `best` of n values each.
template <int C>
void gmm_energies(const float* colours, int64_t n, const Component<C>* components, int n_components,
                  float* energy, uint8_t* best) {
    constexpr int block = 64;
    float z[C][block], least[block];
    int32_t which[block];
    for (int64_t begin = 0; begin < n; begin += block) {
        const int m = static_cast<int>(std::min<int64_t>(block, n - begin));
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < m; i++) z[c][i] = colours[(begin + i) * C + c];
            for (int i = m; i < block; i++) z[c][i] = 0;
        }
        for (int k = 0; k < n_components; k++) {
            const Component<C>& g = components[k];
            for (int i = 0; i < block; i++) {
                float sum = g.constant;
                const float* row = g.lower;
                for (int r = 0; r < C; r++) {
                    float t = 0;
                    for (int c = 0; c <= r; c++) t += row[c] * (z[c][i] - g.mean[c]);
                    sum += t * t;
                    row += r + 1;
                }
                const bool better = k == 0 || sum < least[i];
                least[i] = better ? sum : least[i];
                which[i] = better ? k : which[i];
            }
        }
        for (int i = 0; i < m; i++) {
            energy[begin + i] = least[i];
            best[begin + i] = static_cast<uint8_t>(which[i]);
        }
    }
}

// Count, sums and sums of products (lower triangle, row by row) of the colours of each component,
// for both sides of the mask: `totals` is (2, n_components, 1 + C + C (C + 1) / 2), where side 1 is
// the foreground. `component[0]` and `component[1]` hold a pixel's component on either side.
template <int C>
void gmm_statistics(const float* image, const uint8_t* mask, const uint8_t* const component[2],
                    int height, int width, int n_components, double* totals, Pool& pool) {
    constexpr size_t fields = 1 + C + C * (C + 1) / 2;
    const size_t length = 2 * static_cast<size_t>(n_components) * fields;
    const size_t n_chunks = n_row_chunks(height);
    Buffer<double> parts(n_chunks * length);
    for_rows(pool, height, [&](int y0, int y1, size_t chunk) {
        double* part = parts.data() + chunk * length;
        const int64_t end = static_cast<int64_t>(y1) * width;
        for (int64_t p = static_cast<int64_t>(y0) * width; p < end; p++) {
            const size_t side = mask[p] != 0;
            const size_t k = component[side][p];
            double* t = part + (side * static_cast<size_t>(n_components) + k) * fields;
            const float* z = image + p * C;
            t[0] += 1;
            double* product = t + 1 + C;
            for (int r = 0; r < C; r++) {
                t[1 + r] += static_cast<double>(z[r]);
                for (int c = 0; c <= r; c++)
                    *product++ += static_cast<double>(z[r]) * static_cast<double>(z[c]);
            }
        }
    });
    for (size_t i = 0; i < length; i++) totals[i] = 0;
    for (size_t chunk = 0; chunk < n_chunks; chunk++)
        for (size_t i = 0; i < length; i++) totals[i] += parts[chunk * length + i];
}

}  // namespace classicseg::CLASSICSEG_ISA
