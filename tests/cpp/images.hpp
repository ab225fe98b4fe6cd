// Random images, masks and sizes for the tests of the per-pixel kernels.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "kernels.hpp"

struct Size {
    int height, width;
};
// One pixel, lines, odd sizes, several chunks of 32 rows, several blocks of 64 and 1024 pixels.
const Size sizes[] = {{1, 1}, {1, 2}, {2, 1}, {1, 131}, {97, 1}, {2, 2}, {3, 3}, {33, 17}, {64, 65}, {131, 70}, {5, 2083}};

struct Image {
    int height, width, channels;
    std::vector<float> data;
    classicseg::ImageView view() const { return {data.data(), height, width, channels}; }
    const float* at(int y, int x) const {
        return data.data() + (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) *
                                 static_cast<size_t>(channels);
    }
};

inline Image random_image(Size size, int channels, std::mt19937& random) {
    Image image{size.height, size.width, channels, {}};
    image.data.resize(static_cast<size_t>(size.height) * static_cast<size_t>(size.width) * static_cast<size_t>(channels));
    std::uniform_real_distribution<float> colour(0, 255);
    for (float& value : image.data) value = colour(random);
    return image;
}

inline std::vector<uint8_t> random_bytes(size_t n, int end, std::mt19937& random) {
    std::vector<uint8_t> bytes(n);
    for (uint8_t& value : bytes) value = static_cast<uint8_t>(random() % static_cast<unsigned>(end));
    return bytes;
}

inline bool near(double value, double expected, double relative) {
    return std::abs(value - expected) <= relative * std::abs(expected) + 1e-30;
}

inline void name_case(const char* table, Size size, int channels, int threads) {
    current_case = std::string(table) + ", " + std::to_string(size.height) + " x " + std::to_string(size.width) +
                   ", " + std::to_string(channels) + " channels, " + std::to_string(threads) + " threads";
}
