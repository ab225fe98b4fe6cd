// Maximum flow / minimum cut on a pixel grid: arcs and terminals in, multilevel start, exact search
// on strips of rows in parallel and then on their unions, masks out. Warm after any change.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "graphcut_kernels.hpp"
#include "multilevel.hpp"
#include "rows.hpp"
#include "sweep_repair.hpp"

namespace classicseg::CLASSICSEG_ISA {

template <class Capacity>
class GridMaxflowOn final : public GridMaxflow {
public:
    GridMaxflowOn(int height, int width, int64_t limit)
        : grid_(height, width), next_(static_cast<size_t>(grid_.n_nodes)), limit_(limit) {}

#define CLASSICSEG_FOR_CAPACITY(T)                                                             \
    void set_arcs(const GridArcs<T>& arcs, double scale, Pool& pool) override {                \
        set_arcs_from(arcs, scale, pool);                                                      \
    }                                                                                          \
    Sum<T> set_terminals(const T* source, const T* sink, const T* old_source,                  \
                         const T* old_sink, double scale, Pool& pool) override {               \
        return set_terminals_from(source, sink, old_source, old_sink, scale, pool);            \
    }
    CLASSICSEG_FOR_CAPACITY(int32_t)
    CLASSICSEG_FOR_CAPACITY(int64_t)
    CLASSICSEG_FOR_CAPACITY(float)
    CLASSICSEG_FOR_CAPACITY(double)
#undef CLASSICSEG_FOR_CAPACITY

    int64_t solve(Pool& pool) override {
        if (!warm_) presolve(grid_, 1, pool);
        search(grid_, labels_, next_.data(), pool);
        warm_ = true;
        return source_total_ - positive_excess(pool);
    }

    void cut(uint8_t* minimal, uint8_t* maximal, Pool& pool) override {
        reach_from_excess(pool);
        for_rows(pool, grid_.height, [&](int y0, int y1, size_t) {
            for (int y = y0; y < y1; y++) {
                const Label* d = labels_.data() + label_margin + grid_.node(y, 0);
                const size_t row = static_cast<size_t>(y) * static_cast<size_t>(grid_.width);
                for (int x = 0; x < grid_.width; x++) {
                    minimal[row + static_cast<size_t>(x)] = d[x] == reached;
                    maximal[row + static_cast<size_t>(x)] = d[x] >= unlabelled;
                }
            }
        });
    }

private:
    static constexpr ptrdiff_t label_margin = 16;  // the widest load begins and ends this far outside
    static constexpr Label reached = unlabelled + 1;
    static constexpr int min_strip_rows = 64;
    static constexpr int n_levels = 4;  // 2 to 7 tried: 3 to 5 are best, 6 and 7 only cost
    static constexpr int min_coarsen_pixels = 4096;

    template <class T>
    static Capacity scaled(T value, double scale) {
        if constexpr (std::is_integral_v<T>) {
            return static_cast<Capacity>(value);
        } else {
            return static_cast<Capacity>(std::nearbyint(static_cast<double>(value) * scale));
        }
    }

    template <class T>
    void set_arcs_from(const GridArcs<T>& arcs, double scale, Pool& pool) {
        if (warm_) {
            replace_arcs(arcs, scale, pool);
        } else {
            for_rows(pool, grid_.height, [&](int y0, int y1, size_t) {
                for (int y = y0; y < y1; y++) {
                    for (int x = 0; x < grid_.width; x++) {
                        Capacity* r = grid_.arcs(grid_.node(y, x));
                        const bool inside = y > 0 && x > 0 && y + 1 < grid_.height && x + 1 < grid_.width;
                        for (int k = 0; k < 8; k++) r[k] = capacity(arcs, scale, y, x, k, inside);
                    }
                }
            });
        }
        if (arcs.symmetric) {
            asymmetry_ = Buffer<Capacity>();
        } else {
            if (asymmetry_.size() == 0)
                asymmetry_ = Buffer<Capacity>(static_cast<size_t>(grid_.n_nodes) * 4);
            for_rows(pool, grid_.height, [&](int y0, int y1, size_t) {
                for (int y = y0; y < y1; y++)
                    for (int x = 0; x < grid_.width; x++)
                        for (int k = E; k <= SE; k++)
                            *asymmetry(grid_.node(y, x), k) =
                                capacity(arcs, scale, y, x, k, false) -
                                capacity(arcs, scale, y + direction_dy[k], x + direction_dx[k],
                                         opposite(k), false);
            });
        }
    }

    template <class T>
    Capacity capacity(const GridArcs<T>& arcs, double scale, int y, int x, int k, bool inside) const {
        const int yy = y + direction_dy[k], xx = x + direction_dx[k];
        if (!inside && (y < 0 || x < 0 || y >= grid_.height || x >= grid_.width || yy < 0 ||
                        xx < 0 || yy >= grid_.height || xx >= grid_.width))
            return 0;
        const size_t width = static_cast<size_t>(grid_.width);
        if (arcs.towards[k])
            return scaled(arcs.towards[k][static_cast<size_t>(y) * width + static_cast<size_t>(x)], scale);
        if (const T* back = arcs.towards[opposite(k)])
            return scaled(back[static_cast<size_t>(yy) * width + static_cast<size_t>(xx)], scale);
        return 0;
    }

    Capacity* asymmetry(int32_t i, int k) {
        return asymmetry_.data() + static_cast<size_t>(i) * 4 + static_cast<size_t>(k - E);
    }

    // The flow on an arc is known from both residuals and the difference of the capacities.
    template <class T>
    void replace_arcs(const GridArcs<T>& arcs, double scale, Pool& pool) {
        for_rows_and_next(pool, grid_.height, [&](int y0, int y1) {
            for (int y = y0; y < y1; y++) {
                for (int x = 0; x < grid_.width; x++) {
                    const int32_t i = grid_.node(y, x);
                    for (int k = E; k <= SE; k++) {
                        const int yy = y + direction_dy[k], xx = x + direction_dx[k];
                        if (yy >= grid_.height || xx < 0 || xx >= grid_.width) continue;
                        const int32_t j = i + grid_.offset[k];
                        Capacity& forward = grid_.arcs(i)[k];
                        Capacity& backward = grid_.arcs(j)[opposite(k)];
                        const Capacity skew = asymmetry_.size() ? *asymmetry(i, k) : Capacity{0};
                        const Capacity flow = (backward - forward + skew) / 2;
                        const Capacity there = capacity(arcs, scale, y, x, k, false);
                        const Capacity back = capacity(arcs, scale, yy, xx, opposite(k), false);
                        const Capacity kept =
                            std::clamp(flow, static_cast<Capacity>(-back), there);
                        forward = there - kept;
                        backward = back + kept;
                        grid_.excess[i] += flow - kept;
                        grid_.excess[j] -= flow - kept;
                    }
                }
            }
        });
    }

    // What a pixel starts with: source minus sink, cut to the limit. More than its arcs can carry
    // away changes neither the flow nor the cuts.
    template <class T>
    Capacity terminal(T source, T sink, double scale) const {
        if constexpr (std::is_integral_v<T>) {
            const int64_t net = static_cast<int64_t>(source) - static_cast<int64_t>(sink);
            return static_cast<Capacity>(std::clamp(net, -limit_, limit_));
        } else {
            const double limit = static_cast<double>(limit_);
            const double net = (static_cast<double>(source) - static_cast<double>(sink)) * scale;
            return static_cast<Capacity>(std::nearbyint(std::clamp(net, -limit, limit)));
        }
    }

    template <class T>
    Sum<T> set_terminals_from(const T* source, const T* sink, const T* old_source, const T* old_sink,
                              double scale, Pool& pool) {
        const size_t n_chunks = n_row_chunks(grid_.height);
        Buffer<int64_t> totals(n_chunks);
        Buffer<Sum<T>> direct(n_chunks);
        for_rows(pool, grid_.height, [&](int y0, int y1, size_t chunk) {
            int64_t total = 0;
            Sum<T> smaller = 0;
            for (int y = y0; y < y1; y++) {
                size_t p = static_cast<size_t>(y) * static_cast<size_t>(grid_.width);
                Capacity* e = grid_.excess.data() + grid_.node(y, 0);
                for (int x = 0; x < grid_.width; x++, p++) {
                    const Capacity now = terminal(source[p], sink[p], scale);
                    e[x] = old_source ? e[x] + now - terminal(old_source[p], old_sink[p], scale) : now;
                    total += std::max<int64_t>(now, 0);
                    smaller += static_cast<Sum<T>>(std::min(source[p], sink[p]));
                }
            }
            totals[chunk] = total;
            direct[chunk] = smaller;
        });
        source_total_ = 0;
        Sum<T> base = 0;
        for (size_t c = 0; c < n_chunks; c++) {
            source_total_ += totals[c];
            base += direct[c];
        }
        return base;
    }

    int64_t positive_excess(Pool& pool) {
        const size_t n_chunks = n_row_chunks(grid_.height);
        Buffer<int64_t> totals(n_chunks);
        for_rows(pool, grid_.height, [&](int y0, int y1, size_t chunk) {
            int64_t total = 0;
            for (int y = y0; y < y1; y++) {
                const Capacity* e = grid_.excess.data() + grid_.node(y, 0);
                for (int x = 0; x < grid_.width; x++) total += std::max<int64_t>(e[x], 0);
            }
            totals[chunk] = total;
        });
        int64_t sum = 0;
        for (size_t c = 0; c < n_chunks; c++) sum += totals[c];
        return sum;
    }

    // Starts `fine` with the flow of a grid half its size, solved in the same way.
    void presolve(Grid2D<Capacity>& fine, int level, Pool& pool) {
        const int64_t pixels = static_cast<int64_t>(fine.height) * fine.width;
        if (level == n_levels || pixels < min_coarsen_pixels) return;
        Grid2D<Capacity> coarse((fine.height + 1) / 2, (fine.width + 1) / 2);
        const size_t n_chunks = n_row_chunks(coarse.height);
        Buffer<double> total(n_chunks);
        for_rows(pool, coarse.height, [&](int y0, int y1, size_t chunk) {
            if (!coarsen(fine, coarse, limit_, y0, y1)) total[chunk] = INFINITY;
        });
        for_rows(pool, coarse.height, [&](int y0, int y1, size_t chunk) {
            total[chunk] = std::max(total[chunk], largest_total(coarse, y0, y1));
        });
        // An excess is at most the limit and what all arcs bring, whatever flow they carry.
        const double most = static_cast<double>(std::numeric_limits<Capacity>::max() / 2 - limit_);
        for (size_t c = 0; c < n_chunks; c++)
            if (total[c] > most) return;

        const size_t n_arcs = static_cast<size_t>(coarse.n_nodes) * 8;
        Buffer<Capacity> capacity(n_arcs);
        std::copy_n(coarse.residual.data(), n_arcs, capacity.data());
        presolve(coarse, level + 1, pool);
        {
            Buffer<Label> labels;
            search(coarse, labels, next_.data(), pool);
        }
        for_rows_and_next(pool, coarse.height, [&](int y0, int y1) {
            project(fine, coarse, capacity.data(), y0, y1);
        });
        for_rows(pool, coarse.height, [&](int y0, int y1, size_t) { even_out_blocks(fine, y0, y1); });
    }

    // An exact maximum flow on `grid`, whatever flow it has. Strips of rows are solved side by side
    // and then joined two by two. While a strip has its own thread, its labels lie in rows of their
    // own with margins of their own: no thread reads what another one writes.
    void search(Grid2D<Capacity>& grid, Buffer<Label>& labels, int32_t* next, Pool& pool) {
        int n_strips = 1;
        while (n_strips < pool.size() && grid.height / (2 * n_strips) >= min_strip_rows) n_strips *= 2;
        const ptrdiff_t rows = grid.height + 2 * n_strips;
        const size_t needed = static_cast<size_t>(rows * grid.stride + 2 * label_margin);
        if (labels.size() < needed) labels = Buffer<Label>(needed);

        struct Strip {
            Search<Capacity>* search;
        };
        Buffer<Strip> strips(static_cast<size_t>(n_strips));
        struct Owner {  // the searches end with this call, however it ends
            Buffer<Strip>& strips;
            ~Owner() {
                for (size_t s = 0; s < strips.size(); s++) delete strips[s].search;
            }
        } owner{strips};

        pool.run(static_cast<size_t>(n_strips), [&](size_t s) {
            const int first = static_cast<int>(static_cast<int64_t>(grid.height) * static_cast<int>(s) / n_strips);
            const int end = static_cast<int>(static_cast<int64_t>(grid.height) * (static_cast<int>(s) + 1) / n_strips);
            Label* own = labels.data() + label_margin + static_cast<ptrdiff_t>(2 * s) * grid.stride;
            // The margins around the whole array belong to the first and the last strip.
            Label* from = own + first * grid.stride - (s == 0 ? label_margin : 0);
            Label* to = own + (end + 2) * grid.stride + (static_cast<int>(s) + 1 == n_strips ? label_margin : 0);
            std::fill(from, to, unlabelled);
            grid.mark_out(first, end);
            grid.mark_in(first, end);
            strips[s].search = new Search<Capacity>(grid, own, next, first, end);
            strips[s].search->solve();
        });
        for (int step = 1; step < n_strips; step *= 2) {
            pool.run(static_cast<size_t>(n_strips / (2 * step)), [&](size_t pair) {
                Search<Capacity>& above = *strips[2 * pair * static_cast<size_t>(step)].search;
                Search<Capacity>& below = *strips[(2 * pair + 1) * static_cast<size_t>(step)].search;
                above.join(below);
            });
        }
    }

    // Labels every pixel that remaining excess can reach: the smallest source side.
    void reach_from_excess(Pool& pool) {
        Label* d = labels_.data() + label_margin;
        for_rows(pool, grid_.height, [&](int y0, int y1, size_t) {
            for (int y = y0; y < y1; y++) {
                const int32_t row = grid_.node(y, 0);
                for (int32_t i = row; i < row + grid_.width; i++)
                    if (d[i] >= unlabelled) d[i] = grid_.excess[i] > 0 ? reached : unlabelled;
            }
        });
        List<int32_t> stack;
        for (int y = 0; y < grid_.height; y++) {
            const int32_t row = grid_.node(y, 0);
            for (int32_t i = row; i < row + grid_.width; i++) {
                if (d[i] != unlabelled) continue;
                if (!(grid_.in[i] & NeighbourLabels(d + i, grid_.stride).equal(reached))) continue;
                d[i] = reached;
                stack.push(i);
                while (!stack.empty()) {
                    const int32_t from = stack.pop();
                    uint32_t b = grid_.out[from] & NeighbourLabels(d + from, grid_.stride).equal(unlabelled);
                    for (; b; b &= b - 1) {
                        const int32_t j = from + grid_.offset[std::countr_zero(b)];
                        d[j] = reached;
                        stack.push(j);
                    }
                }
            }
        }
    }

    Grid2D<Capacity> grid_;
    Buffer<Capacity> asymmetry_;  // capacity - reverse capacity of the forward arcs, 4 per node
    Buffer<int32_t> next_;
    Buffer<Label> labels_;
    int64_t limit_;
    int64_t source_total_ = 0;  // sum of the positive terminals
    bool warm_ = false;
};

}  // namespace classicseg::CLASSICSEG_ISA
