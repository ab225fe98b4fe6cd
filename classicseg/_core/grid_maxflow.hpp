// Maximum flow / minimum cut on a grid of pixels: arcs and terminals in, multilevel start, exact search
// on slabs of slices in parallel and then on their unions, masks out. Warm after any change.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "capacities.hpp"
#include "graphcut_kernels.hpp"
#include "lane_sums.hpp"
#include "local_cut.hpp"
#include "multilevel.hpp"
#include "rows.hpp"
#include "sweep_repair.hpp"

namespace classicseg::CLASSICSEG_ISA {

template <class Topology, class Capacity>
class GridMaxflowOn final : public GridMaxflow {
public:
    GridMaxflowOn(int depth, int height, int width, int64_t limit)
        : grid_(depth, height, width), next_(static_cast<size_t>(grid_.n_nodes)), limit_(limit) {}

#define CLASSICSEG_FOR_CAPACITY(T)                                                             \
    void set_arcs(const GridArcs<T>& arcs, double scale, Pool& pool) override {                \
        set_arcs_from(arcs, scale, pool);                                                      \
    }                                                                                          \
    Sum<T> set_terminals(const T* source, const T* sink, const T* old_source,                  \
                         const T* old_sink, double scale, Pool& pool) override {               \
        return set_terminals_from(source, sink, old_source, old_sink, scale, pool);            \
    }                                                                                          \
    Box solve_again(const T* source, const T* sink, const T* old_source, const T* old_sink,    \
                    const Box& box, double scale, uint8_t* minimal, Pool& pool) override {     \
        change_terminals(source, sink, old_source, old_sink, box, scale);                      \
        return solve_near(box, minimal, pool);                                                 \
    }
    CLASSICSEG_FOR_CAPACITY(int32_t)
    CLASSICSEG_FOR_CAPACITY(int64_t)
    CLASSICSEG_FOR_CAPACITY(float)
    CLASSICSEG_FOR_CAPACITY(double)
#undef CLASSICSEG_FOR_CAPACITY

    int64_t solve(Pool& pool) override {
        if (!warm_) presolve(grid_, 1, pool);
        search_all(pool);
        warm_ = true;
        return source_total_ - positive_excess(pool);
    }

    void cut(uint8_t* minimal, uint8_t* maximal, Pool& pool) override {
        reach_from_excess(pool);
        for_slices(pool, grid_.depth, [&](int z0, int z1, size_t) {
            grid_.for_rows_of(z0, z1, [&](int32_t row, size_t pixel, int, int) {
                const Label* d = label_of_node_0() + row;
                const int width = grid_.width;
                uint8_t* least = minimal + pixel;
                for (int x = 0; x < width; x++) least[x] = d[x] == reached;
                if (!maximal) return;
                uint8_t* most = maximal + pixel;
                for (int x = 0; x < width; x++) most[x] = d[x] >= unlabelled;
            });
        });
    }

private:
    using G = Grid<Topology, Capacity>;
    static constexpr int min_slab_slices = Topology::has_rows ? 16 : 64;
    static constexpr int n_levels = 4;  // on images 2 to 7 tried: 3 to 5 are best, 6 and 7 only cost
    static constexpr int most_for_local = 4;  // beyond this part of the grid, all of it on all threads
    static constexpr int min_coarsen_pixels = 4096;
    static constexpr int chunk = Topology::has_rows ? 2 : row_chunk;  // slices for a thread at a time

    template <class Task>
    static void for_slices(Pool& pool, int depth, Task&& task) {
        for_rows(pool, depth, task, chunk);
    }
    template <class Task>
    static void for_slices_and_next(Pool& pool, int depth, Task&& task) {
        for_rows_and_next(pool, depth, task, chunk);
    }
    static size_t n_chunks(int depth) { return n_row_chunks(depth, chunk); }

    // The capacities of a row's arcs in one direction.
    template <class T>
    struct RowArcs {
        const T* capacity;  // of pixel x
        int first, end;     // the pixels x that have such arcs
        double scale;
        Capacity operator[](int x) const { return x >= first && x < end ? scaled<Capacity>(capacity[x], scale) : Capacity{0}; }
    };

    template <class T>
    RowArcs<T> row_arcs(const GridArcs<T>& arcs, double scale, int z, int y, int k) const {
        const Step s = Topology::steps[k];
        if (!grid_.has_row(z, y) || !grid_.has_row(z + s.dz, y + s.dy)) return {nullptr, 0, 0, scale};
        const int first = std::max(0, -s.dx), end = grid_.width - std::max(0, s.dx);
        const auto row = [&](int zz, int yy) {
            return (static_cast<ptrdiff_t>(zz) * grid_.height + yy) * static_cast<ptrdiff_t>(grid_.width);
        };
        if (const T* there = arcs.towards[k]) return {there + row(z, y), first, end, scale};
        if (const T* back = arcs.towards[G::opposite(k)])
            return {back + row(z + s.dz, y + s.dy) + s.dx, first, end, scale};
        return {nullptr, 0, 0, scale};
    }

    template <class T>
    void set_arcs_from(const GridArcs<T>& arcs, double scale, Pool& pool) {
        marked_ = false;
        if (warm_) {
            replace_arcs(arcs, scale, pool);
        } else {
            for_slices(pool, grid_.depth, [&](int z0, int z1, size_t) {
                grid_.for_rows_of(z0, z1, [&](int32_t row, size_t, int z, int y) {
                    for (int k = 0; k < G::n_directions; k++) {
                        const RowArcs<T> towards = row_arcs(arcs, scale, z, y, k);
                        Capacity* r = grid_.arcs(row) + k;
                        for (int x = 0; x < towards.first; x++) r[x * G::n_directions] = 0;
                        for (int x = towards.first; x < towards.end; x++)
                            r[x * G::n_directions] = scaled<Capacity>(towards.capacity[x], scale);
                        for (int x = towards.end; x < grid_.width; x++) r[x * G::n_directions] = 0;
                    }
                });
            });
        }
        if (arcs.symmetric) {
            asymmetry_ = Buffer<Capacity>();
            return;
        }
        if (asymmetry_.size() == 0) asymmetry_ = Buffer<Capacity>(static_cast<size_t>(grid_.n_nodes) * n_forward);
        for_slices(pool, grid_.depth, [&](int z0, int z1, size_t) {
            grid_.for_rows_of(z0, z1, [&](int32_t row, size_t, int z, int y) {
                for_forward_arcs(arcs, scale, row, z, y, [&](int32_t i, int k, Capacity there, Capacity back) {
                    *asymmetry(i, k) = there - back;
                });
            });
        });
    }

    // Calls task(node, direction, capacity, capacity of the opposite arc) for a row's arcs that lead forward.
    template <class T, class Task>
    void for_forward_arcs(const GridArcs<T>& arcs, double scale, int32_t row, int z, int y, Task&& task) const {
        for (int k = G::first_forward; k < G::n_directions; k++) {
            const Step s = Topology::steps[k];
            if (!grid_.has_row(z + s.dz, y + s.dy)) continue;
            const RowArcs<T> there = row_arcs(arcs, scale, z, y, k);
            const RowArcs<T> back = row_arcs(arcs, scale, z + s.dz, y + s.dy, G::opposite(k));
            for (int x = std::max(0, -s.dx); x < grid_.width - std::max(0, s.dx); x++)
                task(row + x, k, there[x], back[x + s.dx]);
        }
    }

    static constexpr size_t n_forward = G::n_arcs / 2;
    Capacity* asymmetry(int32_t i, int k) {
        return asymmetry_.data() + static_cast<size_t>(i) * n_forward + static_cast<size_t>(k - G::first_forward);
    }

    // The flow on an arc is known from both residuals and the difference of the capacities.
    template <class T>
    void replace_arcs(const GridArcs<T>& arcs, double scale, Pool& pool) {
        for_slices_and_next(pool, grid_.depth, [&](int z0, int z1) {
            grid_.for_rows_of(z0, z1, [&](int32_t row, size_t, int z, int y) {
                for_forward_arcs(arcs, scale, row, z, y, [&](int32_t i, int k, Capacity there, Capacity back) {
                    const int32_t j = i + grid_.offset[k];
                    Capacity& forward = grid_.arcs(i)[k];
                    Capacity& backward = grid_.arcs(j)[G::opposite(k)];
                    const Capacity skew = asymmetry_.size() ? *asymmetry(i, k) : Capacity{0};
                    const Capacity flow = (backward - forward + skew) / 2;
                    const Capacity kept = std::clamp(flow, static_cast<Capacity>(-back), there);
                    forward = there - kept;
                    backward = back + kept;
                    grid_.excess[i] += flow - kept;
                    grid_.excess[j] -= flow - kept;
                });
            });
        });
    }

    template <class T>
    Sum<T> set_terminals_from(const T* source, const T* sink, const T* old_source, const T* old_sink,
                              double scale, Pool& pool) {
        Buffer<int64_t> totals(n_chunks(grid_.depth));
        Buffer<Sum<T>> direct(totals.size());
        for_slices(pool, grid_.depth, [&](int z0, int z1, size_t chunk) {
            // One short loop for each step: of all at once compilers make no vectors.
            constexpr int block = 64;
            LaneSums<int64_t> total;
            LaneSums<Sum<T>> smaller;
            Capacity now[block], before[block];
            grid_.for_rows_of(z0, z1, [&](int32_t row, size_t pixel, int, int) {
                for (int x = 0; x < grid_.width; x += block) {
                    const int n = std::min(block, grid_.width - x);
                    const size_t p = pixel + static_cast<size_t>(x);
                    terminals(source + p, sink + p, n, limit_, scale, now);
                    Capacity* e = grid_.excess.data() + row + x;
                    std::copy_n(e, n, before);  // where nothing was set: what came first is replaced
                    if (old_source) terminals(old_source + p, old_sink + p, n, limit_, scale, before);
                    for (int i = 0; i < n; i++) e[i] += now[i] - before[i];
                    total.add(n, [&](int64_t i) { return std::max<Capacity>(now[i], 0); });
                    const T *a = source + p, *b = sink + p;
                    smaller.add(n, [&](int64_t i) { return std::min(a[i], b[i]); });
                }
            });
            totals[chunk] = total.sum();
            direct[chunk] = smaller.sum();
        });
        source_total_ = 0;
        Sum<T> base = 0;
        for (size_t c = 0; c < totals.size(); c++) {
            source_total_ += totals[c];
            base += direct[c];
        }
        return base;
    }

    template <class T>
    void change_terminals(const T* source, const T* sink, const T* old_source, const T* old_sink,
                          const Box& box, double scale) {
        size_t p = 0;
        for (int z = box.z0; z < box.z1; z++) {
            for (int y = box.y0; y < box.y1; y++) {
                Capacity* e = grid_.excess.data() + grid_.node(z, y, box.x0);
                for (int x = box.x0; x < box.x1; x++, p++, e++) {
                    const Capacity now = terminal<Capacity>(source[p], sink[p], limit_, scale);
                    const Capacity before = terminal<Capacity>(old_source[p], old_sink[p], limit_, scale);
                    *e += now - before;
                    source_total_ += std::max<int64_t>(now, 0) - std::max<int64_t>(before, 0);
                }
            }
        }
    }

    Box solve_near(const Box& box, uint8_t* minimal, Pool& pool) {
        marked_ = false;
        const Box changed = LocalCut<G>(grid_, label_of_node_0()).solve(box, grid_.n_pixels() / most_for_local);
        if (changed.n_pixels() == 0) {
            search_all(pool);
            cut(minimal, nullptr, pool);
            return {0, grid_.depth, 0, grid_.height, 0, grid_.width};
        }
        for (int z = changed.z0; z < changed.z1; z++) {
            for (int y = changed.y0; y < changed.y1; y++) {
                const Label* d = label_of_node_0() + grid_.node(z, y, 0);
                uint8_t* row = minimal + (static_cast<ptrdiff_t>(z) * grid_.height + y) * grid_.width;
                for (int x = changed.x0; x < changed.x1; x++) row[x] = d[x] == reached;
            }
        }
        return changed;
    }

    int64_t positive_excess(Pool& pool) {
        Buffer<int64_t> totals(n_chunks(grid_.depth));
        for_slices(pool, grid_.depth, [&](int z0, int z1, size_t chunk) {
            int64_t total = 0;
            grid_.for_rows_of(z0, z1, [&](int32_t row, size_t, int, int) {
                const Capacity* e = grid_.excess.data() + row;
                for (int x = 0; x < grid_.width; x++) total += std::max<int64_t>(e[x], 0);
            });
            totals[chunk] = total;
        });
        int64_t sum = 0;
        for (size_t c = 0; c < totals.size(); c++) sum += totals[c];
        return sum;
    }

    // Starts `fine` with the flow of a grid half its size, solved in the same way.
    void presolve(G& fine, int level, Pool& pool) {
        if (level == n_levels || fine.n_pixels() < min_coarsen_pixels) return;
        G coarse = half_as_large(fine);
        Buffer<double> total(n_chunks(coarse.depth));
        for_slices(pool, coarse.depth, [&](int z0, int z1, size_t chunk) {
            if (!coarsen(fine, coarse, limit_, z0, z1)) total[chunk] = INFINITY;
        });
        for_slices(pool, coarse.depth, [&](int z0, int z1, size_t chunk) {
            total[chunk] = std::max(total[chunk], largest_total(coarse, z0, z1));
        });
        // An excess is at most the limit and what all arcs bring, whatever flow they carry.
        const double most = static_cast<double>(std::numeric_limits<Capacity>::max() / 2 - limit_);
        for (size_t c = 0; c < total.size(); c++)
            if (total[c] > most) return;

        const size_t n_arcs = static_cast<size_t>(coarse.n_nodes) * G::n_arcs;
        Buffer<Capacity> capacity(n_arcs);
        std::copy_n(coarse.residual.data(), n_arcs, capacity.data());
        presolve(coarse, level + 1, pool);
        {
            Buffer<Label> labels;
            search(coarse, labels, false, pool);
        }
        for_slices_and_next(pool, coarse.depth, [&](int z0, int z1) {
            project(fine, coarse, capacity.data(), z0, z1);
        });
        for_slices(pool, coarse.depth, [&](int z0, int z1, size_t) { even_out_blocks(fine, coarse, z0, z1); });
    }

    void search_all(Pool& pool) {
        const bool marked = marked_;
        marked_ = false;  // while it lasts, and where it is stopped
        search(grid_, labels_, marked, pool);
        marked_ = true;
    }

    // An exact maximum flow on `grid`, whatever flow it has. Slabs of slices are solved side by side
    // and then joined two by two. While a slab has its own thread, its labels lie in slices of their
    // own with margins of their own: no thread reads what another one writes. `marked`: the grid's
    // masks say already which arcs have residual capacity.
    void search(G& grid, Buffer<Label>& labels, bool marked, Pool& pool) {
        int n_slabs = 1;
        while (n_slabs < pool.size() && grid.depth / (2 * n_slabs) >= min_slab_slices) n_slabs *= 2;
        // A slab's labels begin two slices and a margin further on than if it had the one before alone.
        const ptrdiff_t shift = 2 * grid.strides.slice + label_margin;
        const size_t needed = static_cast<size_t>(grid.depth * grid.strides.slice + n_slabs * shift + label_margin);
        if (labels.size() < needed) labels = Buffer<Label>(needed);

        struct Slab {
            Search<G>* search;
        };
        Buffer<Slab> slabs(static_cast<size_t>(n_slabs));
        struct Owner {  // the searches end with this call, however it ends
            Buffer<Slab>& slabs;
            ~Owner() {
                for (size_t s = 0; s < slabs.size(); s++) delete slabs[s].search;
            }
        } owner{slabs};

        pool.run(static_cast<size_t>(n_slabs), [&](size_t s) {
            const auto boundary = [&](size_t slab) {
                return static_cast<int>(static_cast<int64_t>(grid.depth) * static_cast<int64_t>(slab) / n_slabs);
            };
            const int first = boundary(s), end = boundary(s + 1);
            Label* own = labels.data() + label_margin + static_cast<ptrdiff_t>(s) * shift;
            Label* from = own + first * grid.strides.slice;
            Label* to = own + (end + 2) * grid.strides.slice;
            std::fill(s == 0 ? from - label_margin : from, to + label_margin, unlabelled);
            if (marked) {
                grid.close(first, end);
            } else {
                grid.mark_out(first, end);
                grid.mark_in(first, end);
            }
            slabs[s].search = new Search<G>(grid, own, next_.data(), first, end);
            slabs[s].search->solve();
        });
        for (int step = 1; step < n_slabs; step *= 2) {
            pool.run(static_cast<size_t>(n_slabs / (2 * step)), [&](size_t pair) {
                Search<G>& above = *slabs[2 * pair * static_cast<size_t>(step)].search;
                Search<G>& below = *slabs[(2 * pair + 1) * static_cast<size_t>(step)].search;
                above.join(below);
            });
        }
    }

    // Labels every pixel that remaining excess can reach: the smallest source side.
    void reach_from_excess(Pool& pool) {
        using Neighbours = typename G::Neighbours;
        Label* d = label_of_node_0();
        for_slices(pool, grid_.depth, [&](int z0, int z1, size_t) {
            grid_.for_rows_of(z0, z1, [&](int32_t row, size_t, int, int) {
                const Capacity* e = grid_.excess.data();
                const int32_t end = row + grid_.width;
                for (int32_t i = row; i < end; i++) d[i] = d[i] < unlabelled ? d[i] : e[i] > 0 ? reached : unlabelled;
            });
        });
        List<int32_t> stack;
        const auto spread = [&](int32_t i, int32_t end) {
            for (; i < end; i++) {
                if (d[i] != unlabelled) continue;
                if (!(grid_.in[i] & Neighbours(d + i, grid_.strides).equal(reached))) continue;
                d[i] = reached;
                stack.push(i);
                flood(grid_, d, stack);
            }
        };
        grid_.for_rows_of(0, grid_.depth, [&](int32_t row, size_t, int, int) {
            constexpr int32_t block = 8;
            int32_t i = row;
            const int32_t end = row + grid_.width;
            for (; i + block <= end; i += block) {
                bool any = false;
                for (int32_t b = 0; b < block; b++) any |= d[i + b] == unlabelled;
                if (any) spread(i, i + block);
            }
            spread(i, end);
        });
    }

    Label* label_of_node_0() { return labels_.data() + label_margin; }

    G grid_;
    Buffer<Capacity> asymmetry_;  // capacity - reverse capacity of the forward arcs, n_forward per node
    Buffer<int32_t> next_;
    Buffer<Label> labels_;
    int64_t limit_;
    int64_t source_total_ = 0;  // sum of the positive terminals
    bool warm_ = false;
    bool marked_ = false;  // the grid's masks say which arcs have residual capacity
};

}  // namespace classicseg::CLASSICSEG_ISA
