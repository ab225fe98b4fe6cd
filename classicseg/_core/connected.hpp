// Connected components of labels along faces, and which of them touch: by runs, not by pixels.
#pragma once

#include <cstdint>

#include "clusters.hpp"

namespace classicseg::CLASSICSEG_ISA {

struct Run {
    int64_t begin, end;  // pixels
    int32_t parent;      // union-find: the index of an earlier run, or its own
};

struct Touch {
    int32_t a, b;  // a < b
    double faces;
};

inline int32_t root_of(List<Run>& runs, int32_t i) {
    Run* r = runs.data();
    while (r[i].parent != i) i = r[i].parent = r[r[i].parent].parent;
    return i;
}

// Pairs of runs of two rows that have columns in common; `shift` is the rows' distance in memory.
template <class Visit>
void for_overlaps(const List<Run>& runs, int64_t a, int64_t a_end, int64_t b, int64_t b_end, int64_t shift, Visit&& visit) {
    while (a < a_end && b < b_end) {
        const Run upper = runs[static_cast<size_t>(a)], lower = runs[static_cast<size_t>(b)];
        const int64_t x0 = upper.begin + shift > lower.begin ? upper.begin + shift : lower.begin;
        const int64_t x1 = upper.end + shift < lower.end ? upper.end + shift : lower.end;
        if (x0 < x1) visit(static_cast<int32_t>(a), static_cast<int32_t>(b), x1 - x0);
        if (upper.end + shift < lower.end) a++;
        else b++;
    }
}

class Components {
public:
    Components(const Volume& v, const int32_t* labels) : v_(v), rows_(v.depth * v.height), row_(static_cast<size_t>(rows_ + 1)) {
        for (int64_t row = 0; row < rows_; row++) {
            row_[static_cast<size_t>(row)] = static_cast<int64_t>(runs_.size());
            const int64_t begin = row * v.width, end = begin + v.width;
            for (int64_t i = begin; i < end;) {
                const int64_t first = i;
                const int32_t label = labels[first];
                while (i < end && labels[i] == label) i++;
                if (label != outside) runs_.push({first, i, static_cast<int32_t>(runs_.size())});
            }
            row_[static_cast<size_t>(row + 1)] = static_cast<int64_t>(runs_.size());
            for_rows_before(row, [&](int32_t a, int32_t b, int64_t) {
                if (labels[runs_[static_cast<size_t>(a)].begin] != labels[runs_[static_cast<size_t>(b)].begin]) return;
                const int32_t x = root_of(runs_, a), y = root_of(runs_, b);
                if (x < y) runs_.data()[y].parent = x;
                else runs_.data()[x].parent = y;
            });
        }
        // In order of first appearance: a root is the first of its runs.
        number_ = Buffer<int32_t>(runs_.size());
        for (size_t i = 0; i < runs_.size(); i++) {
            const int32_t root = root_of(runs_, static_cast<int32_t>(i));
            number_[i] = root == static_cast<int32_t>(i) ? count_++ : number_[static_cast<size_t>(root)];
        }
    }

    int64_t count() const { return count_; }

    // Writes table[component], or the component itself without a table.
    void write(int32_t* labels, const int32_t* table, Pool& pool) const {
        pool.run(static_cast<size_t>(pool.size()), [&](size_t part) {
            const size_t parts = static_cast<size_t>(pool.size());
            for (size_t i = runs_.size() * part / parts; i < runs_.size() * (part + 1) / parts; i++) {
                const Run run = runs_[i];
                const int32_t label = table ? table[number_[i]] : number_[i];
                for (int64_t p = run.begin; p < run.end; p++) labels[p] = label;
            }
        });
    }

    // Components that touch, each pair once, in the order of their first touch.
    void touching(List<Touch>& touches) const {
        size_t capacity = 1024;
        Buffer<int32_t> slot(capacity);  // index + 1 of a touch
        const auto find = [&](int32_t a, int32_t b) {
            size_t h = (static_cast<uint64_t>(a) * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(b) * 0xC2B2AE3D27D4EB4Fu) >> 20;
            for (h &= capacity - 1; slot[h]; h = (h + 1) & (capacity - 1)) {
                const Touch t = touches[static_cast<size_t>(slot[h] - 1)];
                if (t.a == a && t.b == b) break;
            }
            return h;
        };
        const auto add = [&](int32_t x, int32_t y, int64_t faces) {
            if (x == y) return;
            const int32_t a = x < y ? x : y, b = x < y ? y : x;
            const size_t h = find(a, b);
            if (slot[h]) {
                touches.data()[slot[h] - 1].faces += static_cast<double>(faces);
                return;
            }
            touches.push({a, b, static_cast<double>(faces)});
            slot[h] = static_cast<int32_t>(touches.size());
            if (2 * touches.size() <= capacity) return;
            capacity *= 4;
            slot = Buffer<int32_t>(capacity);
            for (size_t i = 0; i < touches.size(); i++)
                slot[find(touches[i].a, touches[i].b)] = static_cast<int32_t>(i + 1);
        };
        for (int64_t row = 0; row < rows_; row++) {
            for (int64_t i = row_[static_cast<size_t>(row)] + 1; i < row_[static_cast<size_t>(row + 1)]; i++) {
                const size_t k = static_cast<size_t>(i);
                if (runs_[k - 1].end == runs_[k].begin) add(number_[k - 1], number_[k], 1);
            }
            for_rows_before(row, [&](int32_t a, int32_t b, int64_t faces) {
                add(number_[static_cast<size_t>(a)], number_[static_cast<size_t>(b)], faces);
            });
        }
    }

private:
    // Overlaps of a row's runs with those of the row above and of the plane before.
    template <class Visit>
    void for_rows_before(int64_t row, Visit&& visit) const {
        const auto with = [&](int64_t other) {
            for_overlaps(runs_, row_[static_cast<size_t>(other)], row_[static_cast<size_t>(other + 1)],
                         row_[static_cast<size_t>(row)], row_[static_cast<size_t>(row + 1)], (row - other) * v_.width, visit);
        };
        if (row % v_.height > 0) with(row - 1);
        if (row >= v_.height) with(row - v_.height);
    }

    Volume v_;
    int64_t rows_;
    Buffer<int64_t> row_;  // index of each row's first run
    List<Run> runs_;
    Buffer<int32_t> number_;  // component of each run
    int32_t count_ = 0;
};

}  // namespace classicseg::CLASSICSEG_ISA
