// exp and log without the C library: loops over them are vectorised and give the same bits on every
// instruction set, but for softmax_exp's last one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "isa.hpp"
#include "lanes.hpp"

namespace classicseg::CLASSICSEG_ISA {

// exp(x) for x <= 0 within 3e-7 of its value and exactly 1 at 0; 0 below -87.
inline float exp_negative(float x) {
    const float bounded = std::max(x, -87.0f);
    const float shifted = bounded * 1.44269504f + 12582912.0f;  // the integer is in the low bits
    const float n = shifted - 12582912.0f;
    // log 2 in two parts, the first so short that its product with n is exact.
    const float r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const int32_t bits = std::bit_cast<int32_t>(p) +
                         static_cast<int32_t>(std::bit_cast<uint32_t>(shifted) << 23);
    return x < -87.0f ? 0.0f : std::bit_cast<float>(bits);
}

// exp(min(x, 0)) of K times eight numbers, to 3e-7 of the largest value of a softmax, exactly 1 at 0;
// values below -50 count as -50 (2e-22): what a softmax multiplies smaller ones with later would be
// denormal, which processors take a hundred cycles for. NaN, of infinite differences, counts as 0.
// Step by step for all of them: one exponential after the other would wait for its own steps.
template <int K>
CLASSICSEG_INLINE void softmax_exp(Lanes (&x)[K]) {
    constexpr float coefficients[] = {1.326472690e-3f, 9.671512661e-3f, 5.550733744e-2f,
                                      2.402224208e-1f, 6.931469776e-1f, 1.0f};
    Lanes shifted[K], p[K];
    CLASSICSEG_UNROLL for (int k = 0; k < K; k++) x[k] = lanes_max(lanes_min(x[k], lanes(0.0f)), lanes(-50.0f));
    CLASSICSEG_UNROLL for (int k = 0; k < K; k++) x[k] = x[k] * lanes(1.44269504f);
    CLASSICSEG_UNROLL for (int k = 0; k < K; k++) shifted[k] = x[k] + lanes(12582912.0f);
    CLASSICSEG_UNROLL for (int k = 0; k < K; k++) x[k] = x[k] - (shifted[k] - lanes(12582912.0f));
    CLASSICSEG_UNROLL for (int k = 0; k < K; k++) p[k] = lanes(coefficients[0]);  // 2^x within 1e-7 on [-1/2, 1/2]
    CLASSICSEG_UNROLL for (int i = 1; i < 6; i++)
        CLASSICSEG_UNROLL for (int k = 0; k < K; k++) p[k] = fused(p[k], x[k], lanes(coefficients[i]));
    CLASSICSEG_UNROLL for (int k = 0; k < K; k++) x[k] = (Lanes)((IntLanes)p[k] + ((IntLanes)shifted[k] << 23));
}

CLASSICSEG_INLINE Lanes softmax_exp(Lanes x) {
    Lanes one[1] = {x};
    softmax_exp(one);
    return one[0];
}

// log(x) of K times eight normal positive numbers within 2e-7 of its value, or of 1 where that is more.
// Step by step, as above.
template <int K>
CLASSICSEG_INLINE void log_lanes(Lanes (&x)[K]) {
    constexpr float coefficients[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                                      -1.6668057665e-1f, 2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};  // Cephes'
    IntLanes exponent[K];
    Lanes p[K];
    CLASSICSEG_UNROLL for (int k = 0; k < K; k++) {
        exponent[k] = ((IntLanes)x[k] - 0x3f3504f3) >> 23;  // so that the rest lies in [sqrt 1/2, sqrt 2)
        x[k] = (Lanes)((IntLanes)x[k] - (exponent[k] << 23)) - lanes(1.0f);
        p[k] = lanes(coefficients[0]);
    }
    CLASSICSEG_UNROLL for (int i = 1; i < 9; i++) {
        CLASSICSEG_UNROLL for (int k = 0; k < K; k++) p[k] = p[k] * x[k];
        CLASSICSEG_UNROLL for (int k = 0; k < K; k++) p[k] = p[k] + lanes(coefficients[i]);
    }
    CLASSICSEG_UNROLL for (int k = 0; k < K; k++) {
        const Lanes square = x[k] * x[k], n = __builtin_convertvector(exponent[k], Lanes);
        const Lanes small = p[k] * x[k] * square - lanes(0.5f) * square + n * lanes(-2.12194440e-4f);
        x[k] = (small + x[k]) + n * lanes(0.693359375f);
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
