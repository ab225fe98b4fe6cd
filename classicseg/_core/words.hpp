// Sixteen 16-bit integers at once, with the operations that make them useful for distances: sums
// that stay at the largest number instead of wrapping, products that keep the upper half.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "lanes.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace classicseg::CLASSICSEG_ISA {

constexpr int n_words = 16;
typedef int16_t Words __attribute__((vector_size(32)));
typedef uint16_t Naturals __attribute__((vector_size(32)));

CLASSICSEG_INLINE Words words(int16_t x) { return Words{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
CLASSICSEG_INLINE Naturals naturals(uint16_t x) { return reinterpret_cast<Naturals>(words(static_cast<int16_t>(x))); }
CLASSICSEG_INLINE Words load_words(const int16_t* from) {
    Words x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

CLASSICSEG_INLINE IntLanes int_lanes(int32_t x) { return IntLanes{x, x, x, x, x, x, x, x}; }
CLASSICSEG_INLINE IntLanes load(const int32_t* from) {
    IntLanes x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
CLASSICSEG_INLINE void store(int32_t* to, IntLanes x) { std::memcpy(to, &x, sizeof x); }

#if defined(__AVX2__)
CLASSICSEG_INLINE __m256i bits(Words x) { return reinterpret_cast<__m256i>(x); }
CLASSICSEG_INLINE __m256i bits(Naturals x) { return reinterpret_cast<__m256i>(x); }

// a - b, between -32768 and 32767.
CLASSICSEG_INLINE Words minus(Words a, Words b) { return reinterpret_cast<Words>(_mm256_subs_epi16(bits(a), bits(b))); }
// a * b / 32768, rounded; not for -32768 by itself.
CLASSICSEG_INLINE Words times(Words a, Words b) { return reinterpret_cast<Words>(_mm256_mulhrs_epi16(bits(a), bits(b))); }
// a + b, at most 65535.
CLASSICSEG_INLINE Naturals plus(Naturals a, Naturals b) { return reinterpret_cast<Naturals>(_mm256_adds_epu16(bits(a), bits(b))); }
CLASSICSEG_INLINE Naturals least(Naturals a, Naturals b) { return reinterpret_cast<Naturals>(_mm256_min_epu16(bits(a), bits(b))); }
CLASSICSEG_INLINE Words choose(Words mask, Words a, Words b) {
    return reinterpret_cast<Words>(_mm256_blendv_epi8(bits(b), bits(a), bits(mask)));
}
// Two bits for each lane of a mask.
CLASSICSEG_INLINE uint32_t lane_bits(Words mask) { return static_cast<uint32_t>(_mm256_movemask_epi8(bits(mask))); }
// One bit for each lane of a mask of integers.
CLASSICSEG_INLINE uint32_t lane_bits(IntLanes mask) {
    return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
}
// Adds the sums over a mask's lanes to four numbers.
CLASSICSEG_INLINE void add_sums(Words mask, Words a, Words b, Words c, Words d, int64_t* to) {
    const __m256i one = _mm256_set1_epi16(1);
    const auto pairs = [&](Words x) { return _mm256_madd_epi16(_mm256_and_si256(bits(x), bits(mask)), one); };
    const __m256i half = _mm256_hadd_epi32(_mm256_hadd_epi32(pairs(a), pairs(b)), _mm256_hadd_epi32(pairs(c), pairs(d)));
    const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    __m256i total;
    std::memcpy(&total, to, sizeof total);
    total = _mm256_add_epi64(total, _mm256_cvtepi32_epi64(sums));
    std::memcpy(to, &total, sizeof total);
}
#else
typedef int32_t WideWords __attribute__((vector_size(64)));
CLASSICSEG_INLINE WideWords wide(Words x) { return __builtin_convertvector(x, WideWords); }
CLASSICSEG_INLINE Words minus(Words a, Words b) {
    const WideWords d = wide(a) - wide(b);
    const WideWords low = d < -32768 ? WideWords{} - 32768 : d;
    return __builtin_convertvector(low > 32767 ? WideWords{} + 32767 : low, Words);
}
CLASSICSEG_INLINE Words times(Words a, Words b) {
    return __builtin_convertvector((wide(a) * wide(b) + 16384) >> 15, Words);
}
CLASSICSEG_INLINE Naturals plus(Naturals a, Naturals b) {
    const Naturals sum = a + b;
    return sum | reinterpret_cast<Naturals>(sum < a);
}
CLASSICSEG_INLINE Naturals least(Naturals a, Naturals b) { return a < b ? a : b; }
CLASSICSEG_INLINE Words choose(Words mask, Words a, Words b) { return (a & mask) | (b & ~mask); }
CLASSICSEG_INLINE uint32_t lane_bits(Words mask) {
    uint32_t bits = 0;
    for (int i = 0; i < n_words; i++) bits |= static_cast<uint32_t>(mask[i] & 3) << (2 * i);
    return bits;
}
CLASSICSEG_INLINE uint32_t lane_bits(IntLanes mask) {
    uint32_t bits = 0;
    for (int i = 0; i < n_lanes; i++) bits |= static_cast<uint32_t>(mask[i] & 1) << i;
    return bits;
}
CLASSICSEG_INLINE void add_sums(Words mask, Words a, Words b, Words c, Words d, int64_t* to) {
    for (int i = 0; i < n_words; i++) {
        to[0] += a[i] & mask[i];
        to[1] += b[i] & mask[i];
        to[2] += c[i] & mask[i];
        to[3] += d[i] & mask[i];
    }
}
#endif

CLASSICSEG_INLINE Naturals square(Words x) { return reinterpret_cast<Naturals>(times(x, x)); }

}  // namespace classicseg::CLASSICSEG_ISA
