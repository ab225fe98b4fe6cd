// Mean field in the fully connected CRF with Gaussian kernels (Krähenbühl & Koltun 2011). Each
// iteration is one pass over the points, tile by tile, which slices the filtered marginals out of the
// lattices, adds the unaries, takes the softmax and splats the new marginals, and a blur of the lattices.
#pragma once

#include <cmath>
#include <limits>

#include "exp.hpp"
#include "lattice_filter.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The lattices of a CRF with the kernels' normalisation in the points' weights.
class NormalizedLattices {
public:
    NormalizedLattices(CrfGrid grid, const CrfKernel* kernels, int n_kernels, Normalization normalization, Pool& pool)
        : lattices(grid, kernels, n_kernels, pool) {
        if (normalization != Normalization::none) normalize(normalization, pool);
    }
    Permutohedral lattices;
    const float* splat_weights() const { return splat_.size() ? splat_.data() : lattices.weights(); }
    const float* slice_weights() const { return lattices.weights(); }

private:
    // Filters ones, then divides by the result: the points' weights before or after the filter, or
    // both by its root.
    void normalize(Normalization normalization, Pool& pool) {
        const Tiles& tiles = lattices.tiles();
        const auto n_corners = static_cast<size_t>(lattices.n_corners());
        Buffer<float> tile_values(lattices.n_tile_rows());
        pool.run(tiles.count(), [&](size_t t) {
            const Tile tile = tiles[t];
            float* sums = tile_values.data() + lattices.tile_rows(t).begin[0];
            const size_t begin = static_cast<size_t>(tile.first) * n_corners;
            const size_t end = begin + static_cast<size_t>(tile.size()) * n_corners;
            for (size_t i = begin; i < end; i++) sums[lattices.rows_of_points()[i]] += lattices.weights()[i];
        });
        Buffer<float> values(lattices.n_rows());
        add_tile_rows(lattices, SingleRow(), tile_values.data(), values.data(), pool,
                      [&](int k, float* row) { *row *= lattices.lattice(k).blur_scale(); });
        blur(lattices, SingleRow(), values.data(), pool);
        if (normalization == Normalization::before)
            splat_ = Buffer<float>(static_cast<size_t>(lattices.grid().size()) * n_corners);
        if (normalization == Normalization::after) {
            splat_ = Buffer<float>(static_cast<size_t>(lattices.grid().size()) * n_corners);
            std::memcpy(splat_.data(), lattices.weights(), splat_.size() * sizeof(float));
        }
        pool.run(tiles.count(), [&](size_t t) {
            const Tile tile = tiles[t];
            const uint32_t begin = lattices.tile_rows(t).begin[0];
            Buffer<float> own(lattices.tile_end(t) - begin);
            copy_tile_rows(t, SingleRow(), values.data(), own.data());
            for (int64_t p = tile.first; p < tile.first + tile.size(); p++) {
                size_t i = static_cast<size_t>(p) * n_corners;
                for (int k = 0; k < lattices.n_kernels(); k++) {
                    const size_t end = i + static_cast<size_t>(lattices.n_corners(k));
                    float sum = 0;
                    for (size_t j = i; j < end; j++) sum += lattices.weights()[j] * own[lattices.rows_of_points()[j]];
                    sum = std::max(sum, 0.0f) + 1e-20f;
                    const float scale = normalization == Normalization::symmetric ? 1 / std::sqrt(sum) : 1 / sum;
                    for (; i < end; i++) {
                        if (normalization == Normalization::before)
                            splat_[i] = lattices.weights()[i] * scale;
                        else
                            lattices.weights()[i] *= scale;
                    }
                }
            }
        });
    }

public:
    // A tile's copy of the lattices' rows.
    template <class Row>
    void copy_tile_rows(size_t tile, Row row, const float* values, float* to) const {
        const uint32_t* rows = lattices.row_of_tile_row();
        const size_t width = row.width(), step = width / static_cast<size_t>(row.size());
        const uint32_t end = lattices.tile_end(tile);
        for (uint32_t i = lattices.tile_rows(tile).begin[0]; i < end; i++, to += width) {
            prefetch_row(row, values + rows[i + Permutohedral::look_ahead] * width);
            for (size_t v = 0; v < width; v += step) Row::put(to + v, Row::get(values + rows[i] * width + v));
        }
    }

private:
    Buffer<float> splat_;
};

// What a pass over the points does beside the update.
struct Pass {
    bool first;      // there is nothing to slice yet
    bool splat;      // there is another pass to come
    bool keep;       // write the marginals
    bool compare;    // with the marginals kept by the pass before: largest change, pairs' energy
    bool update;     // false: only the pairs' energy of the marginals kept
};

struct TileSums {
    double own = 0;    // entropy and unary terms of the new marginals' free energy
    double pairs = 0;  // pairs' energy of the marginals before
    float change = 0;
};

constexpr int group = n_lanes;  // points at a time

// Any number of labels, in N vectors of eight, with C corners a point (0: any number).
template <int N, int C>
class LabelUpdate {
public:
    using Row = LaneRow<N>;
    LabelUpdate(const NormalizedLattices& model, const MeanFieldTask& task, Row row)
        : model_(model), task_(task), row_(row), n_points_(static_cast<size_t>(model.lattices.grid().size())),
          n_labels_(static_cast<size_t>(task.n_labels)) {
        for (int i = 0; i < n_lanes; i++)
            last_[i] = static_cast<size_t>(row.size() - 1) * n_lanes + static_cast<size_t>(i) < n_labels_ ? -1 : 0;
    }
    Row row() const { return row_; }

    // `rows` holds the blurred values of the tile's lattice points, `sums` gets the splatted ones.
    TileSums run(size_t t, const Pass& pass, const float* rows, float* sums) const {
        const size_t width = row_.width(), n_corners = static_cast<size_t>(corners());
        Buffer<float> buffer(2 * group * width);
        float *x = buffer.data(), *before = x + group * width;
        const bool given = pass.first && task_.start;
        TileSums result;
        const Tiles& tiles = model_.lattices.tiles();
        tiles.for_rows(tiles[t], [&](int64_t, int64_t, int64_t, int64_t n, int64_t point0, int64_t place0) {
            for (int64_t i0 = 0; i0 < n; i0 += group) {
                const int count = static_cast<int>(std::min<int64_t>(group, n - i0));
                const auto point = static_cast<size_t>(point0 + i0);
                const size_t place = static_cast<size_t>(place0 + i0) * n_corners;
                const uint16_t* corner = model_.lattices.rows_of_points() + place;
                prefetch_unary(point + static_cast<size_t>(model_.lattices.grid().width));
                Lanes largest[group];
                for (int i = 0; i < group; i++) largest[i] = lanes(0);
                for (int i = 0; i < count; i++) {
                    const auto p = static_cast<size_t>(i);
                    largest[i] = exponents(point + p, pass.first ? nullptr : rows, corner + p * n_corners,
                                           model_.slice_weights() + place + p * n_corners, x + p * width);
                }
                if (pass.compare) {
                    load_group(task_.probabilities, point, count, before);
                    if (task_.free_energy) result.pairs += pairs_energy(point, count, x, before);
                }
                if (!pass.update) continue;
                Lanes scale = lanes(1);
                if (given) {
                    load_group(task_.start, point, count, x);
                    if (task_.free_energy) result.own += own_energy(point, count, x);
                } else {
                    result.own += softmax(point, count, x, largest, scale);
                }
                if (pass.keep) {
                    for (int i = 0; i < count; i++)
                        for (size_t v = 0; v < width; v += n_lanes) {
                            float* q = x + static_cast<size_t>(i) * width + v;
                            store(q, load(q) * lanes(scale[i]));
                        }
                    scale = lanes(1);
                    if (pass.compare) result.change = std::max(result.change, largest_change(count, x, before));
                    write(point, count, x);
                }
                for (int i = 0; pass.splat && i < count; i++) {
                    const auto p = static_cast<size_t>(i);
                    splat(sums, corner + p * n_corners, model_.splat_weights() + place + p * n_corners, x + p * width,
                          scale[i]);
                }
            }
        });
        return result;
    }

private:
    int corners() const { return C ? C : model_.lattices.n_corners(); }

    void prefetch_unary(size_t point) const {
        if (point + group > n_points_) return;
        const float* from = task_.unary + point * n_labels_;
        for (size_t i = 0; i < group * n_labels_; i += 16) __builtin_prefetch(from + i);
    }
    // Eight labels of a point from (points, labels), from label v on; what is behind the last is not to be used.
    CLASSICSEG_INLINE Lanes load_labels(const float* from, size_t point, size_t v) const {
        const size_t begin = point * n_labels_ + v, end = n_points_ * n_labels_;
        if (begin + n_lanes <= end) [[likely]]
            return load(from + begin);
        float part[n_lanes] = {};
        std::memcpy(part, from + begin, (end - begin) * sizeof(float));
        return load(part);
    }
    // Marginals of a group. Nothing is read beyond a point's own: others may be writing it.
    void load_group(const float* from, size_t point, int count, float* to) const {
        for (int i = 0; i < count; i++, point++, to += row_.width())
            std::memcpy(to, from + point * n_labels_, n_labels_ * sizeof(float));
    }

    // The softmax' exponents of a point: filtered marginals, if there are `rows`, minus unaries.
    // Returns the largest in each lane.
    CLASSICSEG_INLINE Lanes exponents(size_t point, const float* rows, const uint16_t* corner, const float* weight,
                                      float* x) const {
        if constexpr (N != 0) return exponent_block<N ? N : 1>(point, rows, corner, weight, x, 0);
        Lanes largest = lanes(-std::numeric_limits<float>::infinity());
        int v = 0;
        for (; v + 4 <= row_.size(); v += 4) largest = lanes_max(largest, exponent_block<4>(point, rows, corner, weight, x, v));
        for (; v < row_.size(); v++) largest = lanes_max(largest, exponent_block<1>(point, rows, corner, weight, x, v));
        return largest;
    }
    template <int B>
    CLASSICSEG_INLINE Lanes exponent_block(size_t point, const float* rows, const uint16_t* corner, const float* weight,
                                           float* x, int first) const {
        const size_t width = row_.width(), begin = static_cast<size_t>(first) * n_lanes;
        Lanes sum[B];
        for (int v = 0; v < B; v++) sum[v] = lanes(0) - load_labels(task_.unary, point, begin + static_cast<size_t>(v) * n_lanes);
        for (int c = 0; rows && c < corners(); c++) {
            const float* from = rows + corner[c] * width + begin;
            const Lanes w = lanes(weight[c]);
            for (int v = 0; v < B; v++) sum[v] = sum[v] + w * load(from + v * n_lanes);
        }
        if (first + B == row_.size()) sum[B - 1] = last_ ? sum[B - 1] : lanes(-std::numeric_limits<float>::infinity());
        Lanes largest = sum[0];
        for (int v = 1; v < B; v++) largest = lanes_max(largest, sum[v]);
        for (int v = 0; v < B; v++) store(x + begin + static_cast<size_t>(v) * n_lanes, sum[v]);
        return largest;
    }

    // Adds q * scale to the rows of a point's corners.
    CLASSICSEG_INLINE void splat(float* sums, const uint16_t* corner, const float* weight, const float* q, float scale) const {
        if constexpr (N != 0) return splat_block<N ? N : 1>(sums, corner, weight, q, scale);
        int v = 0;
        for (; v + 4 <= row_.size(); v += 4) splat_block<4>(sums + v * n_lanes, corner, weight, q + v * n_lanes, scale);
        for (; v < row_.size(); v++) splat_block<1>(sums + v * n_lanes, corner, weight, q + v * n_lanes, scale);
    }
    template <int B>
    CLASSICSEG_INLINE void splat_block(float* sums, const uint16_t* corner, const float* weight, const float* q, float scale) const {
        const size_t width = row_.width();
        Lanes x[B];
        for (int v = 0; v < B; v++) x[v] = load(q + v * n_lanes) * lanes(scale);
        for (int c = 0; c < corners(); c++) {
            float* to = sums + corner[c] * width;
            const Lanes w = lanes(weight[c]);
            for (int v = 0; v < B; v++) store(to + v * n_lanes, load(to + v * n_lanes) + w * x[v]);
        }
    }

    // Exponentials in place, and what to scale each point's with. Returns the sum of q log q + q u
    // where free energies are wanted.
    CLASSICSEG_INLINE double softmax(size_t point, int count, float* x, const Lanes (&largest)[group], Lanes& scale) const {
        const size_t width = row_.width();
        const Lanes top = reduce_each(largest, [](Lanes a, Lanes b) { return lanes_max(a, b); });
        Lanes part[group];
        for (int i = 0; i < group; i++) {
            float* own = x + static_cast<size_t>(i) * width;
            const Lanes own_top = lanes(top[i]);
            part[i] = lanes(0);
            for (size_t v = 0; v < width; v += n_lanes) {
                const Lanes e = softmax_exp(load(own + v) - own_top);
                part[i] = part[i] + e;
                store(own + v, e);
            }
        }
        const Lanes total = reduce_each(part, [](Lanes a, Lanes b) { return a + b; });
        scale = lanes(1) / total;
        double energy = 0;
        for (int i = 0; task_.free_energy && i < count; i++) {
            const float* e = x + static_cast<size_t>(i) * width;
            const float* u = task_.unary + (point + static_cast<size_t>(i)) * n_labels_;
            const auto sum = static_cast<double>(total[i]);
            for (size_t l = 0; l < n_labels_; l++) {
                const double q = static_cast<double>(e[l]) / sum;
                energy += q * (std::log(q) + static_cast<double>(u[l]));
            }
        }
        return energy;
    }
    double own_energy(size_t point, int count, const float* q) const {
        double energy = 0;
        for (int i = 0; i < count; i++, point++, q += row_.width())
            for (size_t l = 0; l < n_labels_; l++) {
                const auto p = static_cast<double>(q[l]);
                if (p > 0) energy += p * (std::log(p) + static_cast<double>(task_.unary[point * n_labels_ + l]));
            }
        return energy;
    }
    // x holds the filtered marginals minus the unaries.
    double pairs_energy(size_t point, int count, const float* x, const float* q) const {
        const bool potts = !task_.label_weight && !task_.penalty;
        double energy = 0;
        for (int i = 0; i < count; i++, point++, q += row_.width(), x += row_.width())
            for (size_t l = 0; l < n_labels_; l++) {
                const double message = static_cast<double>(x[l]) + static_cast<double>(task_.unary[point * n_labels_ + l]);
                energy += 0.5 * message * ((potts ? 1.0 : 0.0) - static_cast<double>(q[l]));
            }
        return energy;
    }
    CLASSICSEG_INLINE float largest_change(int count, const float* q, const float* before) const {
        float change = 0;
        for (int i = 0; i < count; i++, q += row_.width(), before += row_.width())
            for (size_t l = 0; l < n_labels_; l++) change = std::max(change, std::abs(q[l] - before[l]));
        return change;
    }
    CLASSICSEG_INLINE void write(size_t point, int count, const float* q) const {
        for (int i = 0; i < count; i++, point++, q += row_.width()) {
            std::memcpy(task_.probabilities + point * n_labels_, q, n_labels_ * sizeof(float));
            size_t best = 0;
            for (size_t l = 1; l < n_labels_; l++) best = q[l] > q[best] ? l : best;
            task_.labels[point] = static_cast<int32_t>(best);
        }
    }

    const NormalizedLattices& model_;
    const MeanFieldTask& task_;
    Row row_;
    size_t n_points_, n_labels_;
    IntLanes last_;  // which of the last vector's lanes are labels
};

// Two labels with Potts' compatibility need only the difference of the two marginals filtered.
template <int C>
class DifferenceUpdate {
public:
    using Row = SingleRow;
    DifferenceUpdate(const NormalizedLattices& model, const MeanFieldTask& task) : model_(model), task_(task) {}
    Row row() const { return {}; }

    TileSums run(size_t t, const Pass& pass, const float* rows, float* sums) const {
        const int n_corners = C ? C : model_.lattices.n_corners();
        const Tiles& tiles = model_.lattices.tiles();
        tiles.for_rows(tiles[t], [&](int64_t, int64_t, int64_t, int64_t n, int64_t point0, int64_t place0) {
            for (int64_t i0 = 0; i0 < n; i0 += group) {
                const int count = static_cast<int>(std::min<int64_t>(group, n - i0));
                const auto point = static_cast<size_t>(point0 + i0);
                const size_t place = static_cast<size_t>(place0 + i0) * static_cast<size_t>(n_corners);
                const uint16_t* corner = model_.lattices.rows_of_points() + place;
                alignas(32) float x[group] = {};
                for (int i = 0; i < count; i++) {
                    const float* u = task_.unary + 2 * (point + static_cast<size_t>(i));
                    x[i] = u[0] - u[1];
                }
                if (!pass.first) {
                    const float* weight = model_.slice_weights() + place;
                    for (int i = 0; i < count; i++, weight += n_corners) {
                        const uint16_t* row = corner + i * n_corners;
                        float sum = 0;
                        for (int c = 0; c < n_corners; c++) sum += weight[c] * rows[row[c]];
                        x[i] += sum;
                    }
                }
                alignas(32) float q[2][group];
                update(x, q);
                if (pass.first && task_.start)
                    for (int i = 0; i < count; i++)
                        for (int l = 0; l < 2; l++) q[l][i] = task_.start[2 * (point + static_cast<size_t>(i)) + static_cast<size_t>(l)];
                if (pass.keep)
                    for (int i = 0; i < count; i++) {
                        float* p = task_.probabilities + 2 * (point + static_cast<size_t>(i));
                        p[0] = q[0][i];
                        p[1] = q[1][i];
                        task_.labels[point + static_cast<size_t>(i)] = p[1] > p[0];
                    }
                if (pass.splat) {
                    const float* weight = model_.splat_weights() + place;
                    for (int i = 0; i < count; i++, weight += n_corners) {
                        const uint16_t* row = corner + i * n_corners;
                        const float z = q[1][i] - q[0][i];
                        for (int c = 0; c < n_corners; c++) sums[row[c]] += weight[c] * z;
                    }
                }
            }
        });
        return {};
    }

private:
    CLASSICSEG_INLINE static void update(const float* x, float (&q)[2][group]) {
        static_assert(group == n_lanes);
        const Lanes difference = load(x);
        const Lanes e = softmax_exp(lanes_min(difference, lanes(0) - difference));
        const Lanes large = lanes(1) / (lanes(1) + e), small = e * large;
        store(q[1], difference >= 0.0f ? large : small);
        store(q[0], difference >= 0.0f ? small : large);
    }
    const NormalizedLattices& model_;
    const MeanFieldTask& task_;
};

class MeanField : public DenseCrf {
public:
    MeanField(CrfGrid grid, const CrfKernel* kernels, int n_kernels, Normalization normalization, Pool& pool)
        : model_(grid, kernels, n_kernels, normalization, pool) {}

    int64_t n_vertices() const override { return model_.lattices.n_rows(); }

    int infer(const MeanFieldTask& task, Pool& pool) override {
        const bool potts = !task.label_weight && !task.penalty;
        if (task.n_labels == 2 && potts && !task.free_energy && task.tolerance <= 0)
            return model_.lattices.n_corners() == 9 ? iterate(DifferenceUpdate<9>(model_, task), task, pool)
                                                    : iterate(DifferenceUpdate<0>(model_, task), task, pool);
        // The usual kernels on a colour image: triangles and simplices in five dimensions.
        return model_.lattices.n_corners() == 9 ? infer_labels<9>(task, pool) : infer_labels<0>(task, pool);
    }

private:
    template <int C>
    int infer_labels(const MeanFieldTask& task, Pool& pool) const {
        const int n = (task.n_labels + n_lanes - 1) / n_lanes;
        switch (n) {
            case 1: return iterate(LabelUpdate<1, C>(model_, task, {}), task, pool);
            case 2: return iterate(LabelUpdate<2, C>(model_, task, {}), task, pool);
            case 3: return iterate(LabelUpdate<3, C>(model_, task, {}), task, pool);
            case 4: return iterate(LabelUpdate<4, C>(model_, task, {}), task, pool);
            default: return iterate(LabelUpdate<0, C>(model_, task, {n}), task, pool);
        }
    }

    template <class Update>
    int iterate(const Update& update, const MeanFieldTask& task, Pool& pool) const {
        const Permutohedral& lattices = model_.lattices;
        const size_t width = update.row().width(), n_tiles = lattices.tiles().count();
        Buffer<float> tile_values(lattices.n_tile_rows() * width);
        Buffer<float> values(lattices.n_rows() * width);
        Buffer<TileSums> sums(n_tiles);
        const bool keep = task.free_energy || task.tolerance > 0;
        const auto pass_over_points = [&](const Pass& pass) {
            pool.run(n_tiles, [&](size_t t) {
                const uint32_t begin = lattices.tile_rows(t).begin[0];
                Scratch<float> rows(pass.first ? 0 : (lattices.tile_end(t) - begin) * width);
                if (!pass.first) model_.copy_tile_rows(t, update.row(), values.data(), rows.data());
                float* own = tile_values.data() + begin * width;
                if (pass.splat) std::memset(own, 0, (lattices.tile_end(t) - begin) * width * sizeof(float));
                sums[t] = update.run(t, pass, rows.data(), own);
            });
        };
        double own_energy = 0;
        for (int i = 0;; i++) {
            const bool last = i == task.n_iterations;
            pass_over_points({i == 0, !last || task.free_energy, keep || last, keep && i > 0, true});
            TileSums total;
            for (size_t t = 0; t < n_tiles; t++) {
                total.own += sums[t].own;
                total.pairs += sums[t].pairs;
                total.change = std::max(total.change, sums[t].change);
            }
            if (task.free_energy && i > 0) task.free_energy[i - 1] = own_energy + total.pairs;
            own_energy = total.own;
            const bool done = last || (i > 0 && total.change <= task.tolerance && task.tolerance > 0);
            if (done && !task.free_energy) return i;
            filter(update.row(), task, tile_values.data(), values.data(), pool);
            if (!done) continue;
            pass_over_points({false, false, false, true, false});
            double pairs = 0;
            for (size_t t = 0; t < n_tiles; t++) pairs += sums[t].pairs;
            task.free_energy[i] = own_energy + pairs;
            return i;
        }
    }

    // From the tiles' sums to what is sliced: blurred, weighted, with the labels' compatibility.
    void filter(SingleRow row, const MeanFieldTask& task, const float* tile_values, float* values, Pool& pool) const {
        const Permutohedral& lattices = model_.lattices;
        add_tile_rows(lattices, row, tile_values, values, pool,
                      [&](int k, float* x) { *x *= task.weights[k] * lattices.lattice(k).blur_scale(); });
        blur(lattices, row, values, pool);
    }
    template <int N>
    void filter(LaneRow<N> row, const MeanFieldTask& task, const float* tile_values, float* values, Pool& pool) const {
        const Permutohedral& lattices = model_.lattices;
        const size_t width = row.width(), n_labels = static_cast<size_t>(task.n_labels);
        // Penalties by the neighbour's label, negated: they are taken from the exponent.
        Buffer<float> label_weight(width), penalty(task.penalty ? n_labels * width : 0);
        for (size_t l = 0; l < n_labels; l++) {
            label_weight[l] = task.label_weight ? task.label_weight[l] : 1;
            for (size_t m = 0; task.penalty && m < n_labels; m++) penalty[m * width + l] = -task.penalty[l * n_labels + m];
        }
        add_tile_rows(lattices, row, tile_values, values, pool, [&](int k, float* x) {
            const Lanes scale = lanes(task.weights[k] * lattices.lattice(k).blur_scale());
            if (!task.penalty) {
                for (size_t v = 0; v < width; v += n_lanes)
                    store(x + v, load(x + v) * (scale * load(label_weight.data() + v)));
                return;
            }
            Buffer<float> sum(width);
            for (size_t m = 0; m < n_labels; m++) {
                const Lanes marginal = lanes(x[m]) * scale;
                for (size_t v = 0; v < width; v += n_lanes)
                    store(sum.data() + v, load(sum.data() + v) + marginal * load(penalty.data() + m * width + v));
            }
            std::memcpy(x, sum.data(), width * sizeof(float));
        });
        blur(lattices, row, values, pool);
    }

    NormalizedLattices model_;
};

// -log of probabilities.
inline void energies_of(const float* probabilities, int64_t n, float least, float* energies, Pool& pool) {
    constexpr int64_t block = 1 << 16;
    pool.run(static_cast<size_t>((n + block - 1) / block), [&](size_t b) {
        const int64_t begin = static_cast<int64_t>(b) * block, end = std::min(n, begin + block);
        const auto energy = [&](Lanes p) {
            return lanes(0) - log_lanes(lanes_min(lanes_max(p, lanes(least)), lanes(1)));
        };
        int64_t i = begin;
        for (; i + n_lanes <= end; i += n_lanes) store(energies + i, energy(load(probabilities + i)));
        if (i == end) return;
        float p[n_lanes] = {};
        std::memcpy(p, probabilities + i, static_cast<size_t>(end - i) * sizeof(float));
        store(p, energy(load(p)));
        std::memcpy(energies + i, p, static_cast<size_t>(end - i) * sizeof(float));
    });
}

}  // namespace classicseg::CLASSICSEG_ISA
