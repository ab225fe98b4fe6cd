// SLIC: k-means in colour and position, where a cluster sees only the pixels around it.
//
// R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua, S. Süsstrunk: SLIC superpixels compared to
// state-of-the-art superpixel methods. PAMI 2012. doi:10.1109/TPAMI.2012.120
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "assign.hpp"
#include "clusters.hpp"

namespace classicseg::CLASSICSEG_ISA {

constexpr float data_scale = 256;  // of what stands for a unit of L
// Refined: every eighth row takes part in the first half of the iterations, then every fourth, and
// the others in their turn.
constexpr int64_t largest_step = 8;

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
    Interval at_times;
    for (int64_t k = 0; k < clusters.size(); k++) {
        at_times();
        const Place seed = seeds[static_cast<size_t>(k)];
        const int64_t z = seed.z, cy = seed.y, cx = seed.x;
        int64_t best_y = cy, best_x = cx;
        const auto at = [&](int64_t y, int64_t x) { return (z * v.height + y) * v.width + x; };
        int64_t least = std::numeric_limits<int64_t>::max();
        for (int64_t y = cy - 1; y <= cy + 1; y++) {
            for (int64_t x = cx - 1; x <= cx + 1; x++) {
                if (y < 1 || x < 1 || y + 1 >= v.height || x + 1 >= v.width) continue;
                if (v.mask && !v.mask[at(y, x)]) continue;
                int64_t gradient = 0;
                for (int c = 0; c < channels; c++) {
                    const int16_t* plane = v.data + c * n;
                    const int64_t dx = plane[at(y, x + 1)] - plane[at(y, x - 1)];
                    const int64_t dy = plane[at(y + 1, x)] - plane[at(y - 1, x)];
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
        for (int c = 0; c < channels; c++) mean[3 + c] = static_cast<float>(v.data[c * n + at(best_y, best_x)]);
    }
}

// SLICO: gains of colours, compactness by the largest difference in each cluster (at least one unit
// of L), so that every cluster finds its own balance.
template <int C>
void adapt(const Volume& v, const Clusters& clusters, const int32_t* labels, float compactness, float* gains, Pool& pool) {
    const int channels = C ? C : v.channels;
    const int64_t n = v.size(), rows = v.depth * v.height, k_end = clusters.size(), parts = pool.size();
    Buffer<float> largest(static_cast<size_t>(parts * k_end));
    pool.run(static_cast<size_t>(parts), [&](size_t part) {
        const int64_t p = static_cast<int64_t>(part);
        float* own = largest.data() + p * k_end;
        Interval at_times;
        for (int64_t i = rows * p / parts * v.width; i < rows * (p + 1) / parts * v.width; i++) {
            at_times();
            const int32_t k = labels[i];
            if (k < 0) continue;
            const float* mean = clusters.mean(k) + 3;
            float d = 0;
            for (int c = 0; c < channels; c++) {
                const float step = static_cast<float>(v.data[c * n + i]) - mean[c];
                d += step * step;
            }
            if (d > own[k]) own[k] = d;
        }
    });
    for (int64_t k = 0; k < k_end; k++) {
        float most = data_scale * data_scale;
        for (int64_t p = 0; p < parts; p++) {
            const float d = largest[static_cast<size_t>(p * k_end + k)];
            if (d > most) most = d;
        }
        gains[k] = compactness / std::sqrt(most);
    }
}

template <int C, bool weighted>
void iterate(const Volume& v, const Metric& metric, const SlicSettings& s, Clusters& clusters, int32_t* labels, Pool& pool) {
    const int64_t parts = pool.size() == 1 ? 1 : 4 * pool.size();
    PartialSums sums(parts, clusters);
    Buffer<float> gains(static_cast<size_t>(weighted ? clusters.size() : 0));
    for (size_t k = 0; k < gains.size(); k++) gains[k] = metric.gain;
    for (int i = 0; i < s.n_iterations; i++) {
        const bool last = i + 1 == s.n_iterations;
        const int64_t wanted = 2 * i < s.n_iterations ? largest_step : largest_step / 2;
        const int64_t step = last || !s.refined ? 1 : wanted < metric.reach[1] ? wanted : metric.reach[1];
        Assignment<C, weighted>(v, metric, {i % step, step}, clusters, gains.data())
            .run(last || s.adaptive ? labels : nullptr, last ? nullptr : &sums, parts, pool);
        if (last) break;
        if (s.adaptive) adapt<C>(v, clusters, labels, s.compactness * metric.gain, gains.data(), pool);
        sums.add_up(clusters);
        clusters.set_means();
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
