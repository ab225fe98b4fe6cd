// Messages along one edge: m(j) = min over i of t(i) + weight * cost(i, j), and its soft version.
//
// Vectors of labels are padded to whole SIMD registers; behind the last label stands `far`, which no
// minimum takes and which stays finite in all sums that the door lets in. A message is normalised to
// have the minimum 0, and what was taken off is returned.
//
// P. Felzenszwalb, D. Huttenlocher: Efficient belief propagation for early vision. IJCV 2006.
#pragma once

#include <cfloat>
#include <cstdint>
#include <cstring>

#include "contrast.hpp"
#include "gridcrf_kernels.hpp"
#include "isa.hpp"

namespace classicseg::CLASSICSEG_ISA {

constexpr float far_away = 1e37f;

// The length of a padded vector of labels: P, or known only at run time where P is 0.
template <int P>
struct Length {
    explicit Length(int) {}
    static constexpr int capacity = P;
    constexpr int operator()() const { return P; }
};
template <>
struct Length<0> {
    explicit Length(int padded) : padded(padded) {}
    static constexpr int capacity = max_labels;
    int operator()() const { return padded; }
    int padded;
};

inline float smaller(float a, float b) { return a < b ? a : b; }

template <class N>
float minimum(N n, const float* v) {
    constexpr int lanes = N::capacity < 8 ? N::capacity : 8;
    float low[lanes];
    for (int k = 0; k < lanes; k++) low[k] = v[k];
    for (int j = lanes; j < n(); j += lanes)
        for (int k = 0; k < lanes; k++) low[k] = smaller(v[j + k], low[k]);
    for (int half = lanes / 2; half; half /= 2)
        for (int k = 0; k < half; k++) low[k] = smaller(low[k + half], low[k]);
    return low[0];
}

template <class N>
float total(N n, const float* v) {
    constexpr int lanes = N::capacity < 8 ? N::capacity : 8;
    float sum[lanes];
    for (int k = 0; k < lanes; k++) sum[k] = v[k];
    for (int j = lanes; j < n(); j += lanes)
        for (int k = 0; k < lanes; k++) sum[k] += v[j + k];
    for (int half = lanes / 2; half; half /= 2)
        for (int k = 0; k < half; k++) sum[k] += sum[k + half];
    return sum[0];
}

// log(x) for normal positive x, within 2e-7 of max(1, |log x|).
inline float log_positive(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    // The mantissa in [sqrt 1/2, sqrt 2), and its exponent.
    const uint32_t shifted = bits - 0x3f3504f3u;
    const auto exponent = static_cast<float>(static_cast<int32_t>(shifted) >> 23);
    bits = (shifted & 0x007fffffu) + 0x3f3504f3u;
    float mantissa;
    std::memcpy(&mantissa, &bits, sizeof mantissa);
    // log m = 2 artanh s, s = (m - 1) / (m + 1), |s| < 0.172
    const float s = (mantissa - 1.0f) / (mantissa + 1.0f), q = s * s;
    const float series = ((q * (1 / 9.0f) + 1 / 7.0f) * q + 1 / 5.0f) * q + 1 / 3.0f;
    return exponent * 0.693147181f + (2.0f * s + 2.0f * s * q * series);
}

template <int P>
struct PottsMessage {
    using N = Length<P>;
    N n;
    float limit;
    explicit PottsMessage(const LabelCost& c) : n(c.padded), limit(c.limit) {}

    float operator()(const float* t, float weight, bool, float* message) const {
        const float low = minimum(n, t), cap = weight * limit;
        for (int j = 0; j < n(); j++) message[j] = smaller(t[j] - low, cap);
        return low;
    }
};

// A copy of t - low with room on both sides, where a shifted copy reads `far`.
template <class N>
struct Shifted {
    float both[2][3 * N::capacity];
    float *now, *next;

    Shifted(N n, const float* t, float low, int reach) : now(both[0] + n()), next(both[1] + n()) {
        for (float* side : {now, next})
            for (int j = 1; j <= reach; j++) side[-j] = side[n() + j - 1] = far_away;
        for (int j = 0; j < n(); j++) now[j] = t[j] - low;
    }
    // Lets every label be reached from those `distance` away at a cost.
    void relax(N n, int distance, float cost) {
        const float *left = now - distance, *right = now + distance;
        for (int j = 0; j < n(); j++)
            next[j] = smaller(now[j], smaller(left[j], right[j]) + cost);
        float* old = now;
        now = next;
        next = old;
    }
};

// The two-pass distance transform takes 2 L steps that wait for one another. Steps of 1, 2, 4, ...
// labels reach every distance too, in log2 of the distance where the cost is truncated.
template <int P>
struct LinearMessage {
    using N = Length<P>;
    N n;
    int reach = 0;  // the longest step
    float scale, limit;
    explicit LinearMessage(const LabelCost& c) : n(c.padded), scale(c.scale), limit(c.limit) {
        for (int step = 1; step < c.n_labels && static_cast<float>(step) * scale < limit; step *= 2) reach = step;
    }

    float operator()(const float* t, float weight, bool, float* message) const {
        const float low = minimum(n, t), cap = weight * limit, cost = weight * scale;
        Shifted<N> f(n, t, low, reach);
        for (int step = 1; step <= reach; step *= 2) f.relax(n, step, static_cast<float>(step) * cost);
        for (int j = 0; j < n(); j++) message[j] = smaller(f.now[j], cap);
        return low;
    }
};

// d^2 = 1 + 3 + 5 + ...: steps of one label reach a few labels far; for more, the lower envelope of
// parabolas.
template <int P>
struct QuadraticMessage {
    using N = Length<P>;
    static constexpr int most_steps = 16;
    N n;
    int n_labels, reach = 0;
    float scale, limit;
    explicit QuadraticMessage(const LabelCost& c)
        : n(c.padded), n_labels(c.n_labels), scale(c.scale), limit(c.limit) {
        while (reach < n_labels - 1 && static_cast<float>(reach) * static_cast<float>(reach) * scale < limit) reach++;
    }

    float operator()(const float* t, float weight, bool, float* message) const {
        const float low = minimum(n, t), cap = weight * limit, cost = weight * scale;
        if (reach <= most_steps) {
            Shifted<N> f(n, t, low, 1);
            for (int step = 1; step <= reach; step++) f.relax(n, 1, static_cast<float>(2 * step - 1) * cost);
            for (int j = 0; j < n(); j++) message[j] = smaller(f.now[j], cap);
        } else if (cost > 0) {
            envelope(t, low, cost, cap, message);
        } else {
            for (int j = 0; j < n(); j++) message[j] = 0;  // weight * scale is too small for a float
        }
        return low;
    }

private:
    void envelope(const float* t, float low, float cost, float cap, float* message) const {
        int lowest[N::capacity];         // parabolas of the envelope, from left to right
        double begin[N::capacity];       // where each takes over
        int k = 0;
        lowest[0] = 0;
        begin[0] = -1;
        for (int i = 1; i < n_labels; i++) {
            double meet;
            for (;; k--) {
                const double i0 = lowest[k], i1 = i;
                const double rise = static_cast<double>(t[i]) - static_cast<double>(t[lowest[k]]);
                meet = 0.5 * (rise / (static_cast<double>(cost) * (i1 - i0)) + (i1 + i0));
                if (k == 0 || meet > begin[k]) break;
            }
            if (meet <= begin[k]) k = -1;  // even the first is above everywhere
            lowest[++k] = i;
            begin[k] = k ? meet : -1;
        }
        const int last = k;
        k = 0;
        for (int j = 0; j < n_labels; j++) {
            while (k < last && begin[k + 1] < j) k++;
            const auto d = static_cast<float>(j - lowest[k]);
            message[j] = smaller(t[lowest[k]] - low + d * d * cost, cap);
        }
        for (int j = n_labels; j < n(); j++) message[j] = 0;
    }
};

template <int P>
struct MatrixMessage {
    using N = Length<P>;
    N n;
    int n_labels;
    const float *rows, *transposed;
    explicit MatrixMessage(const LabelCost& c)
        : n(c.padded), n_labels(c.n_labels), rows(c.rows), transposed(c.transposed) {}

    float operator()(const float* t, float weight, bool from_first, float* message) const {
        const float* row = from_first ? rows : transposed;
        float best[N::capacity];
        for (int j = 0; j < n(); j++) best[j] = t[0] + weight * row[j];
        for (int i = 1; i < n_labels; i++) {
            row += n();
            for (int j = 0; j < n(); j++) best[j] = smaller(t[i] + weight * row[j], best[j]);
        }
        const float low = minimum(n, best);  // the padding repeats a label
        for (int j = 0; j < n(); j++) message[j] = best[j] - low;
        return low;
    }
};

// -log sum exp(-...): what is below the smallest float counts as that.
template <int P>
struct SoftPottsMessage {
    using N = Length<P>;
    N n;
    float limit;
    explicit SoftPottsMessage(const LabelCost& c) : n(c.padded), limit(c.limit) {}

    float operator()(const float* t, float weight, bool, float* message) const {
        const float low = minimum(n, t), other = exp_negative(-weight * limit);
        float e[N::capacity];
        for (int j = 0; j < n(); j++) e[j] = exp_negative(low - t[j]);
        const float all = other * total(n, e), same = 1 - other;
        for (int j = 0; j < n(); j++) {
            const float p = all + same * e[j];
            message[j] = -log_positive(p > FLT_MIN ? p : FLT_MIN);
        }
        return low;
    }
};

template <int P>
struct SoftMatrixMessage {
    using N = Length<P>;
    N n;
    int n_labels;
    float lowest;
    const float *rows, *transposed;
    explicit SoftMatrixMessage(const LabelCost& c)
        : n(c.padded), n_labels(c.n_labels), lowest(c.lowest), rows(c.rows), transposed(c.transposed) {}

    float operator()(const float* t, float weight, bool from_first, float* message) const {
        const float* row = from_first ? rows : transposed;
        const float low = minimum(n, t);
        float sum[N::capacity];
        for (int j = 0; j < n(); j++) sum[j] = 0;
        for (int i = 0; i < n_labels; i++, row += n()) {
            const float here = t[i] - low;
            for (int j = 0; j < n(); j++) sum[j] += exp_negative(-(here + weight * (row[j] - lowest)));
        }
        for (int j = 0; j < n(); j++) message[j] = -log_positive(sum[j] > FLT_MIN ? sum[j] : FLT_MIN);
        return low;
    }
};

}  // namespace classicseg::CLASSICSEG_ISA
