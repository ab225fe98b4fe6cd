// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "graph_maxflow.hpp"

namespace classicseg::CLASSICSEG_ISA {
namespace {

std::unique_ptr<GraphMaxflow> make_graph_maxflow(int32_t n_nodes, bool wide, int64_t limit) {
    if (wide) return std::unique_ptr<GraphMaxflow>(new GraphMaxflowOn<int64_t>(n_nodes, limit));
    return std::unique_ptr<GraphMaxflow>(new GraphMaxflowOn<int32_t>(n_nodes, limit));
}

}  // namespace

extern const GraphKernels graph_kernels;
const GraphKernels graph_kernels = {make_graph_maxflow, largest_load<int32_t>, largest_load<int64_t>,
                                    largest_load<float>, largest_load<double>};

}  // namespace classicseg::CLASSICSEG_ISA
