// Graph cuts as the bindings see them: contrast weights and max-flow on grids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "image_view.hpp"
#include "pool.hpp"

namespace classicseg {

// Capacities of type T (int32, int64, float or double); floats are multiplied by a scale and rounded.
template <class T>
struct GridArcs {
    const T* towards[26] = {};  // arrays of the grid's shape in raster order of the directions, or null
    bool symmetric = true;     // no direction is given together with its opposite
    // A direction that is missing has the capacity of its opposite.
};

// What sums of T are kept in.
template <class T>
using Sum = std::conditional_t<std::is_integral_v<T>, int64_t, double>;

// Pixels (z, y, x) of z0 <= z < z1, ...; in an image z is the row and y is 0.
struct Box {
    int z0 = 0, z1 = 0, y0 = 0, y1 = 0, x0 = 0, x1 = 0;
    int64_t n_pixels() const { return static_cast<int64_t>(z1 - z0) * (y1 - y0) * (x1 - x0); }
};

class GridMaxflow {
public:
    virtual ~GridMaxflow() = default;

#define CLASSICSEG_FOR_CAPACITY(T)                                                             \
    /* Replaces the arcs. A flow that is there stays, cut to the new capacities. */            \
    virtual void set_arcs(const GridArcs<T>& arcs, double scale, Pool& pool) = 0;              \
    /* Replaces source and sink capacities; `old_*` are the ones set before, or null. */       \
    /* Returns the sum of min(source, sink), unscaled. */                                      \
    virtual Sum<T> set_terminals(const T* source, const T* sink, const T* old_source,          \
                                 const T* old_sink, double scale, Pool& pool) = 0;          \
    /* Replaces source and sink capacities in a box, of whose shape the arrays are, and solves */ \
    /* again by work near it. `minimal` is the whole cut before, and after. Returns the box    */ \
    /* outside of which it has stayed.                                                         */ \
    virtual Box solve_again(const T* source, const T* sink, const T* old_source, const T* old_sink, \
                            const Box& box, double scale, uint8_t* minimal, Pool& pool) = 0;
    CLASSICSEG_FOR_CAPACITY(int32_t)
    CLASSICSEG_FOR_CAPACITY(int64_t)
    CLASSICSEG_FOR_CAPACITY(float)
    CLASSICSEG_FOR_CAPACITY(double)
#undef CLASSICSEG_FOR_CAPACITY

    // Maximum flow beyond min(source, sink), in scaled units.
    virtual int64_t solve(Pool& pool) = 0;
    // The smallest and the largest set of pixels on the source side of a minimum cut, as 0 and 1.
    virtual void cut(uint8_t* minimal, uint8_t* maximal, Pool& pool) = 0;
};

// A neighbour that comes later in raster order, and the weights of all pixels and theirs.
struct ContrastNeighbour {
    int dz, dy, dx;
    float strength;  // weight at no difference
    float* weights;  // of the volume's shape
};

struct GraphcutKernels {
    // Sum of squared colour differences over all pairs of neighbours; strengths and weights are not used.
    double (*sum_squared_differences)(VolumeView volume, const ContrastNeighbour* neighbours, size_t n, Pool& pool);
    void (*contrast_weights)(VolumeView volume, float beta, const ContrastNeighbour* neighbours, size_t n,
                             Pool& pool);
    // Sum of the weights between pixels of different masks (0 and 1).
    double (*cut_cost)(const float* const weights[4], const uint8_t* mask, int height, int width, Pool& pool);
    // `wide` takes 64-bit capacities; excesses are cut to [-limit, limit].
    std::unique_ptr<GridMaxflow> (*grid_maxflow)(int height, int width, bool wide, int64_t limit);
    // The same on a volume: 6- or 26-connected.
    std::unique_ptr<GridMaxflow> (*volume_maxflow)(int depth, int height, int width, int connectivity, bool wide,
                                                   int64_t limit);
};

}  // namespace classicseg
