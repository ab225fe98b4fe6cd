// A tile's mean field update for any number of labels.
#pragma once

#include <cmath>
#include <limits>

#include "exp.hpp"
#include "mean_field_pass.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Labels in N vectors of eight (0: known when the program runs), C... as for Corners.
template <int N, int... C>
class LabelUpdate {
public:
    using Row = LaneRow<N>;
    LabelUpdate(const NormalizedLattices& model, const MeanFieldTask& task, Row row)
        : model_(model), task_(task), row_(row), corners_(model.lattices),
          n_points_(static_cast<size_t>(model.lattices.grid().size())), n_labels_(static_cast<size_t>(task.n_labels)) {
        for (int i = 0; i < n_lanes; i++)
            last_[i] = static_cast<size_t>(row.size() - 1) * n_lanes + static_cast<size_t>(i) < n_labels_ ? -1 : 0;
    }
    Row row() const { return row_; }

    // `rows` holds the blurred values of the tile's lattice points, `sums` gets the splatted ones.
    TileSums run(size_t t, const Pass& pass, const float* rows, float* sums) const {
        const auto n_corners = static_cast<size_t>(corners_.size());
        Work work(row_.width(), n_corners);
        TileSums result;
        const Tiles& tiles = model_.lattices.tiles();
        tiles.for_rows(tiles[t], [&](int64_t, int64_t, int64_t, int64_t n, int64_t point0, int64_t place0) {
            for (int64_t i0 = 0; i0 < n; i0 += block) {
                const int count = static_cast<int>(std::min<int64_t>(block, n - i0));
                const int64_t next = i0 + block < n ? point0 + i0 + block : point0 + model_.lattices.grid().width;
                update(pass, static_cast<size_t>(point0 + i0), static_cast<size_t>(next), count,
                       static_cast<size_t>(place0 + i0) * n_corners, rows, sums, work, result);
            }
        });
        return result;
    }

private:
    // Points at a time: each of the steps below runs over all of them, so that the processor has
    // independent work; what they need fits into the first cache.
    static constexpr int block = 32;
    static constexpr int V = N ? N : 4;  // vectors at a time, where there are so many

    struct Work {
        Work(size_t width, size_t n_corners)
            : x(block * width), before(block * width), unary(width), largest(block * n_lanes), scale(block),
              offset(block * n_corners + n_lanes) {}
        Buffer<float> x;       // exponents, then marginals
        Buffer<float> before;  // marginals of the pass before
        Buffer<float> unary;   // of one point
        Buffer<float> largest, scale;
        Buffer<uint32_t> offset;  // of the corners' rows, in floats
    };

    // A block of points; `next` is the first point of the block to come.
    void update(const Pass& pass, size_t point, size_t next, int count, size_t place, const float* rows, float* sums,
                Work& work, TileSums& result) const {
        float* x = work.x.data();
        find_offsets(model_.lattices.rows_of_points() + place, static_cast<size_t>(count * corners_.size()), work.offset.data());
        if (pass.first)
            negate(point, count, work);
        else
            slice(point, next, count, rows, model_.slice_weights() + place, work);
        if (pass.compare) {
            copy_marginals(task_.probabilities, point, count, work.before.data());
            if (task_.free_energy) result.pairs += pairs_energy(point, count, x, work.before.data());
        }
        if (!pass.update) return;
        const bool given = pass.first && task_.start;
        if (given)
            copy_marginals(task_.start, point, count, x);
        else
            for (int i = 0; i < count; i += n_lanes) softmax(i, work);
        if (given || pass.keep) normalize(given, count, work);
        if (task_.free_energy) result.own += own_energy(point, count, x);
        if (pass.keep) {
            if (pass.compare) result.change = std::max(result.change, largest_change(count, x, work.before.data()));
            write(point, count, x);
        }
        if (pass.splat) splat(count, sums, model_.splat_weights() + place, work);
    }

    CLASSICSEG_INLINE void find_offsets(const uint16_t* corner, size_t n, uint32_t* offset) const {
        typedef uint16_t Rows __attribute__((vector_size(2 * n_lanes)));
        const auto width = static_cast<int32_t>(row_.width());
        for (size_t i = 0; i < n; i += n_lanes) {
            Rows r;
            std::memcpy(&r, corner + i, sizeof r);
            const IntLanes offsets = __builtin_convertvector(r, IntLanes) * width;
            std::memcpy(offset + i, &offsets, sizeof offsets);
        }
    }

    // The unaries of point i of a block, with something behind the last label that may be read. The last
    // of them have a copy: what comes after the block may be written by others, or not exist.
    CLASSICSEG_INLINE const float* unary_of(size_t point, int i, int count, Work& work) const {
        const float* from = task_.unary + point * n_labels_;
        if (static_cast<size_t>(count - i) * n_labels_ >= row_.width()) [[likely]]
            return from;
        std::memcpy(work.unary.data(), from, n_labels_ * sizeof(float));
        return work.unary.data();
    }
    // Marginals of a block. Nothing is read beyond a point's own: others may be writing it.
    void copy_marginals(const float* from, size_t point, int count, float* to) const {
        for (int i = 0; i < count; i++, point++, to += row_.width())
            std::memcpy(to, from + point * n_labels_, n_labels_ * sizeof(float));
    }

    // Calls part<how many>(first) for all of a row's vectors.
    template <class Part>
    CLASSICSEG_INLINE void for_vectors(Part&& part) const {
        int v = 0;
        for (; v + V <= row_.size(); v += V) part.template operator()<V>(static_cast<size_t>(v));
        if constexpr (N == 0)
            for (; v < row_.size(); v++) part.template operator()<1>(static_cast<size_t>(v));
    }

    // The softmax' exponents: filtered marginals minus unaries. Also the largest in each lane.
    void slice(size_t point, size_t next, int count, const float* rows, const float* weight, Work& work) const {
        const int n_corners = corners_.size();
        const uint32_t* offset = work.offset.data();
        float *x = work.x.data(), *largest = work.largest.data();
        const float* soon = task_.unary + std::min(next, n_points_ - 1) * n_labels_;
        for (int i = 0; i < count; i++, point++, offset += n_corners, weight += n_corners, largest += n_lanes) {
            for (size_t l = 0; l < n_labels_; l += 16) __builtin_prefetch(soon + l);
            soon += n_labels_;
            const float* unary = unary_of(point, i, count, work);
            Lanes top = lanes(-std::numeric_limits<float>::infinity());
            for_vectors([&]<int B>(size_t first) CLASSICSEG_LAMBDA {
                Lanes sum[B];
                CLASSICSEG_UNROLL for (int v = 0; v < B; v++) sum[v] = lanes(0) - load(unary + (first + static_cast<size_t>(v)) * n_lanes);
                CLASSICSEG_UNROLL for (int c = 0; c < n_corners; c++) {
                    const float* from = rows + offset[c] + first * n_lanes;
                    const Lanes w = lanes(weight[c]);
                    CLASSICSEG_UNROLL for (int v = 0; v < B; v++) sum[v] = fused(w, load(from + v * n_lanes), sum[v]);
                }
                if (first + B == static_cast<size_t>(row_.size())) sum[B - 1] = without_padding(sum[B - 1]);
                CLASSICSEG_UNROLL for (int v = 0; v < B; v++) {
                    top = lanes_max(top, sum[v]);
                    store(x, sum[v]);
                    x += n_lanes;
                }
            });
            store(largest, top);
        }
    }
    // The same where there is nothing to slice yet.
    void negate(size_t point, int count, Work& work) const {
        float* x = work.x.data();
        for (int i = 0; i < count; i++, point++) {
            Lanes top = lanes(-std::numeric_limits<float>::infinity());
            const float* unary = unary_of(point, i, count, work);
            for (size_t v = 0; v < row_.width(); v += n_lanes, x += n_lanes) {
                Lanes e = lanes(0) - load(unary + v);
                if (v + n_lanes == row_.width()) e = without_padding(e);
                top = lanes_max(top, e);
                store(x, e);
            }
            store(work.largest.data() + i * n_lanes, top);
        }
    }
    CLASSICSEG_INLINE Lanes without_padding(Lanes x) const {
        return last_ ? x : lanes(-std::numeric_limits<float>::infinity());
    }

    // Exponentials of eight points, from point i of the block on, in place, and what to scale each with.
    CLASSICSEG_INLINE void softmax(int i, Work& work) const {
        const size_t width = row_.width();
        float* x = work.x.data() + static_cast<size_t>(i) * width;
        Lanes part[n_lanes];
        for (int p = 0; p < n_lanes; p++) part[p] = load(work.largest.data() + (i + p) * n_lanes);
        alignas(32) float top[n_lanes];
        store(top, reduce_each(part, [](Lanes a, Lanes b) { return lanes_max(a, b); }));
        for (int p = 0; p < n_lanes; p++) part[p] = lanes(0);
        if constexpr (N > 0) {
            constexpr int K = 4;  // vectors at a time, of one point or of several
            CLASSICSEG_UNROLL for (int first = 0; first < N * n_lanes; first += K) {
                Lanes e[K];
                CLASSICSEG_UNROLL for (int k = 0; k < K; k++) e[k] = load(x + (first + k) * n_lanes) - lanes(top[(first + k) / N]);
                softmax_exp(e);
                CLASSICSEG_UNROLL for (int k = 0; k < K; k++) {
                    store(x + (first + k) * n_lanes, e[k]);
                    part[(first + k) / N] = part[(first + k) / N] + e[k];
                }
            }
        } else
            for (int p = 0; p < n_lanes; p++)
                for (size_t v = 0; v < width; v += n_lanes, x += n_lanes) {
                    const Lanes e = softmax_exp(load(x) - lanes(top[p]));
                    store(x, e);
                    part[p] = part[p] + e;
                }
        store(work.scale.data() + i, lanes(1) / reduce_each(part, [](Lanes a, Lanes b) { return a + b; }));
    }
    // Scales the exponentials, unless marginals are given.
    void normalize(bool given, int count, Work& work) const {
        float* x = work.x.data();
        for (int i = 0; i < count; i++) {
            for (size_t v = 0; !given && v < row_.width(); v += n_lanes)
                store(x + v, load(x + v) * lanes(work.scale[static_cast<size_t>(i)]));
            x += row_.width();
            work.scale[static_cast<size_t>(i)] = 1;
        }
    }

    // Adds the marginals to the rows of the points' corners.
    void splat(int count, float* sums, const float* weight, Work& work) const {
        const int n_corners = corners_.size();
        const uint32_t* offset = work.offset.data();
        const float *x = work.x.data(), *scale = work.scale.data();
        for (int i = 0; i < count; i++, offset += n_corners, weight += n_corners) {
            for_vectors([&]<int B>(size_t first) CLASSICSEG_LAMBDA {
                Lanes q[B];
                CLASSICSEG_UNROLL for (int v = 0; v < B; v++) q[v] = load(x + v * n_lanes) * lanes(scale[i]);
                x += B * n_lanes;
                CLASSICSEG_UNROLL for (int c = 0; c < n_corners; c++) {
                    float* to = sums + offset[c] + first * n_lanes;
                    const Lanes w = lanes(weight[c]);
                    CLASSICSEG_UNROLL for (int v = 0; v < B; v++) store(to + v * n_lanes, fused(w, q[v], load(to + v * n_lanes)));
                }
            });
        }
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
    float largest_change(int count, const float* q, const float* before) const {
        float change = 0;
        for (int i = 0; i < count; i++, q += row_.width(), before += row_.width())
            for (size_t l = 0; l < n_labels_; l++) change = std::max(change, std::abs(q[l] - before[l]));
        return change;
    }
    void write(size_t point, int count, const float* q) const {
        for (int i = 0; i < count; i++, point++, q += row_.width()) {
            float* to = task_.probabilities + point * n_labels_;
            // Whole vectors reach into the next point, whose turn is next.
            if (static_cast<size_t>(count - i) * n_labels_ >= row_.width())
                for (size_t v = 0; v < row_.width(); v += n_lanes) store(to + v, load(q + v));
            else
                std::memcpy(to, q, n_labels_ * sizeof(float));
            task_.labels[point] = most_probable(q);
        }
    }
    // The first of the largest; padding is smaller than any.
    CLASSICSEG_INLINE int32_t most_probable(const float* q) const {
        Lanes top = load(q);
        IntLanes vector = {};
        for (int v = 1; v < row_.size(); v++) {
            const Lanes next = load(q + v * n_lanes);
            vector = next > top ? IntLanes{} + v : vector;
            top = lanes_max(next, top);
        }
        int32_t best = vector[0] * n_lanes;
        float largest = top[0];
        for (int i = 1; i < n_lanes; i++) {
            const int32_t label = vector[i] * n_lanes + i;
            const bool better = top[i] > largest || (top[i] == largest && label < best);
            best = better ? label : best;
            largest = better ? top[i] : largest;
        }
        return best;
    }

    const NormalizedLattices& model_;
    const MeanFieldTask& task_;
    Row row_;
    const Corners<C...> corners_;
    size_t n_points_, n_labels_;
    IntLanes last_;  // which of the last vector's lanes are labels
};

}  // namespace classicseg::CLASSICSEG_ISA
