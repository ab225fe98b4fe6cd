// Eight floats or integers at once, where the compiler's own vectorisation does not get there: the
// vector types of GCC and Clang, one AVX register or two SSE ones. Operations are lane by lane, so
// that the result does not depend on the instruction set, but for `fused`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#include "isa.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // nothing here is passed by a call: all of it is inlined
#endif

namespace classicseg::CLASSICSEG_ISA {

constexpr int n_lanes = 8;
typedef float Lanes __attribute__((vector_size(32)));
typedef int32_t IntLanes __attribute__((vector_size(32)));

#define CLASSICSEG_INLINE inline __attribute__((always_inline))
#define CLASSICSEG_LAMBDA __attribute__((always_inline))

// Before loops over the few vectors that are to stay in registers, and before loops around those,
// which GCC would unroll as well and then do one vector after the other, in one chain of additions.
#if defined(__GNUC__) && !defined(__clang__)
#define CLASSICSEG_UNROLL _Pragma("GCC unroll 24")
#define CLASSICSEG_NO_UNROLL _Pragma("GCC unroll 1")
#elif defined(__clang__)
#define CLASSICSEG_UNROLL _Pragma("unroll")
#define CLASSICSEG_NO_UNROLL _Pragma("nounroll")
#else
#define CLASSICSEG_UNROLL
#define CLASSICSEG_NO_UNROLL
#endif

CLASSICSEG_INLINE Lanes lanes(float x) { return Lanes{x, x, x, x, x, x, x, x}; }
CLASSICSEG_INLINE Lanes load(const float* from) {
    Lanes x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
CLASSICSEG_INLINE void store(float* to, Lanes x) { std::memcpy(to, &x, sizeof x); }
// As the instructions have it: b where one of them is NaN.
#if defined(__AVX__)
CLASSICSEG_INLINE Lanes lanes_max(Lanes a, Lanes b) { return _mm256_max_ps(a, b); }
CLASSICSEG_INLINE Lanes lanes_min(Lanes a, Lanes b) { return _mm256_min_ps(a, b); }
#else
CLASSICSEG_INLINE Lanes lanes_max(Lanes a, Lanes b) { return a > b ? a : b; }
CLASSICSEG_INLINE Lanes lanes_min(Lanes a, Lanes b) { return a < b ? a : b; }
#endif

// a * b + c, rounded once where the processor can: the one thing here whose last bit depends on the
// instruction set. For sums whose terms are rounded anyhow, and nothing is counted by.
CLASSICSEG_INLINE Lanes fused(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX__) && defined(__FMA__)
    return _mm256_fmadd_ps(a, b, c);
#else
    return a * b + c;
#endif
}

// op over the eight lanes of each of eight values, in a fixed order: the result's lane i is of x[i].
template <class Op>
CLASSICSEG_INLINE Lanes reduce_each(const Lanes (&x)[n_lanes], Op&& op) {
    Lanes pairs[4], fours[2];
    for (int i = 0; i < 4; i++) {
        const Lanes a = x[2 * i], b = x[2 * i + 1];
        pairs[i] = op(__builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13),
                      __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15));
    }
    for (int i = 0; i < 2; i++) {
        const Lanes a = pairs[2 * i], b = pairs[2 * i + 1];
        fours[i] = op(__builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13),
                      __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15));
    }
    return op(__builtin_shufflevector(fours[0], fours[1], 0, 1, 2, 3, 8, 9, 10, 11),
              __builtin_shufflevector(fours[0], fours[1], 4, 5, 6, 7, 12, 13, 14, 15));
}

// Rows become columns.
CLASSICSEG_INLINE void transpose(Lanes (&x)[n_lanes]) {
    Lanes pairs[n_lanes], fours[n_lanes];
    for (int i = 0; i < n_lanes; i += 2) {
        pairs[i] = __builtin_shufflevector(x[i], x[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        pairs[i + 1] = __builtin_shufflevector(x[i], x[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < n_lanes; i += 4)
        for (int k = 0; k < 2; k++) {
            const Lanes a = pairs[i + k], b = pairs[i + k + 2];
            fours[i + k] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
            fours[i + k + 2] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < n_lanes / 2; i++) {
        const Lanes a = fours[i], b = fours[i + 4];
        x[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
        x[i + 4] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
