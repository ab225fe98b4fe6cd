// The dense CRF's kernels: the same bits for any table and number of threads, against plain sums where
// lattices are exact, and awkward sizes under the sanitizers.
#include <algorithm>
#include <limits>
#include <utility>

#include "images.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

const std::vector<const Kernels*> tables = runnable_tables();

struct Problem {
    CrfGrid grid;
    int n_labels, n_channels;
    std::vector<float> unary, channels, divisors, weights;
    std::vector<CrfKernel> kernels;
    size_t size() const { return static_cast<size_t>(grid.size()); }
};

Problem random_problem(CrfGrid grid, int n_axes, int n_channels, int n_labels, std::mt19937& random) {
    Problem p{grid, n_labels, n_channels, {}, {}, {}, {3, 10}, {}};
    std::uniform_real_distribution<float> energy(-3, 3), colour(0, 255);
    p.unary.resize(p.size() * static_cast<size_t>(n_labels));
    p.channels.resize(p.size() * static_cast<size_t>(n_channels));
    for (float& u : p.unary) u = energy(random);
    for (float& c : p.channels) c = colour(random);
    p.divisors.assign(static_cast<size_t>(n_channels), 40.0f);
    CrfKernel smooth{n_axes, {3, 3, 3}, nullptr, 0, nullptr};
    CrfKernel bilateral{n_axes, {20, 20, 20}, p.channels.data(), n_channels, p.divisors.data()};
    if (n_axes) p.kernels.push_back(smooth);
    p.kernels.push_back(bilateral);
    p.weights.resize(p.kernels.size());
    return p;
}

struct Result {
    std::vector<float> q;
    std::vector<int32_t> labels;
    std::vector<double> free_energy;
    int64_t n_vertices;
    bool operator==(const Result&) const = default;
};

Result infer(const Problem& p, Normalization normalization, bool energies, const float* label_weight,
             const float* penalty, const Kernels& kernels, int n_threads) {
    Pool pool(n_threads);
    const auto crf = kernels.densecrf.prepare(p.grid, p.kernels.data(), static_cast<int>(p.kernels.size()), normalization, pool);
    Result r{std::vector<float>(p.unary.size(), -1), std::vector<int32_t>(p.size(), -1), std::vector<double>(energies ? 5 : 0),
             crf->n_vertices()};
    const MeanFieldTask task{p.n_labels, p.unary.data(), nullptr, p.weights.data(), label_weight, penalty, 4, 0,
                             r.q.data(), r.labels.data(), energies ? r.free_energy.data() : nullptr};
    CHECK(crf->infer(task, pool) == 4);
    return r;
}

void check_marginals(const Problem& p, const Result& r) {
    for (size_t i = 0; i < p.size(); i++) {
        double sum = 0;
        float largest = 0;
        for (size_t l = 0; l < static_cast<size_t>(p.n_labels); l++) {
            const float q = r.q[i * static_cast<size_t>(p.n_labels) + l];
            CHECK(q >= 0 && q <= 1.000001f);
            sum += static_cast<double>(q);
            largest = std::max(largest, q);
        }
        CHECK(std::abs(sum - 1) < 1e-5);
        CHECK(r.labels[i] >= 0 && r.labels[i] < p.n_labels);
        CHECK(r.q[i * static_cast<size_t>(p.n_labels) + static_cast<size_t>(r.labels[i])] == largest);
    }
}

void test_all_tables_and_threads() {
    std::mt19937 random(1);
    const struct {
        CrfGrid grid;
        int n_axes, n_channels;
    } cases[] = {{{1, 1, 1}, 2, 3},  {{1, 1, 9}, 2, 3},   {{1, 37, 1}, 2, 1}, {{1, 70, 67}, 2, 3}, {{1, 65, 131}, 2, 1},
                 {{1, 40, 41}, 2, 4}, {{5, 17, 18}, 3, 1}, {{3, 9, 20}, 3, 3}, {{1, 1, 300}, 0, 2}, {{1, 1, 5000}, 1, 1}};
    for (const auto& c : cases)
        for (int n_labels : {1, 2, 21, 33}) {
            const Problem p = random_problem(c.grid, c.n_axes, c.n_channels, n_labels, random);
            std::vector<float> worth(static_cast<size_t>(n_labels), 1.5f);
            std::vector<float> cost(worth.size() * worth.size());
            for (size_t a = 0; a < worth.size(); a++)
                for (size_t b = 0; b < worth.size(); b++) cost[a * worth.size() + b] = a == b ? 0.0f : 1.0f;
            for (int kind = 0; kind < 4; kind++) {
                Result of_first_table;
                for (const Kernels* kernels : tables) {
                    Result first;
                    for (int n_threads : {1, 3}) {
                        current_case = std::string(kernels->name) + ", " + std::to_string(c.grid.depth) + " x " +
                                       std::to_string(c.grid.height) + " x " + std::to_string(c.grid.width) + ", " +
                                       std::to_string(n_labels) + " labels, " + std::to_string(n_threads) + " threads";
                        const Result r = infer(p, static_cast<Normalization>(kind), kind & 1, kind == 1 ? worth.data() : nullptr,
                                               kind == 2 ? cost.data() : nullptr, *kernels, n_threads);
                        check_marginals(p, r);
                        if (first.q.empty()) first = r;
                        CHECK(r == first);
                    }
                    if (of_first_table.q.empty()) of_first_table = first;
                    // One of them may multiply and add in one step. Where kernels are not normalised, messages grow
                    // with the number of points, and roundings with them.
                    for (size_t i = 0; kind > 0 && i < first.q.size(); i++)
                        CHECK(std::abs(first.q[i] - of_first_table.q[i]) < 1e-5f);
                }
                if (c.grid.size() > 2000) break;  // one kind is enough of what takes long
            }
        }
}

// Points that are far apart only see themselves, through a lattice that is then known exactly.
void test_points_far_apart() {
    std::mt19937 random(2);
    Problem p = random_problem({1, 1, 50}, 0, 2, 3, random);
    for (size_t i = 0; i < p.channels.size(); i++) p.channels[i] = static_cast<float>(i / 2 * 4000);
    p.weights = {2};
    for (const Kernels* kernels : tables) {
        const Result r = infer(p, Normalization::symmetric, false, nullptr, nullptr, *kernels, 1);
        for (size_t i = 0; i < p.size(); i++) {
            // The normalised kernel is 1 for a point with itself: x <- softmax(-u + 2 x).
            double q[3], e[3];
            for (int step = 0; step <= 4; step++) {
                double sum = 0;
                for (size_t l = 0; l < 3; l++)
                    sum += e[l] = std::exp(-static_cast<double>(p.unary[3 * i + l]) + (step ? 2 * q[l] : 0));
                for (size_t l = 0; l < 3; l++) q[l] = e[l] / sum;
            }
            for (size_t l = 0; l < 3; l++) CHECK(std::abs(static_cast<double>(r.q[3 * i + l]) - q[l]) < 1e-5);
        }
    }
}

template <class T>
std::vector<T> filtered(const KernelFilter& filter, const std::vector<T>& values, int n_channels, bool transposed, Pool& pool) {
    std::vector<T> result(values.size(), T(-1));
    filter.apply(values.data(), n_channels, transposed, result.data(), pool);
    return result;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); i++) sum += a[i] * b[i];
    return sum;
}

// The filter by its description: splat, blur along the axes one after the other, slice.
std::vector<double> filtered_by_description(const KernelFilter& filter, const std::vector<double>& values, size_t n_points,
                                            size_t n_channels, bool transposed, Pool& pool) {
    const auto n_corners = static_cast<size_t>(filter.n_corners()), n = static_cast<size_t>(filter.n_vertices());
    std::vector<int32_t> vertices(n_points * n_corners), neighbours(2 * n_corners * n);
    std::vector<float> weights(vertices.size());
    const double scale = static_cast<double>(filter.describe(vertices.data(), weights.data(), neighbours.data(), pool));
    std::vector<double> rows((n + 1) * n_channels), next(rows.size()), result(values.size());
    for (size_t p = 0; p < n_points; p++)
        for (size_t c = 0; c < n_corners; c++)
            for (size_t i = 0; i < n_channels; i++)
                rows[static_cast<size_t>(vertices[p * n_corners + c]) * n_channels + i] +=
                    static_cast<double>(weights[p * n_corners + c]) * values[p * n_channels + i];
    for (size_t turn = 0; turn < n_corners; turn++) {
        const int32_t* before = neighbours.data() + 2 * (transposed ? n_corners - 1 - turn : turn) * n;
        const int32_t* after = before + n;
        for (size_t v = 0; v < n; v++)
            for (size_t i = 0; i < n_channels; i++)
                next[v * n_channels + i] = rows[v * n_channels + i] + 0.5 * (rows[static_cast<size_t>(before[v]) * n_channels + i] +
                                                                            rows[static_cast<size_t>(after[v]) * n_channels + i]);
        rows.swap(next);
    }
    for (size_t p = 0; p < n_points; p++)
        for (size_t c = 0; c < n_corners; c++)
            for (size_t i = 0; i < n_channels; i++)
                result[p * n_channels + i] += scale * static_cast<double>(weights[p * n_corners + c]) *
                                              rows[static_cast<size_t>(vertices[p * n_corners + c]) * n_channels + i];
    return result;
}

void test_filter_and_its_transpose() {
    std::mt19937 random(6);
    std::uniform_real_distribution<double> value(-1, 1);
    for (const CrfGrid grid : {CrfGrid{1, 1, 1}, CrfGrid{1, 1, 30}, CrfGrid{1, 19, 23}, CrfGrid{3, 7, 9}, CrfGrid{1, 80, 90}})
        for (int n_channels : {1, 3, 8, 21}) {
            const Problem p = random_problem(grid, 2, 3, 1, random);
            std::vector<double> x(p.size() * static_cast<size_t>(n_channels)), y(x.size());
            for (double& v : x) v = value(random);
            for (double& v : y) v = value(random);
            const std::vector<float> narrow(x.begin(), x.end());
            std::vector<double> first[2];
            std::vector<float> first_narrow;
            for (const Kernels* kernels : tables)
                for (int n_threads : {1, 3}) {
                    Pool pool(n_threads);
                    const auto filter = kernels->densecrf.make_filter(p.grid, p.kernels[1], pool);
                    std::vector<double> found[2];
                    for (bool transposed : {false, true}) {
                        found[transposed] = filtered(*filter, x, n_channels, transposed, pool);
                        const std::vector<double> expected = filtered_by_description(
                            *filter, x, p.size(), static_cast<size_t>(n_channels), transposed, pool);
                        for (size_t i = 0; i < x.size(); i++) CHECK(std::abs(found[transposed][i] - expected[i]) < 1e-12);
                        if (first[transposed].empty()) first[transposed] = found[transposed];
                        CHECK(found[transposed] == first[transposed]);
                    }
                    CHECK(std::abs(dot(y, found[0]) - dot(x, filtered(*filter, y, n_channels, true, pool))) < 1e-9);
                    const std::vector<float> single = filtered(*filter, narrow, n_channels, false, pool);
                    for (size_t i = 0; i < x.size(); i++)
                        CHECK(std::abs(static_cast<double>(single[i]) - found[0][i]) < 1e-4);
                    if (first_narrow.empty()) first_narrow = single;
                    CHECK(single == first_narrow);
                }
        }
}

void test_extremes() {
    std::mt19937 random(3);
    for (const Kernels* kernels : tables)
        for (float weight : {0.0f, 1e6f, 1e20f})
            for (int n_labels : {1, 2, 3, 21}) {
                current_case = "weight " + std::to_string(weight);
                Problem p = random_problem({1, 20, 21}, 2, 3, n_labels, random);
                p.weights = {weight, weight};
                for (size_t i = 0; i < p.unary.size(); i += 7) p.unary[i] = std::numeric_limits<float>::max() * (i & 1 ? 1.0f : -1.0f);
                check_marginals(p, infer(p, Normalization::symmetric, false, nullptr, nullptr, *kernels, 2));
            }
}

void test_features_too_far_apart() {
    std::mt19937 random(4);
    Problem p = random_problem({1, 1, 30}, 0, 5, 2, random);
    p.channels[3] = 1e9f;
    Pool pool(1);
    for (const Kernels* kernels : tables) {
        bool thrown = false;
        try {
            kernels->densecrf.prepare(p.grid, p.kernels.data(), 1, Normalization::symmetric, pool);
        } catch (const FeaturesTooLarge& problem) {
            thrown = true;
            CHECK(problem.kernel == 0 && problem.feature == 3 && problem.cells > 1e6);
        }
        CHECK(thrown);
    }
}

// Marginals may take the place of the unaries.
void test_in_place() {
    std::mt19937 random(6);
    for (int n_labels : {1, 2, 3, 21, 33}) {
        const Problem p = random_problem({1, 70, 133}, 2, 3, n_labels, random);
        for (const Kernels* kernels : tables) {
            current_case = std::string(kernels->name) + ", in place, " + std::to_string(n_labels) + " labels";
            const Result expected = infer(p, Normalization::symmetric, false, nullptr, nullptr, *kernels, 1);
            Pool pool(3);
            const auto crf = kernels->densecrf.prepare(p.grid, p.kernels.data(), 2, Normalization::symmetric, pool);
            std::vector<float> q = p.unary;
            std::vector<int32_t> labels(p.size());
            crf->infer({n_labels, q.data(), nullptr, p.weights.data(), nullptr, nullptr, 4, 0, q.data(), labels.data(), nullptr}, pool);
            CHECK(q == expected.q && labels == expected.labels);
        }
    }
}

void test_energies() {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> probability(0, 1);
    Pool pool(2);
    for (size_t n_labels : {1u, 2u, 3u, 8u, 21u})
        for (size_t n : {1u, 7u, 8u, 5001u}) {
            std::vector<float> p(n * n_labels), first;
            for (size_t i = 0; i < p.size(); i += n_labels) {
                float sum = 0;
                for (size_t l = 0; l < n_labels; l++) sum += p[i + l] = i ? probability(random) : l == 0;
                for (size_t l = 0; l < n_labels; l++) p[i + l] /= sum;
            }
            const auto run = [&](const Kernels& kernels, std::vector<float>& energies) {
                return kernels.densecrf.energies(p.data(), static_cast<int64_t>(n), static_cast<int>(n_labels), 1e-5f,
                                                 1e-3f, energies.data(), pool);
            };
            for (const Kernels* kernels : tables) {
                std::vector<float> energies(p.size(), -1);
                CHECK(run(*kernels, energies));
                for (size_t i = 0; i < p.size(); i++) {
                    const double expected = -std::log(std::max(static_cast<double>(p[i]), 1e-5));
                    CHECK(std::abs(static_cast<double>(energies[i]) - expected) < 2e-6);
                }
                CHECK(energies[0] == 0);
                if (first.empty()) first = energies;
                CHECK(energies == first);
                for (float wrong : {-0.1f, 2.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
                    const float kept = std::exchange(p.back(), wrong);
                    CHECK(!run(*kernels, energies));
                    p.back() = kept;
                }
                if (n_labels > 1) {  // a sum of 1 does not help
                    const float a = std::exchange(p[0], 1.5f), b = std::exchange(p[1], -0.5f);
                    CHECK(!run(*kernels, energies));
                    p[0] = a, p[1] = b;
                }
            }
        }
}

}  // namespace

int main() {
    test_all_tables_and_threads();
    test_points_far_apart();
    test_filter_and_its_transpose();
    test_extremes();
    test_features_too_far_apart();
    test_in_place();
    test_energies();
    return 0;
}
