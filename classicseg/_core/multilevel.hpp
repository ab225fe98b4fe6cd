// A first flow from a coarser grid.
//
// Blocks of 2 x 2 pixels make one node of a grid half as large; its arcs carry the sum of the arcs
// between the blocks. The maximum flow of that small problem, shared out over the pixels' arcs in
// proportion to their capacities, does the long-distance transport in advance. It need not be
// conserved inside a block: what piles up there is evened out as far as the block's own arcs allow,
// and the exact solver starts from the residual graph of the result. Any starting flow is right;
// this one saves it half to three quarters of its work on photographs.
#pragma once

#include <limits>

#include "grid2d.hpp"

namespace classicseg::CLASSICSEG_ISA {

// The direction of the arc k of pixel (a, b) of a block as seen between blocks, -1 inside.
constexpr int block_direction(int a, int b, int k) {
    const int y = a + direction_dy[k], x = b + direction_dx[k];
    const int dy = y < 0 ? -1 : y > 1, dx = x < 0 ? -1 : x > 1;
    return dy == 0 && dx == 0 ? -1 : direction_of(dy, dx);
}

// Fills the rows [y0, y1) of `coarse` (half the size of `fine`, rounded up). Excess is cut to
// [-limit, limit]. False if a sum of capacities exceeds the type's range.
template <class Capacity>
bool coarsen(Grid2D<Capacity>& fine, Grid2D<Capacity>& coarse, int64_t limit, int y0, int y1) {
    bool fits = true;
    for (int y = y0; y < y1; y++) {
        for (int x = 0; x < coarse.width; x++) {
            int64_t sum[8] = {}, excess = 0;
            for (int a = 0; a < 2; a++) {
                for (int b = 0; b < 2; b++) {
                    const int32_t i = fine.node(2 * y + a, 2 * x + b);
                    const Capacity* arcs = fine.arcs(i);
                    excess += fine.excess[i];
                    for (int k = 0; k < 8; k++) {
                        const int between = block_direction(a, b, k);
                        if (between >= 0) sum[between] += arcs[k];
                    }
                }
            }
            const int32_t node = coarse.node(y, x);
            for (int k = 0; k < 8; k++) {
                fits &= sum[k] <= std::numeric_limits<Capacity>::max();
                coarse.arcs(node)[k] = static_cast<Capacity>(sum[k]);
            }
            coarse.excess[node] = static_cast<Capacity>(std::clamp(excess, -limit, limit));
        }
    }
    return fits;
}

// The largest sum of the capacities of a node's arcs, in and out.
template <class Capacity>
double largest_total(Grid2D<Capacity>& grid, int y0, int y1) {
    double largest = 0;
    for (int y = y0; y < y1; y++) {
        for (int x = 0; x < grid.width; x++) {
            const int32_t i = grid.node(y, x);
            double total = 0;
            for (int k = 0; k < 8; k++)
                total += static_cast<double>(grid.arcs(i)[k]) +
                         static_cast<double>(grid.arcs(i + grid.offset[k])[opposite(k)]);
            largest = std::max(largest, total);
        }
    }
    return largest;
}

// Lays the coarse flow (`capacity` before, coarse.residual after) on the pixels' arcs that begin in
// the block rows [y0, y1). Writes the excess of one pixel row beyond them.
template <class Capacity>
void project(Grid2D<Capacity>& fine, Grid2D<Capacity>& coarse, const Capacity* capacity, int y0,
             int y1) {
    for (int y = y0; y < y1; y++) {
        for (int x = 0; x < coarse.width; x++) {
            const int32_t block = coarse.node(y, x);
            double ahead[8] = {}, back[8] = {};  // shares of the arcs' capacities that are used
            uint32_t used = 0;
            for (int k = E; k <= SE; k++) {
                const size_t arc = static_cast<size_t>(block) * 8 + static_cast<size_t>(k);
                const Capacity flow = capacity[arc] - coarse.residual[arc];
                if (flow == 0) continue;
                used |= 1u << k;
                if (flow > 0) {
                    ahead[k] = static_cast<double>(flow) / static_cast<double>(capacity[arc]);
                } else {
                    const size_t reverse = static_cast<size_t>(block + coarse.offset[k]) * 8 +
                                           static_cast<size_t>(opposite(k));
                    back[k] = -static_cast<double>(flow) / static_cast<double>(capacity[reverse]);
                }
            }
            // Arcs towards the west and north begin in the blocks there, but for the south-western
            // ones: those of this block's left pixels lead to the west block too.
            const int32_t west = block - 1;
            const size_t west_arc = static_cast<size_t>(block) * 8 + W;
            const Capacity west_flow = capacity[west_arc] - coarse.residual[west_arc];
            if (west_flow > 0) {
                used |= 1u << W;
                ahead[W] = static_cast<double>(west_flow) / static_cast<double>(capacity[west_arc]);
            } else if (west_flow < 0) {
                used |= 1u << W;
                back[W] = -static_cast<double>(west_flow) /
                          static_cast<double>(capacity[static_cast<size_t>(west) * 8 + E]);
            }
            if (!used) continue;
            for (int a = 0; a < 2; a++) {
                for (int b = 0; b < 2; b++) {
                    const int32_t i = fine.node(2 * y + a, 2 * x + b);
                    for (int k = E; k <= SE; k++) {
                        const int between = block_direction(a, b, k);
                        if (between < 0 || !(used >> between & 1)) continue;
                        const int32_t j = i + fine.offset[k];
                        Capacity& forward = fine.arcs(i)[k];
                        Capacity& backward = fine.arcs(j)[opposite(k)];
                        const auto share = [](Capacity c, double part) {
                            return std::min(c, static_cast<Capacity>(static_cast<double>(c) * part));
                        };
                        const Capacity flow =
                            share(forward, ahead[between]) - share(backward, back[between]);
                        forward -= flow;
                        backward += flow;
                        fine.excess[i] -= flow;
                        fine.excess[j] += flow;
                    }
                }
            }
        }
    }
}

// Moves flow along arc k of node i so that both ends have the same excess, as far as it carries.
template <class Capacity>
void even_out(Grid2D<Capacity>& g, int32_t i, int k) {
    const int32_t j = i + g.offset[k];
    Capacity& forward = g.arcs(i)[k];
    Capacity& backward = g.arcs(j)[opposite(k)];
    const Capacity half = g.excess[i] / 2 - g.excess[j] / 2;
    const Capacity flow = std::max(std::min(half, forward), static_cast<Capacity>(-backward));
    forward -= flow;
    backward += flow;
    g.excess[i] -= flow;
    g.excess[j] += flow;
}

// Evens out the blocks in the block rows [y0, y1). Across blocks it would undo the projection:
// tried, and 1.1 to 2 times slower.
template <class Capacity>
void even_out_blocks(Grid2D<Capacity>& fine, int y0, int y1) {
    for (int y = 2 * y0; y < 2 * y1; y += 2) {
        for (int x = 0; x < fine.width; x += 2) {
            const int32_t i = fine.node(y, x), below = i + static_cast<int32_t>(fine.stride);
            even_out(fine, i, E);
            even_out(fine, below, E);
            even_out(fine, i, S);
            even_out(fine, i + 1, S);
            even_out(fine, i, SE);
            even_out(fine, i + 1, SW);
        }
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
