// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "icm.hpp"

namespace classicseg::CLASSICSEG_ISA {
namespace {

using GridSweep = double (*)(const LocalGrid&, const LabelCost&, const Sweep&, Pool&);

// The kernel for rows of this length; long ones have it as a variable.
template <template <int> class Message>
GridSweep grid_sweep_of(int padded) {
    switch (padded) {
        case 4: return sweep_grid<Message<4>>;
        case 8: return sweep_grid<Message<8>>;
        case 16: return sweep_grid<Message<16>>;
        case 24: return sweep_grid<Message<24>>;
        default: return sweep_grid<Message<0>>;
    }
}

double grid_sweep(const LocalGrid& g, const LabelCost& c, const Sweep& s, Pool& pool) {
    GridSweep run = nullptr;
    if (s.sum_product)
        run = c.kind == LabelCost::potts ? grid_sweep_of<SoftPottsMessage>(c.padded)
                                         : grid_sweep_of<SoftMatrixMessage>(c.padded);
    else if (c.kind == LabelCost::potts)
        run = grid_sweep_of<PottsMessage>(c.padded);
    else if (c.kind == LabelCost::linear)
        run = grid_sweep_of<LinearMessage>(c.padded);
    else if (c.kind == LabelCost::quadratic)
        run = grid_sweep_of<QuadraticMessage>(c.padded);
    else
        run = grid_sweep_of<MatrixMessage>(c.padded);
    return run(g, c, s, pool);
}

double graph_sweep(const LocalGraph& g, const LabelCost& c, const Sweep& s, Pool&) {
    if (s.sum_product)
        return c.kind == LabelCost::potts ? sweep_graph<SoftPottsMessage<0>>(g, c, s)
                                          : sweep_graph<SoftMatrixMessage<0>>(g, c, s);
    switch (c.kind) {
        case LabelCost::potts: return sweep_graph<PottsMessage<0>>(g, c, s);
        case LabelCost::linear: return sweep_graph<LinearMessage<0>>(g, c, s);
        case LabelCost::quadratic: return sweep_graph<QuadraticMessage<0>>(g, c, s);
        default: return sweep_graph<MatrixMessage<0>>(g, c, s);
    }
}

}  // namespace

extern const GridcrfKernels gridcrf_kernels;
const GridcrfKernels gridcrf_kernels = {grid_sweep, graph_sweep, icm_grid, icm_graph, energy_grid, energy_graph};

}  // namespace classicseg::CLASSICSEG_ISA
