// The multilevel start and the label tests of the max-flow solver, for the instruction set at hand.
#include <random>
#include <vector>

#include "check.hpp"
#include "multilevel.hpp"

using namespace classicseg::CLASSICSEG_ISA;

namespace {

using Random = std::mt19937;

int64_t below(Random& random, int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(random); }

void test_neighbour_labels() {
    Random random(3);
    const ptrdiff_t stride = 16;
    std::vector<Label> labels(5 * stride + 32, unlabelled);
    for (int round = 0; round < 3000; round++) {
        for (Label& label : labels) {
            const Label choices[] = {0, 1, 2, 3, detached, detached + 2, detached + 3, unlabelled, unlabelled + 1};
            label = choices[below(random, 9)];
        }
        const Label* p = labels.data() + 16 + 2 * stride + below(random, stride);
        const NeighbourLabels neighbours(p, stride);
        for (Label x : {0, 1, 2, detached + 2, unlabelled}) {
            uint32_t equal = 0, above = 0;
            for (int k = 0; k < 8; k++) {
                const Label label = p[direction_dy[k] * stride + direction_dx[k]];
                equal |= static_cast<uint32_t>(label == x) << k;
                above |= static_cast<uint32_t>(label > x) << k;
            }
            CHECK(neighbours.equal(x) == equal);
            CHECK(neighbours.above(x) == above);
        }
        const uint32_t among = static_cast<uint32_t>(below(random, 256));
        Label smallest = unlabelled;
        for (int k = 0; k < 8; k++)
            if (among >> k & 1) smallest = std::min(smallest, p[direction_dy[k] * stride + direction_dx[k]]);
        CHECK(neighbours.smallest(among) == smallest);
    }
}

template <class Capacity>
Grid2D<Capacity> random_grid(int height, int width, Random& random, int64_t largest) {
    Grid2D<Capacity> grid(height, width);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const int32_t i = grid.node(y, x);
            grid.excess[i] = static_cast<Capacity>(below(random, 2 * largest + 1) - largest);
            for (int k = 0; k < 8; k++) {
                const int yy = y + direction_dy[k], xx = x + direction_dx[k];
                const bool inside = yy >= 0 && xx >= 0 && yy < height && xx < width;
                grid.arcs(i)[k] = inside && random() % 4 ? static_cast<Capacity>(below(random, largest + 1)) : Capacity{0};
            }
        }
    }
    return grid;
}

// What no flow may change: residuals not negative, the sum of both residuals of an arc, the sum of
// the excesses, and a margin without anything.
template <class Capacity>
struct Invariants {
    std::vector<int64_t> both;
    int64_t excess = 0;
    bool operator==(const Invariants&) const = default;

    explicit Invariants(Grid2D<Capacity>& grid) {
        for (int32_t i = 0; i < grid.n_nodes; i++) {
            const int y = static_cast<int>(i / grid.stride) - 1, x = static_cast<int>(i % grid.stride) - 1;
            const bool inside = y >= 0 && x >= 0 && y < grid.height && x < grid.width;
            excess += grid.excess[i];
            if (!inside) CHECK(grid.excess[i] == 0);
            for (int k = 0; k < 8; k++) {
                const Capacity rest = grid.arcs(i)[k];
                CHECK(rest >= 0);
                const int yy = y + direction_dy[k], xx = x + direction_dx[k];
                if (!inside || yy < 0 || xx < 0 || yy >= grid.height || xx >= grid.width) {
                    CHECK(rest == 0);
                } else {
                    both.push_back(static_cast<int64_t>(rest) + grid.arcs(i + grid.offset[k])[opposite(k)]);
                }
            }
        }
    }
};

template <class Capacity>
void test_coarsen(Grid2D<Capacity>& fine, Grid2D<Capacity>& coarse, double largest_sum) {
    // Capacities between blocks, added up from the other side: pixel by pixel.
    std::vector<int64_t> sums(static_cast<size_t>(coarse.n_nodes) * 8), excess(static_cast<size_t>(coarse.n_nodes));
    for (int y = 0; y < fine.height; y++) {
        for (int x = 0; x < fine.width; x++) {
            const int32_t i = fine.node(y, x), block = coarse.node(y / 2, x / 2);
            excess[static_cast<size_t>(block)] += fine.excess[i];
            for (int k = 0; k < 8; k++) {
                const int yy = y + direction_dy[k], xx = x + direction_dx[k];
                if (yy < 0 || xx < 0 || yy >= fine.height || xx >= fine.width) continue;
                const int by = yy / 2 - y / 2, bx = xx / 2 - x / 2;
                if (by || bx) sums[static_cast<size_t>(block) * 8 + static_cast<size_t>(direction_of(by, bx))] += fine.arcs(i)[k];
            }
        }
    }
    std::vector<double> totals(excess.size());  // of the arcs in and out
    for (size_t i = 0; i < excess.size(); i++) {
        for (size_t k = 0; k < 8; k++) {
            const int64_t sum = sums[8 * i + k];
            CHECK(coarse.residual[8 * i + k] == sum);
            if (sum == 0) continue;
            const int32_t other = static_cast<int32_t>(i) + coarse.offset[k];
            totals[i] += static_cast<double>(sum);
            totals[static_cast<size_t>(other)] += static_cast<double>(sum);
        }
        CHECK(coarse.excess[i] == excess[i]);
    }
    CHECK(largest_sum == *std::max_element(totals.begin(), totals.end()));
}

template <class Capacity>
void test_projection(int height, int width, int64_t largest, Random& random) {
    Grid2D<Capacity> fine = random_grid<Capacity>(height, width, random, largest);
    Grid2D<Capacity> coarse((height + 1) / 2, (width + 1) / 2);
    const Invariants<Capacity> before(fine);
    CHECK(coarsen(fine, coarse, 4 * largest, 0, coarse.height));
    test_coarsen(fine, coarse, largest_total(coarse, 0, coarse.height));
    std::vector<Capacity> capacity(coarse.residual.data(), coarse.residual.data() + coarse.residual.size());

    project(fine, coarse, capacity.data(), 0, coarse.height);  // no flow: nothing happens
    CHECK(Invariants<Capacity>(fine) == before);

    // Any flow within the capacities, conserved or not; some arcs full.
    std::vector<int64_t> sent(static_cast<size_t>(coarse.n_nodes));

    for (int y = 0; y < coarse.height; y++) {
        for (int x = 0; x < coarse.width; x++) {
            const int32_t i = coarse.node(y, x);
            for (int k = 0; k < 8; k++) {
                const Capacity rest = coarse.arcs(i)[k];
                if (rest == 0 || random() % 3 == 0) continue;
                const Capacity flow = random() % 3 ? static_cast<Capacity>(below(random, rest + 1)) : rest;
                coarse.push(i, k, flow);

            }
        }
    }
    for (int y = 0; y < coarse.height; y++) project(fine, coarse, capacity.data(), y, y + 1);
    const Invariants<Capacity> after(fine);
    CHECK(after == before);

    // The flow between two blocks is the coarse one, but for rounding down each of up to 4 pixels'
    // arcs in both directions.
    for (int y = 0; y < fine.height; y++) {
        for (int x = 0; x < fine.width; x++) {
            const int32_t i = fine.node(y, x), block = coarse.node(y / 2, x / 2);
            sent[static_cast<size_t>(block)] += fine.excess[i];
        }
    }
    for (int y = 0; y < coarse.height; y++) {
        for (int x = 0; x < coarse.width; x++) {
            const int32_t i = coarse.node(y, x);
            int64_t expected = coarse.excess[i];
            int n_arcs = 0;
            for (int k = 0; k < 8; k++) {
                const size_t arc = static_cast<size_t>(i) * 8 + static_cast<size_t>(k);
                expected -= capacity[arc] - coarse.residual[arc];
                n_arcs += k == N || k == W || k == E || k == S ? 4 : 1;
            }
            CHECK(std::abs(sent[static_cast<size_t>(i)] - expected) <= n_arcs);
        }
    }

    std::vector<int64_t> blocks = sent;
    even_out_blocks(fine, 0, coarse.height);
    CHECK(Invariants<Capacity>(fine) == before);
    for (int y = 0; y < fine.height; y++)  // evening out stays within the blocks
        for (int x = 0; x < fine.width; x++)
            blocks[static_cast<size_t>(coarse.node(y / 2, x / 2))] -= fine.excess[fine.node(y, x)];
    for (int64_t rest : blocks) CHECK(rest == 0);
}

template <class Capacity>
void test_push_and_masks(int height, int width, Random& random) {
    Grid2D<Capacity> grid = random_grid<Capacity>(height, width, random, 5);
    const int seam = height / 2;
    grid.mark_out(0, height);
    grid.mark_in(0, height);
    const auto expect_masks = [&](bool separate) {
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                const int32_t i = grid.node(y, x);
                for (int k = 0; k < 8; k++) {
                    const int yy = y + direction_dy[k], xx = x + direction_dx[k];
                    const bool across = separate && (y < seam) != (yy < seam);
                    const bool inside = yy >= 0 && xx >= 0 && yy < height && xx < width && !across;
                    CHECK((grid.out[i] >> k & 1) == (inside && grid.arcs(i)[k] > 0));
                    CHECK((grid.in[i] >> k & 1) == (inside && grid.arcs(i + grid.offset[k])[opposite(k)] > 0));
                }
            }
        }
    };
    expect_masks(false);
    const Invariants<Capacity> before(grid);
    for (int pushes = 0; pushes < 200; pushes++) {
        const int32_t i = grid.node(static_cast<int>(below(random, height)), static_cast<int>(below(random, width)));
        const int k = static_cast<int>(below(random, 8));
        if (grid.arcs(i)[k] > 0) grid.push(i, k, static_cast<Capacity>(1 + below(random, grid.arcs(i)[k])));
    }
    expect_masks(false);
    CHECK(Invariants<Capacity>(grid) == before);
    if (seam == 0) return;
    for (auto [from, to] : {std::pair{0, seam}, std::pair{seam, height}}) {
        grid.mark_out(from, to);
        grid.mark_in(from, to);
    }
    expect_masks(true);
    grid.open_seam(seam);
    expect_masks(false);
}

// Sums beyond the type's range are reported.
template <class Capacity>
void test_sums_that_do_not_fit() {
    const Capacity half = std::numeric_limits<Capacity>::max() / 2;
    for (int too_much = 0; too_much < 2; too_much++) {
        Grid2D<Capacity> fine(2, 4), coarse(1, 2);
        fine.arcs(fine.node(0, 1))[E] = half + 1;
        fine.arcs(fine.node(1, 1))[E] = static_cast<Capacity>(half + too_much);
        CHECK(coarsen(fine, coarse, 1, 0, 1) == !too_much);
    }
}

template <class Capacity>
void test_sizes(int64_t largest) {
    Random random(4);
    for (int round = 0; round < 600; round++) {
        const int height = 1 + static_cast<int>(below(random, round % 10 ? 12 : 70));
        const int width = 1 + static_cast<int>(below(random, round % 10 ? 12 : 70));
        current_case = std::to_string(height) + " x " + std::to_string(width) + ", round " + std::to_string(round);
        test_projection<Capacity>(height, width, 1 + below(random, largest), random);
        test_push_and_masks<Capacity>(height, width, random);
    }
}

}  // namespace

int main() {
#if defined(__AVX2__)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) return 77;  // skipped
#endif
    test_neighbour_labels();
    test_sums_that_do_not_fit<int32_t>();
    test_sizes<int32_t>(3);
    test_sizes<int32_t>(1 << 24);
    test_sizes<int64_t>(int64_t{1} << 40);
}
