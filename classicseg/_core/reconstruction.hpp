// Grey-scale reconstruction by dilation (Vincent 1993, the sequential algorithm), 8-connected: the
// marker grows from pixel to neighbour, nowhere above the mask, until nothing changes.
#pragma once

#include <cstddef>
#include <limits>

#include "buffer.hpp"
#include "watch.hpp"

namespace classicseg::CLASSICSEG_ISA {

inline float larger(float a, float b) { return a > b ? a : b; }
inline float smaller(float a, float b) { return a < b ? a : b; }

// Raises a row to what reaches it from the row before and then along the row, left to right or right
// to left. Says whether anything changed. `reached` is a row to work in.
inline bool reconstruct_row(const float* mask, const float* before, float* values, int width, bool rightwards,
                            float* reached) {
    for (int x = 0; x < width; x++) reached[x] = values[x];
    if (before) {
        for (int x = 0; x < width; x++) reached[x] = larger(reached[x], before[x]);
        for (int x = 1; x < width; x++) reached[x] = larger(reached[x], before[x - 1]);
        for (int x = 0; x < width - 1; x++) reached[x] = larger(reached[x], before[x + 1]);
    }
    const int step = rightwards ? 1 : -1;
    float flow = -std::numeric_limits<float>::infinity();
    for (int i = 0, x = rightwards ? 0 : width - 1; i < width; i++, x += step)
        reached[x] = flow = smaller(larger(reached[x], flow), mask[x]);
    int changed = 0;
    for (int x = 0; x < width; x++) {
        changed |= reached[x] != values[x];
        values[x] = reached[x];
    }
    return changed != 0;
}

// `values` holds the marker, at most the mask, and becomes the reconstruction.
inline void reconstruct(const float* mask, float* values, int height, int width) {
    Buffer<float> reached(static_cast<size_t>(width));
    const auto scan = [&](bool down) {
        bool changed = false;
        const int step = down ? 1 : -1;
        for (int i = 0, y = down ? 0 : height - 1; i < height; i++, y += step) {
            checkpoint();
            const ptrdiff_t row = static_cast<ptrdiff_t>(y) * width;
            const float* before = i > 0 ? values + row - static_cast<ptrdiff_t>(step) * width : nullptr;
            changed |= reconstruct_row(mask + row, before, values + row, width, down, reached.data());
        }
        return changed;
    };
    scan(true);
    for (bool down = false; scan(down); down = !down) {
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
