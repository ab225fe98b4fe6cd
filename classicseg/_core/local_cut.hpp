// A minimum cut again after the terminals of a few pixels have changed, by work near them.
//
// Before the change the flow was maximal, and the labels say which pixels excess could reach: the
// smallest source side S. The pixels in a box around the change are cut out, with the arcs across its
// border closed, and a maximum flow is found among them. It is one of the whole grid, and S is known
// everywhere, unless something passes the border:
//
//   - what excess reaches inside has an arc to a pixel outside that is not in S;
//   - a pixel of S outside has an arc to one inside from which the sink can be reached;
//   - a pixel of S outside with no excess of its own may have owed its place in S to a pixel inside
//     that excess does not reach any more.
//
// Then the box grows on that side, and the search goes on from the flow that is there.
#pragma once

#include <cstring>

#include "graphcut_kernels.hpp"
#include "sweep_repair.hpp"

namespace classicseg::CLASSICSEG_ISA {

constexpr Label reached = unlabelled + 1;  // by excess

// Labels whatever excess labelled `reached` on the stack can reach among unlabelled nodes.
template <class G>
void flood(const G& grid, Label* d, List<int32_t>& stack) {
    using Neighbours = typename G::Neighbours;
    Interval at_times;
    while (!stack.empty()) {
        at_times();
        const int32_t from = stack.pop();
        for (uint32_t b = grid.out[from] & Neighbours(d + from, grid.strides).equal(unlabelled); b; b &= b - 1) {
            const int32_t to = from + grid.offset[std::countr_zero(b)];
            d[to] = reached;
            stack.push(to);
        }
    }
}

template <class G>
class LocalCut {
public:
    // `labels` of the whole grid, at node 0: `reached` in S. Both must be of a maximum flow but for
    // the excesses in the box.
    LocalCut(G& grid, Label* labels) : grid_(grid), labels_(labels) {}

    // Makes the flow maximal and the labels right again, if that can be done in a box of at most
    // `most` pixels. Returns the box, an empty one if not: then the flow is still one.
    Box solve(Box box, int64_t most) {
        for (box = grown(box, every_side); box.n_pixels() <= most; box = grown(box, crossed_)) {
            extract(box);
            Search<G>(part_, d_, next_.data(), 0, part_.depth).solve();
            put_back();
            crossed_ = 0;
            reach();
            if (!crossed_) {
                keep_labels();
                return box;
            }
        }
        return {};
    }

private:
    using Topology = typename G::Topology;
    using Capacity = typename G::Capacity;
    static constexpr int every_side = 63, min_growth = 16;  // pixels

    // Sides: bits 0 and 1 for z, 2 and 3 for y, 4 and 5 for x, the lower one first.
    Box grown(Box b, int sides) const {
        const auto grow = [](int& low, int& high, int size, int which) {
            const int by = std::max(min_growth, (high - low) / 2);
            if (which & 1) low = std::max(0, low - by);
            if (which & 2) high = std::min(size, high + by);
        };
        grow(b.z0, b.z1, grid_.depth, sides & 3);
        grow(b.y0, b.y1, grid_.height, sides >> 2 & 3);
        grow(b.x0, b.x1, grid_.width, sides >> 4);
        return b;
    }

    // Calls task(the row's first node in the grid, in the part, z, y in the part).
    template <class Task>
    void for_rows(Task&& task) {
        part_.for_rows_of(0, part_.depth, [&](int32_t row, size_t, int z, int y) {
            task(grid_.node(box_.z0 + z, box_.y0 + y, box_.x0), row, z, y);
        });
    }

    void extract(const Box& box) {
        box_ = box;
        part_ = G(box.z1 - box.z0, box.y1 - box.y0, box.x1 - box.x0);
        const auto width = static_cast<size_t>(part_.width);
        for_rows([&](int32_t whole, int32_t own, int, int) {
            std::memcpy(part_.arcs(own), grid_.arcs(whole), width * G::n_arcs * sizeof(Capacity));
            std::memcpy(&part_.excess[own], &grid_.excess[whole], width * sizeof(Capacity));
        });
        part_.mark_out(0, part_.depth);
        for_rows([&](int32_t, int32_t own, int z, int y) {
            const auto close = [&](int x) {
                for (int k = 0; k < G::n_directions; k++)
                    if (!inside(z, y, x, k)) part_.out[own + x] &= static_cast<typename G::Mask>(~(uint32_t{1} << k));
            };
            const bool all = Topology::has_rows && (y == 0 || y == part_.height - 1);
            for (int x = 0; x < part_.width; x += all ? 1 : std::max(1, part_.width - 1)) close(x);
        });
        part_.mark_in(0, part_.depth);
        const auto n_nodes = static_cast<size_t>(part_.n_nodes);
        if (next_.size() < n_nodes) next_ = Buffer<int32_t>(n_nodes);
        const size_t n_labels = n_nodes + 2 * static_cast<size_t>(label_margin);
        if (own_labels_.size() < n_labels) own_labels_ = Buffer<Label>(n_labels);
        std::fill_n(own_labels_.data(), n_labels, unlabelled);
        d_ = own_labels_.data() + label_margin;
    }

    bool inside(int z, int y, int x, int k) const {
        const Step s = Topology::steps[k];
        z += s.dz, y += s.dy, x += s.dx;
        return z >= 0 && z < part_.depth && y >= 0 && y < part_.height && x >= 0 && x < part_.width;
    }

    void put_back() {
        const auto width = static_cast<size_t>(part_.width);
        for_rows([&](int32_t whole, int32_t own, int, int) {
            std::memcpy(grid_.arcs(whole), part_.arcs(own), width * G::n_arcs * sizeof(Capacity));
            std::memcpy(&grid_.excess[whole], &part_.excess[own], width * sizeof(Capacity));
        });
    }

    // Calls task(node inside, its label, the neighbour outside, residual capacities there and back,
    // the node in the part, side) for the pairs of pixels across the border.
    template <class Task>
    void for_border(Task&& task) {
        for_rows([&](int32_t whole, int32_t own, int z, int y) {
            const bool all = z == 0 || z == part_.depth - 1 ||
                             (Topology::has_rows && (y == 0 || y == part_.height - 1));
            for (int x = 0; x < part_.width; x += all ? 1 : std::max(1, part_.width - 1)) {
                for (int k = 0; k < G::n_directions; k++) {
                    const Step s = Topology::steps[k];
                    const int zz = box_.z0 + z + s.dz, yy = box_.y0 + y + s.dy, xx = box_.x0 + x + s.dx;
                    if (inside(z, y, x, k) || !grid_.has_row(zz, yy) || xx < 0 || xx >= grid_.width) continue;
                    const int32_t i = whole + x, j = i + grid_.offset[k];
                    const int side = zz < box_.z0 ? 1 : zz >= box_.z1 ? 2 : yy < box_.y0 ? 4 : yy >= box_.y1 ? 8
                                     : xx < box_.x0 ? 16 : 32;
                    task(i, d_[own + x], j, grid_.arcs(i)[k], grid_.arcs(j)[G::opposite(k)], own + x, side);
                }
            }
        });
    }

    // Labels what excess reaches in the box, and finds the sides where something passes its border.
    void reach() {
        for_rows([&](int32_t, int32_t own, int, int) {
            for (int32_t i = own; i < own + part_.width; i++) {
                if (part_.excess[i] <= 0) continue;
                d_[i] = reached;
                stack_.push(i);
            }
        });
        flood(part_, d_, stack_);
        enter([&](int32_t j) { return grid_.excess[j] > 0; });
        for_border([&](int32_t i, Label d, int32_t j, Capacity there, Capacity, int32_t, int side) {
            const bool owes = labels_[j] == reached && grid_.excess[j] <= 0 && there > 0;
            if (owes && labels_[i] == reached && d != reached) crossed_ |= side;
        });
        enter([&](int32_t) { return true; });
        for_border([&](int32_t, Label d, int32_t j, Capacity there, Capacity, int32_t, int side) {
            if (d == reached && there > 0 && labels_[j] != reached) crossed_ |= side;
        });
    }

    // Lets excess in from those pixels of S outside that `from` accepts.
    template <class From>
    void enter(From&& from) {
        for_border([&](int32_t, Label d, int32_t j, Capacity, Capacity back, int32_t own, int side) {
            if (labels_[j] != reached || back <= 0 || d == reached || !from(j)) return;
            if (d < unlabelled) {
                crossed_ |= side;
            } else if (d_[own] == unlabelled) {
                d_[own] = reached;
                stack_.push(own);
            }
        });
        flood(part_, d_, stack_);
    }

    void keep_labels() {
        for_rows([&](int32_t whole, int32_t own, int, int) {
            std::copy_n(d_ + own, part_.width, labels_ + whole);
        });
    }

    G& grid_;
    Label* labels_;
    Box box_;
    G part_;  // the box's pixels
    Buffer<Label> own_labels_;
    Label* d_ = nullptr;
    Buffer<int32_t> next_;
    List<int32_t> stack_;
    int crossed_ = 0;  // sides
};

}  // namespace classicseg::CLASSICSEG_ISA
