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

}  // namespace classicseg::CLASSICSEG_ISA
