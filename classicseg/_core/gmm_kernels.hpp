// Colour mixtures as the bindings see them.
#pragma once

#include <cstdint>

#include "image_view.hpp"
#include "pool.hpp"

namespace classicseg {

struct GmmKernels {
    // Energy and best component of each wanted pixel (null: of all). `components` has
    // 1 + C + C (C + 1) / 2 floats each.
    void (*energies)(ImageView image, const uint8_t* wanted, const float* components,
                         int n_components, float* energy, uint8_t* best, Pool& pool);
    // Terminals of a cut between two energy maps with hard labels from a trimap, for a window of
    // them: the maps begin in its corner, and their rows are `stride` apart.
    void (*trimap_terminals)(const float* background, const float* foreground, const uint8_t* trimap,
                             int stride, int height, int width, float* source, float* sink, Pool& pool);
    // Sum of each pixel's energy on its side of the mask.
    double (*data_energy)(const float* background, const float* foreground, const uint8_t* mask,
                          int height, int width, Pool& pool);
    // Count, sums and products by side and component (see gmm.hpp).
    void (*statistics)(ImageView image, const uint8_t* mask, const uint8_t* const component[2],
                           int n_components, double* totals, Pool& pool);
    // Centres of colours, and how many are nearest to each (see kmeans.hpp).
    void (*kmeans)(const float* colours, int64_t n, int channels, int k, const double* uniform, int iterations,
                   double* centres, int64_t* counts);
};

}  // namespace classicseg
