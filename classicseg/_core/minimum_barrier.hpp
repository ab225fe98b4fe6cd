// The fast raster-scan minimum barrier distance (Zhang et al. 2015, algorithm 1).
//
// The barrier of a path is its largest value minus its least; a pixel's distance is the least
// barrier of any path from a seed. The scan keeps for every pixel one path, by its extremes, and
// lets it take over that of a neighbour when this, with the pixel itself, has the smaller barrier.
#pragma once

#include <cstdint>
#include <limits>

#include "buffer.hpp"
#include "watch.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The three channels of a pixel are done side by side, with one to spare, because each step waits for
// the one before: one vector instruction serves all of them in that time.
using Four = float __attribute__((vector_size(16)));  // GCC's and Clang's: plain loops stay scalar here

struct BarrierPath {
    static constexpr int lanes = 4;
    Four value, highest, lowest, distance;

    void extend(const BarrierPath& from) {
        const Four high = from.highest > value ? from.highest : value;
        const Four low = from.lowest < value ? from.lowest : value;
        const Four barrier = high - low;
        const auto better = barrier < distance;
        distance = better ? barrier : distance;
        highest = better ? high : highest;
        lowest = better ? low : lowest;
    }
};

// Sum of the channels' distances. `image` is (height, width, 3); `passes` go from the top left and
// from the bottom right in turn. A pixel that no seed reaches is at infinity.
inline void minimum_barrier(const float* image, const uint8_t* seeds, int height, int width, int passes,
                            float* out) {
    constexpr float unreached = std::numeric_limits<float>::infinity();
    const ptrdiff_t n = static_cast<ptrdiff_t>(height) * width;
    Buffer<BarrierPath> paths(static_cast<size_t>(n));
    for (ptrdiff_t p = 0; p < n; p++) {
        BarrierPath& path = paths[static_cast<size_t>(p)];
        for (int c = 0; c < BarrierPath::lanes; c++) {
            path.value[c] = c < 3 ? image[3 * p + c] : 0.0f;
            path.highest[c] = seeds[p] ? path.value[c] : unreached;
            path.lowest[c] = seeds[p] ? path.value[c] : -unreached;
            path.distance[c] = seeds[p] ? 0.0f : unreached;
        }
    }
    for (int pass = 0; pass < passes; pass++) {
        const bool forward = pass % 2 == 0;
        const int step = forward ? 1 : -1;
        const int top = forward ? 0 : height - 1, left = forward ? 0 : width - 1;
        for (int i = 0, y = top; i < height; i++, y += step) {
            checkpoint();
            BarrierPath* row = paths.data() + static_cast<ptrdiff_t>(y) * width;
            const BarrierPath* before = row - static_cast<ptrdiff_t>(step) * width;
            BarrierPath beside = row[left];
            for (int j = 0, x = left; j < width; j++, x += step) {
                BarrierPath here = row[x];
                if (i > 0) here.extend(before[x]);
                if (j > 0) here.extend(beside);
                row[x] = beside = here;
            }
        }
    }
    for (ptrdiff_t p = 0; p < n; p++) {
        const Four distance = paths[static_cast<size_t>(p)].distance;
        out[p] = distance[0] + distance[1] + distance[2];
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
