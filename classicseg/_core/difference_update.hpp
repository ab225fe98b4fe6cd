// A tile's mean field update for two labels.
#pragma once

#include "exp.hpp"
#include "mean_field_pass.hpp"

namespace classicseg::CLASSICSEG_ISA {

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
            for (int64_t i0 = 0; i0 < n; i0 += n_lanes) {
                const int count = static_cast<int>(std::min<int64_t>(n_lanes, n - i0));
                const auto point = static_cast<size_t>(point0 + i0);
                const size_t place = static_cast<size_t>(place0 + i0) * static_cast<size_t>(n_corners);
                const uint16_t* corner = model_.lattices.rows_of_points() + place;
                alignas(32) float x[n_lanes] = {};
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
                alignas(32) float q[2][n_lanes];
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
    CLASSICSEG_INLINE static void update(const float* x, float (&q)[2][n_lanes]) {
        const Lanes difference = load(x);
        const Lanes e = softmax_exp(lanes_min(difference, lanes(0) - difference));
        const Lanes large = lanes(1) / (lanes(1) + e), small = e * large;
        store(q[1], difference >= 0.0f ? large : small);
        store(q[0], difference >= 0.0f ? small : large);
    }
    const NormalizedLattices& model_;
    const MeanFieldTask& task_;
};

}  // namespace classicseg::CLASSICSEG_ISA
