// Kernels of saliency maps: the same bits for any table and number of threads, at all sizes.
#include "images.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

struct Results {
    std::vector<float> distance, small, same, doubles, grey, grey_of_bytes, grey_of_doubles, residual, large, reconstructed;
    bool unit, grey_unit;
    bool operator==(const Results&) const = default;
};

Results run(const Image& image, const std::vector<uint8_t>& bytes, const std::vector<uint8_t>& seeds,
            const Kernels& kernels, Pool& pool) {
    const int height = image.height, width = image.width;
    const int to_height = (height + 2) / 3, to_width = (width + 1) / 2;
    const auto n = static_cast<size_t>(height) * static_cast<size_t>(width);
    const auto m = static_cast<size_t>(to_height) * static_cast<size_t>(to_width);
    Results r;
    r.distance.resize(n);
    kernels.saliency.minimum_barrier(image.data.data(), seeds.data(), height, width, 3, r.distance.data());
    r.small.resize(3 * m);
    r.unit = kernels.saliency.shrink_floats(image.data.data(), height, width, r.small.data(), to_height, to_width, pool);
    r.same.resize(3 * m);
    kernels.saliency.shrink_bytes(bytes.data(), height, width, r.same.data(), to_height, to_width, pool);
    const std::vector<double> wide(image.data.begin(), image.data.end());
    r.doubles.resize(3 * m);
    kernels.saliency.shrink_doubles(wide.data(), height, width, r.doubles.data(), to_height, to_width, pool);
    for (auto* grey : {&r.grey, &r.grey_of_bytes, &r.grey_of_doubles}) grey->resize(m);
    r.grey_unit =
        kernels.saliency.grey_floats(image.data.data(), height, width, 3, r.grey.data(), to_height, to_width, pool);
    kernels.saliency.grey_bytes(bytes.data(), height, 3 * width, 1, r.grey_of_bytes.data(), to_height, to_width, pool);
    kernels.saliency.grey_doubles(wide.data(), height, width, 3, r.grey_of_doubles.data(), to_height, to_width, pool);
    const int residual_height = std::min(to_height, kernels.saliency.residual_side);
    const int residual_width = std::min(to_width, kernels.saliency.residual_side);
    r.residual.resize(static_cast<size_t>(residual_height) * static_cast<size_t>(residual_width));
    kernels.saliency.spectral_residual(r.grey_of_bytes.data(), residual_height, residual_width, 2.5, r.residual.data());
    r.large.resize(n);
    kernels.saliency.enlarge(r.small.data(), to_height, to_width, r.large.data(), height, width, pool);
    r.reconstructed.resize(n);
    for (size_t p = 0; p < n; p++) r.reconstructed[p] = seeds[p] ? image.data[p] : 0.0f;
    kernels.saliency.reconstruct(image.data.data(), r.reconstructed.data(), height, width);
    return r;
}

void check(const Results& r, const Image& image, const std::vector<uint8_t>& seeds) {
    bool any = false;
    for (uint8_t seed : seeds) any |= seed != 0;
    for (size_t p = 0; p < seeds.size(); p++) {
        CHECK(r.reconstructed[p] >= 0 && r.reconstructed[p] <= image.data[p]);
        if (seeds[p]) {
            CHECK(r.distance[p] == 0);
            CHECK(r.reconstructed[p] == image.data[p]);
        }
        CHECK(std::isfinite(r.distance[p]) == any);
    }
    bool unit = true;
    for (float v : image.data) unit &= v >= 0 && v <= 1;
    CHECK(r.unit == unit && r.grey_unit == unit);
    CHECK(r.doubles == r.small && r.grey_of_doubles == r.grey);
    for (size_t p = 0; p < r.grey.size(); p++)
        CHECK(near(static_cast<double>(r.grey[p]), static_cast<double>(r.small[3 * p] + r.small[3 * p + 1] + r.small[3 * p + 2]) / 3, 1e-4));
    for (float v : r.residual) CHECK(v >= 0 && v <= 1);
    double before = 0, after = 0;  // areas keep the mean
    for (float v : image.data) before += static_cast<double>(v);
    for (float v : r.small) after += static_cast<double>(v);
    const auto n = static_cast<double>(image.data.size()), m = static_cast<double>(r.small.size());
    CHECK(near(after / m, before / n, 1e-4));
}

}  // namespace

int main() {
    const auto tables = runnable_tables();
    std::mt19937 random(5);
    for (Size size : sizes) {
        const Image image = random_image(size, 3, random);
        const auto seeds = random_bytes(image.data.size() / 3, 2, random);
        const auto bytes = random_bytes(image.data.size(), 256, random);
        Results first;
        for (const Kernels* kernels : tables) {
            for (int threads : {1, 2, 3, 8}) {
                name_case(kernels->name, size, 3, threads);
                Pool pool(threads);
                const Results found = run(image, bytes, seeds, *kernels, pool);
                if (first.distance.empty()) first = found;
                CHECK(found == first);
                check(found, image, seeds);
            }
        }
    }
}
