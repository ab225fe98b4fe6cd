// k-means: centres of colours, for mixtures to begin with.
//
// Seeded as in k-means++ (D. Arthur, S. Vassilvitskii: k-means++: the advantages of careful seeding.
// SODA 2007), then Lloyd's iterations.
#pragma once

#include <cstdint>

#include "buffer.hpp"
#include "gmm.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Energies under it are squared distances to the centre.
template <int C>
Component<C> distance_to(const double* centre) {
    Component<C> component = {};
    for (int c = 0; c < C; c++) component.mean[c] = static_cast<float>(centre[c]);
    for (int c = 0, diagonal = 0; c < C; c++, diagonal += c + 1) component.lower[diagonal] = 1;
    return component;
}

// Finds k <= 255 centres of n colours, of which at least k are distinct, in so many iterations.
// `uniform` holds k random numbers of [0, 1); `counts` gets the colours nearest to each centre before
// the last step. A centre that has none stays where it is.
template <int C>
void kmeans(const float* colours, int64_t n, int k, const double* uniform, int iterations, double* centres,
            int64_t* counts) {
    const auto size = static_cast<size_t>(n);
    Buffer<float> nearest(size), distance(size);
    Buffer<uint8_t> label(size);
    const auto take = [&](int centre, int64_t colour) {
        for (int c = 0; c < C; c++) centres[centre * C + c] = static_cast<double>(colours[colour * C + c]);
    };
    take(0, static_cast<int64_t>(uniform[0] * static_cast<double>(n)));
    for (int i = 1; i < k; i++) {  // a colour, with a probability in proportion to its squared distance
        const Component<C> last = distance_to<C>(centres + (i - 1) * C);
        gmm_energies<C>(colours, nullptr, n, &last, 1, distance.data(), label.data());
        double total = 0;
        for (size_t p = 0; p < size; p++) {
            nearest[p] = i == 1 ? distance[p] : std::min(nearest[p], distance[p]);
            total += static_cast<double>(nearest[p]);
        }
        double rest = uniform[i] * total;
        int64_t chosen = 0;
        for (int64_t p = 0; p < n && rest >= 0; p++) {
            const float weight = nearest[static_cast<size_t>(p)];
            if (weight > 0) chosen = p;
            rest -= static_cast<double>(weight);
        }
        take(i, chosen);
    }
    Buffer<Component<C>> components(static_cast<size_t>(k));
    Buffer<double> sums(static_cast<size_t>(k) * C);
    for (int iteration = 0; iteration < iterations; iteration++) {
        for (int i = 0; i < k; i++) {
            components[static_cast<size_t>(i)] = distance_to<C>(centres + i * C);
            counts[i] = 0;
        }
        for (size_t s = 0; s < sums.size(); s++) sums[s] = 0;
        gmm_energies<C>(colours, nullptr, n, components.data(), k, distance.data(), label.data());
        for (int64_t p = 0; p < n; p++) {
            const size_t i = label[static_cast<size_t>(p)];
            counts[i]++;
            for (size_t c = 0; c < C; c++) sums[i * C + c] += static_cast<double>(colours[p * C + static_cast<int64_t>(c)]);
        }
        for (int i = 0; i < k * C; i++)
            if (counts[i / C]) centres[i] = sums[static_cast<size_t>(i)] / static_cast<double>(counts[i / C]);
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
