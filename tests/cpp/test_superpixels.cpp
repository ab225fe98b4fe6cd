// Superpixels: connected, contiguous, as many as asked for; the same for any table and number of threads.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "regions.hpp"
#include "superpixels_kernels.hpp"

using namespace classicseg;

namespace classicseg {
namespace baseline {
extern const SuperpixelKernels superpixel_kernels;
}
#if defined(CLASSICSEG_X86_64)
namespace x86_64_v3 {
extern const SuperpixelKernels superpixel_kernels;
}
#endif
}  // namespace classicseg

namespace {

std::vector<const SuperpixelKernels*> tables() {
    std::vector<const SuperpixelKernels*> found = {&baseline::superpixel_kernels};
#if defined(CLASSICSEG_X86_64)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        found.push_back(&x86_64_v3::superpixel_kernels);
#endif
    return found;
}

struct Shape {
    int64_t depth, height, width;
};
const Shape shapes[] = {{1, 1, 1}, {1, 1, 70}, {1, 70, 1}, {1, 2, 2}, {1, 37, 45}, {1, 70, 33}, {5, 9, 11}, {3, 1, 20}, {1, 129, 64}};

// With the sixteen numbers behind the last that a kernel may read, and no more.
std::vector<int16_t> image_of(int kind, const Shape& s, int channels, std::mt19937& random) {
    const int64_t n = s.depth * s.height * s.width;
    std::vector<int16_t> data(static_cast<size_t>(n * channels + 16));
    for (int c = 0; c < channels; c++) {
        for (int64_t i = 0; i < n; i++) {
            const int64_t x = i % s.width, y = i / s.width;
            const int value = kind == 0   ? 4000
                              : kind == 1 ? static_cast<int>(random() % 65536) - 32768
                              : kind == 2 ? static_cast<int>((x + y) % 2) * 25600
                                          : static_cast<int>((x / 9 + y / 7) % 3) * 8000;
            data[static_cast<size_t>(c * n + i)] = static_cast<int16_t>(value);
        }
    }
    return data;
}

// One kind of image, number of channels and threads for each shape, method and mask: they take turns,
// so that each comes with most of the others.
void test_regions() {
    std::mt19937 random(11);
    int turn = 0;
    for (const Shape& s : shapes) {
        for (int method = 0; method < 3; method++) {
            for (int round = 0; round < 4; round++, turn++) {
                const int channels = 1 + turn % 5, kind = (turn / 2 + turn / 5) % 4, threads = turn % 7 ? 2 + turn % 2 : 8;
                const bool masked = round % 2;
                const std::vector<int16_t> data = image_of(kind, s, channels, random);
                Volume v{data.data(), nullptr, s.depth, s.height, s.width, channels};
                std::vector<uint8_t> mask(static_cast<size_t>(v.size()));
                for (uint8_t& m : mask) m = random() % 3 > 0;
                mask[0] = 1;
                if (masked) v.mask = mask.data();
                const int64_t wanted = std::min<int64_t>(v.size(), 1 + static_cast<int64_t>(random() % 60));
                const float compactness = turn % 3 ? 2560.0f : turn % 2 ? 0.0f : 2e6f;
                const SlicSettings settings{wanted, 4, compactness, {2.5, 1, 1.5}, method == 2, method == 0};
                current_case = std::to_string(s.depth) + " x " + std::to_string(s.height) + " x " + std::to_string(s.width) +
                               ", channels " + std::to_string(channels) + ", kind " + std::to_string(kind) + ", method " +
                               std::to_string(method) + ", masked " + std::to_string(masked) + ", wanted " +
                               std::to_string(wanted) + ", compactness " + std::to_string(compactness);
                std::vector<int32_t> first;
                for (const SuperpixelKernels* table : tables()) {
                    for (int n_threads : {1, threads}) {
                        Pool pool(n_threads);
                        std::vector<int32_t> labels(static_cast<size_t>(v.size()), 99);
                        const int64_t count = table->slic(v, settings, labels.data(), pool);
                        CHECK(masked || count <= wanted);
                        if (first.empty()) {
                            check_connected(v, labels, count);
                            first = labels;
                        }
                        CHECK(first == labels);
                    }
                }
            }
        }
    }
}

void test_lab() {
    std::mt19937 random(3);
    std::vector<uint8_t> bytes(3 * 20011);
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(random() % 256);
    const std::vector<float> floats(bytes.begin(), bytes.end());
    const int64_t n = static_cast<int64_t>(bytes.size() / 3);
    std::vector<int16_t> first(bytes.size()), found(bytes.size());
    Pool pool(3);
    for (const SuperpixelKernels* table : tables()) {
        table->lab_bytes(bytes.data(), n, found.data(), pool);
        if (table == tables().front()) first = found;
        CHECK(found == first);
        table->lab_floats(floats.data(), n, found.data(), pool);
        CHECK(found == first);
    }
    const uint8_t ends[] = {0, 0, 0, 255, 255, 255};
    tables().back()->lab_bytes(ends, 2, found.data(), pool);
    for (int i = 0; i < 6; i++) CHECK(std::abs(found[static_cast<size_t>(i)] - (i == 1 ? 25600 : 0)) <= 1);
}

}  // namespace

int main() {
    test_lab();
    test_regions();
}
