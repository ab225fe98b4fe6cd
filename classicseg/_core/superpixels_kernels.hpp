// Superpixels as the bindings see them.
#pragma once

#include <cstdint>

#include "pool.hpp"

namespace classicseg {

// An image (depth 1) or a volume: one plane for each channel, and a mask or null. Sixteen numbers
// behind the last may be read.
struct Volume {
    const int16_t* data;
    const uint8_t* mask;
    int64_t depth, height, width;
    int channels;
    int64_t size() const { return depth * height * width; }
};

struct SlicSettings {
    int64_t n_segments;
    int n_iterations;
    float compactness;      // weight of a squared step of one grid interval, in squared units of the data
    double spacing[3];      // size of a voxel: z, y, x
    bool adaptive;          // SLICO: each cluster's largest colour distance takes the place of compactness
    bool refined;           // more seeds, merged; then boundaries pixel by pixel
};

struct SuperpixelKernels {
    // CIELAB of n RGB pixels in 0..255, as whole numbers of 1 / lab_scale, in three planes.
    void (*lab_bytes)(const uint8_t* rgb, int64_t n, int16_t* lab, Pool& pool);
    void (*lab_floats)(const float* rgb, int64_t n, int16_t* lab, Pool& pool);
    // Labels 0..K-1, each connected, -1 outside the mask. Returns K.
    int64_t (*slic)(Volume volume, const SlicSettings& settings, int32_t* labels, Pool& pool);
};

}  // namespace classicseg
