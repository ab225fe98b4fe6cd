// Contrast weights of images and volumes against plain loops; the same bits for any table and number
// of threads.
#include <vector>

#include "images.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

struct Step {
    int z, y, x;
};
// The neighbours of a voxel that come later, those of a pixel in its own slice first: E, SW, S, SE.
const Step steps[] = {{0, 0, 1},  {0, 1, -1}, {0, 1, 0},  {0, 1, 1}, {1, -1, -1}, {1, -1, 0}, {1, -1, 1},
                      {1, 0, -1}, {1, 0, 0},  {1, 0, 1},  {1, 1, -1}, {1, 1, 0},  {1, 1, 1}};

// An image whose rows are those of `depth` slices.
struct Volume {
    const Image& image;
    int depth;
    int height() const { return image.height / depth; }
    VolumeView view() const { return {image.data.data(), depth, height(), image.width, image.channels}; }
    size_t voxel(int z, int y, int x) const {
        return static_cast<size_t>(z * height() + y) * static_cast<size_t>(image.width) + static_cast<size_t>(x);
    }
    bool inside(int z, int y, int x) const {
        return z >= 0 && z < depth && y >= 0 && y < height() && x >= 0 && x < image.width;
    }
    // Calls task(voxel, z, y, x) for all.
    template <class Task>
    void for_all(Task&& task) const {
        for (int z = 0; z < depth; z++)
            for (int y = 0; y < height(); y++)
                for (int x = 0; x < image.width; x++) task(voxel(z, y, x), z, y, x);
    }
    double squared_difference(size_t p, size_t q) const {
        double sum = 0;
        const size_t n = static_cast<size_t>(image.channels);
        for (size_t c = 0; c < n; c++) {
            const double d = static_cast<double>(image.data[p * n + c]) - static_cast<double>(image.data[q * n + c]);
            sum += d * d;
        }
        return sum;
    }
};

// Some neighbours, of which the weights go into `weights`.
std::vector<ContrastNeighbour> neighbours_of(uint32_t chosen, float gamma, std::vector<std::vector<float>>& weights, size_t n) {
    std::vector<ContrastNeighbour> neighbours;
    weights.clear();
    weights.reserve(13);
    for (int k = 0; k < 13; k++) {
        if (!(chosen >> k & 1)) continue;
        const Step s = steps[k];
        weights.emplace_back(n, -1.0f);
        const float distance = std::sqrt(static_cast<float>(s.z * s.z + s.y * s.y + s.x * s.x));
        neighbours.push_back({s.z, s.y, s.x, gamma / distance, weights.back().data()});
    }
    return neighbours;
}

const uint32_t choices[] = {0x5, 0xf, 0x105, 0x1fff, 0x10, 0};  // 4, 8, 6, 26 neighbours, one pair, none

void test_sum(const Volume& volume, const Kernels& kernels, Pool& pool, double (&first)[6]) {
    for (int c = 0; c < 6; c++) {
        std::vector<std::vector<float>> weights;
        const auto neighbours = neighbours_of(choices[c], 1, weights, 0);
        double expected = 0;
        volume.for_all([&](size_t p, int z, int y, int x) {
            for (const ContrastNeighbour& k : neighbours)
                if (volume.inside(z + k.dz, y + k.dy, x + k.dx))
                    expected += volume.squared_difference(p, volume.voxel(z + k.dz, y + k.dy, x + k.dx));
        });
        const double sum = kernels.graphcut.sum_squared_differences(volume.view(), neighbours.data(), neighbours.size(), pool);
        CHECK(near(sum, expected, 1e-5));
        if (first[c] < 0) first[c] = sum;
        CHECK(sum == first[c]);
    }
}

using Weights = std::vector<std::vector<float>>;

void test_weights(const Volume& volume, const Kernels& kernels, Pool& pool, std::vector<Weights>& first) {
    const size_t n = volume.image.data.size() / static_cast<size_t>(volume.image.channels);
    size_t which = 0;
    for (float beta : {0.0f, 1e-5f, 0.003f, 4.0f}) {  // the last one: most weights underflow
        for (uint32_t chosen : choices) {
            Weights weights;
            const auto neighbours = neighbours_of(chosen, 50, weights, n);
            kernels.graphcut.contrast_weights(volume.view(), beta, neighbours.data(), neighbours.size(), pool);
            volume.for_all([&](size_t p, int z, int y, int x) {
                for (const ContrastNeighbour& k : neighbours) {
                    const float weight = k.weights[p];
                    if (!volume.inside(z + k.dz, y + k.dy, x + k.dx)) {
                        CHECK(weight == 0);
                        continue;
                    }
                    const size_t q = volume.voxel(z + k.dz, y + k.dy, x + k.dx);
                    const double exponent = -static_cast<double>(beta) * volume.squared_difference(p, q);
                    const double expected = static_cast<double>(k.strength) * std::exp(exponent);
                    // The exponent is rounded to single precision, and cut off at -87.
                    if (exponent < -86.9) {
                        CHECK(weight >= 0 && weight < 1e-35f);
                    } else {
                        CHECK(near(static_cast<double>(weight), expected, 1e-6 - 4e-7 * exponent));
                    }
                }
            });
            if (first.size() == which) first.push_back(weights);
            CHECK(first[which++] == weights);
        }
    }
}

void test_cut_cost(const Image& image, const Kernels& kernels, Pool& pool, std::mt19937 random, double& first) {
    const size_t n = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
    const std::vector<uint8_t> mask = random_bytes(n, 2, random);
    const Volume slice{image, 1};
    Weights weights(4);
    const float* pointers[4];
    double expected = 0;
    for (int k = 0; k < 4; k++) {
        const size_t kk = static_cast<size_t>(k);
        weights[kk].resize(n);
        for (float& w : weights[kk]) w = static_cast<float>(random() % 1000) / 16;
        pointers[k] = k == 1 ? nullptr : weights[kk].data();
        if (!pointers[k]) continue;
        slice.for_all([&](size_t p, int, int y, int x) {
            const int yy = y + steps[k].y, xx = x + steps[k].x;
            if (slice.inside(0, yy, xx) && mask[p] != mask[slice.voxel(0, yy, xx)]) expected += static_cast<double>(weights[kk][p]);
        });
    }
    const double cost = kernels.graphcut.cut_cost(pointers, mask.data(), image.height, image.width, pool);
    CHECK(cost == expected);  // sixteenths: exact in any order
    if (first < 0) first = cost;
    CHECK(cost == first);
}

}  // namespace

int main() {
    const auto tables = runnable_tables();
    std::mt19937 random(1);
    for (Size size : sizes) {
        for (int channels : {1, 3}) {
            const Image image = random_image(size, channels, random);
            double first_cost = -1;
            const std::mt19937 same = random;
            for (const Kernels* kernels : tables) {
                for (int threads : {1, 2, 3, 8}) {
                    name_case(kernels->name, size, channels, threads);
                    Pool pool(threads);
                    test_cut_cost(image, *kernels, pool, same, first_cost);
                }
            }
            for (int depth : {1, 2, 3, 11, size.height}) {
                if (size.height % depth) continue;
                double first_sum[6] = {-1, -1, -1, -1, -1, -1};
                std::vector<Weights> first_weights;
                for (const Kernels* kernels : tables) {
                    for (int threads : {1, 3, 8}) {
                        name_case(kernels->name, size, channels, threads);
                        current_case += ", depth " + std::to_string(depth);
                        Pool pool(threads);
                        test_sum({image, depth}, *kernels, pool, first_sum);
                        test_weights({image, depth}, *kernels, pool, first_weights);
                    }
                }
            }
        }
    }
}
