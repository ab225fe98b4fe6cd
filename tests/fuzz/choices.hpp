// What a fuzzer's bytes decide: numbers, one after the other; zeros when the bytes have run out.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "tables.hpp"

class Choices {
public:
    Choices(const uint8_t* data, size_t size) : data_(data), rest_(size) {}

    size_t left() const { return rest_; }
    uint8_t byte() {
        if (rest_ == 0) return 0;
        rest_--;
        return *data_++;
    }
    uint64_t bytes(int n) {
        uint64_t value = 0;
        for (int i = 0; i < n; i++) value = value << 8 | byte();
        return value;
    }
    bool coin() { return byte() & 1; }
    // A number from low to high, both included; takes no more bytes than it needs.
    int64_t between(int64_t low, int64_t high) {
        const auto span = static_cast<uint64_t>(high - low);
        const int n = (std::bit_width(span) + 7) / 8;
        const uint64_t value = bytes(n);
        return low + static_cast<int64_t>(span == UINT64_MAX ? value : value % (span + 1));
    }
    int size(int low, int high) { return static_cast<int>(between(low, high)); }
    // Any finite number, of any magnitude.
    float finite() {
        const float value = std::bit_cast<float>(static_cast<uint32_t>(bytes(4)));
        return std::isfinite(value) ? value : 0.0f;
    }
    template <class T, size_t n>
    T pick(const T (&options)[n]) {
        return options[between(0, static_cast<int64_t>(n) - 1)];
    }

private:
    const uint8_t* data_;
    size_t rest_;
};

// The kernels of every instruction set, found once.
inline const std::vector<const classicseg::Kernels*>& tables() {
    static const std::vector<const classicseg::Kernels*> found = classicseg::runnable_tables();
    return found;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
