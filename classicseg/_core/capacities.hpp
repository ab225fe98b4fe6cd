// Capacities as the max-flow solvers count them: whole numbers, floats times a power of two.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace classicseg::CLASSICSEG_ISA {

template <class Capacity, class T>
inline Capacity scaled(T value, double scale) {
    if constexpr (std::is_integral_v<T>) {
        return static_cast<Capacity>(value);
    } else {
        return static_cast<Capacity>(std::nearbyint(static_cast<double>(value) * scale));
    }
}

// What a node starts with: source minus sink, cut to the limit. More than its arcs can carry away
// changes neither the flow nor the cuts.
template <class Capacity, class T>
inline Capacity terminal(T source, T sink, int64_t limit, double scale) {
    if constexpr (std::is_integral_v<T>) {
        const int64_t net = static_cast<int64_t>(source) - static_cast<int64_t>(sink);
        return static_cast<Capacity>(std::clamp(net, -limit, limit));
    } else {
        const double most = static_cast<double>(limit);
        const double net = (static_cast<double>(source) - static_cast<double>(sink)) * scale;
        return static_cast<Capacity>(std::nearbyint(std::clamp(net, -most, most)));
    }
}

template <class Capacity, class T>
inline void terminals(const T* source, const T* sink, int n, int64_t limit, double scale, Capacity* to) {
    for (int i = 0; i < n; i++) to[i] = terminal<Capacity>(source[i], sink[i], limit, scale);
}

}  // namespace classicseg::CLASSICSEG_ISA
