// The spectral residual of a small grey image (Hou and Zhang 2007).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "buffer.hpp"
#include "exp.hpp"
#include "fourier.hpp"
#include "lane_sums.hpp"
#include "lanes.hpp"

namespace classicseg::CLASSICSEG_ISA {

inline ptrdiff_t whole_lanes(ptrdiff_t n) { return (n + n_lanes - 1) / n_lanes * n_lanes; }

// The spectrum of a real image is its own mirror, so that half of it is computed: rows 0 ... height / 2.
// It lies transposed: number (u, v) at plane[v * pitch + u], where both directions have vectors.
class SpectralResidual {
public:
    static constexpr int longest = Fourier::longest;

    SpectralResidual(int height, int width)
        : height_(height), width_(width), half_width_((width + 1) / 2), n_u_(height / 2 + 1),
          pitch_(whole_lanes(half_width_)), u_pitch_(whole_lanes(n_u_)), log_pitch_(u_pitch_ + 2 * n_lanes),
          rows_(height), columns_(width), re_(static_cast<size_t>(height * pitch_)),
          im_(static_cast<size_t>(height * pitch_)), u_re_(static_cast<size_t>((half_width_ + pitch_) * u_pitch_)),
          u_im_(u_re_.size()), log_(static_cast<size_t>(width * log_pitch_)) {}

    // The squares of what comes back, up to a factor.
    void energy(const float* grey, float* out) {
        forward(grey);
        take_residual();
        back(out);
    }

private:
    // Two real columns are transformed as one complex one: x of the left half with x of the right.
    void forward(const float* grey) {
        // Without its mean the image leaves more digits to the rest of the spectrum.
        const int n = height_ * width_;
        LaneSums<float> total;
        total.add(n, [&](int64_t i) { return grey[i]; });
        const float mean = total.sum() / static_cast<float>(n);
        for (int y = 0; y < height_; y++) {
            const float* row = grey + y * width_;
            for (int x = 0; x < half_width_; x++) re_[at(y, x)] = row[x] - mean;
            for (int x = half_width_; x < width_; x++) im_[at(y, x - half_width_)] = row[x] - mean;
        }
        for (ptrdiff_t x = 0; x < pitch_; x += n_lanes) rows_.transform(re_.data() + x, im_.data() + x, pitch_);
        for (int u = 0; u < u_pitch_; u += n_lanes)
            for (int x = 0; x < pitch_; x += n_lanes) part(u, x);
        for (ptrdiff_t u = 0; u < u_pitch_; u += n_lanes)
            columns_.transform(u_re_.data() + u, u_im_.data() + u, u_pitch_);
        u_re_[0] += 2 * mean * static_cast<float>(n);
    }

    // Amplitudes are divided by the geometric mean of their nine neighbours: the paper's difference of
    // logarithms. Of the largest amplitude 1e-6 is where logarithms end.
    void take_residual() {
        Lanes powers = lanes(0.0f);
        for (size_t i = 0; i < of(0, width_); i += n_lanes) {
            const Lanes re = load(u_re_.data() + i), im = load(u_im_.data() + i);
            powers = lanes_max(powers, re * re + im * im);
        }
        float highest = 0;
        for (int lane = 0; lane < n_lanes; lane++) highest = std::max(highest, powers[lane]);
        const Lanes scale = lanes(1 / highest);
        for (int v = 0; v < width_; v++) {
            float* log = log_row(v);
            for (ptrdiff_t u = 0; u < u_pitch_; u += n_lanes) {
                const Lanes re = load(u_re_.data() + of(0, v) + u), im = load(u_im_.data() + of(0, v) + u);
                Lanes power[1] = {(re * re + im * im) * scale + lanes(1e-12f)};
                log_lanes(power);
                store(log + u, power[0]);
            }
        }
        // What is beyond the half is the mirror of what is in it.
        for (int v = 0; v < width_; v++) {
            const int mirror = (width_ - v) % width_;
            log_row(v)[-1] = height_ > 1 ? log_row(mirror)[1] : log_row(v)[0];
            log_row(v)[n_u_] = height_ > 2 ? log_row(mirror)[height_ - n_u_] : log_row(v)[0];
        }
        float sums[whole_lanes(longest / 2 + 1) + 2 * n_lanes];
        for (int v = 0; v < width_; v++) {
            const float *before = log_row((v + width_ - 1) % width_), *here = log_row(v);
            const float* after = log_row((v + 1) % width_);
            for (ptrdiff_t u = -n_lanes; u < u_pitch_ + n_lanes; u += n_lanes)
                store(sums + n_lanes + u, load(before + u) + load(here + u) + load(after + u));
            float *re = u_re_.data() + of(0, v), *im = u_im_.data() + of(0, v);
            for (ptrdiff_t u = 0; u < u_pitch_; u++) {
                const float* sum = sums + n_lanes + u;
                // Logarithms of squares, nine of them; 14 keeps the exponential below 1.
                const float factor = exp_negative((sum[-1] + sum[0] + sum[1]) * (-1.0f / 18) - 14.0f);
                re[u] *= factor;
                im[u] *= factor;
            }
        }
    }

    void back(float* out) {
        for (ptrdiff_t u = 0; u < u_pitch_; u += n_lanes)
            columns_.transform(u_im_.data() + u, u_re_.data() + u, u_pitch_);
        for (int u = 0; u < n_u_; u += n_lanes)
            for (int x = 0; x < pitch_; x += n_lanes) join(u, x);
        for (ptrdiff_t x = 0; x < pitch_; x += n_lanes) rows_.transform(im_.data() + x, re_.data() + x, pitch_);
        for (int y = 0; y < height_; y++) {
            float* row = out + y * width_;
            for (int x = 0; x < half_width_; x++) row[x] = re_[at(y, x)] * re_[at(y, x)];
            for (int x = half_width_; x < width_; x++) {
                const float value = im_[at(y, x - half_width_)];
                row[x] = value * value;
            }
        }
    }

    // The spectra of the two columns that were transformed as one, for eight u and x. Rows beyond the
    // half are computed with the others, and not used.
    void part(int u0, int x0) {
        Lanes left_re[n_lanes], left_im[n_lanes], right_re[n_lanes], right_im[n_lanes];
        for (int k = 0; k < n_lanes; k++) {
            const int u = std::min(u0 + k, height_ - 1), mirror = (height_ - u) % height_;
            const Lanes re = load(&re_[at(u, x0)]), im = load(&im_[at(u, x0)]);
            const Lanes other_re = load(&re_[at(mirror, x0)]), other_im = load(&im_[at(mirror, x0)]);
            left_re[k] = re + other_re;
            left_im[k] = im - other_im;
            right_re[k] = im + other_im;
            right_im[k] = other_re - re;
        }
        transpose(left_re), transpose(left_im), transpose(right_re), transpose(right_im);
        for (int k = 0; k < n_lanes && x0 + k < half_width_; k++) {
            store(&u_re_[of(u0, x0 + k)], left_re[k]);
            store(&u_im_[of(u0, x0 + k)], left_im[k]);
            store(&u_re_[of(u0, x0 + k + half_width_)], right_re[k]);
            store(&u_im_[of(u0, x0 + k + half_width_)], right_im[k]);
        }
    }

    // And one of two again.
    void join(int u0, int x0) {
        Lanes left_re[n_lanes], left_im[n_lanes], right_re[n_lanes], right_im[n_lanes];
        for (int k = 0; k < n_lanes; k++) {
            left_re[k] = load(&u_re_[of(u0, x0 + k)]);
            left_im[k] = load(&u_im_[of(u0, x0 + k)]);
            right_re[k] = load(&u_re_[of(u0, x0 + k + half_width_)]);
            right_im[k] = load(&u_im_[of(u0, x0 + k + half_width_)]);
        }
        transpose(left_re), transpose(left_im), transpose(right_re), transpose(right_im);
        for (int k = 0; k < n_lanes && u0 + k < n_u_; k++) {
            const int u = u0 + k, mirror = (height_ - u) % height_;
            store(&re_[at(mirror, x0)], left_re[k] + right_im[k]);
            store(&im_[at(mirror, x0)], right_re[k] - left_im[k]);
            store(&re_[at(u, x0)], left_re[k] - right_im[k]);
            store(&im_[at(u, x0)], right_re[k] + left_im[k]);
        }
    }

    size_t at(int y, int x) const { return static_cast<size_t>(y * pitch_ + x); }
    size_t of(int u, int v) const { return static_cast<size_t>(v * u_pitch_ + u); }
    float* log_row(int v) { return log_.data() + v * log_pitch_ + n_lanes; }

    int height_, width_, half_width_, n_u_;
    ptrdiff_t pitch_, u_pitch_, log_pitch_;
    Fourier rows_, columns_;
    Buffer<float> re_, im_, u_re_, u_im_, log_;
};

// Gaussian blur in place, the ends repeated; sigma and reach are those of SciPy's filter.
class SmallBlur {
public:
    explicit SmallBlur(double sigma) : radius_(std::min(static_cast<int>(4 * sigma + 0.5), most)) {
        double weights[most + 1], total = -1;
        for (int i = 0; i <= radius_; i++) total += 2 * (weights[i] = std::exp(-0.5 * i * i / (sigma * sigma)));
        for (int i = 0; i <= radius_; i++) weights_[i] = static_cast<float>(weights[i] / total);
    }

    void blur(float* image, int height, int width) const {
        const ptrdiff_t pitch = whole_lanes(width);
        Buffer<float> tall(static_cast<size_t>((height + 2 * radius_) * pitch));
        for (int y = 0; y < height + 2 * radius_; y++)
            std::memcpy(tall.data() + y * pitch, image + std::clamp(y - radius_, 0, height - 1) * width,
                        sizeof(float) * static_cast<size_t>(width));
        Buffer<float> row(static_cast<size_t>(pitch + 2 * most));
        float* line = row.data() + most;
        for (int y = 0; y < height; y++) {
            const float* middle = tall.data() + (y + radius_) * pitch;
            for (ptrdiff_t x = 0; x < pitch; x += n_lanes) store(line + x, weighted(middle + x, pitch));
            for (int i = 1; i <= radius_; i++) {
                line[-i] = line[0];
                line[width - 1 + i] = line[width - 1];
            }
            float* to = image + y * width;
            int x = 0;
            for (; x + n_lanes <= width; x += n_lanes) store(to + x, weighted(line + x, 1));
            if (x == width) continue;
            const Lanes rest = weighted(line + x, 1);
            std::memcpy(to + x, &rest, sizeof(float) * static_cast<size_t>(width - x));
        }
    }

private:
    static constexpr int most = 16;
    CLASSICSEG_INLINE Lanes weighted(const float* middle, ptrdiff_t step) const {
        Lanes sum = lanes(weights_[0]) * load(middle);
        for (int i = 1; i <= radius_; i++)
            sum += lanes(weights_[i]) * (load(middle - i * step) + load(middle + i * step));
        return sum;
    }

    int radius_;
    float weights_[most + 1];
};

struct Range {
    float low, high;
};

inline Range range_of(const float* values, int n) {
    Lanes lows = lanes(values[0]), highs = lows;
    Range range = {values[0], values[0]};
    int i = 0;
    for (; i + n_lanes <= n; i += n_lanes) {
        lows = lanes_min(lows, load(values + i));
        highs = lanes_max(highs, load(values + i));
    }
    for (; i < n; i++) range = {std::min(range.low, values[i]), std::max(range.high, values[i])};
    for (int lane = 0; lane < n_lanes; lane++)
        range = {std::min(range.low, lows[lane]), std::max(range.high, highs[lane])};
    return range;
}

// The map in [0, 1] of a grey image in 0..255, no side longer than SpectralResidual::longest.
inline void spectral_residual(const float* grey, int height, int width, double sigma, float* out) {
    constexpr float noise = 0.5f;  // levels that are rounding and not an image
    const int n = height * width;
    const Range levels = range_of(grey, n);
    Range range = {0, 0};
    if (levels.high - levels.low >= noise) {
        SpectralResidual(height, width).energy(grey, out);
        SmallBlur(sigma).blur(out, height, width);
        range = range_of(out, n);
    }
    const bool flat = !(range.high > range.low);
    for (int i = 0; i < n; i++) out[i] = flat ? 0.0f : (out[i] - range.low) / (range.high - range.low);
}

}  // namespace classicseg::CLASSICSEG_ISA
