// The kernels of saliency maps as the bindings see them.
#pragma once

#include <cstdint>

#include "pool.hpp"

namespace classicseg {

struct SaliencyKernels {
    // (height, width, 3) to a smaller size, by area averages.
    void (*shrink_bytes)(const uint8_t* image, int height, int width, float* out, int to_height, int to_width,
                         Pool& pool);
    void (*shrink_floats)(const float* image, int height, int width, float* out, int to_height, int to_width,
                          Pool& pool);
    // (height, width) to any size, bilinearly.
    void (*enlarge)(const float* map, int height, int width, float* out, int to_height, int to_width, Pool& pool);
    // Sum of the three channels' minimum barrier distances from the seeds.
    void (*minimum_barrier)(const float* image, const uint8_t* seeds, int height, int width, int passes, float* out);
    // `values` holds the marker and becomes the reconstruction under the mask.
    void (*reconstruct)(const float* mask, float* values, int height, int width);
};

}  // namespace classicseg
