// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "moves.hpp"

namespace classicseg::CLASSICSEG_ISA {
namespace {

template <class Capacity, template <class> class Neighbours, class Edges>
LabelMoves* make(const MoveProblem& problem, const Edges& edges, Pool& pool) {
    if (problem.cost) return new LabelMovesOn<Capacity, Neighbours<Capacity>, TableCost>(problem, edges, pool);
    return new LabelMovesOn<Capacity, Neighbours<Capacity>, PottsCost>(problem, edges, pool);
}

std::unique_ptr<LabelMoves> on_grid(const MoveProblem& problem, const MoveGrid& grid, bool wide, Pool& pool) {
    return std::unique_ptr<LabelMoves>(wide ? make<int64_t, GridNeighbours>(problem, grid, pool)
                                            : make<int32_t, GridNeighbours>(problem, grid, pool));
}

std::unique_ptr<LabelMoves> on_graph(const MoveProblem& problem, const MoveGraph& graph, bool wide, Pool& pool) {
    return std::unique_ptr<LabelMoves>(wide ? make<int64_t, GraphNeighbours>(problem, graph, pool)
                                            : make<int32_t, GraphNeighbours>(problem, graph, pool));
}

}  // namespace

extern const MovesKernels moves_kernels;
const MovesKernels moves_kernels = {unary_range, on_grid, on_graph};

}  // namespace classicseg::CLASSICSEG_ISA
