// A first flow from a coarser grid.
//
// Blocks of 2 x 2 pixels, 2 x 2 x 2 in a volume, make one node of a grid half as large; its arcs carry
// the sum of the arcs between the blocks. The maximum flow of that small problem, shared out over the
// pixels' arcs in proportion to their capacities, does the long-distance transport in advance. It need
// not be conserved inside a block: what piles up there is evened out as far as the block's own arcs
// allow, and the exact solver starts from the residual graph of the result. Any starting flow is
// right; this one saves it half to three quarters of its work on photographs.
#pragma once

#include <limits>

#include "grid.hpp"
#include "lanes.hpp"

namespace classicseg::CLASSICSEG_ISA {

// An arc of one of a block's pixels, as seen between blocks.
struct BlockArc {
    int dz, dy, dx;  // the pixel's place in its block
    int k;           // the arc's direction
    int between;     // the direction of the block it leads to, -1 inside
};

// The arcs of a block's pixels, by direction.
template <class Topology>
struct Block {
    static constexpr int n = Topology::n_directions, height = Topology::has_rows ? 2 : 1;
    struct Arcs {
        BlockArc list[4 * height * n] = {};
        int size = 0;
    };
    Arcs between;          // all that lead to another block
    Arcs between_forward;  // those of them that lead forward
    Arcs inside;           // one of each pair inside; straight ones first, which matters: evened out in
                           // another order images take 6 % longer

    constexpr Block() {
        for (int k = 0; k < n; k++) {
            add(k, [&](BlockArc arc) {
                if (arc.between < 0) return;
                between.list[between.size++] = arc;
                if (k >= n / 2) between_forward.list[between_forward.size++] = arc;
            });
        }
        for (int length = 1; length <= 3; length++) {
            for (int k = n / 2; k < n; k++) {
                const Step s = Topology::steps[k];
                if (s.dz * s.dz + s.dy * s.dy + s.dx * s.dx != length) continue;
                add(k, [&](BlockArc arc) {
                    if (arc.between < 0) inside.list[inside.size++] = arc;
                });
            }
        }
    }
    template <class Task>
    static constexpr void add(int k, Task&& task) {
        for (int dz = 0; dz < 2; dz++)
            for (int dy = 0; dy < height; dy++)
                for (int dx = 0; dx < 2; dx++) task(BlockArc{dz, dy, dx, k, block_direction(dz, dy, dx, k)});
    }
    static constexpr int block_direction(int dz, int dy, int dx, int k) {
        const Step s = Topology::steps[k];
        return direction_of<Topology>(half(dz + s.dz), half(dy + s.dy), half(dx + s.dx));
    }
    // The block that a pixel at -1 ... 2 belongs to.
    static constexpr int half(int at) { return at < 0 ? -1 : at > 1; }

    // The directions between blocks that pixels' arcs leading forward may have.
    constexpr uint32_t forward_directions() const {
        uint32_t m = 0;
        for (int a = 0; a < between_forward.size; a++) m |= 1u << between_forward.list[a].between;
        return m;
    }
};

template <class Grid>
inline constexpr Block<typename Grid::Topology> block_of;

// The offset of a pixel in its block from the block's first pixel.
template <class Grid>
int32_t place(const Grid& fine, const BlockArc& arc) {
    return static_cast<int32_t>(arc.dz * fine.strides.slice + arc.dy * fine.strides.row + arc.dx);
}

// Calls task(node of the block, first node of its pixels) for each block in the slices [z0, z1).
template <class Grid, class Task>
void for_blocks(const Grid& fine, const Grid& coarse, int z0, int z1, Task&& task) {
    coarse.for_rows_of(z0, z1, [&](int32_t block, size_t, int z, int y) {
        int32_t first = fine.node(2 * z, 2 * y, 0);
        for (int x = 0; x < coarse.width; x++, block++, first += 2) task(block, first);
    });
}

template <class Grid>
Grid half_as_large(const Grid& fine) {
    return Grid((fine.depth + 1) / 2, (fine.height + 1) / 2, (fine.width + 1) / 2);
}

// Fills the slices [z0, z1) of `coarse` (half the size of `fine`, rounded up). Excess is cut to
// [-limit, limit]. False if a sum of capacities exceeds the type's range.
template <class Grid>
bool coarsen(Grid& fine, Grid& coarse, int64_t limit, int z0, int z1) {
    using Capacity = typename Grid::Capacity;
    constexpr auto& b = block_of<Grid>;
    bool fits = true;
    for_blocks(fine, coarse, z0, z1, [&](int32_t block, int32_t first) {
        int64_t sum[Grid::n_directions] = {}, excess = 0;
        CLASSICSEG_UNROLL
        for (int a = 0; a < b.between.size; a++) {
            const BlockArc& arc = b.between.list[a];
            sum[arc.between] += fine.arcs(first + place(fine, arc))[arc.k];
        }
        for (int dz = 0; dz < 2; dz++)
            for (int dy = 0; dy < b.height; dy++)
                for (int dx = 0; dx < 2; dx++) excess += fine.excess[first + place(fine, {dz, dy, dx, 0, 0})];
        for (int k = 0; k < Grid::n_directions; k++) {
            fits &= sum[k] <= std::numeric_limits<Capacity>::max();
            coarse.arcs(block)[k] = static_cast<Capacity>(sum[k]);
        }
        coarse.excess[block] = static_cast<Capacity>(std::clamp(excess, -limit, limit));
    });
    return fits;
}

// The largest sum of the capacities of a node's arcs, in and out.
template <class Grid>
double largest_total(Grid& grid, int z0, int z1) {
    double largest = 0;
    grid.for_rows_of(z0, z1, [&](int32_t row, size_t, int, int) {
        for (int32_t i = row; i < row + grid.width; i++) {
            double total = 0;
            for (int k = 0; k < Grid::n_directions; k++)
                total += static_cast<double>(grid.arcs(i)[k]) +
                         static_cast<double>(grid.arcs(i + grid.offset[k])[Grid::opposite(k)]);
            largest = std::max(largest, total);
        }
    });
    return largest;
}

// Lays the coarse flow (`capacity` before, coarse.residual after) on the pixels' arcs that begin in
// the slices [z0, z1) of blocks. Writes the excess of one slice of pixels beyond them.
template <class Grid>
void project(Grid& fine, Grid& coarse, const typename Grid::Capacity* capacity, int z0, int z1) {
    using Capacity = typename Grid::Capacity;
    constexpr auto& b = block_of<Grid>;
    for_blocks(fine, coarse, z0, z1, [&](int32_t block, int32_t first) {
        // Shares of the arcs' capacities that are used.
        double ahead[Grid::n_directions] = {}, back[Grid::n_directions] = {};
        uint32_t used = 0;
        for (uint32_t directions = b.forward_directions(); directions; directions &= directions - 1) {
            const int k = std::countr_zero(directions);
            const size_t arc = static_cast<size_t>(block) * Grid::n_arcs + static_cast<size_t>(k);
            const Capacity flow = capacity[arc] - coarse.residual[arc];
            if (flow == 0) continue;
            used |= 1u << k;
            if (flow > 0) {
                ahead[k] = static_cast<double>(flow) / static_cast<double>(capacity[arc]);
            } else {
                const size_t reverse = static_cast<size_t>(block + coarse.offset[k]) * Grid::n_arcs +
                                       static_cast<size_t>(Grid::opposite(k));
                back[k] = -static_cast<double>(flow) / static_cast<double>(capacity[reverse]);
            }
        }
        if (!used) return;
        const auto share = [](Capacity c, double part) {
            return std::min(c, static_cast<Capacity>(static_cast<double>(c) * part));
        };
        CLASSICSEG_UNROLL
        for (int a = 0; a < b.between_forward.size; a++) {
            const BlockArc& arc = b.between_forward.list[a];
            if (!(used >> arc.between & 1)) continue;
            const int32_t i = first + place(fine, arc), j = i + fine.offset[arc.k];
            const Capacity forward = fine.arcs(i)[arc.k], backward = fine.arcs(j)[Grid::opposite(arc.k)];
            fine.shift(i, arc.k, share(forward, ahead[arc.between]) - share(backward, back[arc.between]));
        }
    });
}

// Moves flow inside the blocks of the slices [z0, z1) so that their pixels have the same excess, as far
// as single arcs carry it. Across blocks it would undo the projection: tried, and 1.1 to 2 times slower.
template <class Grid>
void even_out_blocks(Grid& fine, const Grid& coarse, int z0, int z1) {
    using Capacity = typename Grid::Capacity;
    constexpr auto& b = block_of<Grid>;
    for_blocks(fine, coarse, z0, z1, [&](int32_t, int32_t first) {
        CLASSICSEG_UNROLL
        for (int a = 0; a < b.inside.size; a++) {
            const int k = b.inside.list[a].k;
            const int32_t i = first + place(fine, b.inside.list[a]), j = i + fine.offset[k];
            const Capacity half = fine.excess[i] / 2 - fine.excess[j] / 2;
            const Capacity most = fine.arcs(i)[k], least = static_cast<Capacity>(-fine.arcs(j)[Grid::opposite(k)]);
            fine.shift(i, k, std::max(std::min(half, most), least));
        }
    });
}

}  // namespace classicseg::CLASSICSEG_ISA
