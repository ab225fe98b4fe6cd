// Clusters of pixels: sums, means.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "buffer.hpp"
#include "isa.hpp"
#include "pool.hpp"
#include "superpixels_kernels.hpp"
#include "words.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Labels of pixels outside the mask, and of pixels that no cluster's window has reached.
constexpr int32_t outside = -1, unassigned = -2;

// Sums of one cluster: count, z, y, x of the tiles, then x within the tiles and the channels in
// fours, each four read and written together. All are whole numbers: their order does not matter.
inline int64_t n_sums(int channels) { return 4 + (1 + channels + 3) / 4 * 4; }

// Adds `lanes`, a part of the sixteen pixels from `pixel` on, which lies at z, y, x, to the sums of a cluster.
template <int C>
CLASSICSEG_INLINE void add_pixels(const Volume& v, int64_t pixel, int64_t z, int64_t y, int64_t x, Words lanes, int64_t* sums) {
    const Words steps = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const int channels = C ? C : v.channels;
    const int64_t n = v.size(), count = std::popcount(lane_bits(lanes)) / 2;
    const auto channel = [&](int c) { return c < channels ? load_words(v.data + c * n + pixel) : Words{}; };
    sums[0] += count;
    sums[1] += count * z;
    sums[2] += count * y;
    sums[3] += count * x;
    add_sums(lanes, steps, channel(0), channel(1), channel(2), sums + 4);
    for (int c = 3; c < channels; c += 4) add_sums(lanes, channel(c), channel(c + 1), channel(c + 2), channel(c + 3), sums + 5 + c);
}

// Sums in double precision, where they are exact, and means in single precision.
class Clusters {
public:
    Clusters(int64_t n, int channels)
        : n_(n), fields_(4 + channels), sums_(static_cast<size_t>(n * fields_)), means_(static_cast<size_t>(n * fields_)) {}

    int64_t size() const { return n_; }
    void resize(int64_t fewer) { n_ = fewer; }
    int channels() const { return static_cast<int>(fields_) - 4; }
    int64_t fields() const { return fields_; }
    // Count, sums of z, y, x and of the channels.
    double* sums(int64_t k) { return sums_.data() + k * fields_; }
    const double* sums(int64_t k) const { return sums_.data() + k * fields_; }
    double count(int64_t k) const { return sums(k)[0]; }
    // Mean z, y, x, then the channels. Of an empty cluster: what it was before.
    const float* mean(int64_t k) const { return means_.data() + k * fields_ + 1; }
    float* mean(int64_t k) { return means_.data() + k * fields_ + 1; }

    void set_means() {
        for (int64_t k = 0; k < n_; k++) {
            const double* s = sums(k);
            if (s[0] == 0) continue;
            const double share = 1 / s[0];
            for (int64_t f = 1; f < fields_; f++) mean(k)[f - 1] = static_cast<float>(s[f] * share);
        }
    }

private:
    int64_t n_, fields_;
    Buffer<double> sums_;
    Buffer<float> means_;
};

// What each part of the work has summed up by itself.
class PartialSums {
public:
    PartialSums(int64_t parts, const Clusters& clusters)
        : parts_(parts), size_(clusters.size()), stride_(n_sums(clusters.channels())), ranges_(static_cast<size_t>(2 * parts)),
          sums_(static_cast<size_t>(parts * size_ * stride_)), total_(static_cast<size_t>(size_ * stride_)) {}
    int64_t stride() const { return stride_; }
    // A part's sums: zeros for clusters `begin` ... `end` - 1, the only ones that it may add to.
    int64_t* start(size_t part, int64_t begin, int64_t end) {
        ranges_[2 * part] = begin;
        ranges_[2 * part + 1] = end;
        int64_t* own = of(static_cast<int64_t>(part));
        std::fill(own + begin * stride_, own + end * stride_, int64_t{0});
        return own;
    }
    void add_up(Clusters& clusters) {
        std::fill_n(total_.data(), total_.size(), int64_t{0});
        for (int64_t p = 0; p < parts_; p++) {
            const int64_t* own = of(p);
            const int64_t end = ranges_[static_cast<size_t>(2 * p + 1)] * stride_;
            for (int64_t i = ranges_[static_cast<size_t>(2 * p)] * stride_; i < end; i++) total_.data()[i] += own[i];
        }
        for (int64_t k = 0; k < size_; k++) {
            int64_t* sum = total_.data() + k * stride_;
            sum[4] += sum[3];
            for (int64_t f = 0; f < clusters.fields(); f++) clusters.sums(k)[f] = static_cast<double>(sum[f < 3 ? f : f + 1]);
        }
    }

private:
    int64_t* of(int64_t part) { return sums_.data() + part * size_ * stride_; }
    int64_t parts_, size_, stride_;
    Buffer<int64_t> ranges_, sums_, total_;
};

}  // namespace classicseg::CLASSICSEG_ISA
