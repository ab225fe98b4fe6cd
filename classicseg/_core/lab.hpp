// sRGB to CIELAB (D65), in loops that the compiler vectorises.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "isa.hpp"
#include "pool.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Whole numbers of a 256th: the largest that 16 bits hold, b being between -107.9 and 94.5.
constexpr float lab_scale = 256;
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
    // An estimate y of the inverse root by a third of the exponent; then t y^2 times a polynomial for
    // (t y^3)^(-2/3) = (1 - e)^(-2/3), |e| < 0.1021, from Chebyshev's interpolation.
    const float bits = static_cast<float>(std::bit_cast<int32_t>(t));
    const float y = std::bit_cast<float>(static_cast<int32_t>(1419900000.0f - bits * (1.0f / 3.0f)));
    const float ty2 = t * (y * y), e = 1.0f - ty2 * y;
    const float root = ty2 * (1.0f + e * (0.66665218f + e * (0.55554073f + e * (0.49937813f + e * 0.45806537f))));
    const float line = t * (24389.0f / 27.0f / 116.0f) + 16.0f / 116.0f;
    return t > 216.0f / 24389.0f ? root : line;
}

template <class T>
void rgb_to_lab(const T* rgb, int64_t n, int16_t* lab, Pool& pool) {
    const LinearLight linear;
    pool.run(static_cast<size_t>((n + lab_block - 1) / lab_block), [&](size_t block) {
        const int64_t begin = static_cast<int64_t>(block) * lab_block;
        const int64_t length = n - begin < lab_block ? n - begin : lab_block;
        const T* in = rgb + 3 * begin;
        int16_t* L = lab + begin;
        int16_t* A = L + n;
        int16_t* B = A + n;
        constexpr int64_t piece = 256;
        float red[piece], green[piece], blue[piece];
        for (int64_t first = 0; first < length; first += piece) {
            const int64_t m = length - first < piece ? length - first : piece;
            for (int64_t i = 0; i < m; i++) {
                const T* pixel = in + 3 * (first + i);
                red[i] = linear(pixel[0]);
                green[i] = linear(pixel[1]);
                blue[i] = linear(pixel[2]);
            }
            for (int64_t i = 0; i < m; i++) {
                const float r = red[i], g = green[i], b = blue[i];
                // By the white point of D65.
                const float x = lab_f(0.433953f * r + 0.376219f * g + 0.189828f * b);
                const float y = lab_f(0.212671f * r + 0.715160f * g + 0.072169f * b);
                const float z = lab_f(0.017758f * r + 0.109477f * g + 0.872766f * b);
                L[first + i] = static_cast<int16_t>(std::rint((116 * y - 16) * lab_scale));
                A[first + i] = static_cast<int16_t>(std::rint((500 * (x - y)) * lab_scale));
                B[first + i] = static_cast<int16_t>(std::rint((200 * (y - z)) * lab_scale));
            }
        }
    });
}

}  // namespace classicseg::CLASSICSEG_ISA
