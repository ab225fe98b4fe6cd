// Images made smaller by area averages, maps made larger by bilinear interpolation.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "buffer.hpp"
#include "lanes.hpp"
#include "rows.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The part of a line of `from` pixels that pixel i of `to` covers: whole pixels first..last, the two
// at the ends by a share of each.
struct Span {
    int first, last;
    float first_share, last_share;

    Span() = default;
    Span(int i, int from, int to) {
        const double step = static_cast<double>(from) / to;
        const double begin = i * step, end = (i + 1) * step;
        first = std::min(static_cast<int>(begin), from - 1);
        last = std::min(std::max(first, static_cast<int>(end)), from - 1);
        first_share = static_cast<float>(std::min(end, first + 1.0) - begin);
        last_share = last > first ? static_cast<float>(std::max(0.0, std::min(end, from * 1.0) - last)) : 0.0f;
    }
    float share(int pixel) const { return pixel == first ? first_share : pixel == last ? last_share : 1.0f; }
};

// Sums over the rows of an image, of n values each, that one row of a smaller image covers, and whether
// all values are in [0, 1], which costs little where they are read anyhow.
template <class T>
class RowSums {
public:
    // There is room for `padding` values after the sums, zeros.
    RowSums(ptrdiff_t n, ptrdiff_t padding) : n_(n), sums_(static_cast<size_t>(n + padding + n_lanes)) {}

    const float* add_up(const T* image, const Span& rows) {
        float* sums = sums_.data();
        const ptrdiff_t n = n_;
        for (ptrdiff_t i = 0; i < n; i++) sums[i] = 0;
        // Whole rows first: sums of whole numbers are exact, however they are added up.
        const T* in = image + (rows.first + 1) * n;
        int left = rows.last - rows.first - 1;
        for (; left >= 4; left -= 4, in += 4 * n)
            add_each([=](ptrdiff_t i, auto read) CLASSICSEG_LAMBDA {
                const T* at = in + i;
                return (read(at) + read(at + n)) + (read(at + 2 * n) + read(at + 3 * n));
            });
        for (; left > 0; left--, in += n)
            add_each([=](ptrdiff_t i, auto read) CLASSICSEG_LAMBDA { return read(in + i); });
        const T *first = image + rows.first * n, *last = image + rows.last * n;
        const Lanes first_share = lanes(rows.first_share), last_share = lanes(rows.last_share);
        add_each([=](ptrdiff_t i, auto read) CLASSICSEG_LAMBDA {
            return first_share * read(first + i) + last_share * read(last + i);
        });
        for (ptrdiff_t i = 0; i < n; i += n_lanes) {
            const Lanes sum = load(sums + i);
            ordered_ &= sum == sum;
        }
        return sums;
    }

    bool all_unit() const {
        const IntLanes unit = ordered_ & (low_ >= lanes(0.0f)) & (high_ <= lanes(1.0f));
        bool all = true;
        for (int lane = 0; lane < n_lanes; lane++) all &= unit[lane] != 0;
        return all;
    }

private:
    // Adds value(i, read) for every eighth i; read takes eight values, at the end those that are left.
    template <class Value>
    CLASSICSEG_INLINE void add_each(Value&& value) {
        Lanes low = low_, high = high_;  // in registers
        const auto watched = [&](const T* from, ptrdiff_t some) CLASSICSEG_LAMBDA {
            typedef T Values __attribute__((vector_size(n_lanes * sizeof(T))));
            Values values = {};
            std::memcpy(&values, from, sizeof(T) * static_cast<size_t>(some));
            const Lanes x = __builtin_convertvector(values, Lanes);
            low = lanes_min(x, low);
            high = lanes_max(x, high);
            return x;
        };
        float* sums = sums_.data();
        const ptrdiff_t n = n_;
        ptrdiff_t i = 0;
        for (; i + n_lanes <= n; i += n_lanes)
            store(sums + i, load(sums + i) + value(i, [&](const T* from) CLASSICSEG_LAMBDA { return watched(from, n_lanes); }));
        if (i < n)
            store(sums + i, load(sums + i) + value(i, [&](const T* from) CLASSICSEG_LAMBDA { return watched(from, n - i); }));
        low_ = low;
        high_ = high;
    }

    ptrdiff_t n_;
    Buffer<float> sums_;
    Lanes low_ = lanes(0.0f), high_ = lanes(0.0f);
    IntLanes ordered_ = ~IntLanes{};  // no NaN
};

// Bytes are first added up in 16 bits, of which four times as many fit into a register as floats with
// their conversion; 257 rows of 255 do not overflow them. Sums of whole numbers are exact.
template <>
class RowSums<uint8_t> {
public:
    RowSums(ptrdiff_t n, ptrdiff_t padding)
        : n_(n), sums_(static_cast<size_t>(n + padding)), whole_(static_cast<size_t>(n)) {}

    const float* add_up(const uint8_t* image, const Span& rows) {
        float* sums = sums_.data();
        for (ptrdiff_t i = 0; i < n_; i++) sums[i] = 0;
        const uint8_t *first = image + rows.first * n_, *last = image + rows.last * n_, *in = first + n_;
        for (int left = rows.last - rows.first - 1; left > 0; left -= 256) {
            const int some = std::min(left, 256);
            add_whole(in, some);
            in += some * n_;
        }
        for (ptrdiff_t i = 0; i < n_; i++)
            sums[i] += rows.first_share * static_cast<float>(first[i]) + rows.last_share * static_cast<float>(last[i]);
        return sums;
    }
    bool all_unit() const { return false; }

private:
    void add_whole(const uint8_t* in, int rows) {
        uint16_t* whole = whole_.data();
        const ptrdiff_t n = n_;
        for (ptrdiff_t i = 0; i < n; i++) whole[i] = 0;
        for (; rows >= 4; rows -= 4, in += 4 * n)
            for (ptrdiff_t i = 0; i < n; i++)
                whole[i] = static_cast<uint16_t>(whole[i] + in[i] + in[n + i] + in[2 * n + i] + in[3 * n + i]);
        for (; rows > 0; rows--, in += n)
            for (ptrdiff_t i = 0; i < n; i++) whole[i] = static_cast<uint16_t>(whole[i] + in[i]);
        for (ptrdiff_t i = 0; i < n; i++) sums_[static_cast<size_t>(i)] += static_cast<float>(whole[i]);
    }

    ptrdiff_t n_;
    Buffer<float> sums_;
    Buffer<uint16_t> whole_;
};

// Calls task(y, sums) for each row of the smaller image; returns whether all values are in [0, 1].
template <class T, class Task>
bool for_summed_rows(const T* image, int height, ptrdiff_t n, int to_height, ptrdiff_t padding, Pool& pool,
                     Task&& task) {
    Buffer<uint8_t> unit(n_row_chunks(to_height));
    for_rows(pool, to_height, [&](int y0, int y1, size_t chunk) {
        RowSums<T> sums(n, padding);
        for (int y = y0; y < y1; y++) task(y, sums.add_up(image, Span(y, height, to_height)));
        unit[chunk] = sums.all_unit();
    });
    bool all = true;
    for (size_t chunk = 0; chunk < unit.size(); chunk++) all &= unit[chunk] != 0;
    return all;
}

// (height, width, 3) of T -> (to_height, to_width, 3) of float, neither side larger than before.
// Returns whether floats are all in [0, 1].
template <class T>
bool shrink(const T* image, int height, int width, float* out, int to_height, int to_width, Pool& pool) {
    constexpr int C = 3;
    Buffer<Span> spans(static_cast<size_t>(to_width));
    for (int x = 0; x < to_width; x++) spans[static_cast<size_t>(x)] = Span(x, width, to_width);
    const float area = static_cast<float>(static_cast<double>(height) / to_height * width / to_width);
    return for_summed_rows(image, height, ptrdiff_t{C} * width, to_height, 0, pool, [&](int y, const float* sum) {
        float* to = out + static_cast<ptrdiff_t>(y) * to_width * C;
        for (int x = 0; x < to_width; x++) {
            const Span& columns = spans[static_cast<size_t>(x)];
            float total[C];
            for (int c = 0; c < C; c++) total[c] = columns.first_share * sum[columns.first * C + c];
            for (int from = columns.first + 1; from < columns.last; from++)
                for (int c = 0; c < C; c++) total[c] += sum[from * C + c];
            for (int c = 0; c < C; c++)
                to[x * C + c] = (total[c] + columns.last_share * sum[columns.last * C + c]) / area;
        }
    });
}

// The same with the mean of the channels: what a pixel averages is one run of a row's values, weighted.
template <class T>
bool shrink_grey(const T* image, int height, int width, int channels, float* out, int to_height, int to_width,
                 Pool& pool) {
    int longest = 0;
    for (int x = 0; x < to_width; x++) {
        const Span columns(x, width, to_width);
        longest = std::max(longest, columns.last - columns.first + 1);
    }
    const ptrdiff_t length = (ptrdiff_t{longest} * channels + n_lanes - 1) / n_lanes * n_lanes;
    Buffer<float> weights(static_cast<size_t>(length * to_width));
    Buffer<ptrdiff_t> firsts(static_cast<size_t>(to_width));
    const double share = static_cast<double>(to_width) / width / channels;
    for (int x = 0; x < to_width; x++) {
        const Span columns(x, width, to_width);
        float* to = weights.data() + x * length;
        for (int from = columns.first; from <= columns.last; from++)
            for (int c = 0; c < channels; c++)
                *to++ = static_cast<float>(share * static_cast<double>(columns.share(from)));
        firsts[static_cast<size_t>(x)] = ptrdiff_t{columns.first} * channels;
    }
    const Lanes rows_share = lanes(static_cast<float>(static_cast<double>(to_height) / height));
    const ptrdiff_t n = ptrdiff_t{channels} * width;
    return for_summed_rows(image, height, n, to_height, length, pool, [&](int y, const float* sum) {
        const auto average = [&](int x) CLASSICSEG_LAMBDA {
            const float *values = sum + firsts[static_cast<size_t>(x)], *of = weights.data() + x * length;
            Lanes total = load(values) * load(of);
            for (ptrdiff_t i = n_lanes; i < length; i += n_lanes) total += load(values + i) * load(of + i);
            return total;
        };
        for (int x = 0; x < to_width; x += n_lanes) {
            const int last = to_width - 1;
            Lanes totals[n_lanes];
            CLASSICSEG_UNROLL for (int k = 0; k < n_lanes; k++) totals[k] = average(std::min(x + k, last));
            const Lanes mean = rows_share * reduce_each(totals, [](Lanes a, Lanes b) CLASSICSEG_LAMBDA { return a + b; });
            float* to = out + static_cast<ptrdiff_t>(y) * to_width + x;
            if (x + n_lanes <= to_width) store(to, mean);
            else std::memcpy(to, &mean, sizeof(float) * static_cast<size_t>(to_width - x));
        }
    });
}

// Pixel i of `to` lies between two of `from`, weight of the second; the ends are repeated.
struct Between {
    int first, second;
    float weight;

    Between() = default;
    Between(int i, int from, int to) {
        const double at = std::min(std::max((i + 0.5) * from / to - 0.5, 0.0), from - 1.0);
        first = std::min(static_cast<int>(at), from - 1);
        second = std::min(first + 1, from - 1);
        weight = static_cast<float>(at - first);
    }
};

// A row drawn out to `to` values. Those between the same two of the row follow one another: they are
// written eight at a time, what is too much is overwritten by the next ones.
class DrawnOut {
public:
    DrawnOut(int from, int to)
        : from_(from), begins_(static_cast<size_t>(from) + 1), weights_(static_cast<size_t>(to) + n_lanes) {
        for (int i = 0; i < to; i++) {
            const Between at(i, from, to);
            weights_[static_cast<size_t>(i)] = at.weight;
            begins_[static_cast<size_t>(at.first) + 1] = i + 1;
        }
        for (size_t i = 1; i < begins_.size(); i++) begins_[i] = std::max(begins_[i], begins_[i - 1]);
    }

    // `out` has room for eight more.
    void draw(const float* row, float* out) const {
        for (int i = 0; i < from_; i++) {
            const Lanes value = lanes(row[i]), step = lanes(row[std::min(i + 1, from_ - 1)] - row[i]);
            const int end = begins_[static_cast<size_t>(i) + 1];
            int x = begins_[static_cast<size_t>(i)];
            do {
                store(out + x, value + load(weights_.data() + x) * step);
                x += n_lanes;
            } while (x < end);
        }
    }

private:
    int from_;
    Buffer<int> begins_;
    Buffer<float> weights_;
};

// Neighbouring rows of the output lie between the same two rows of the map, drawn out once.
inline void enlarge(const float* map, int height, int width, float* out, int to_height, int to_width, Pool& pool) {
    const DrawnOut columns(width, to_width);
    for_rows(pool, to_height, [&](int y0, int y1, size_t) {
        const size_t length = static_cast<size_t>(to_width) + n_lanes;
        Buffer<float> drawn(2 * length);
        float *above = drawn.data(), *below = above + length;
        int above_row = -1, below_row = -1;
        for (int y = y0; y < y1; y++) {
            const Between rows(y, height, to_height);
            if (rows.first == below_row) {
                std::swap(above, below);
                std::swap(above_row, below_row);
            }
            if (rows.first != above_row) columns.draw(map + static_cast<ptrdiff_t>(rows.first) * width, above);
            if (rows.second != below_row) columns.draw(map + static_cast<ptrdiff_t>(rows.second) * width, below);
            above_row = rows.first;
            below_row = rows.second;
            float* to = out + static_cast<ptrdiff_t>(y) * to_width;
            for (int x = 0; x < to_width; x++) to[x] = above[x] + rows.weight * (below[x] - above[x]);
        }
    });
}

}  // namespace classicseg::CLASSICSEG_ISA
