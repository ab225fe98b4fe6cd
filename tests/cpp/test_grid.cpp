// The multilevel start and the label tests of the max-flow solver on images and volumes, for the
// instruction set at hand.
#include <random>
#include <vector>

#include "check.hpp"
#include "multilevel.hpp"

using namespace classicseg::CLASSICSEG_ISA;

namespace {

using Random = std::mt19937;

int64_t below(Random& random, int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(random); }

template <class Topology>
void test_neighbour_labels() {
    Random random(3);
    const int n = Topology::n_directions;
    const Strides strides = {16, Topology::has_rows ? 16 * 5 : 16};
    std::vector<Label> labels(static_cast<size_t>(2 * (strides.slice + strides.row + 1 + label_margin) + 16), unlabelled);
    for (int round = 0; round < 3000; round++) {
        for (Label& label : labels) {
            const Label choices[] = {0, 1, 2, 3, detached, detached + 2, detached + 3, unlabelled, unlabelled + 1};
            label = choices[below(random, 9)];
        }
        const Label* p = labels.data() + label_margin + strides.slice + strides.row + 1 + below(random, 16);
        const NeighbourLabels<Topology> neighbours(p, strides);
        const uint32_t all = static_cast<uint32_t>((uint64_t{1} << n) - 1);
        const auto neighbour = [&](int k) {
            const Step s = Topology::steps[k];
            return p[s.dz * strides.slice + s.dy * strides.row + s.dx];
        };
        for (Label x : {0, 1, 2, detached + 2, unlabelled}) {
            uint32_t equal = 0, above = 0;
            for (int k = 0; k < n; k++) {
                equal |= static_cast<uint32_t>(neighbour(k) == x) << k;
                above |= static_cast<uint32_t>(neighbour(k) > x) << k;
            }
            CHECK((neighbours.equal(x) & all) == equal);
            CHECK((neighbours.above(x) & all) == above);
        }
        const uint32_t among = static_cast<uint32_t>(below(random, int64_t{1} << n));
        Label smallest = unlabelled;
        for (int k = 0; k < n; k++)
            if (among >> k & 1) smallest = std::min(smallest, neighbour(k));
        CHECK(neighbours.smallest(among) == smallest);
    }
}

// Raster order, opposites at the mirrored number, every neighbour once.
template <class Topology>
void test_topology() {
    const int n = Topology::n_directions;
    for (int k = 0; k < n; k++) {
        const Step a = Topology::steps[k], b = Topology::steps[n - 1 - k];
        CHECK(a.dz == -b.dz && a.dy == -b.dy && a.dx == -b.dx);
        CHECK(direction_of<Topology>(a.dz, a.dy, a.dx) == k);
        CHECK(k == 0 || 9 * a.dz + 3 * a.dy + a.dx > 9 * Topology::steps[k - 1].dz + 3 * Topology::steps[k - 1].dy + Topology::steps[k - 1].dx);
        CHECK(Topology::has_rows || a.dy == 0);
    }
    CHECK(direction_of<Topology>(0, 0, 0) == -1);
}

struct Place {
    int z, y, x;
};

template <class G>
std::vector<Place> places(const G& grid) {
    std::vector<Place> all;
    for (int z = 0; z < grid.depth; z++)
        for (int y = 0; y < grid.height; y++)
            for (int x = 0; x < grid.width; x++) all.push_back({z, y, x});
    return all;
}
template <class G>
int32_t node(const G& grid, Place p) {
    return grid.node(p.z, p.y, p.x);
}
template <class G>
int32_t block(const G& coarse, Place p) {
    return coarse.node(p.z / 2, p.y / 2, p.x / 2);
}
template <class G>
Place neighbour(Place p, int k) {
    const Step s = G::Topology::steps[k];
    return {p.z + s.dz, p.y + s.dy, p.x + s.dx};
}
template <class G>
bool inside(const G& grid, Place p) {
    return grid.has_row(p.z, p.y) && p.x >= 0 && p.x < grid.width;
}

template <class G>
G random_grid(Place shape, Random& random, int64_t largest) {
    using Capacity = typename G::Capacity;
    G grid(shape.z, shape.y, shape.x);
    for (Place p : places(grid)) {
        const int32_t i = node(grid, p);
        grid.excess[i] = static_cast<Capacity>(below(random, 2 * largest + 1) - largest);
        for (int k = 0; k < G::n_directions; k++)
            grid.arcs(i)[k] = inside(grid, neighbour<G>(p, k)) && random() % 4 ? static_cast<Capacity>(below(random, largest + 1)) : Capacity{0};
    }
    return grid;
}

// What no flow may change: residuals not negative, the sum of both residuals of an arc, the sum of
// the excesses, and a margin without anything.
template <class G>
struct Invariants {
    std::vector<int64_t> both;
    int64_t excess = 0;
    bool operator==(const Invariants&) const = default;

    explicit Invariants(G& grid) {
        std::vector<bool> is_pixel(static_cast<size_t>(grid.n_nodes));
        for (Place p : places(grid)) {
            const int32_t i = node(grid, p);
            is_pixel[static_cast<size_t>(i)] = true;
            excess += grid.excess[i];
            for (int k = 0; k < G::n_directions; k++) {
                const auto rest = grid.arcs(i)[k];
                CHECK(rest >= 0);
                if (inside(grid, neighbour<G>(p, k))) {
                    both.push_back(static_cast<int64_t>(rest) + grid.arcs(i + grid.offset[k])[G::opposite(k)]);
                } else {
                    CHECK(rest == 0);
                }
            }
        }
        for (int32_t i = 0; i < grid.n_nodes; i++) {
            if (is_pixel[static_cast<size_t>(i)]) continue;
            CHECK(grid.excess[i] == 0);
            for (int k = 0; k < G::n_directions; k++) CHECK(grid.arcs(i)[k] == 0);
        }
    }
};

template <class G>
void test_coarsen(G& fine, G& coarse, double largest_sum) {
    // Capacities between blocks, added up from the other side: pixel by pixel.
    const size_t n = G::n_arcs;
    std::vector<int64_t> sums(static_cast<size_t>(coarse.n_nodes) * n), excess(static_cast<size_t>(coarse.n_nodes));
    for (Place p : places(fine)) {
        const int32_t i = node(fine, p), b = block(coarse, p);
        excess[static_cast<size_t>(b)] += fine.excess[i];
        for (int k = 0; k < G::n_directions; k++) {
            const Place q = neighbour<G>(p, k);
            if (!inside(fine, q)) continue;
            const int between = direction_of<typename G::Topology>(q.z / 2 - p.z / 2, q.y / 2 - p.y / 2, q.x / 2 - p.x / 2);
            if (between >= 0) sums[static_cast<size_t>(b) * n + static_cast<size_t>(between)] += fine.arcs(i)[k];
        }
    }
    std::vector<double> totals(excess.size());  // of the arcs in and out
    for (size_t i = 0; i < excess.size(); i++) {
        for (size_t k = 0; k < n; k++) {
            const int64_t sum = sums[n * i + k];
            CHECK(coarse.residual[n * i + k] == sum);
            if (sum == 0) continue;
            const int32_t other = static_cast<int32_t>(i) + coarse.offset[k];
            totals[i] += static_cast<double>(sum);
            totals[static_cast<size_t>(other)] += static_cast<double>(sum);
        }
        CHECK(coarse.excess[i] == excess[i]);
    }
    CHECK(largest_sum == *std::max_element(totals.begin(), totals.end()));
}

template <class G>
void test_projection(Place shape, int64_t largest, Random& random) {
    using Capacity = typename G::Capacity;
    G fine = random_grid<G>(shape, random, largest);
    G coarse = half_as_large(fine);
    CHECK(coarse.depth == (shape.z + 1) / 2 && coarse.height == (shape.y + 1) / 2 && coarse.width == (shape.x + 1) / 2);
    const Invariants<G> before(fine);
    CHECK(coarsen(fine, coarse, 8 * largest, 0, coarse.depth));
    test_coarsen(fine, coarse, largest_total(coarse, 0, coarse.depth));
    std::vector<Capacity> capacity(coarse.residual.data(), coarse.residual.data() + coarse.residual.size());

    project(fine, coarse, capacity.data(), 0, coarse.depth);  // no flow: nothing happens
    CHECK(Invariants<G>(fine) == before);

    // Any flow within the capacities, conserved or not; some arcs full.
    for (Place p : places(coarse)) {
        const int32_t i = node(coarse, p);
        for (int k = 0; k < G::n_directions; k++) {
            const Capacity rest = coarse.arcs(i)[k];
            if (rest == 0 || random() % 3 == 0) continue;
            coarse.push(i, k, random() % 3 ? static_cast<Capacity>(below(random, rest + 1)) : rest);
        }
    }
    for (int z = 0; z < coarse.depth; z++) project(fine, coarse, capacity.data(), z, z + 1);
    CHECK(Invariants<G>(fine) == before);

    // The flow between two blocks is the coarse one, but for rounding down each of their pixels' arcs in
    // both directions.
    std::vector<int64_t> received(static_cast<size_t>(coarse.n_nodes)), n_arcs(received);
    for (Place p : places(fine)) {
        const size_t b = static_cast<size_t>(block(coarse, p));
        received[b] += fine.excess[node(fine, p)];
        for (int k = 0; k < G::n_directions; k++) {
            const Place q = neighbour<G>(p, k);
            n_arcs[b] += inside(fine, q) && block(coarse, q) != block(coarse, p);
        }
    }
    for (Place p : places(coarse)) {
        const size_t i = static_cast<size_t>(node(coarse, p));
        int64_t expected = coarse.excess[i];
        for (size_t k = 0; k < G::n_arcs; k++) expected -= capacity[i * G::n_arcs + k] - coarse.residual[i * G::n_arcs + k];
        CHECK(std::abs(received[i] - expected) <= n_arcs[i]);
    }

    even_out_blocks(fine, coarse, 0, coarse.depth);
    CHECK(Invariants<G>(fine) == before);
    for (Place p : places(fine))  // evening out stays within the blocks
        received[static_cast<size_t>(block(coarse, p))] -= fine.excess[node(fine, p)];
    for (int64_t rest : received) CHECK(rest == 0);
}

template <class G>
void test_push_and_masks(Place shape, Random& random) {
    G grid = random_grid<G>(shape, random, 5);
    const int seam = shape.z / 2;
    grid.mark_out(0, shape.z);
    grid.mark_in(0, shape.z);
    const auto expect_masks = [&](bool separate) {
        for (Place p : places(grid)) {
            const int32_t i = node(grid, p);
            for (int k = 0; k < G::n_directions; k++) {
                const Place q = neighbour<G>(p, k);
                const bool across = separate && (p.z < seam) != (q.z < seam);
                const bool open = inside(grid, q) && !across;
                CHECK((grid.out[i] >> k & 1) == (open && grid.arcs(i)[k] > 0));
                CHECK((grid.in[i] >> k & 1) == (open && grid.arcs(i + grid.offset[k])[G::opposite(k)] > 0));
            }
            CHECK((static_cast<uint64_t>(grid.out[i] | grid.in[i]) >> G::n_directions) == 0);
        }
    };
    expect_masks(false);
    const Invariants<G> before(grid);
    for (int pushes = 0; pushes < 200; pushes++) {
        const int32_t i = grid.node(static_cast<int>(below(random, shape.z)), static_cast<int>(below(random, shape.y)), static_cast<int>(below(random, shape.x)));
        const int k = static_cast<int>(below(random, G::n_directions));
        if (grid.arcs(i)[k] > 0) grid.push(i, k, static_cast<typename G::Capacity>(1 + below(random, grid.arcs(i)[k])));
    }
    expect_masks(false);
    CHECK(Invariants<G>(grid) == before);
    if (seam == 0) return;
    for (auto [from, to] : {std::pair{0, seam}, std::pair{seam, shape.z}}) {
        grid.mark_out(from, to);
        grid.mark_in(from, to);
    }
    expect_masks(true);
    grid.open_seam(seam);
    expect_masks(false);
    grid.close(0, seam);
    grid.close(seam, shape.z);
    expect_masks(true);
}

// Sums beyond the type's range are reported.
template <class Capacity>
void test_sums_that_do_not_fit() {
    const Capacity half = std::numeric_limits<Capacity>::max() / 2;
    for (int too_much = 0; too_much < 2; too_much++) {
        using G = Grid<Image8, Capacity>;
        G fine(2, 1, 4), coarse(1, 1, 2);
        const int east = direction_of<Image8>(0, 0, 1);
        fine.arcs(fine.node(0, 0, 1))[east] = half + 1;
        fine.arcs(fine.node(1, 0, 1))[east] = static_cast<Capacity>(half + too_much);
        CHECK(coarsen(fine, coarse, 1, 0, 1) == !too_much);
    }
}

template <class G>
void test_sizes(int64_t largest) {
    Random random(4);
    for (int round = 0; round < 400; round++) {
        const int most = G::Topology::has_rows ? (round % 10 ? 5 : 17) : (round % 10 ? 12 : 70);
        const auto length = [&] { return 1 + static_cast<int>(below(random, most)); };
        const Place shape = {length(), G::Topology::has_rows ? length() : 1, length()};
        current_case = std::to_string(G::n_directions) + " neighbours, " + std::to_string(shape.z) + " x " + std::to_string(shape.y) +
                       " x " + std::to_string(shape.x) + ", round " + std::to_string(round);
        test_projection<G>(shape, 1 + below(random, largest), random);
        test_push_and_masks<G>(shape, random);
    }
}

template <class Topology>
void test_grids() {
    test_topology<Topology>();
    test_neighbour_labels<Topology>();
    test_sizes<Grid<Topology, int32_t>>(3);
    test_sizes<Grid<Topology, int32_t>>(1 << 22);
    test_sizes<Grid<Topology, int64_t>>(int64_t{1} << 40);
}

}  // namespace

int main() {
#if defined(__AVX2__)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) return 77;  // skipped
#endif
    test_sums_that_do_not_fit<int32_t>();
    test_grids<Image8>();
    test_grids<Volume6>();
    test_grids<Volume26>();
}
