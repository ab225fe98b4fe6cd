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
constexpr float place_weight = 0.7f;       // of compactness, when merging and refining
constexpr double speck = 1.0 / 16;         // of the mean region's size
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

// Distances as 16-bit numbers: squares of steps across the windows must not overflow.
inline Metric make_metric(const Volume& v, const SlicSettings& s, const PlaceWeights& place, const int64_t gap[3]) {
    constexpr double most = 26000;  // three squares of it / 2^15 are under 65536
    const int64_t lengths[3] = {v.depth, v.height, v.width}, beyond[3] = {0, tile_rows * largest_step, n_words};
    Metric metric{};
    double largest = most;
    for (int i = 0; i < 3; i++) {
        const double steps = std::ceil(place.interval / s.spacing[i]);
        metric.reach[i] = steps < static_cast<double>(lengths[i]) ? static_cast<int64_t>(steps) : lengths[i];
        if (metric.reach[i] < gap[i]) metric.reach[i] = gap[i];
        if (lengths[i] == 1) continue;
        const double across = std::sqrt(place.exact[i]) * static_cast<double>(metric.reach[i] + beyond[i]);
        if (across > largest) largest = across;
    }
    metric.gain = static_cast<float>(most / largest);
    for (int i = 0; i < 3; i++) metric.step[i] = static_cast<float>(std::sqrt(place.exact[i]) * most / largest);
    return metric;
}

// Labels by the nearest cluster; they need not be connected, and pixels may be unassigned.
template <int C>
void cluster_pixels(const Volume& v, const SlicSettings& s, int64_t n_seeds, int64_t inside, int32_t* labels, Pool& pool) {
    List<Place> seeds;
    int64_t gap[3];
    place_seeds(v, s.spacing, n_seeds, inside, seeds, gap);
    const PlaceWeights place(v, s.spacing, inside, n_seeds, static_cast<double>(s.compactness));
    const Metric metric = make_metric(v, s, place, gap);
    Clusters clusters(static_cast<int64_t>(seeds.size()), v.channels);
    start_clusters<C>(v, seeds, clusters);
    if (s.adaptive || metric.gain < 1) iterate<C, true>(v, metric, s, clusters, labels, pool);
    else iterate<C, false>(v, metric, s, clusters, labels, pool);
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
    Clusters regions(components.count(), v.channels);
    components.sum<C>(regions, pool);
    const float compactness = s.refined ? s.compactness * place_weight : s.compactness;
    const PlaceWeights place(v, s.spacing, inside, wanted, static_cast<double>(compactness));
    Buffer<int32_t> whole(static_cast<size_t>(components.count()));
    const double least = speck * static_cast<double>(inside) / static_cast<double>(wanted);
    const int32_t left = absorb_specks(regions, touches, place.exact, least, wanted, whole.data());
    Buffer<int32_t> table(static_cast<size_t>(left));
    const int64_t count = Merger(regions, touches, place.exact).run(wanted, table.data());
    for (size_t i = 0; i < whole.size(); i++) whole[i] = table[static_cast<size_t>(whole[i])];
    components.write(labels, whole.data(), pool);
    if (s.refined) {
        regions.set_means();
        refine<C>(v, regions, place.single, border_weight * s.compactness * s.compactness, labels, pool);
    }
    return count;
}

}  // namespace classicseg::CLASSICSEG_ISA
