// Sums of many numbers in eight lanes: one sum alone would be a chain of dependent additions. Which
// number goes to which lane does not depend on the instruction set.
#pragma once

#include <cstdint>

#include "isa.hpp"

namespace classicseg::CLASSICSEG_ISA {

template <class T>
class LaneSums {
public:
    // Adds value(0) ... value(n - 1).
    template <class Value>
    void add(int64_t n, Value&& value) {
        int64_t i = 0;
        for (; i + n_lanes <= n; i += n_lanes)
            for (int lane = 0; lane < n_lanes; lane++) lanes_[lane] += static_cast<T>(value(i + lane));
        for (int lane = 0; i < n; i++, lane++) lanes_[lane] += static_cast<T>(value(i));
    }
    T sum() const {
        T total = 0;
        for (const T lane : lanes_) total += lane;
        return total;
    }

private:
    static constexpr int n_lanes = 8;
    T lanes_[n_lanes] = {};
};

}  // namespace classicseg::CLASSICSEG_ISA
