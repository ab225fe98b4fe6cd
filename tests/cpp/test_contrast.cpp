// Contrast weights against plain loops; the same bits for any table and number of threads.
#include <array>

#include "images.hpp"
#include "tables.hpp"

using namespace classicseg;

namespace {

// Directions E, SW, S, SE.
const int dy[] = {0, 1, 1, 1}, dx[] = {1, -1, 0, 1};

double squared_difference(const Image& image, int y, int x, int k) {
    double sum = 0;
    for (int c = 0; c < image.channels; c++) {
        const double d = static_cast<double>(image.at(y, x)[c]) - static_cast<double>(image.at(y + dy[k], x + dx[k])[c]);
        sum += d * d;
    }
    return sum;
}

bool inside(const Image& image, int y, int x, int k) {
    return y + dy[k] < image.height && x + dx[k] >= 0 && x + dx[k] < image.width;
}

void test_sum(const Image& image, const Kernels& kernels, Pool& pool, double (&first)[2]) {
    for (int diagonals = 0; diagonals < 2; diagonals++) {
        double expected = 0;
        for (int y = 0; y < image.height; y++)
            for (int x = 0; x < image.width; x++)
                for (int k = 0; k < 4; k++)
                    if (inside(image, y, x, k) && (diagonals || dy[k] * dx[k] == 0))
                        expected += squared_difference(image, y, x, k);
        const double sum = kernels.graphcut.sum_squared_differences(image.view(), diagonals, pool);
        CHECK(near(sum, expected, 1e-5));
        if (first[diagonals] < 0) first[diagonals] = sum;
        CHECK(sum == first[diagonals]);
    }
}

using Weights = std::array<std::vector<float>, 4>;

void test_weights(const Image& image, const Kernels& kernels, Pool& pool, std::vector<Weights>& first) {
    const size_t n = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
    size_t which = 0;
    for (float beta : {0.0f, 1e-5f, 0.003f, 4.0f}) {  // the last one: most weights underflow
        const float gamma = 50;
        Weights weights;
        float* pointers[4];
        for (size_t k = 0; k < 4; k++) {
            weights[k].assign(n, -1);
            pointers[k] = weights[k].data();
        }
        kernels.graphcut.contrast_weights(image.view(), gamma, beta, pointers, pool);
        for (int k = 0; k < 4; k++) {
            for (int y = 0; y < image.height; y++) {
                for (int x = 0; x < image.width; x++) {
                    const float weight = weights[static_cast<size_t>(k)][static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(x)];
                    if (!inside(image, y, x, k)) {
                        CHECK(weight == 0);
                        continue;
                    }
                    const double exponent = -static_cast<double>(beta) * squared_difference(image, y, x, k);
                    const double distance = dy[k] && dx[k] ? std::sqrt(2.0) : 1.0;
                    const double expected = gamma / distance * std::exp(exponent);
                    // The exponent is rounded to single precision, and cut off at -87.
                    if (exponent < -86.9) {
                        CHECK(weight >= 0 && weight < 1e-35f);
                    } else {
                        CHECK(near(static_cast<double>(weight), expected, 1e-6 - 4e-7 * exponent));
                    }
                }
            }
        }
        if (first.size() == which) first.push_back(weights);
        CHECK(first[which++] == weights);

        // Null pointers are left out, and the others are the same as before.
        std::vector<float> south(n, -1);
        float* some[4] = {nullptr, nullptr, south.data(), nullptr};
        kernels.graphcut.contrast_weights(image.view(), gamma, beta, some, pool);
        CHECK(south == weights[2]);
    }
}

void test_cut_cost(const Image& image, const Kernels& kernels, Pool& pool, std::mt19937 random, double& first) {
    const size_t n = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
    const std::vector<uint8_t> mask = random_bytes(n, 2, random);
    Weights weights;
    const float* pointers[4];
    double expected = 0;
    for (int k = 0; k < 4; k++) {
        const size_t kk = static_cast<size_t>(k);
        weights[kk].resize(n);
        for (float& w : weights[kk]) w = static_cast<float>(random() % 1000) / 16;
        pointers[k] = k == 1 ? nullptr : weights[kk].data();
        for (int y = 0; y < image.height && pointers[k]; y++)
            for (int x = 0; x < image.width; x++) {
                if (!inside(image, y, x, k)) continue;
                const size_t p = static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(x);
                const size_t q = static_cast<size_t>(y + dy[k]) * static_cast<size_t>(image.width) + static_cast<size_t>(x + dx[k]);
                if (mask[p] != mask[q]) expected += static_cast<double>(weights[kk][p]);
            }
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
            double first_sum[2] = {-1, -1}, first_cost = -1;
            std::vector<Weights> first_weights;
            const std::mt19937 same = random;
            for (const Kernels* kernels : tables) {
                for (int threads : {1, 2, 3, 8}) {
                    name_case(kernels->name, size, channels, threads);
                    Pool pool(threads);
                    test_sum(image, *kernels, pool, first_sum);
                    test_weights(image, *kernels, pool, first_weights);
                    test_cut_cost(image, *kernels, pool, same, first_cost);
                }
            }
        }
    }
}
