// From an image to superpixels: SLIC, its pieces made regions, their boundaries refined.
#pragma once

#include <cmath>
#include <cstdint>

#include "merge.hpp"
#include "refine.hpp"
#include "slic.hpp"

namespace classicseg::CLASSICSEG_ISA {

// What refined superpixels do beyond the paper's, found on a third of BSDS500 val.
constexpr double seeds_per_segment = 1.5;  // merging brings them back to the wanted number
constexpr int64_t row_step = 3;            // rows that an iteration leaves out take their turn later
constexpr float place_weight = 0.7f;       // of compactness, when merging and refining
constexpr int n_sweeps = 1;
constexpr float border_weight = 0.01f;     // of compactness squared: the price of a neighbour of another label

inline int64_t pixels_inside(const Volume& v) {
    if (!v.mask) return v.size();
    int64_t inside = 0;
    for (int64_t i = 0; i < v.size(); i++) inside += v.mask[i] != 0;
    return inside;
}

// Weights of squared steps along the axes where `n` regions share the image.
struct PlaceWeights {
    float single[3];
    double exact[3];
    double interval;
    PlaceWeights(const Volume& v, const double spacing[3], int64_t inside, int64_t n, double compactness) {
        double volume = static_cast<double>(inside) / static_cast<double>(n);
        int axes = 0;
        const int64_t lengths[3] = {v.depth, v.height, v.width};
        for (int i = 0; i < 3; i++) {
            if (lengths[i] == 1) continue;
            volume *= spacing[i];
            axes++;
        }
        interval = std::pow(volume, 1.0 / (axes ? axes : 1));
        for (int i = 0; i < 3; i++) {
            const double step = compactness / interval * spacing[i];
            exact[i] = step * step;
            single[i] = static_cast<float>(exact[i]);
        }
    }
};

// Labels by the nearest cluster; they need not be connected, and pixels may be unassigned.
template <int C>
void cluster_pixels(const Volume& v, const SlicSettings& s, int64_t n_seeds, int64_t inside, int32_t* labels, Pool& pool) {
    List<Place> seeds;
    int64_t reach[3];
    place_seeds(v, s.spacing, n_seeds, inside, seeds, reach);
    const PlaceWeights place(v, s.spacing, inside, n_seeds, static_cast<double>(s.compactness));
    for (int i = 0; i < 3; i++) {
        const int64_t length = i == 0 ? v.depth : i == 1 ? v.height : v.width;
        const double steps = std::ceil(place.interval / s.spacing[i]);
        if (steps > static_cast<double>(reach[i]))
            reach[i] = steps < static_cast<double>(length) ? static_cast<int64_t>(steps) : length;
    }
    Clusters clusters(static_cast<int64_t>(seeds.size()), v.channels);
    start_clusters<C>(v, seeds, clusters);
    Buffer<float> color(seeds.size());
    for (size_t k = 0; k < seeds.size(); k++) color[k] = 1;
    for (int i = 0; i < s.n_iterations; i++) {
        const bool last = i + 1 == s.n_iterations;
        const int64_t step = s.refined && !last ? row_step : 1;
        assign<C>(v, clusters, place.single, color.data(), reach, i % step, step, labels, pool);
        if (last) break;
        if (s.adaptive) adapt<C>(v, clusters, labels, s.compactness, color.data(), pool);
        sum_clusters<C>(v, labels, i % step, step, clusters, pool);
    }
}

template <int C>
int64_t superpixels(const Volume& v, const SlicSettings& s, int32_t* labels, Pool& pool) {
    const int64_t inside = pixels_inside(v);
    const int64_t wanted = s.n_segments < inside ? s.n_segments : inside;
    int64_t n_seeds = s.refined ? std::llround(static_cast<double>(wanted) * seeds_per_segment) : wanted;
    if (n_seeds > inside) n_seeds = inside;
    cluster_pixels<C>(v, s, n_seeds, inside, labels, pool);

    const Components components(v, labels);
    List<Touch> touches;
    components.touching(touches);
    components.write(labels, nullptr, pool);
    Clusters regions(components.count(), v.channels);
    sum_clusters<C>(v, labels, 0, 1, regions, pool);
    const float compactness = s.refined ? s.compactness * place_weight : s.compactness;
    const PlaceWeights place(v, s.spacing, inside, wanted, static_cast<double>(compactness));
    Buffer<int32_t> table(static_cast<size_t>(components.count()));
    const int64_t count = Merger(regions, touches, place.exact).run(wanted, table.data());
    components.write(labels, table.data(), pool);

    for (int i = 0; s.refined && i < n_sweeps; i++) {
        Clusters means(count, v.channels);
        sum_clusters<C>(v, labels, 0, 1, means, pool);
        refine<C>(v, means, place.single, border_weight * s.compactness * s.compactness, labels, pool);
    }
    return count;
}

}  // namespace classicseg::CLASSICSEG_ISA
