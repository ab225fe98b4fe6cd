// Permutohedral lattices with the kernels' normalisation in the points' weights.
#pragma once

#include <cmath>

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
        Buffer<float> values(lattices.n_rows());
        pool.run(tiles.count(), [&](size_t t) {
            const Tile tile = tiles[t];
            float* sums = values.data() + lattices.tile_begin(t);
            const size_t begin = static_cast<size_t>(tile.first) * n_corners;
            const size_t end = begin + static_cast<size_t>(tile.size()) * n_corners;
            for (size_t i = begin; i < end; i++) sums[lattices.rows_of_points()[i]] += lattices.weights()[i];
        });
        add_copies(lattices, SingleRow(), values.data(), pool);
        blur(lattices, SingleRow(), values.data(), pool);
        renew_copies(lattices, SingleRow(), values.data(), pool);
        if (normalization == Normalization::before)
            splat_ = Buffer<float>(static_cast<size_t>(lattices.grid().size()) * n_corners);
        if (normalization == Normalization::after) {
            splat_ = Buffer<float>(static_cast<size_t>(lattices.grid().size()) * n_corners);
            std::memcpy(splat_.data(), lattices.weights(), splat_.size() * sizeof(float));
        }
        pool.run(tiles.count(), [&](size_t t) {
            const Tile tile = tiles[t];
            const float* rows = values.data() + lattices.tile_begin(t);
            for (int64_t p = tile.first; p < tile.first + tile.size(); p++) {
                size_t i = static_cast<size_t>(p) * n_corners;
                for (int k = 0; k < lattices.n_kernels(); k++) {
                    const size_t end = i + static_cast<size_t>(lattices.n_corners(k));
                    float sum = 0;
                    for (size_t j = i; j < end; j++) sum += lattices.weights()[j] * rows[lattices.rows_of_points()[j]];
                    sum = std::max(sum * lattices.lattice(k).blur_scale, 0.0f) + 1e-20f;
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

    Buffer<float> splat_;
};

}  // namespace classicseg::CLASSICSEG_ISA
