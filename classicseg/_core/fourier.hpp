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
        const ptrdiff_t b = b_;
        for (int r = 0; r < b_; r++)
            line<true>(a_, {re + r * pitch, im + r * pitch, b * pitch},
                       {half_re + r * n_lanes, half_im + r * n_lanes, b * n_lanes}, r);
        for (int k = 0; k < a_; k++)
            line<false>(b_, {half_re + k * b * n_lanes, half_im + k * b * n_lanes, n_lanes},
                        {re + k * pitch, im + k * pitch, a_ * pitch}, 0);
    }

private:
    struct Line {
        float *re, *im;
        ptrdiff_t step;
    };

    // Short ones with their length known when compiled, so that all of it stays in registers.
    template <bool twisted>
    void line(int p, Line from, Line to, int twist) const {
        switch (p) {
        case 1: return line<1, twisted>(1, from, to, twist);
        case 4: return line<4, twisted>(4, from, to, twist);
        case 5: return line<5, twisted>(5, from, to, twist);
        case 6: return line<6, twisted>(6, from, to, twist);
        case 8: return line<8, twisted>(8, from, to, twist);
        default: return line<0, twisted>(p, from, to, twist);
        }
    }

    // The transform of p numbers, number k turned back by k * twist n-ths. What lies at j and at p - j
    // meets the same cosines, and sines of opposite signs: their sums and differences halve the work.
    template <int P, bool twisted>
    void line(int any_p, Line from, Line to, int twist) const {
        constexpr int most_pairs = ((P ? P : longest) - 1) / 2;
        const int p = P ? P : any_p, pairs = (p - 1) / 2, turn = n_ / p;
        Lanes sum_re[most_pairs + 1], sum_im[most_pairs + 1], gap_re[most_pairs + 1], gap_im[most_pairs + 1];
        CLASSICSEG_UNROLL for (int j = 1; j <= pairs; j++) {
            const Lanes re = load(from.re + j * from.step), im = load(from.im + j * from.step);
            const Lanes other_re = load(from.re + (p - j) * from.step), other_im = load(from.im + (p - j) * from.step);
            sum_re[j] = re + other_re;
            sum_im[j] = im + other_im;
            gap_re[j] = re - other_re;
            gap_im[j] = im - other_im;
        }
        const Lanes first_re = load(from.re), first_im = load(from.im);
        const Lanes middle_re = p % 2 == 0 ? load(from.re + p / 2 * from.step) : lanes(0.0f);
        const Lanes middle_im = p % 2 == 0 ? load(from.im + p / 2 * from.step) : lanes(0.0f);
        const auto put = [&](int k, Lanes re, Lanes im) CLASSICSEG_LAMBDA {
            const Lanes c = lanes(cos_[k * twist]), s = lanes(sin_[k * twist]);
            store(to.re + k * to.step, twisted ? re * c + im * s : re);
            store(to.im + k * to.step, twisted ? im * c - re * s : im);
        };
        CLASSICSEG_UNROLL for (int k = 0; 2 * k <= p; k++) {
            Lanes even_re = k % 2 == 0 ? first_re + middle_re : first_re - middle_re;
            Lanes even_im = k % 2 == 0 ? first_im + middle_im : first_im - middle_im;
            Lanes odd_re = lanes(0.0f), odd_im = lanes(0.0f);
            CLASSICSEG_UNROLL for (int j = 1; j <= pairs; j++) {
                const int angle = j * k % p * turn;
                const Lanes c = lanes(cos_[angle]), s = lanes(sin_[angle]);
                even_re += sum_re[j] * c;
                even_im += sum_im[j] * c;
                odd_re += gap_im[j] * s;
                odd_im -= gap_re[j] * s;
            }
            put(k, even_re + odd_re, even_im + odd_im);
            if (k > 0 && 2 * k < p) put(p - k, even_re - odd_re, even_im - odd_im);
        }
    }

    int n_, a_, b_;
    float cos_[longest], sin_[longest];
};

}  // namespace classicseg::CLASSICSEG_ISA
