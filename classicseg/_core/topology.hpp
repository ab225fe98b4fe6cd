// Which neighbours the pixels of a grid have.
//
// A grid is a stack of slices of rows of pixels. An image is one whose slices are single rows, so
// that an 8-connected image and a volume are the same to the code that walks them; a 4-connected
// image is an 8-connected one whose diagonals have no capacity.
#pragma once

#include <cstdint>

#include "isa.hpp"

namespace classicseg::CLASSICSEG_ISA {

struct Step {
    int dz, dy, dx;
};

// Directions are in raster order: the opposite of k is n_directions - 1 - k, and the second half
// leads forward, to pixels that come later.
struct Image8 {
    static constexpr int n_directions = 8;
    using Mask = uint8_t;  // a bit for each direction
    static constexpr Step steps[8] = {{-1, 0, -1}, {-1, 0, 0}, {-1, 0, 1}, {0, 0, -1},
                                      {0, 0, 1},   {1, 0, -1}, {1, 0, 0},  {1, 0, 1}};
    static constexpr bool has_rows = false;  // slices of more than one row
};

struct Volume6 {
    static constexpr int n_directions = 6;
    using Mask = uint8_t;
    static constexpr Step steps[6] = {{-1, 0, 0}, {0, -1, 0}, {0, 0, -1}, {0, 0, 1}, {0, 1, 0}, {1, 0, 0}};
    static constexpr bool has_rows = true;
};

struct Volume26 {
    static constexpr int n_directions = 26;
    using Mask = uint32_t;
    static constexpr Step steps[26] = {
        {-1, -1, -1}, {-1, -1, 0}, {-1, -1, 1}, {-1, 0, -1}, {-1, 0, 0}, {-1, 0, 1}, {-1, 1, -1},
        {-1, 1, 0},   {-1, 1, 1},  {0, -1, -1}, {0, -1, 0},  {0, -1, 1}, {0, 0, -1}, {0, 0, 1},
        {0, 1, -1},   {0, 1, 0},   {0, 1, 1},   {1, -1, -1}, {1, -1, 0}, {1, -1, 1}, {1, 0, -1},
        {1, 0, 0},    {1, 0, 1},   {1, 1, -1},  {1, 1, 0},   {1, 1, 1}};
    static constexpr bool has_rows = true;
};

template <class Topology>
constexpr int opposite(int k) {
    return Topology::n_directions - 1 - k;
}

// The direction of a step, -1 where no neighbour is.
template <class Topology>
constexpr int direction_of(int dz, int dy, int dx) {
    for (int k = 0; k < Topology::n_directions; k++) {
        const Step s = Topology::steps[k];
        if (s.dz == dz && s.dy == dy && s.dx == dx) return k;
    }
    return -1;
}

// The directions that lead dz slices on.
template <class Topology>
constexpr uint32_t directions_along(int dz) {
    uint32_t m = 0;
    for (int k = 0; k < Topology::n_directions; k++) m |= static_cast<uint32_t>(Topology::steps[k].dz == dz) << k;
    return m;
}

}  // namespace classicseg::CLASSICSEG_ISA
