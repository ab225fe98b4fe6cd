// sRGB to CIELAB (D65), in loops that the compiler vectorises.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "isa.hpp"
#include "pool.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Whole numbers of a 64th: sums over regions are exact in double precision, in whatever order.
constexpr float lab_scale = 64;
constexpr int64_t lab_block = 8192;

// Linear light of 0..255, with one entry more for interpolation.
struct LinearLight {
    float table[257];
    LinearLight() {
        for (int i = 0; i < 257; i++) {
            const double v = i / 255.0;
            table[i] = static_cast<float>(v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
        }
    }
    float operator()(uint8_t v) const { return table[v]; }
    float operator()(float v) const {
        const int i = static_cast<int>(v);
        return table[i] + (v - static_cast<float>(i)) * (table[i + 1] - table[i]);
    }
};

// The cube root above CIE's threshold, its straight line below: within 1e-6.
inline float lab_f(float t) {
    // A third of the exponent, then Halley's step twice, which trebles the digits each time.
    const float bits = static_cast<float>(std::bit_cast<int32_t>(t));
    float y = std::bit_cast<float>(static_cast<int32_t>(bits * (1.0f / 3.0f) + 709921077.0f));
    for (int i = 0; i < 2; i++) {
        const float cube = y * y * y;
        y = y * (cube + t + t) / (cube + cube + t);
    }
    const float line = t * (24389.0f / 27.0f / 116.0f) + 16.0f / 116.0f;
    return t > 216.0f / 24389.0f ? y : line;
}

template <class T>
void rgb_to_lab(const T* rgb, int64_t n, float* lab, Pool& pool) {
    const LinearLight linear;
    pool.run(static_cast<size_t>((n + lab_block - 1) / lab_block), [&](size_t block) {
        const int64_t begin = static_cast<int64_t>(block) * lab_block;
        const int64_t length = n - begin < lab_block ? n - begin : lab_block;
        const T* in = rgb + 3 * begin;
        float* L = lab + begin;
        float* A = L + n;
        float* B = A + n;
        for (int64_t i = 0; i < length; i++) {
            L[i] = linear(in[3 * i]);
            A[i] = linear(in[3 * i + 1]);
            B[i] = linear(in[3 * i + 2]);
        }
        for (int64_t i = 0; i < length; i++) {
            const float r = L[i], g = A[i], b = B[i];
            // By the white point of D65.
            const float x = lab_f(0.433953f * r + 0.376219f * g + 0.189828f * b);
            const float y = lab_f(0.212671f * r + 0.715160f * g + 0.072169f * b);
            const float z = lab_f(0.017758f * r + 0.109477f * g + 0.872766f * b);
            L[i] = std::rint((116 * y - 16) * lab_scale);
            A[i] = std::rint((500 * (x - y)) * lab_scale);
            B[i] = std::rint((200 * (y - z)) * lab_scale);
        }
    });
}

}  // namespace classicseg::CLASSICSEG_ISA
