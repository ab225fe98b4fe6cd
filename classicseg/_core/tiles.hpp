// The points of a grid in tiles, each small enough for what belongs to it to stay in a core's cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "densecrf_kernels.hpp"
#include "isa.hpp"

namespace classicseg::CLASSICSEG_ISA {

struct Tile {
    int64_t z0, z1, y0, y1, x0, x1;
    int64_t first;  // point in the order of the tiles
    int64_t size() const { return (z1 - z0) * (y1 - y0) * (x1 - x0); }
};

// Tiles do not depend on the number of threads, so that what is summed tile by tile does not either.
class Tiles {
public:
    Tiles() = default;
    // Of at most `most` points.
    Tiles(CrfGrid grid, int64_t most) : grid_(grid) {
        const int axes = grid.depth > 1 ? 3 : grid.height > 1 ? 2 : 1;
        sides_[2] = axes == 1 ? most : side(most, axes);
        sides_[1] = axes == 1 ? 1 : axes == 2 ? most / sides_[2] : side(most / sides_[2], 2);
        sides_[0] = axes == 3 ? std::max<int64_t>(1, most / (sides_[2] * sides_[1])) : 1;
        counts_[0] = (grid.depth + sides_[0] - 1) / sides_[0];
        counts_[1] = (grid.height + sides_[1] - 1) / sides_[1];
        counts_[2] = (grid.width + sides_[2] - 1) / sides_[2];
    }
    size_t count() const { return static_cast<size_t>(counts_[0] * counts_[1] * counts_[2]); }
    Tile operator[](size_t index) const {
        const auto i = static_cast<int64_t>(index);
        Tile t;
        t.x0 = i % counts_[2] * sides_[2];
        t.y0 = i / counts_[2] % counts_[1] * sides_[1];
        t.z0 = i / counts_[2] / counts_[1] * sides_[0];
        t.x1 = std::min(grid_.width, t.x0 + sides_[2]);
        t.y1 = std::min(grid_.height, t.y0 + sides_[1]);
        t.z1 = std::min(grid_.depth, t.z0 + sides_[0]);
        t.first = t.z0 * grid_.height * grid_.width +
                  (t.z1 - t.z0) * (t.y0 * grid_.width + (t.y1 - t.y0) * t.x0);
        return t;
    }
    // Calls row(z, y, x0, n, point, first): n points from x0 on, `point` of the grid and `first` in
    // the order of the tiles.
    template <class Row>
    void for_rows(const Tile& t, Row&& row) const {
        int64_t first = t.first;
        for (int64_t z = t.z0; z < t.z1; z++)
            for (int64_t y = t.y0; y < t.y1; y++, first += t.x1 - t.x0)
                row(z, y, t.x0, t.x1 - t.x0, (z * grid_.height + y) * grid_.width + t.x0, first);
    }

private:
    // Of about a square or a cube: a power of two, so that rows are whole blocks of points.
    static int64_t side(int64_t size, int axes) {
        int64_t n = 1;
        while ((axes == 3 ? n * n * n : n * n) < size) n *= 2;
        return n;
    }
    CrfGrid grid_{};
    int64_t sides_[3] = {1, 1, 1}, counts_[3] = {};
};

}  // namespace classicseg::CLASSICSEG_ISA
