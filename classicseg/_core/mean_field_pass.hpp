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
    Corners(const Permutohedral& lattices, const float* weights) : n_kernels_(lattices.n_kernels()), n_(lattices.n_corners()) {
        for (int k = 0, end = 0; k < n_kernels_; k++) {
            end_[k] = end += lattices.n_corners(k);
            factor_[k] = weights[k] * lattices.lattice(k).blur_scale;
        }
    }
    CLASSICSEG_INLINE int size() const {
        if constexpr (sizeof...(C) > 0)
            return (C + ...);
        else
            return n_;
    }
    // Calls use(begin, end, factor) for each kernel's corners, with what its filtered values are worth.
    template <class Use>
    CLASSICSEG_INLINE void for_kernels(Use&& use) const {
        int begin = 0, k = 0;
        if constexpr (sizeof...(C) > 0)
            ((use(begin, begin + C, factor_[k++]), begin += C), ...);
        else
            for (; k < n_kernels_; begin = end_[k++]) use(begin, end_[k], factor_[k]);
    }

private:
    int n_kernels_, n_, end_[Permutohedral::max_kernels];
    float factor_[Permutohedral::max_kernels];
};

}  // namespace classicseg::CLASSICSEG_ISA
