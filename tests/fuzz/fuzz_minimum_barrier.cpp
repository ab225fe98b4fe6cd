// The saliency kernels on any finite image: barriers, reconstruction, changes of size.
#include <algorithm>
#include <cmath>

#include "choices.hpp"

using namespace classicseg;

namespace {

struct Results {
    std::vector<float> distance, reconstructed, small, large;
    bool operator==(const Results&) const = default;
};

// Each pixel is raised to its largest neighbour, nowhere above the mask, until nothing changes.
std::vector<float> reconstruction(std::vector<float> values, const std::vector<float>& mask, int height, int width) {
    for (bool changed = true; changed;) {
        changed = false;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int v = std::max(0, y - 1); v <= std::min(height - 1, y + 1); v++)
                    for (int u = std::max(0, x - 1); u <= std::min(width - 1, x + 1); u++) {
                        float& here = values[static_cast<size_t>(y * width + x)];
                        const float reached = std::min(mask[static_cast<size_t>(y * width + x)], values[static_cast<size_t>(v * width + u)]);
                        changed |= reached > here;
                        here = std::max(here, reached);
                    }
    }
    return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Choices choices(data, size);
    const int height = choices.size(1, 12), width = choices.size(1, 20), passes = choices.size(1, 4);
    const int to_height = choices.size(1, height), to_width = choices.size(1, width);
    const int large_height = choices.size(1, 40), large_width = choices.size(1, 40);
    const auto n = static_cast<size_t>(height * width);
    std::vector<float> image(3 * n), mask(n), marker(n);
    std::vector<uint8_t> seeds(n), bytes(3 * n);
    for (uint8_t& seed : seeds) seed = choices.size(0, 5) == 5;
    for (size_t i = 0; i < image.size(); i++) {
        image[i] = static_cast<float>(choices.byte());
        bytes[i] = static_cast<uint8_t>(image[i]);
    }
    for (size_t p = 0; p < n; p++) {
        mask[p] = image[p];
        marker[p] = seeds[p] ? mask[p] : 0.0f;
    }
    const std::vector<float> expected = reconstruction(marker, mask, height, width);
    const bool any = std::count(seeds.begin(), seeds.end(), 1) > 0;
    const auto area = static_cast<size_t>(to_height * to_width);
    Results first;
    for (const Kernels* kernels : tables()) {
        Pool pool(1);
        const SaliencyKernels& saliency = kernels->saliency;
        Results r{std::vector<float>(n), marker, std::vector<float>(3 * area), std::vector<float>(static_cast<size_t>(large_height * large_width))};
        std::vector<float> more(n), small(3 * area);
        saliency.minimum_barrier(image.data(), seeds.data(), height, width, passes, r.distance.data());
        saliency.minimum_barrier(image.data(), seeds.data(), height, width, passes + 1, more.data());
        for (size_t p = 0; p < n; p++) {
            CHECK(more[p] >= 0 && more[p] <= r.distance[p]);
            CHECK(!seeds[p] || r.distance[p] == 0);
            CHECK(std::isfinite(more[p]) == any);  // at least one pass from either corner
        }
        saliency.reconstruct(mask.data(), r.reconstructed.data(), height, width);
        CHECK(r.reconstructed == expected);
        saliency.shrink_floats(image.data(), height, width, r.small.data(), to_height, to_width, pool);
        saliency.shrink_bytes(bytes.data(), height, width, small.data(), to_height, to_width, pool);
        CHECK(r.small == small);
        saliency.enlarge(mask.data(), height, width, r.large.data(), large_height, large_width, pool);
        const auto [low, high] = std::minmax_element(mask.begin(), mask.end());
        for (const float value : r.large) CHECK(value >= *low - 1e-3f && value <= *high + 1e-3f);
        if (first.distance.empty()) first = r;
        CHECK(r == first);
    }
    return 0;
}
