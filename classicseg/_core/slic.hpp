// SLIC: k-means in colour and position, where a cluster sees only the pixels around it.
//
// R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua, S. Süsstrunk: SLIC superpixels compared to
// state-of-the-art superpixel methods. PAMI 2012. doi:10.1109/TPAMI.2012.120
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "clusters.hpp"

namespace classicseg::CLASSICSEG_ISA {

constexpr int64_t slic_rows = 32;

struct Place {
    int64_t z, y, x;
};

// Exactly n places on a grid as square as it can be; rows differ by one place where n asks for it.
// `gap` is the largest distance of neighbours along each axis, in pixels.
inline void place_on_grid(const Volume& v, const double spacing[3], int64_t n, List<Place>& places, int64_t gap[3]) {
    const double size[3] = {static_cast<double>(v.depth) * spacing[0], static_cast<double>(v.height) * spacing[1],
                            static_cast<double>(v.width) * spacing[2]};
    const auto clamp = [](double wanted, int64_t most) {
        const double whole = std::floor(wanted + 0.5);
        return whole < 1 ? 1 : whole > static_cast<double>(most) ? most : static_cast<int64_t>(whole);
    };
    const auto least = [](int64_t a, int64_t b) { return a < b ? a : b; };
    // The middle of one of the equal parts of an axis.
    const auto middle = [&](int64_t part, int64_t parts, int64_t length) {
        return least(length - 1, static_cast<int64_t>((static_cast<double>(part) + 0.5) * static_cast<double>(length) /
                                                      static_cast<double>(parts)));
    };
    const auto round_up = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
    places.clear();
    const int64_t planes =
        v.depth == 1 ? 1
                     : clamp(std::cbrt(static_cast<double>(n) * size[0] * size[0] / (size[1] * size[2])), least(v.depth, n));
    gap[0] = round_up(v.depth, planes);
    gap[1] = gap[2] = 1;
    for (int64_t i = 0; i < planes; i++) {
        const int64_t in_plane = n * (i + 1) / planes - n * i / planes;
        const int64_t rows =
            clamp(std::sqrt(static_cast<double>(in_plane) * size[1] / size[2]), least(v.height, in_plane));
        if (round_up(v.height, rows) > gap[1]) gap[1] = round_up(v.height, rows);
        for (int64_t j = 0; j < rows; j++) {
            const int64_t columns = in_plane * (j + 1) / rows - in_plane * j / rows;
            if (round_up(v.width, columns) > gap[2]) gap[2] = round_up(v.width, columns);
            for (int64_t k = 0; k < columns; k++)
                places.push({middle(i, planes, v.depth), middle(j, rows, v.height), middle(k, columns, v.width)});
        }
    }
}

// Seeds: `n` or more on a grid over the whole image, those inside the mask.
inline void place_seeds(const Volume& v, const double spacing[3], int64_t n, int64_t inside, List<Place>& seeds,
                        int64_t gap[3]) {
    if (!v.mask) return place_on_grid(v, spacing, n, seeds, gap);
    List<Place> grid;
    double on_grid = static_cast<double>(n) * static_cast<double>(v.size()) / static_cast<double>(inside);
    for (;; on_grid *= 1.5) {  // a mask of thin pieces slips between the places
        const bool all = on_grid >= static_cast<double>(v.size());
        place_on_grid(v, spacing, all ? v.size() : static_cast<int64_t>(std::ceil(on_grid)), grid, gap);
        seeds.clear();
        for (size_t i = 0; i < grid.size(); i++) {
            const Place p = grid[i];
            if (v.mask[(p.z * v.height + p.y) * v.width + p.x]) seeds.push(p);
        }
        if (all || static_cast<int64_t>(seeds.size()) >= n) return;
    }
}

// Means start at the pixel under the seed, moved to the least gradient of its 3 x 3 neighbours (the paper).
template <int C>
void start_clusters(const Volume& v, const List<Place>& seeds, Clusters& clusters) {
    const int channels = C ? C : v.channels;
    const int64_t n = v.size();
    for (int64_t k = 0; k < clusters.size(); k++) {
        const Place seed = seeds[static_cast<size_t>(k)];
        const int64_t z = seed.z, cy = seed.y, cx = seed.x;
        int64_t best_y = cy, best_x = cx;
        const auto at = [&](int64_t y, int64_t x) { return (z * v.height + y) * v.width + x; };
        float least = std::numeric_limits<float>::infinity();
        for (int64_t y = cy - 1; y <= cy + 1; y++) {
            for (int64_t x = cx - 1; x <= cx + 1; x++) {
                if (y < 1 || x < 1 || y + 1 >= v.height || x + 1 >= v.width) continue;
                if (v.mask && !v.mask[at(y, x)]) continue;
                float gradient = 0;
                for (int c = 0; c < channels; c++) {
                    const float* plane = v.data + c * n;
                    const float dx = plane[at(y, x + 1)] - plane[at(y, x - 1)];
                    const float dy = plane[at(y + 1, x)] - plane[at(y - 1, x)];
                    gradient += dx * dx + dy * dy;
                }
                if (gradient < least) {
                    least = gradient;
                    best_y = y;
                    best_x = x;
                }
            }
        }
        float* mean = clusters.mean(k);
        mean[0] = static_cast<float>(z);
        mean[1] = static_cast<float>(best_y);
        mean[2] = static_cast<float>(best_x);
        for (int c = 0; c < channels; c++) mean[3 + c] = v.data[c * n + at(best_y, best_x)];
    }
}

// With a mask of bits: compilers turn a choice between labels into a jump over a store.
inline void take_nearer(float d, int32_t own, float& best, int32_t& label) {
    const int32_t nearer = -static_cast<int32_t>(d < best);
    label ^= (label ^ own) & nearer;
    best = d < best ? d : best;
}

// Each pixel of every `step`-th row goes to the nearest of the clusters whose window it lies in.
// `place` are the weights of squared steps in z, y, x; `color` those of squared colour differences.
template <int C>
void assign(const Volume& v, const Clusters& clusters, const float place[3], const float* color, const int64_t reach[3],
            int64_t first, int64_t step, int32_t* labels, Pool& pool) {
    const int channels = C ? C : v.channels;
    const int64_t n = v.size(), chunks = (v.height + slic_rows - 1) / slic_rows;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    pool.run(static_cast<size_t>(v.depth * chunks), [&](size_t task) {
        const int64_t z = static_cast<int64_t>(task) / chunks, y0 = static_cast<int64_t>(task) % chunks * slic_rows;
        const int64_t y1 = y0 + slic_rows < v.height ? y0 + slic_rows : v.height;
        const int64_t width = (v.width + 7) & ~int64_t{7};
        Buffer<float> nearest(static_cast<size_t>(slic_rows * width));
        const auto first_row = [&](int64_t y) { return y + ((first - (z * v.height + y)) % step + step) % step; };
        for (int64_t y = first_row(y0); y < y1; y += step) {
            int32_t* label = labels + (z * v.height + y) * v.width;
            float* best = nearest.data() + (y - y0) * width;
            for (int64_t x = 0; x < v.width; x++) {
                label[x] = unassigned;
                best[x] = infinity;
            }
        }
        for (int64_t k = 0; k < clusters.size(); k++) {
            const float* mean = clusters.mean(k);
            const int64_t cz = std::llround(mean[0]), cy = std::llround(mean[1]), cx = std::llround(mean[2]);
            if (z < cz - reach[0] || z > cz + reach[0]) continue;
            const int64_t top = cy - reach[1] > y0 ? cy - reach[1] : y0;
            const int64_t bottom = cy + reach[1] + 1 < y1 ? cy + reach[1] + 1 : y1;
            if (top >= bottom) continue;
            // Whole groups of eight pixels: a window that is a little wider costs less than its ends.
            int64_t x0 = cx - reach[2] > 0 ? (cx - reach[2]) & ~int64_t{7} : 0;
            int64_t x1 = ((cx + reach[2]) & ~int64_t{7}) + 8;
            if (x1 > v.width) x1 = v.width;
            const float dz = static_cast<float>(z) - mean[0];
            const float weight = color[k];
            for (int64_t y = first_row(top); y < bottom; y += step) {
                const int64_t row = (z * v.height + y) * v.width;
                const float dy = static_cast<float>(y) - mean[1];
                const float far = place[0] * dz * dz + place[1] * dy * dy, wx = place[2];
                float* __restrict best = nearest.data() + (y - y0) * width;
                int32_t* __restrict label = labels + row;
                const int32_t own = static_cast<int32_t>(k);
                if constexpr (C == 3) {
                    const float *p0 = v.data + row, *p1 = p0 + n, *p2 = p1 + n;
                    const float m0 = mean[3], m1 = mean[4], m2 = mean[5], xc = mean[2];
                    for (int32_t x = static_cast<int32_t>(x0); x < static_cast<int32_t>(x1); x++) {
                        const float a = p0[x] - m0, b = p1[x] - m1, c = p2[x] - m2, dx = static_cast<float>(x) - xc;
                        const float d = far + wx * (dx * dx) + weight * (a * a + b * b + c * c);
                        take_nearer(d, own, best[x], label[x]);
                    }
                } else {
                    for (int64_t begin = x0; begin < x1; begin += 64) {
                        float distance[64];
                        const int64_t length = x1 - begin < 64 ? x1 - begin : 64;
                        for (int64_t i = 0; i < length; i++) distance[i] = 0;
                        for (int c = 0; c < channels; c++) {
                            const float* plane = v.data + c * n + row + begin;
                            for (int64_t i = 0; i < length; i++) {
                                const float d = plane[i] - mean[3 + c];
                                distance[i] += d * d;
                            }
                        }
                        for (int64_t i = 0; i < length; i++) {
                            const float dx = static_cast<float>(begin + i) - mean[2];
                            const float d = far + wx * (dx * dx) + weight * distance[i];
                            take_nearer(d, own, best[begin + i], label[begin + i]);
                        }
                    }
                }
            }
        }
        if (v.mask) {
            for (int64_t y = first_row(y0); y < y1; y += step) {
                const int64_t row = (z * v.height + y) * v.width;
                for (int64_t x = 0; x < v.width; x++)
                    if (!v.mask[row + x]) labels[row + x] = outside;
            }
        }
    });
}

// SLICO: weights of squared colour differences, the square of compactness by that of the largest
// difference in each cluster, so that every cluster finds its own balance.
template <int C>
void adapt(const Volume& v, const Clusters& clusters, const int32_t* labels, float compactness, float* color,
           Pool& pool) {
    const int channels = C ? C : v.channels;
    const int64_t n = v.size(), rows = v.depth * v.height, k_end = clusters.size(), parts = pool.size();
    Buffer<float> largest(static_cast<size_t>(parts * k_end));
    pool.run(static_cast<size_t>(parts), [&](size_t part) {
        const int64_t p = static_cast<int64_t>(part);
        float* own = largest.data() + p * k_end;
        for (int64_t i = rows * p / parts * v.width; i < rows * (p + 1) / parts * v.width; i++) {
            const int32_t k = labels[i];
            if (k < 0) continue;
            const float* mean = clusters.mean(k) + 3;
            float d = 0;
            for (int c = 0; c < channels; c++) d += (v.data[c * n + i] - mean[c]) * (v.data[c * n + i] - mean[c]);
            if (d > own[k]) own[k] = d;
        }
    });
    for (int64_t k = 0; k < k_end; k++) {
        float most = 1;
        for (int64_t p = 0; p < parts; p++) {
            const float d = largest[static_cast<size_t>(p * k_end + k)];
            if (d > most) most = d;
        }
        color[k] = compactness * compactness / most;
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
