// Colour mixtures and energies against plain loops; the same bits for any table and number of threads.
#include <algorithm>
#include <limits>

#include "images.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

size_t n_fields(int channels) { return static_cast<size_t>(1 + channels + channels * (channels + 1) / 2); }

std::vector<float> random_components(int n, int channels, std::mt19937& random) {
    std::uniform_real_distribution<float> colour(0, 255), inverse(-0.2f, 0.2f), constant(-3, 9);
    std::vector<float> components;
    for (int k = 0; k < n; k++) {
        components.push_back(constant(random));
        for (int c = 0; c < channels; c++) components.push_back(colour(random));
        for (int f = 0; f < channels * (channels + 1) / 2; f++) components.push_back(inverse(random));
    }
    return components;
}

double energy_of(const float* colour, const float* component, int channels) {
    const float* mean = component + 1;
    const float* lower = mean + channels;
    double energy = static_cast<double>(component[0]);
    for (int r = 0; r < channels; r++) {
        double sum = 0;
        for (int c = 0; c <= r; c++)
            sum += static_cast<double>(*lower++) * (static_cast<double>(colour[c]) - static_cast<double>(mean[c]));
        energy += sum * sum;
    }
    return energy;
}

struct Energies {
    std::vector<float> energy;
    std::vector<uint8_t> best;
    bool operator==(const Energies&) const = default;
};

Energies energies(const Image& image, const uint8_t* wanted, const std::vector<float>& components,
                  int n_components, const Kernels& kernels, Pool& pool) {
    const size_t n = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
    Energies result{std::vector<float>(n, -99), std::vector<uint8_t>(n, 99)};
    kernels.gmm.energies(image.view(), wanted, components.data(), n_components, result.energy.data(),
                         result.best.data(), pool);
    return result;
}

void test_energies(const Image& image, const Kernels& kernels, Pool& pool, std::mt19937 random,
                   std::vector<Energies>& first) {
    const size_t n = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
    const size_t fields = n_fields(image.channels);
    size_t which = 0;
    for (int n_components : {1, 2, 5, 40}) {
        const std::vector<float> components = random_components(n_components, image.channels, random);
        const Energies all = energies(image, nullptr, components, n_components, kernels, pool);
        for (size_t p = 0; p < n; p++) {
            const float* colour = image.data.data() + p * static_cast<size_t>(image.channels);
            double least = std::numeric_limits<double>::infinity();
            for (size_t k = 0; k < static_cast<size_t>(n_components); k++)
                least = std::min(least, energy_of(colour, components.data() + k * fields, image.channels));
            CHECK(all.best[p] < n_components);
            const double own = energy_of(colour, components.data() + all.best[p] * fields, image.channels);
            const double slack = 1e-4 * (1 + std::abs(least));
            CHECK(own <= least + slack);
            CHECK(std::abs(static_cast<double>(all.energy[p]) - least) <= slack);
        }
        if (first.size() == which) first.push_back(all);
        CHECK(first[which++] == all);

        // Wanted pixels have the same energy as before; the others that or nothing.
        std::vector<uint8_t> wanted(n);
        for (size_t p = 0; p < n; p++) wanted[p] = p % 700 < 3;
        const Energies some = energies(image, wanted.data(), components, n_components, kernels, pool);
        for (size_t p = 0; p < n; p++) {
            const bool same = some.energy[p] == all.energy[p] && some.best[p] == all.best[p];
            CHECK(same || (!wanted[p] && some.energy[p] == 0 && some.best[p] == 0));
        }
        std::fill(wanted.begin(), wanted.end(), uint8_t{0});
        const Energies none = energies(image, wanted.data(), components, n_components, kernels, pool);
        for (size_t p = 0; p < n; p++) CHECK(none.energy[p] == 0 && none.best[p] == 0);
    }
}

void test_ties() {
    // Equal components: the first one is the best.
    Pool pool(1);
    std::mt19937 random(5);
    const Image image = random_image({3, 50}, 3, random);
    std::vector<float> components = random_components(1, 3, random);
    const std::vector<float> copy = components;
    components.insert(components.end(), copy.begin(), copy.end());
    for (const Kernels* kernels : runnable_tables()) {
        const Energies result = energies(image, nullptr, components, 2, *kernels, pool);
        for (uint8_t best : result.best) CHECK(best == 0);
    }
}

void test_statistics(const Image& image, const Kernels& kernels, Pool& pool, std::mt19937 random,
                     std::vector<double>& first) {
    const size_t n = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
    const int channels = image.channels, n_components = 5;
    const size_t fields = n_fields(channels);
    const std::vector<uint8_t> mask = random_bytes(n, 2, random), background = random_bytes(n, 5, random),
                               foreground = random_bytes(n, 4, random);  // component 4 is empty
    const uint8_t* const component[2] = {background.data(), foreground.data()};
    std::vector<double> totals(2 * n_components * fields, -1), expected(totals.size(), 0);
    kernels.gmm.statistics(image.view(), mask.data(), component, n_components, totals.data(), pool);
    for (size_t p = 0; p < n; p++) {
        double* t = expected.data() + (static_cast<size_t>(mask[p]) * n_components + component[mask[p]][p]) * fields;
        const float* z = image.data.data() + p * static_cast<size_t>(channels);
        *t++ += 1;
        for (int c = 0; c < channels; c++) *t++ += static_cast<double>(z[c]);
        for (int r = 0; r < channels; r++)
            for (int c = 0; c <= r; c++) *t++ += static_cast<double>(z[r]) * static_cast<double>(z[c]);
    }
    for (size_t i = 0; i < totals.size(); i++) CHECK(near(totals[i], expected[i], 1e-12));
    if (first.empty()) first = totals;
    CHECK(first == totals);
}

void test_terminals_and_data_energy(const Image& image, const Kernels& kernels, Pool& pool,
                                    std::mt19937 random, double& first) {
    const int height = image.height, width = image.width;
    const size_t n = static_cast<size_t>(height) * static_cast<size_t>(width);
    std::vector<float> background(n), foreground(n), source(n, -1), sink(n, -1);
    for (size_t p = 0; p < n; p++) {
        background[p] = static_cast<float>(random() % 500) / 8;
        foreground[p] = random() % 8 ? static_cast<float>(random() % 500) / 8 : background[p];
    }
    const std::vector<uint8_t> trimap = random_bytes(n, 4, random), mask = random_bytes(n, 2, random);
    kernels.gmm.trimap_terminals(background.data(), foreground.data(), trimap.data(), width, height, width,
                                 source.data(), sink.data(), pool);
    const double energy = kernels.gmm.data_energy(background.data(), foreground.data(), mask.data(), height, width, pool);
    const float infinity = std::numeric_limits<float>::infinity();
    double expected = 0;
    for (size_t p = 0; p < n; p++) {
        if (trimap[p] >= 2) {
            // Only the difference of the two sides counts, and one of the terminals is free.
            CHECK(source[p] - sink[p] == background[p] - foreground[p]);
            CHECK(std::min(source[p], sink[p]) == 0);
        } else {
            CHECK(source[p] == (trimap[p] == 1 ? infinity : 0.0f));
            CHECK(sink[p] == (trimap[p] == 0 ? infinity : 0.0f));
        }
        expected += static_cast<double>(mask[p] ? foreground[p] : background[p]);
    }
    CHECK(energy == expected);  // eighths: exact in any order
    if (first < 0) first = energy;
    CHECK(energy == first);
}

// Every centre is the mean of the colours nearest to it in the last step; the same bits for any table.
void test_kmeans(int channels, std::mt19937& random) {
    std::uniform_int_distribution<int> colour(0, 255);
    std::uniform_real_distribution<double> uniform(0, 1);
    for (int n : {1, 7, 64, 65, 500}) {
        for (int k : {1, 2, 5, 255}) {
            if (k > n) continue;
            const auto size = static_cast<size_t>(k), step = static_cast<size_t>(channels);
            std::vector<float> colours;
            for (int i = 0; i < n * channels; i++) colours.push_back(static_cast<float>(colour(random)));
            std::vector<double> numbers, first;
            for (int i = 0; i < k; i++) numbers.push_back(uniform(random));
            for (const Kernels* kernels : runnable_tables()) {
                current_case = std::string(kernels->name) + ", " + std::to_string(n) + " colours, k " + std::to_string(k);
                std::vector<double> centres(size * step, -1);
                std::vector<int64_t> counts(size, -1);
                kernels->gmm.kmeans(colours.data(), n, channels, k, numbers.data(), 3, centres.data(), counts.data());
                int64_t total = 0;
                double sum = 0, expected = 0;
                for (size_t i = 0; i < size; i++) {
                    total += counts[i];
                    for (size_t c = 0; c < step; c++) sum += static_cast<double>(counts[i]) * centres[i * step + c];
                }
                for (float value : colours) expected += static_cast<double>(value);
                CHECK(total == n);
                CHECK(std::abs(sum - expected) < 1e-6 * expected + 1e-9);
                if (first.empty()) first = centres;
                CHECK(centres == first);
            }
        }
    }
}

}  // namespace

int main() {
    const auto tables = runnable_tables();
    std::mt19937 random(2);
    for (Size size : sizes) {
        for (int channels : {1, 3}) {
            const Image image = random_image(size, channels, random);
            std::vector<Energies> first_energies;
            std::vector<double> first_totals;
            double first_energy = -1;
            const std::mt19937 same = random;
            for (const Kernels* kernels : tables) {
                for (int threads : {1, 2, 3, 8}) {
                    name_case(kernels->name, size, channels, threads);
                    Pool pool(threads);
                    test_energies(image, *kernels, pool, same, first_energies);
                    test_statistics(image, *kernels, pool, same, first_totals);
                    test_terminals_and_data_energy(image, *kernels, pool, same, first_energy);
                }
            }
        }
    }
    test_ties();
    for (int channels : {1, 3}) test_kmeans(channels, random);
}
