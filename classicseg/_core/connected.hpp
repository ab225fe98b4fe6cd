// Connected components of labels along faces, and which of them touch: by runs, not by pixels.
#pragma once

#include <cstdint>

#include "clusters.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Pixels of one label in a row.
struct Run {
    uint32_t begin, end;
    int32_t label;
    int32_t parent;  // union-find: the index of an earlier run, or its own; then the component
};

struct Touch {
    int32_t a, b;  // a < b
};

// Remembers some thousands of pairs.
class SeenPairs {
public:
    SeenPairs() : pairs_(4096) {
        for (size_t i = 0; i < pairs_.size(); i++) pairs_[i] = {-1, -1};
    }
    // Whether it came before, as far as it is remembered.
    bool seen(Touch t) {
        Touch& last = pairs_[(static_cast<uint64_t>(t.a) * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(t.b) * 0xC2B2AE3D27D4EB4Fu) >> 52];
        if (last.a == t.a && last.b == t.b) return true;
        last = t;
        return false;
    }

private:
    Buffer<Touch> pairs_;
};

inline int32_t root_of(Run* runs, int32_t i) {
    while (runs[i].parent != i) i = runs[i].parent = runs[runs[i].parent].parent;
    return i;
}

class Components {
public:
    // Of the labels, save for specks in a plane.
    Components(const Volume& v, const int32_t* labels) : v_(v), rows_(v.depth * v.height), row_(static_cast<size_t>(rows_ + 1)) {
        Buffer<int32_t> smooth(static_cast<size_t>(v.width));
        for (int64_t row = 0; row < rows_; row++) {
            if (row % 16 == 0) checkpoint();
            const int32_t* here = labels + row * v.width;
            if (v.depth == 1) {
                without_specks(row > 0 ? here - v.width : here, here, row + 1 < rows_ ? here + v.width : here, smooth.data());
                here = smooth.data();
            }
            find_runs(here, row * v.width);
            row_[static_cast<size_t>(row + 1)] = static_cast<int32_t>(runs_.size());
            Run* runs = runs_.data();
            for_overlaps(row, [&](int32_t a, int32_t b) {
                if (runs[a].label != runs[b].label) return;
                const int32_t x = root_of(runs, a);
                if (runs[b].parent == b) {
                    runs[b].parent = x;
                    return;
                }
                const int32_t y = root_of(runs, b);
                if (x < y) runs[y].parent = x;
                else runs[x].parent = y;
            });
        }
        // In order of first appearance: a root is the first of its runs.
        Run* runs = runs_.data();
        for (int32_t i = 0; i < static_cast<int32_t>(runs_.size()); i++)
            runs[i].parent = runs[i].parent == i ? count_++ : runs[runs[i].parent].parent;
    }

    int32_t count() const { return count_; }

    // Sums of the components.
    template <int C>
    void sum(Clusters& clusters, Pool& pool) const {
        const int64_t parts = pool.size();
        PartialSums sums(parts, clusters);
        pool.run(static_cast<size_t>(parts), [&](size_t part) {
            const int64_t p = static_cast<int64_t>(part);
            int64_t* own = sums.start(part, 0, count_);
            alignas(32) int16_t lanes[2 * n_words];
            for (int i = 0; i < 2 * n_words; i++) lanes[i] = i < n_words ? -1 : 0;
            for (int64_t row = rows_ * p / parts; row < rows_ * (p + 1) / parts; row++) {
                if (row % 16 == 0) checkpoint();
                const int64_t z = row / v_.height, y = row % v_.height;
                for (int32_t i = row_[static_cast<size_t>(row)]; i < row_[static_cast<size_t>(row + 1)]; i++) {
                    const Run run = runs_.data()[i];
                    for (int64_t at = run.begin; at < run.end; at += n_words) {
                        const int64_t length = run.end - at < n_words ? run.end - at : n_words;
                        add_pixels<C>(v_, at, z, y, at - row * v_.width, load_words(lanes + n_words - length),
                                      own + run.parent * sums.stride());
                    }
                }
            }
        });
        sums.add_up(clusters);
    }

    // Writes table[component].
    void write(int32_t* labels, const int32_t* table, Pool& pool) const {
        const size_t parts = static_cast<size_t>(pool.size());
        pool.run(parts, [&](size_t part) {
            const size_t end = runs_.size() * (part + 1) / parts;
            for (size_t i = runs_.size() * part / parts; i < end; i++) {
                const Run run = runs_.data()[i];
                const int32_t label = table[run.parent];
                uint32_t p = run.begin;
                for (; p + n_lanes <= run.end; p += n_lanes) store(labels + p, int_lanes(label));
                // What lies behind is the next run's, which comes after.
                if (i + 1 < end && runs_.data()[i + 1].begin == run.end && runs_.data()[i + 1].end >= p + n_lanes) {
                    store(labels + p, int_lanes(label));
                    continue;
                }
                for (; p < run.end; p++) labels[p] = label;
            }
        });
    }

    // Pairs of components that touch, each at least once.
    void touching(List<Touch>& touches) const {
        SeenPairs pairs;
        const Run* runs = runs_.data();
        const auto add = [&](int32_t x, int32_t y) {
            const Touch t = x < y ? Touch{x, y} : Touch{y, x};
            if (x != y && !pairs.seen(t)) touches.push(t);
        };
        for (int64_t row = 0; row < rows_; row++) {
            if (row % 16 == 0) checkpoint();
            for (int32_t i = row_[static_cast<size_t>(row)] + 1; i < row_[static_cast<size_t>(row + 1)]; i++)
                if (runs[i - 1].end == runs[i].begin) add(runs[i - 1].parent, runs[i].parent);
            for_overlaps(row, [&](int32_t a, int32_t b) { add(runs[a].parent, runs[b].parent); });
        }
    }

private:
    // Pixels of which no more than one of the four neighbours has the label take that of two others
    // which agree, or, alone, that of the left one.
    void without_specks(const int32_t* up, const int32_t* here, const int32_t* down, int32_t* smooth) const {
        const int64_t width = v_.width;
        smooth[0] = here[0];
        smooth[width - 1] = here[width - 1];
        for (int64_t x = 1; x + 1 < width; x++) {
            const int32_t o = here[x], u = up[x], d = down[x], l = here[x - 1], r = here[x + 1];
            const int32_t same = (u == o) + (d == o) + (l == o) + (r == o);
            const int32_t alone = same == 0 ? l : o;
            const int32_t pair = l == r ? l : alone;
            const int32_t other = u == d ? u : pair;
            smooth[x] = (same <= 1) & (o >= 0) & (other >= 0) ? other : o;
        }
    }

    // `labels` are the row's.
    void find_runs(const int32_t* labels, int64_t row) {
        int64_t begin = 0, i = 1;
        const auto close = [&](int64_t at) {
            if (labels[begin] != outside)
                runs_.push({static_cast<uint32_t>(row + begin), static_cast<uint32_t>(row + at), labels[begin],
                            static_cast<int32_t>(runs_.size())});
            begin = at;
        };
        for (; i + n_lanes <= v_.width; i += n_lanes) {
            for (uint32_t bits = lane_bits(load(labels + i) != load(labels + i - 1)); bits; bits &= bits - 1) close(i + std::countr_zero(bits));
        }
        for (; i < v_.width; i++)
            if (labels[i] != labels[i - 1]) close(i);
        close(v_.width);
    }

    // Runs of this row that have columns in common with one of the row above or of the plane before.
    template <class Visit>
    void for_overlaps(int64_t row, Visit&& visit) const {
        const Run* runs = runs_.data();
        const auto with = [&](int64_t other) {
            const uint32_t shift = static_cast<uint32_t>((row - other) * v_.width);
            int32_t a = row_[static_cast<size_t>(other)], b = row_[static_cast<size_t>(row)];
            const int32_t a_end = row_[static_cast<size_t>(other + 1)], b_end = row_[static_cast<size_t>(row + 1)];
            while (a < a_end && b < b_end) {
                const uint32_t end = runs[a].end + shift;
                if (runs[a].begin + shift < runs[b].end && runs[b].begin < end) visit(a, b);
                // Without a jump: which one ends first is anybody's guess.
                const bool upper = end < runs[b].end;
                a += upper;
                b += !upper;
            }
        };
        if (row % v_.height > 0) with(row - 1);
        if (row >= v_.height) with(row - v_.height);
    }

    Volume v_;
    int64_t rows_;
    Buffer<int32_t> row_;  // index of each row's first run
    List<Run> runs_;
    int32_t count_ = 0;
};

}  // namespace classicseg::CLASSICSEG_ISA
