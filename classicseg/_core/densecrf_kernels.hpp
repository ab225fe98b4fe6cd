// The dense CRF as the bindings see it.
#pragma once

#include <cstdint>
#include <memory>

#include "pool.hpp"

namespace classicseg {

// A grid of points: an axis that is missing has length 1, a list of points is 1 x 1 x N.
struct CrfGrid {
    int64_t depth, height, width;
    int64_t size() const { return depth * height * width; }
};

// A Gaussian kernel exp(-|f_i - f_j|^2 / 2): the features f are positions, then channels, each
// divided by its standard deviation.
struct CrfKernel {
    int n_positions;  // x, then y, then z
    float position_divisor[3];
    const float* channels;  // (points, n_channels), or null where there are none
    int n_channels;
    const float* channel_divisor;
    int n_features() const { return n_positions + n_channels; }
};
constexpr int max_crf_features = 15;

enum class Normalization { none, before, after, symmetric };

// What a mean field is to be found for, and where its results go.
struct MeanFieldTask {
    int n_labels;
    const float* unary;         // (points, labels)
    const float* start;         // (points, labels) marginals, or null: softmax(-unary)
    const float* weights;       // of the kernels
    const float* label_weight;  // (labels), or null: ones. What agreement on a label is worth
    const float* penalty;       // (labels, labels), or null. What a pair of labels costs
    int n_iterations;
    float tolerance;      // stop when no marginal changes by more; 0: never
    float* probabilities;  // (points, labels); may be the unaries' array, unless marginals are kept
    int32_t* labels;
    double* free_energy;  // (n_iterations + 1) of the start and after each iteration, or null
};

// Whether marginals are written in every iteration, to be compared with the next ones.
inline bool keeps_marginals(const MeanFieldTask& task) { return task.free_energy || task.tolerance > 0; }

class DenseCrf {
public:
    virtual ~DenseCrf() = default;
    virtual int64_t n_vertices() const = 0;
    // Returns the number of iterations done.
    virtual int infer(const MeanFieldTask& task, Pool& pool) = 0;
};

// The filter of one kernel, a linear map of values (points, channels), and its transpose.
class KernelFilter {
public:
    virtual ~KernelFilter() = default;
    virtual int64_t n_vertices() const = 0;
    virtual int n_corners() const = 0;
    virtual void apply(const float* values, int n_channels, bool transposed, float* result, Pool& pool) const = 0;
    virtual void apply(const double* values, int n_channels, bool transposed, double* result, Pool& pool) const = 0;
    // The lattice for those who filter on another device: each point's vertices and weights (points,
    // corners); each vertex' neighbours before and after it along each axis (corners, 2, vertices),
    // n_vertices() where there is none; what to multiply with after the blur.
    virtual float describe(int32_t* vertices, float* weights, int32_t* neighbours, Pool& pool) const = 0;
};

// Features that are too far apart for 64-bit keys of lattice points.
struct FeaturesTooLarge {
    int kernel, feature;  // the one that spans most cells
    double cells;
};

struct DensecrfKernels {
    // Throws FeaturesTooLarge.
    std::unique_ptr<DenseCrf> (*prepare)(CrfGrid grid, const CrfKernel* kernels, int n_kernels,
                                         Normalization normalization, Pool& pool);
    // Throws FeaturesTooLarge.
    std::unique_ptr<KernelFilter> (*make_filter)(CrfGrid grid, const CrfKernel& kernel, Pool& pool);
    // -log of (points, labels) probabilities raised to at least `least`, and at most 1. False where those
    // of a point are negative, NaN or do not sum to 1 within the tolerance.
    bool (*energies)(const float* probabilities, int64_t n_points, int n_labels, float least, float tolerance,
                     float* energies, Pool& pool);
};

}  // namespace classicseg
