// Moves single pixels across boundaries where that lowers the energy and tears nothing apart.
//
// The idea of coarse-to-fine superpixels (J. Yao, M. Boben, S. Fidler, R. Urtasun: Real-time
// coarse-to-fine topologically preserving segmentation. CVPR 2015. doi:10.1109/CVPR.2015.7298913).
#pragma once

#include <cstdint>

#include "clusters.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Whether a pixel's neighbours of its own label stay connected by faces when it leaves them, as far
// as its 3 x 3 x 3 surroundings tell. Bit 9 dz + 3 dy + dx of a set is the voxel at that place.
struct Surroundings {
    static constexpr uint32_t middle = 13;
    uint32_t faces[27];
    Surroundings() {
        for (int i = 0; i < 27; i++) {
            faces[i] = 0;
            const int z = i / 9, y = i / 3 % 3, x = i % 3;
            for (int j = 0; j < 27; j++) {
                const int dz = j / 9 - z, dy = j / 3 % 3 - y, dx = j % 3 - x;
                if (dz * dz + dy * dy + dx * dx == 1) faces[i] |= uint32_t{1} << j;
            }
        }
    }
    bool may_leave(uint32_t own) const {
        own &= ~(uint32_t{1} << middle);
        const uint32_t needed = own & faces[middle];
        if (!needed) return false;  // the last of its region
        uint32_t reached = needed & (~needed + 1);
        for (uint32_t grown = 0; grown != reached;) {
            grown = reached;
            for (uint32_t i = 0; i < 27; i++)
                if (grown >> i & 1) reached |= faces[i] & own;
        }
        return (needed & ~reached) == 0;
    }
};

// Which of the first three of four labels are k.
CLASSICSEG_INLINE uint32_t same_label(const int32_t* labels, int32_t k) {
#if defined(__AVX2__)
    __m128i four;
    std::memcpy(&four, labels, sizeof four);
    return static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(four, _mm_set1_epi32(k))))) & 7;
#else
    return static_cast<uint32_t>(labels[0] == k) | static_cast<uint32_t>(labels[1] == k) << 1 | static_cast<uint32_t>(labels[2] == k) << 2;
#endif
}

// One sweep over slabs of the outermost axis, every second one first: a slab writes only its own
// pixels and looks one further. Means stay as they are; regions stay connected.
template <int C, bool flat>
void sweep(const Volume& v, const Clusters& clusters, const float place[3], float border, int32_t* labels, Pool& pool) {
    const int channels = C ? C : v.channels;
    const int64_t n = v.size(), width = v.width, plane = v.height * v.width;
    constexpr int first_place = flat ? 9 : 0, end_place = flat ? 18 : 27;
    int64_t offset[27];
    for (int i = 0; i < 27; i++) offset[i] = (i / 9 - 1) * plane + (i / 3 % 3 - 1) * width + i % 3 - 1;
    const int64_t slab = flat ? 16 : 2, outer = flat ? v.height : v.depth, slabs = (outer + slab - 1) / slab;
    const Surroundings surroundings;
    Buffer<uint8_t> may_leave(flat ? 512 : 0);
    for (uint32_t own = 0; own < may_leave.size(); own++) may_leave[own] = surroundings.may_leave(own << 9);

    const auto distance = [&](int32_t k, const float* position, int64_t p) {
        const float* mean = clusters.mean(k);
        float d = 0;
        for (int i = flat; i < 3; i++) d += place[i] * (position[i] - mean[i]) * (position[i] - mean[i]);
        for (int c = 0; c < channels; c++) {
            const float step = static_cast<float>(v.data[c * n + p]) - mean[3 + c];
            d += step * step;
        }
        return d;
    };
    const auto visit = [&](int64_t z, int64_t y, int64_t x) {
        const int64_t p = (z * v.height + y) * width + x;
        const int32_t own = labels[p];
        int32_t around[27];
        uint32_t same = 0;
        const bool inner = y > 0 && x > 0 && y + 1 < v.height && x + 1 < width && (flat || (z > 0 && z + 1 < v.depth));
        for (int i = first_place; i < end_place; i++) {
            const int64_t az = z + i / 9 - 1, ay = y + i / 3 % 3 - 1, ax = x + i % 3 - 1;
            const bool there = inner || (az >= 0 && ay >= 0 && ax >= 0 && az < v.depth && ay < v.height && ax < width);
            around[i] = there ? labels[p + offset[i]] : outside;
            same |= static_cast<uint32_t>(around[i] == own) << i;
        }
        if (flat ? !may_leave[same >> 9 & 511] : !surroundings.may_leave(same)) return;
        const float position[3] = {static_cast<float>(z), static_cast<float>(y), static_cast<float>(x)};
        const auto energy = [&](int32_t k) {
            int others = 0;  // neighbours in other regions
            for (int i = first_place; i < end_place; i++)
                others += i != static_cast<int>(Surroundings::middle) && around[i] >= 0 && around[i] != k;
            return distance(k, position, p) + border * static_cast<float>(others);
        };
        float least = energy(own);
        int32_t best = own;
        for (const int i : {4, 10, 12, 14, 16, 22}) {
            if (flat && (i == 4 || i == 22)) continue;
            const int32_t k = around[i];
            if (k < 0 || k == own || k == best) continue;
            const float e = energy(k);
            if (e < least) {
                least = e;
                best = k;
            }
        }
        labels[p] = best;
    };
    // The same where all eight neighbours are there, and one column more.
    const auto visit_inner = [&](int64_t y, int64_t x) {
        const int64_t p = y * width + x;
        const int32_t* l = labels + p;
        const int32_t own = *l;
        // The row itself one by one: what has just been written there is not yet ready for a wide load.
        const auto places = [&](int32_t k) {
            const uint32_t beside = static_cast<uint32_t>(l[-1] == k) | static_cast<uint32_t>(own == k) << 1 | static_cast<uint32_t>(l[1] == k) << 2;
            return same_label(l - width - 1, k) | beside << 3 | same_label(l + width - 1, k) << 6;
        };
        const uint32_t same = places(own);
        uint32_t others = ~same & 0b010101010;
        if (!others || !may_leave[same]) return;
        const float position[3] = {0, static_cast<float>(y), static_cast<float>(x)};
        float least = distance(own, position, p) + border * static_cast<float>(9 - std::popcount(same));
        int32_t best = own;
        const auto offer = [&](int32_t k) {
            const float e = distance(k, position, p) + border * static_cast<float>(8 - std::popcount(places(k)));
            best = e < least ? k : best;
            least = e < least ? e : least;
        };
        // Most have one neighbour of one other label.
        const int64_t step[4] = {-width, -1, 1, width};
        const int32_t first = l[step[std::countr_zero(others) / 2]];
        offer(first);
        for (others &= others - 1; others; others &= others - 1) {
            const int32_t k = l[step[std::countr_zero(others) / 2]];
            if (k != first && k != best) offer(k);
        }
        if (best != own) labels[p] = best;
    };
    for (int64_t parity = 0; parity < 2; parity++) {
        pool.run(static_cast<size_t>((slabs + 1 - parity) / 2), [&](size_t task) {
            const int64_t begin = (2 * static_cast<int64_t>(task) + parity) * slab;
            const int64_t end = begin + slab < outer ? begin + slab : outer;
            const int64_t first = flat ? begin : begin * v.height, last = flat ? end : end * v.height;
            for (int64_t row = first; row < last; row++) {
                if (row % 16 == 0) checkpoint();
                const int64_t z = row / v.height, y = row % v.height;
                const int32_t* l = labels + row * width;
                const int32_t* up = y > 0 ? l - width : l;
                const int32_t* down = y + 1 < v.height ? l + width : l;
                const int32_t* before = z > 0 ? l - plane : l;
                const int32_t* after = z + 1 < v.depth ? l + plane : l;
                const bool rows_there = flat && !v.mask && y > 0 && y + 1 < v.height;
                const auto differs = [&](int64_t x) {
                    return l[x] != up[x] || l[x] != down[x] || l[x] != before[x] || l[x] != after[x] ||
                           (x > 0 && l[x] != l[x - 1]) || (x + 1 < width && l[x] != l[x + 1]);
                };
                for (int64_t x8 = 0; x8 < width; x8 += n_lanes) {
                    uint32_t eight = 0;  // pixels at the border of their regions
                    if (x8 > 0 && x8 + n_lanes < width) {
                        const IntLanes own = load(l + x8);
                        IntLanes border_of = (own != load(up + x8)) | (own != load(down + x8));
                        border_of |= (own != load(l + x8 - 1)) | (own != load(l + x8 + 1));
                        if constexpr (!flat) border_of |= (own != load(before + x8)) | (own != load(after + x8));
                        eight = lane_bits(border_of);
                    } else {
                        for (int64_t x = x8; x < x8 + n_lanes && x < width; x++) eight |= static_cast<uint32_t>(differs(x)) << (x - x8);
                    }
                    for (; eight; eight &= eight - 1) {
                        const int64_t x = x8 + std::countr_zero(eight);
                        if (rows_there && x > 0 && x + 2 < width) visit_inner(y, x);
                        else if (l[x] >= 0) visit(z, y, x);
                    }
                }
            }
        });
    }
}

template <int C>
void refine(const Volume& v, const Clusters& clusters, const float place[3], float border, int32_t* labels, Pool& pool) {
    if (v.depth == 1) sweep<C, true>(v, clusters, place, border, labels, pool);
    else sweep<C, false>(v, clusters, place, border, labels, pool);
}

}  // namespace classicseg::CLASSICSEG_ISA
