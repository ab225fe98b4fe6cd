// A tile's mean field update for two labels.
#pragma once

#include "exp.hpp"
#include "mean_field_pass.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Two labels with Potts' compatibility need only the difference of the two marginals filtered. C as
// for LabelUpdate.
template <int... C>
class DifferenceUpdate {
public:
    using Row = SingleRow;
    DifferenceUpdate(const NormalizedLattices& model, const MeanFieldTask& task) : model_(model), task_(task), corners_(model.lattices) {}
    Row row() const { return {}; }

    TileSums run(size_t t, const Pass& pass, const float* rows, float* sums) const {
        const int n_corners = corners_.size();
        const Tiles& tiles = model_.lattices.tiles();
        tiles.for_rows(tiles[t], [&](int64_t, int64_t, int64_t, int64_t n, int64_t point0, int64_t place0) {
            for (int64_t i0 = 0; i0 < n; i0 += block) {
                const int count = static_cast<int>(std::min<int64_t>(block, n - i0));
                update(pass, static_cast<size_t>(point0 + i0), count,
                       static_cast<size_t>(place0 + i0) * static_cast<size_t>(n_corners), rows, sums);
            }
        });
        return {};
    }

private:
    static constexpr int block = 64;  // points at a time, as in LabelUpdate

    void update(const Pass& pass, size_t point, int count, size_t place, const float* rows, float* sums) const {
        alignas(32) float x[block] = {}, q[2][block];
        const float* unary = task_.unary + 2 * point;
        for (int i = 0; i < count; i++) x[i] = unary[2 * i] - unary[2 * i + 1];
        const uint16_t* corner = model_.lattices.rows_of_points() + place;
        if (!pass.first) slice(count, rows, corner, model_.slice_weights() + place, x);
        for (int i = 0; i < count; i += n_lanes) softmax(x + i, q[0] + i, q[1] + i);
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
            for (int i = 0; i < count; i += n_lanes) store(x + i, load(q[1] + i) - load(q[0] + i));
            splat(count, x, corner, model_.splat_weights() + place, sums);
        }
    }

    // Adds the filtered differences. Three sums, so that additions need not wait for each other.
    void slice(int count, const float* rows, const uint16_t* corner, const float* weight, float* x) const {
        const int n_corners = corners_.size();
        for (int i = 0; i < count; i++, corner += n_corners, weight += n_corners) {
            float sum[3] = {};
            for (int c = 0; c < n_corners; c++) sum[c % 3] += weight[c] * rows[corner[c]];
            x[i] += sum[0] + sum[1] + sum[2];
        }
    }

    static CLASSICSEG_INLINE void softmax(const float* x, float* q0, float* q1) {
        const Lanes difference = load(x);
        const Lanes e = softmax_exp(lanes_min(difference, lanes(0) - difference));
        const Lanes large = lanes(1) / (lanes(1) + e), small = e * large;
        store(q1, difference >= 0.0f ? large : small);
        store(q0, difference >= 0.0f ? small : large);
    }

    void splat(int count, const float* z, const uint16_t* corner, const float* weight, float* sums) const {
        const int n_corners = corners_.size();
        for (int i = 0; i < count; i++, corner += n_corners, weight += n_corners)
            for (int c = 0; c < n_corners; c++) sums[corner[c]] += weight[c] * z[i];
    }

    const NormalizedLattices& model_;
    const MeanFieldTask& task_;
    const Corners<C...> corners_;
};

}  // namespace classicseg::CLASSICSEG_ISA
