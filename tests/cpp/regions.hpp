// What every segmentation into superpixels keeps to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "superpixels_kernels.hpp"

// Every region is reached from one of its pixels along faces.
inline void check_connected(const classicseg::Volume& v, const std::vector<int32_t>& labels, int64_t count) {
    std::vector<char> seen(labels.size()), used(static_cast<size_t>(count));
    std::vector<int64_t> stack;
    const int64_t plane = v.height * v.width;
    for (int64_t i = 0; i < v.size(); i++) {
        const int32_t own = labels[static_cast<size_t>(i)];
        if (v.mask && !v.mask[i]) {
            CHECK(own == -1);
            continue;
        }
        CHECK(own >= 0 && own < count);
        if (seen[static_cast<size_t>(i)]) continue;
        CHECK(!used[static_cast<size_t>(own)]);
        used[static_cast<size_t>(own)] = 1;
        seen[static_cast<size_t>(i)] = 1;
        stack.assign(1, i);
        while (!stack.empty()) {
            const int64_t p = stack.back();
            stack.pop_back();
            const int64_t x = p % v.width, y = p / v.width % v.height, z = p / plane;
            const auto step = [&](bool there, int64_t q) {
                if (!there || seen[static_cast<size_t>(q)] || labels[static_cast<size_t>(q)] != own) return;
                seen[static_cast<size_t>(q)] = 1;
                stack.push_back(q);
            };
            step(x > 0, p - 1);
            step(x + 1 < v.width, p + 1);
            step(y > 0, p - v.width);
            step(y + 1 < v.height, p + v.width);
            step(z > 0, p - plane);
            step(z + 1 < v.depth, p + plane);
        }
    }
    CHECK(std::count(used.begin(), used.end(), 1) == count);
}
