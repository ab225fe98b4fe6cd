// The permutohedral lattice (Adams, Baek & Davis 2010): which simplex of the lattice holds a point,
// and with which weights its corners interpolate there. Coordinates are those of the hyperplane
// x_0 + ... + x_d = 0 in d + 1 dimensions; the lattice points have integers with one remainder
// modulo d + 1, and a simplex has one corner of each remainder.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "densecrf_kernels.hpp"
#include "lanes.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Features in d dimensions, in standard deviations, to coordinates: the factor of each feature. The
// blur along the lattice's axes then has the variance of the Gaussian.
inline void elevation_factors(int d, float* factor) {
    const double deviations = std::sqrt(2.0 / 3.0) * (d + 1);
    for (int i = 0; i < d; i++)
        factor[i] = static_cast<float>(deviations / std::sqrt((i + 1.0) * (i + 2.0)));
}

// The simplices of eight points: the corner of remainder 0 in units of d + 1, the rank of each
// coordinate's distance from it, and the weights of the corners by remainder. D is d, or 0 where it
// is only known when the program runs.
template <int D>
struct SimplexFinder {
    static constexpr int capacity = D ? D : max_crf_features;
    int d;
    float factor[capacity];

    explicit SimplexFinder(int n_features) : d(n_features) { elevation_factors(d, factor); }

    CLASSICSEG_INLINE void find(const Lanes* features, IntLanes* corner, IntLanes* rank, Lanes* weight) const {
        const int n = D ? D : d;
        const Lanes cells = lanes(1.0f / static_cast<float>(n + 1));
        Lanes distance[capacity + 1], sum = lanes(0);
        for (int j = n; j > 0; j--) {
            const Lanes f = features[j - 1] * lanes(factor[j - 1]);
            distance[j] = (sum - lanes(static_cast<float>(j)) * f) * cells;
            sum = sum + f;
        }
        distance[0] = sum * cells;

        // The nearest point whose coordinates are multiples of d + 1, in the hyperplane or not.
        const Lanes shift = lanes(12582912.0f);  // adding it rounds to an integer, in the low bits
        IntLanes surplus = {};
        for (int i = 0; i <= n; i++) {
            const Lanes shifted = distance[i] + shift;
            corner[i] = (IntLanes)shifted - 0x4B400000;
            distance[i] = distance[i] - (shifted - shift);
            surplus += corner[i];
            rank[i] = IntLanes{};
        }
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j <= n; j++) {
                const IntLanes less = distance[i] < distance[j];  // -1 or 0
                rank[i] -= less;
                rank[j] += less + 1;
            }
        // Back into the hyperplane: the coordinates that were rounded by most go the other way.
        for (int i = 0; i <= n; i++) {
            rank[i] += surplus;
            const IntLanes low = rank[i] < 0, high = rank[i] > n;
            const IntLanes step = high - low;  // +1 where too low, -1 where too high
            rank[i] += step * (n + 1);
            corner[i] += step;
            distance[i] = distance[i] - __builtin_convertvector(step, Lanes);
        }
        // Distances in descending order: their differences are the weights.
        for (int round = 0; round <= n; round++)
            for (int i = round & 1; i < n; i += 2) {
                const Lanes a = distance[i], b = distance[i + 1];
                distance[i] = lanes_max(a, b);
                distance[i + 1] = lanes_min(a, b);
            }
        weight[0] = distance[n] + lanes(1.0f) - distance[0];
        for (int k = 1; k <= n; k++) weight[k] = distance[n - k] - distance[n + 1 - k];
    }
};

// Lattice points and simplices as 64-bit numbers, different ones for different points as long as the
// coordinates stay within the ranges that the numbers are made for.
struct LatticeKeys {
    int d = 0;
    int64_t first_corner[max_crf_features];      // the smallest corner, in units of d + 1
    uint64_t corner_stride[max_crf_features];    // of a simplex' corner
    uint64_t rank_stride[max_crf_features];      // of its ranks
    uint64_t vertex_stride[max_crf_features];    // of a lattice point's coordinates
    uint64_t all_strides = 0;                    // of one step along all coordinates

    // `low` and `high` bound the features, in standard deviations. False where they are too far
    // apart; `widest` is then the feature that spans most cells.
    bool make(int n_features, const double* low, const double* high, int& widest, double& cells) {
        d = n_features;
        float factor[max_crf_features];
        elevation_factors(d, factor);
        const double k = d + 1;
        double sum_low = 0, sum_high = 0, simplices = 1, largest = 0;
        double bound[max_crf_features][2];
        widest = 0;
        cells = 0;
        for (int j = d; j >= 1; j--) {
            const double f = static_cast<double>(factor[j - 1]);
            const double a = low[j - 1] * f, b = high[j - 1] * f;
            if (j < d) bound[j][0] = sum_low - j * b, bound[j][1] = sum_high - j * a;
            largest = std::max(largest, std::max(std::abs(sum_low - j * b), std::abs(sum_high - j * a)));
            sum_low += a;
            sum_high += b;
            const double span = std::max(std::abs(a), std::abs(b));
            if (!(span <= cells)) cells = span, widest = j - 1;
        }
        bound[0][0] = sum_low, bound[0][1] = sum_high;
        largest = std::max(largest, std::max(std::abs(sum_low), std::abs(sum_high)));
        // Beyond 2^20 cells floats do not tell neighbouring points apart.
        if (!(largest <= k * (1 << 20))) return false;
        for (int j = 0; j < d; j++) {
            first_corner[j] = static_cast<int64_t>(std::floor(bound[j][0] / k)) - 4;
            simplices *= std::floor((bound[j][1] - bound[j][0]) / k) + 10;
        }
        if (!(simplices * std::pow(k, d) < 9e18)) return false;
        uint64_t corners = 1, points = 1;
        all_strides = 0;
        for (int j = 0; j < d; j++) {
            const auto n = static_cast<uint64_t>(std::floor((bound[j][1] - bound[j][0]) / k) + 10);
            corner_stride[j] = corners;
            vertex_stride[j] = points;
            all_strides += points;
            corners *= n;
            points *= n * static_cast<uint64_t>(d + 1);
        }
        for (int j = 0; j < d; j++, corners *= static_cast<uint64_t>(d + 1)) rank_stride[j] = corners;
        return true;
    }
    // The change of a key from a lattice point to its neighbour along an axis: all coordinates fall
    // by one, that of the axis rises by d.
    uint64_t step(int axis) const {
        return (axis < d ? vertex_stride[axis] * static_cast<uint64_t>(d + 1) : 0) - all_strides;
    }
};

}  // namespace classicseg::CLASSICSEG_ISA
