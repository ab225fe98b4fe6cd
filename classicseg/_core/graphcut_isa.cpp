// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "contrast.hpp"
#include "graphcut_kernels.hpp"
#include "grid_maxflow.hpp"

namespace classicseg::CLASSICSEG_ISA {
namespace {

template <class Topology>
std::unique_ptr<GridMaxflow> make_maxflow(int depth, int height, int width, bool wide, int64_t limit) {
    if (wide) return std::unique_ptr<GridMaxflow>(new GridMaxflowOn<Topology, int64_t>(depth, height, width, limit));
    return std::unique_ptr<GridMaxflow>(new GridMaxflowOn<Topology, int32_t>(depth, height, width, limit));
}

std::unique_ptr<GridMaxflow> make_grid_maxflow(int height, int width, bool wide, int64_t limit) {
    return make_maxflow<Image8>(height, 1, width, wide, limit);
}

std::unique_ptr<GridMaxflow> make_volume_maxflow(int depth, int height, int width, int connectivity, bool wide,
                                                 int64_t limit) {
    const auto make = connectivity == 6 ? make_maxflow<Volume6> : make_maxflow<Volume26>;
    return make(depth, height, width, wide, limit);
}

double run_sum_squared_differences(VolumeView v, const ContrastNeighbour* neighbours, size_t n, Pool& pool) {
    const auto run = v.channels == 1 ? sum_squared_differences<1> : sum_squared_differences<3>;
    return run(v, neighbours, n, pool);
}

void run_contrast_weights(VolumeView v, float beta, const ContrastNeighbour* neighbours, size_t n, Pool& pool) {
    const auto run = v.channels == 1 ? contrast_weights<1> : contrast_weights<3>;
    run(v, beta, neighbours, n, pool);
}

}  // namespace

extern const GraphcutKernels graphcut_kernels;
const GraphcutKernels graphcut_kernels = {run_sum_squared_differences, run_contrast_weights, cut_cost,
                                          make_grid_maxflow, make_volume_maxflow};

}  // namespace classicseg::CLASSICSEG_ISA
