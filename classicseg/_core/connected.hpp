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

inline int32_t root_of(Run* runs, int32_t i) {
    while (runs[i].parent != i) i = runs[i].parent = runs[runs[i].parent].parent;
    return i;
}

class Components {
public:
    Components(const Volume& v, const int32_t* labels) : v_(v), rows_(v.depth * v.height), row_(static_cast<size_t>(rows_ + 1)) {
        for (int64_t row = 0; row < rows_; row++) {
            find_runs(labels, row * v.width);
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
            int64_t* own = sums.of(part);
            for (int64_t row = rows_ * p / parts; row < rows_ * (p + 1) / parts; row++)
                for (int32_t i = row_[static_cast<size_t>(row)]; i < row_[static_cast<size_t>(row + 1)]; i++)
                    add_run<C>(v_, runs_.data()[i], row, own + runs_.data()[i].parent * sums.stride());
        });
        sums.add_up(clusters);
    }

    // Writes table[component].
    void write(int32_t* labels, const int32_t* table, Pool& pool) const {
        const size_t parts = static_cast<size_t>(pool.size());
        pool.run(parts, [&](size_t part) {
            for (size_t i = runs_.size() * part / parts; i < runs_.size() * (part + 1) / parts; i++) {
                const Run run = runs_.data()[i];
                const int32_t label = table[run.parent];
                for (uint32_t p = run.begin; p < run.end; p++) labels[p] = label;
            }
        });
    }

    // Pairs of components that touch, each at least once.
    void touching(List<Touch>& touches) const {
        constexpr uint64_t slots = 4096;  // of pairs seen last
        Scratch<Touch> seen(slots);
        for (uint64_t i = 0; i < slots; i++) seen[i] = {-1, -1};
        const Run* runs = runs_.data();
        const auto add = [&](int32_t x, int32_t y) {
            if (x == y) return;
            const Touch t = x < y ? Touch{x, y} : Touch{y, x};
            Touch& last = seen[(static_cast<uint64_t>(t.a) * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(t.b) * 0xC2B2AE3D27D4EB4Fu) >> 52];
            if (last.a == t.a && last.b == t.b) return;
            last = t;
            touches.push(t);
        };
        for (int64_t row = 0; row < rows_; row++) {
            for (int32_t i = row_[static_cast<size_t>(row)] + 1; i < row_[static_cast<size_t>(row + 1)]; i++)
                if (runs[i - 1].end == runs[i].begin) add(runs[i - 1].parent, runs[i].parent);
            for_overlaps(row, [&](int32_t a, int32_t b) { add(runs[a].parent, runs[b].parent); });
        }
    }

private:
    void find_runs(const int32_t* labels, int64_t row) {
        int64_t begin = row, i = row + 1;
        const int64_t end = row + v_.width;
        const auto close = [&](int64_t at) {
            if (labels[begin] != outside)
                runs_.push({static_cast<uint32_t>(begin), static_cast<uint32_t>(at), labels[begin], static_cast<int32_t>(runs_.size())});
            begin = at;
        };
        for (; i + n_lanes <= end; i += n_lanes) {
            IntLanes here, before;
            std::memcpy(&here, labels + i, sizeof here);
            std::memcpy(&before, labels + i - 1, sizeof before);
            for (uint32_t bits = lane_bits(here != before); bits; bits &= bits - 1) close(i + std::countr_zero(bits));
        }
        for (; i < end; i++)
            if (labels[i] != labels[i - 1]) close(i);
        close(end);
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

    template <int C>
    static void add_run(const Volume& v, const Run& run, int64_t row, int64_t* sums) {
        const int channels = C ? C : v.channels;
        const int64_t n = v.size(), z = row / v.height, y = row % v.height, x = run.begin - row * v.width;
        const int64_t length = run.end - run.begin;
        sums[0] += length;
        sums[1] += length * z;
        sums[2] += length * y;
        sums[3] += length * (2 * x + length - 1) / 2;
        for (int c = 0; c < channels; c++) {
            const int16_t* plane = v.data + c * n;
            int64_t sum = 0;
            for (uint32_t i = run.begin; i < run.end; i++) sum += plane[i];
            sums[5 + c] += sum;
        }
    }

    Volume v_;
    int64_t rows_;
    Buffer<int32_t> row_;  // index of each row's first run
    List<Run> runs_;
    int32_t count_ = 0;
};

}  // namespace classicseg::CLASSICSEG_ISA
