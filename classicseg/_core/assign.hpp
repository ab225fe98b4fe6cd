// One iteration of SLIC: pixels go to the nearest cluster, and their sums to its next mean.
//
// Distances are 16-bit numbers, sixteen pixels at a time, in tiles of four rows that look only at the
// clusters whose windows they meet.
#pragma once

#include <cmath>
#include <cstdint>

#include "clusters.hpp"
#include "words.hpp"

namespace classicseg::CLASSICSEG_ISA {

constexpr int64_t tile_rows = 4;

// How far a cluster sees along z, y, x, in pixels, and what a step of one pixel weighs there. Steps
// and colour differences are whole numbers; a distance is the sum of their squares / 2^15, at most 65535.
struct Metric {
    int64_t reach[3];
    float step[3];
    float gain;     // of colours: less than 1 where compactness would let the squares of steps overflow
    bool adaptive;  // SLICO: each cluster has a gain of its own
};

// Every `step`-th row of the image, from `first` on.
struct Rows {
    int64_t first, step;
    int64_t from(int64_t row) const { return row + ((first - row) % step + step) % step; }
};

// A factor of 16-bit numbers: x * 2^shift * fraction / 2^15. What would overflow stays at the limit.
struct Gain {
    int16_t fraction, shift, limit;
};

inline Gain make_gain(float gain) {
    int shift = 0;
    while (shift < 15 && gain > static_cast<float>(1 << shift) * (32767.0f / 32768.0f)) shift++;
    const float part = gain / static_cast<float>(1 << shift) * 32768.0f + 0.5f;
    return {static_cast<int16_t>(part < 32767.0f ? part : 32767.0f), static_cast<int16_t>(shift), static_cast<int16_t>(32767 >> shift)};
}

// A cluster in the rows of a tile.
struct Candidate {
    int32_t cluster;
    int32_t first_tile, last_tile;
    float x;
    uint16_t rows[tile_rows];  // squared steps in z and y
    Gain gain;
};

inline int16_t nearest_word(float x) {
    const float low = x < -32767.0f ? -32767.0f : x;
    return static_cast<int16_t>(std::rint(low > 32767.0f ? 32767.0f : low));
}

// What a cluster sees, in whole pixels (z1, y1 included) and in tiles.
struct Window {
    int32_t z0, z1, y0, y1, first_tile, last_tile;
};

// Candidates for each tile of a group of rows.
class TileLists {
public:
    explicit TileLists(int64_t tiles) : begin_(static_cast<size_t>(tiles + 2)) {}
    void clear() { candidates_.clear(); }
    void add(const Candidate& c) { candidates_.push(c); }
    const Candidate& candidate(int32_t i) const { return candidates_.data()[i]; }
    void sort() {
        int32_t* begin = begin_.data();
        const size_t tiles = begin_.size() - 2;
        for (size_t t = 0; t < begin_.size(); t++) begin[t] = 0;
        for (size_t i = 0; i < candidates_.size(); i++) {
            const Candidate& c = candidates_.data()[i];
            for (int32_t t = c.first_tile; t <= c.last_tile; t++) begin[t + 2]++;
        }
        for (size_t t = 2; t < tiles + 2; t++) begin[t] += begin[t - 1];
        while (list_.size() < static_cast<size_t>(begin[tiles + 1])) list_.push(0);
        for (size_t i = 0; i < candidates_.size(); i++) {
            const Candidate& c = candidates_.data()[i];
            for (int32_t t = c.first_tile; t <= c.last_tile; t++) list_.data()[begin[t + 1]++] = static_cast<int32_t>(i);
        }
    }
    const int32_t* list(int64_t tile) const { return list_.data() + begin_[static_cast<size_t>(tile)]; }
    int count(int64_t tile) const {
        const int32_t n = begin_[static_cast<size_t>(tile + 1)] - begin_[static_cast<size_t>(tile)];
        return n < 32767 ? n : 32767;  // what a lane can name
    }

private:
    List<Candidate> candidates_;
    List<int32_t> list_;
    Buffer<int32_t> begin_;
};

// For sixteen pixels in each of four rows the index in the list of the nearest candidate.
template <int C, bool weighted>
CLASSICSEG_INLINE void nearest(const Volume& v, const int16_t* colors, const TileLists& lists, const int32_t* list, int count,
                               int64_t x0, float step, const int64_t (&rows)[tile_rows], Words (&label)[tile_rows]) {
    const int channels = C ? C : v.channels;
    const int64_t n = v.size();
    Words lane;
    for (int i = 0; i < n_words; i++) lane[i] = nearest_word(static_cast<float>(i) * step);
    Naturals best[tile_rows];
    for (int r = 0; r < tile_rows; r++) {
        best[r] = naturals(65535);
        label[r] = words(0);
    }
    for (int i = 0; i < count; i++) {
        const Candidate& c = lists.candidate(list[i]);
        const int16_t* color = colors + static_cast<int64_t>(c.cluster) * channels;
        const Naturals across = square(minus(lane, words(nearest_word((c.x - static_cast<float>(x0)) * step))));
        Naturals d[tile_rows];
        for (int r = 0; r < tile_rows; r++) d[r] = plus(across, naturals(c.rows[r]));
        for (int j = 0; j < channels; j++) {
            const Words mean = words(color[j]);
            for (int r = 0; r < tile_rows; r++) {
                Words difference = minus(mean, load_words(v.data + j * n + rows[r]));
                if constexpr (weighted) {
                    const Words high = words(c.gain.limit), low = words(static_cast<int16_t>(-c.gain.limit));
                    difference = difference > high ? high : difference;
                    difference = difference < low ? low : difference;
                    difference = times(difference << c.gain.shift, words(c.gain.fraction));
                }
                d[r] = plus(d[r], square(difference));
            }
        }
        for (int r = 0; r < tile_rows; r++) {
            const Naturals nearer = least(best[r], d[r]);
            label[r] = choose(reinterpret_cast<Words>(nearer == best[r]), label[r], words(static_cast<int16_t>(i)));
            best[r] = nearer;
        }
    }
}

template <int C, bool weighted>
class Assignment {
public:
    // `gains` are those of the clusters where they differ.
    Assignment(const Volume& v, const Metric& metric, Rows rows, const Clusters& clusters, const float* gains)
        : v_(v), metric_(metric), rows_(rows), clusters_(clusters), gains_(gains), channels_(C ? C : v.channels),
          groups_((v.height - 1) / (rows.step * tile_rows) + 1), range_(static_cast<size_t>(2 * v.depth * groups_)),
          windows_(static_cast<size_t>(clusters.size())), colors_(static_cast<size_t>(clusters.size() * channels_)) {
        const int64_t tiles = (v.width - 1) / n_words + 1, span = rows.step * tile_rows;
        for (int64_t i = 0; i < v.depth * groups_; i++) range_[static_cast<size_t>(2 * i)] = static_cast<int32_t>(clusters.size());
        for (int64_t k = 0; k < clusters.size(); k++) {
            const float* mean = clusters.mean(k);
            for (int c = 0; c < channels_; c++) colors_[static_cast<size_t>(k * channels_ + c)] = nearest_word(mean[3 + c]);
            const int64_t cz = std::lrint(mean[0]), cy = std::lrint(mean[1]), cx = std::lrint(mean[2]);
            const int64_t* reach = metric.reach;
            const Window w{static_cast<int32_t>(at_least(cz - reach[0], 0)), static_cast<int32_t>(at_most(cz + reach[0], v.depth - 1)),
                           static_cast<int32_t>(at_least(cy - reach[1], 0)), static_cast<int32_t>(at_most(cy + reach[1], v.height - 1)),
                           static_cast<int32_t>(at_least(cx - reach[2], 0) / n_words),
                           static_cast<int32_t>(at_most((cx + reach[2]) / n_words, tiles - 1))};
            windows_[static_cast<size_t>(k)] = w;
            for (int64_t z = w.z0; z <= w.z1; z++) {
                const int64_t y0 = first_row(z), last = at_most(at_least(w.y1 - y0, 0) / span, groups_ - 1);
                for (int64_t g = at_least(w.y0 - y0, 0) / span; g <= last; g++) {
                    int32_t* range = range_.data() + 2 * (z * groups_ + g);
                    if (k < range[0]) range[0] = static_cast<int32_t>(k);
                    range[1] = static_cast<int32_t>(k + 1);
                }
            }
        }
    }

    // Writes `labels` and adds to `sums` where they are not null.
    void run(int32_t* labels, PartialSums* sums, int64_t parts, Pool& pool) const {
        const int64_t groups = v_.depth * groups_;
        pool.run(static_cast<size_t>(parts), [&](size_t part) {
            const int64_t p = static_cast<int64_t>(part);
            TileLists lists((v_.width - 1) / n_words + 1);
            const int64_t first = groups * p / parts, end = groups * (p + 1) / parts;
            int64_t* own = nullptr;
            if (sums) {
                int64_t low = clusters_.size(), high = 0;  // clusters that its rows can see
                for (int64_t g = first; g < end; g++) {
                    low = at_most(low, range_.data()[2 * g]);
                    high = at_least(high, range_.data()[2 * g + 1]);
                }
                own = sums->start(part, at_most(low, high), high);
            }
            for (int64_t g = first; g < end; g++) {
                checkpoint();
                run_group(g / groups_, g % groups_, lists, labels, own, sums ? sums->stride() : 0);
            }
        });
    }

private:
    static int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }
    static int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

    // Of a plane.
    int64_t first_row(int64_t z) const { return rows_.from(z * v_.height) - z * v_.height; }

    void collect(int64_t z, int64_t group, int64_t top, int64_t bottom, TileLists& lists) const {
        lists.clear();
        const int32_t* range = range_.data() + 2 * (z * groups_ + group);
        for (int32_t k = range[0]; k < range[1]; k++) {
            const Window& w = windows_.data()[k];
            if (bottom < w.y0 || top > w.y1 || z < w.z0 || z > w.z1) continue;
            const float* mean = clusters_.mean(k);
            Candidate c{k, w.first_tile, w.last_tile, mean[2], {}, {}};
            if constexpr (weighted) c.gain = make_gain(gains_[k]);
            const float dz = (static_cast<float>(z) - mean[0]) * metric_.step[0];
            for (int r = 0; r < tile_rows; r++) {
                const float dy = (static_cast<float>(top + r * rows_.step) - mean[1]) * metric_.step[1];
                const float d = (dz * dz + dy * dy) * (1.0f / 32768.0f) + 0.5f;
                c.rows[r] = static_cast<uint16_t>(d < 65535.0f ? d : 65535.0f);
            }
            lists.add(c);
        }
        lists.sort();
    }

    void run_group(int64_t z, int64_t group, TileLists& lists, int32_t* labels, int64_t* sums, int64_t stride) const {
        const int64_t top = first_row(z) + group * tile_rows * rows_.step;
        if (top >= v_.height) return;
        const int64_t here = at_most((v_.height - 1 - top) / rows_.step + 1, tile_rows);
        collect(z, group, top, top + (here - 1) * rows_.step, lists);
        for (int64_t x0 = 0, tile = 0; x0 < v_.width; x0 += n_words, tile++) {
            int64_t rows[tile_rows];
            for (int64_t r = 0; r < tile_rows; r++)
                rows[r] = (z * v_.height + top + at_most(r, here - 1) * rows_.step) * v_.width + x0;
            const int64_t width = at_most(v_.width - x0, n_words);
            const int32_t* list = lists.list(tile);
            const int count = lists.count(tile);
            alignas(32) int16_t found[tile_rows][n_words];
            Words label[tile_rows];
            nearest<C, weighted>(v_, colors_.data(), lists, list, count, x0, metric_.step[2], rows, label);
            std::memcpy(found, label, sizeof found);
            for (int64_t r = 0; r < here; r++) {
                const Words inside = inside_mask(rows[r], width);
                if (labels) write(labels + rows[r], rows[r], width, list, count, found[r], lists);
                if (!sums || !count) continue;
                for (uint32_t left = lane_bits(inside); left;) {
                    const int16_t index = found[r][std::countr_zero(left) / 2];
                    const Words own = (label[r] == words(index)) & inside;
                    left &= ~lane_bits(own);
                    add_pixels<C>(v_, rows[r], z, top + r * rows_.step, x0, own,
                                  sums + lists.candidate(list[index]).cluster * stride);
                }
            }
        }
    }

    Words inside_mask(int64_t pixel, int64_t width) const {
        Words inside = words(-1);
        if (width == n_words && !v_.mask) return inside;
        for (int64_t i = 0; i < n_words; i++) inside[i] = i < width && (!v_.mask || v_.mask[pixel + i]) ? -1 : 0;
        return inside;
    }

    void write(int32_t* labels, int64_t pixel, int64_t width, const int32_t* list, int count, const int16_t* found,
               const TileLists& lists) const {
        for (int64_t i = 0; i < width; i++) {
            const bool there = !v_.mask || v_.mask[pixel + i];
            labels[i] = !there ? outside : count ? lists.candidate(list[found[i]]).cluster : unassigned;
        }
    }

    const Volume& v_;
    const Metric& metric_;
    Rows rows_;
    const Clusters& clusters_;
    const float* gains_;
    int channels_;
    int64_t groups_;  // of rows, in each plane
    Buffer<int32_t> range_;  // for each group the first cluster that sees it, and the one after the last
    Buffer<Window> windows_;
    Buffer<int16_t> colors_;
};

}  // namespace classicseg::CLASSICSEG_ISA
