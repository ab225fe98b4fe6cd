// Eight floats or integers at once, where the compiler's own vectorisation does not get there: the
// vector types of GCC and Clang, one AVX register or two SSE ones. Operations are lane by lane, so
// that the result does not depend on the instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "isa.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // nothing here is passed by a call: all of it is inlined
#endif

namespace classicseg::CLASSICSEG_ISA {

constexpr int n_lanes = 8;
typedef float Lanes __attribute__((vector_size(32)));
typedef int32_t IntLanes __attribute__((vector_size(32)));

#define CLASSICSEG_INLINE inline __attribute__((always_inline))

CLASSICSEG_INLINE Lanes lanes(float x) { return Lanes{x, x, x, x, x, x, x, x}; }
CLASSICSEG_INLINE Lanes load(const float* from) {
    Lanes x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
CLASSICSEG_INLINE void store(float* to, Lanes x) { std::memcpy(to, &x, sizeof x); }
CLASSICSEG_INLINE Lanes lanes_max(Lanes a, Lanes b) { return a > b ? a : b; }
CLASSICSEG_INLINE Lanes lanes_min(Lanes a, Lanes b) { return a < b ? a : b; }

// In a fixed order: the halves, the quarters, the two left.
CLASSICSEG_INLINE float sum_of(Lanes x) {
    const float a = x[0] + x[4], b = x[1] + x[5], c = x[2] + x[6], d = x[3] + x[7];
    return (a + c) + (b + d);
}
CLASSICSEG_INLINE float max_of(Lanes x) {
    const float a = x[0] > x[4] ? x[0] : x[4], b = x[1] > x[5] ? x[1] : x[5];
    const float c = x[2] > x[6] ? x[2] : x[6], d = x[3] > x[7] ? x[3] : x[7];
    const float e = a > c ? a : c, f = b > d ? b : d;
    return e > f ? e : f;
}

}  // namespace classicseg::CLASSICSEG_ISA
