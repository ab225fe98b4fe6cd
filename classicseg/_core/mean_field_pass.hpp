// What the passes over the points are asked for, and what they report.
#pragma once

#include "normalized_lattices.hpp"

namespace classicseg::CLASSICSEG_ISA {

// What a pass over the points does beside the update.
struct Pass {
    bool first;      // there is nothing to slice yet
    bool splat;      // there is another pass to come
    bool keep;       // write the marginals
    bool compare;    // with the marginals kept by the pass before: largest change, pairs' energy
    bool update;     // false: only the pairs' energy of the marginals kept
};

struct TileSums {
    double own = 0;    // entropy and unary terms of the new marginals' free energy
    double pairs = 0;  // pairs' energy of the marginals before
    float change = 0;
};

// The corners of a point's simplices: C... of each kernel, or what the lattices say if none is given.
template <int... C>
class Corners {
public:
    explicit Corners(const Permutohedral& lattices) : n_(lattices.n_corners()) {}
    CLASSICSEG_INLINE int size() const {
        if constexpr (sizeof...(C) > 0)
            return (C + ...);
        else
            return n_;
    }

private:
    int n_;
};

// A tile's rows with what each kernel's filtered values are worth: its weight, and the blur's scale.
inline void copy_weighted(const Permutohedral& lattices, const float* weights, size_t tile, size_t width, const float* from, float* to) {
    for (int k = 0; k < lattices.n_kernels(); k++) {
        const Lanes factor = lanes(weights[k] * lattices.lattice(k).blur_scale);
        const size_t n = lattices.n_rows(tile, k) * width;
        size_t i = 0;
        for (; i + n_lanes <= n; i += n_lanes) store(to + i, load(from + i) * factor);
        for (; i < n; i++) to[i] = from[i] * factor[0];
        from += n;
        to += n;
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
