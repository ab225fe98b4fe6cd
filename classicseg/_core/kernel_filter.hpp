// The filter of one Gaussian kernel on its lattice, and its transpose: splat, blur, slice. The slice is
// the transpose of the splat, and a blur backwards that of a blur.
#pragma once

#include "lattice_filter.hpp"

namespace classicseg::CLASSICSEG_ISA {

class LatticeKernelFilter : public KernelFilter {
public:
    LatticeKernelFilter(CrfGrid grid, const CrfKernel& kernel, Pool& pool) : lattice_(grid, &kernel, 1, pool) {}

    int64_t n_vertices() const override { return lattice_.n_vertices(); }
    int n_corners() const override { return lattice_.n_corners(); }

    void apply(const float* values, int n_channels, bool transposed, float* result, Pool& pool) const override {
        filter(LaneRow<0>{(n_channels + n_lanes - 1) / n_lanes}, values, n_channels, transposed, result, pool);
    }
    void apply(const double* values, int n_channels, bool transposed, double* result, Pool& pool) const override {
        filter(DoubleRow{(n_channels + n_lanes - 1) / n_lanes}, values, n_channels, transposed, result, pool);
    }

    float describe(int32_t* vertices, float* weights, int32_t* neighbours, Pool& pool) const override {
        const auto n_corners = static_cast<size_t>(lattice_.n_corners());
        const Buffer<int32_t> vertex = vertex_of_row();
        pool.run(lattice_.tiles().count(), [&](size_t t) {
            const uint32_t begin = lattice_.tile_begin(t);
            for_points(t, [&](size_t point, const uint16_t* corner, const float* weight) {
                for (size_t c = 0; c < n_corners; c++) {
                    vertices[point * n_corners + c] = vertex[begin + corner[c]];
                    weights[point * n_corners + c] = weight[c];
                }
            });
        });
        const auto n = static_cast<size_t>(lattice_.n_vertices());
        pool.run(n_corners, [&](size_t axis) {
            int32_t *before = neighbours + 2 * axis * n, *after = before + n;
            for (size_t v = 0; v < 2 * n; v++) before[v] = static_cast<int32_t>(n);
            const Chains& chains = lattice_.lattice(0).chains[axis];
            for (size_t p = 0; p < chains.pieces.size(); p++) {
                checkpoint();
                const Chains::Piece piece = chains.pieces[p];
                const uint32_t* rows = chains.rows.data() + piece.begin;
                for (size_t c = 0; c < piece.n_chains; c++, rows += piece.length)
                    for (size_t m = 1; m < piece.length; m++) {
                        before[vertex[rows[m]]] = vertex[rows[m - 1]];
                        after[vertex[rows[m - 1]]] = vertex[rows[m]];
                    }
            }
        });
        return lattice_.lattice(0).blur_scale;
    }

private:
    // Lattice points are numbered in the order of their homes.
    Buffer<int32_t> vertex_of_row() const {
        Buffer<int32_t> vertex(lattice_.n_rows());
        int32_t n = 0;
        Interval at_times;
        for (uint32_t row = 0; row < lattice_.n_rows(); row++) {
            at_times();
            const uint32_t home = lattice_.home_of_row()[row];
            vertex[row] = home == row ? n++ : vertex[home];
        }
        return vertex;
    }

    // Calls use(point, corners, weights) for the points of a tile.
    template <class Use>
    void for_points(size_t t, Use&& use) const {
        const auto n_corners = static_cast<size_t>(lattice_.n_corners());
        const Tiles& tiles = lattice_.tiles();
        tiles.for_rows(tiles[t], [&](int64_t, int64_t, int64_t, int64_t n, int64_t point, int64_t place) {
            for (int64_t i = 0; i < n; i++) {
                const size_t corner = static_cast<size_t>(place + i) * n_corners;
                use(static_cast<size_t>(point + i), lattice_.rows_of_points() + corner, lattice_.weights() + corner);
            }
        });
    }

    // Rows are padded to whole vectors, values and results are not.
    template <class Row, class Scalar = typename Row::Scalar>
    void filter(Row row, const Scalar* values, int n_channels, bool transposed, Scalar* result, Pool& pool) const {
        const auto n = static_cast<size_t>(n_channels), n_corners = static_cast<size_t>(lattice_.n_corners());
        const size_t width = row.width(), n_tiles = lattice_.tiles().count();
        const auto scale = static_cast<Scalar>(lattice_.lattice(0).blur_scale);
        Buffer<Scalar> rows(lattice_.n_rows() * width);
        pool.run(n_tiles, [&](size_t t) {
            Scalar* sums = rows.data() + lattice_.tile_begin(t) * width;
            for_points(t, [&](size_t point, const uint16_t* corner, const float* weight) {
                const Scalar* from = values + point * n;
                for (size_t c = 0; c < n_corners; c++) {
                    Scalar* to = sums + corner[c] * width;
                    const auto w = static_cast<Scalar>(weight[c]) * scale;
                    for (size_t i = 0; i < n; i++) to[i] += w * from[i];
                }
            });
        });
        add_copies(lattice_, row, rows.data(), pool);
        blur(lattice_, row, rows.data(), pool, transposed);
        renew_copies(lattice_, row, rows.data(), pool);
        pool.run(n_tiles, [&](size_t t) {
            const Scalar* blurred = rows.data() + lattice_.tile_begin(t) * width;
            for_points(t, [&](size_t point, const uint16_t* corner, const float* weight) {
                Scalar* to = result + point * n;
                for (size_t i = 0; i < n; i++) to[i] = 0;
                for (size_t c = 0; c < n_corners; c++) {
                    const Scalar* from = blurred + corner[c] * width;
                    const auto w = static_cast<Scalar>(weight[c]);
                    for (size_t i = 0; i < n; i++) to[i] += w * from[i];
                }
            });
        });
    }

    Permutohedral lattice_;
};

}  // namespace classicseg::CLASSICSEG_ISA
