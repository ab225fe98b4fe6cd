// Fourier transforms of lines of up to 64 numbers, eight lines side by side.
#pragma once

#include <cmath>
#include <cstddef>

#include "lanes.hpp"

namespace classicseg::CLASSICSEG_ISA {

// A line of n = a * b numbers is done as b transforms of a numbers each and then a of b (Cooley and
// Tukey), each of them by its definition. A prime n is one step.
class Fourier {
public:
    static constexpr int longest = 64;

    explicit Fourier(int n) : n_(n) {
        for (a_ = 1; a_ * a_ < n;) a_++;
        while (n % a_ != 0) a_++;
        b_ = n / a_;
        const double turn = 2 * 3.14159265358979323846 / n, cosine = std::cos(turn), sine = std::sin(turn);
        double c = 1, s = 0;
        for (int i = 0; i < n; i++) {
            cos_[i] = static_cast<float>(c);
            sin_[i] = static_cast<float>(s);
            const double next = c * cosine - s * sine;
            s = s * cosine + c * sine;
            c = next;
        }
    }

    // In place; number i of eight lines begins at re + i * pitch. With re and im exchanged it is the
    // inverse, times n.
    void transform(float* re, float* im, ptrdiff_t pitch) const {
        float half_re[longest * n_lanes], half_im[longest * n_lanes];
        for (int r = 0; r < b_; r++)
            line(a_, re + r * pitch, im + r * pitch, b_ * pitch, half_re + r * n_lanes, half_im + r * n_lanes,
                 b_ * n_lanes, r);
        for (int k = 0; k < a_; k++)
            line(b_, half_re + k * b_ * n_lanes, half_im + k * b_ * n_lanes, n_lanes, re + k * pitch,
                 im + k * pitch, a_ * pitch, 0);
    }

private:
    // The transform of p numbers, number k turned back by k * twist n-ths. What lies at j and at p - j
    // meets the same cosines, and sines of opposite signs: their sums and differences halve the work.
    void line(int p, const float* re, const float* im, ptrdiff_t step, float* to_re, float* to_im,
              ptrdiff_t to_step, int twist) const {
        Lanes sum_re[longest / 2], sum_im[longest / 2], gap_re[longest / 2], gap_im[longest / 2];
        const int pairs = (p - 1) / 2, turn = n_ / p;
        for (int j = 1; j <= pairs; j++) {
            const Lanes r = load(re + j * step), i = load(im + j * step);
            const Lanes other_r = load(re + (p - j) * step), other_i = load(im + (p - j) * step);
            sum_re[j] = r + other_r;
            sum_im[j] = i + other_i;
            gap_re[j] = r - other_r;
            gap_im[j] = i - other_i;
        }
        const Lanes first_re = load(re), first_im = load(im);
        const bool has_middle = p % 2 == 0;
        const Lanes middle_re = has_middle ? load(re + p / 2 * step) : lanes(0.0f);
        const Lanes middle_im = has_middle ? load(im + p / 2 * step) : lanes(0.0f);
        for (int k = 0; 2 * k <= p; k++) {
            Lanes even_re = k % 2 == 0 ? first_re + middle_re : first_re - middle_re;
            Lanes even_im = k % 2 == 0 ? first_im + middle_im : first_im - middle_im;
            Lanes odd_re = lanes(0.0f), odd_im = lanes(0.0f);
            for (int j = 1, angle = 0; j <= pairs; j++) {
                angle += k * turn;
                angle -= angle >= n_ ? n_ : 0;
                const Lanes c = lanes(cos_[angle]), s = lanes(sin_[angle]);
                even_re += sum_re[j] * c;
                even_im += sum_im[j] * c;
                odd_re += gap_im[j] * s;
                odd_im -= gap_re[j] * s;
            }
            put(even_re + odd_re, even_im + odd_im, k * twist, to_re + k * to_step, to_im + k * to_step);
            if (k > 0 && 2 * k < p)
                put(even_re - odd_re, even_im - odd_im, (p - k) * twist, to_re + (p - k) * to_step,
                    to_im + (p - k) * to_step);
        }
    }

    CLASSICSEG_INLINE void put(Lanes re, Lanes im, int angle, float* to_re, float* to_im) const {
        const Lanes c = lanes(cos_[angle]), s = lanes(sin_[angle]);
        store(to_re, re * c + im * s);
        store(to_im, im * c - re * s);
    }

    int n_, a_, b_;
    float cos_[longest], sin_[longest];
};

}  // namespace classicseg::CLASSICSEG_ISA
