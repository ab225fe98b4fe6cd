// The kernels of saliency maps as the bindings see them.
#pragma once

#include <cstdint>

#include "pool.hpp"

namespace classicseg {

struct SaliencyKernels {
    // (height, width, 3) to a smaller size, by area averages. True where all values are in [0, 1].
    bool (*shrink_bytes)(const uint8_t* image, int height, int width, float* out, int to_height, int to_width,
                         Pool& pool);
    bool (*shrink_floats)(const float* image, int height, int width, float* out, int to_height, int to_width,
                          Pool& pool);
    bool (*shrink_doubles)(const double* image, int height, int width, float* out, int to_height, int to_width,
                           Pool& pool);
    // The same of (height, width, channels) to (height, width), the mean of the channels.
    bool (*grey_bytes)(const uint8_t* image, int height, int width, int channels, float* out, int to_height,
                       int to_width, Pool& pool);
    bool (*grey_floats)(const float* image, int height, int width, int channels, float* out, int to_height,
                        int to_width, Pool& pool);
    bool (*grey_doubles)(const double* image, int height, int width, int channels, float* out, int to_height,
                         int to_width, Pool& pool);
    // (height, width) to any size, bilinearly.
    void (*enlarge)(const float* map, int height, int width, float* out, int to_height, int to_width, Pool& pool);
    // Of a grey image in 0..255 of at most `residual_side` a side.
    int residual_side;
    void (*spectral_residual)(const float* grey, int height, int width, double sigma, float* out);
    // Sum of the three channels' minimum barrier distances from the seeds.
    void (*minimum_barrier)(const float* image, const uint8_t* seeds, int height, int width, int passes, float* out);
    // `values` holds the marker and becomes the reconstruction under the mask.
    void (*reconstruct)(const float* mask, float* values, int height, int width);
};

}  // namespace classicseg
