// All kernels, one table for each instruction set.
#pragma once

#include "densecrf_kernels.hpp"
#include "gmm_kernels.hpp"
#include "graph_kernels.hpp"
#include "graphcut_kernels.hpp"
#include "gridcrf_kernels.hpp"
#include "moves_kernels.hpp"
#include "saliency_kernels.hpp"
#include "superpixels_kernels.hpp"

namespace classicseg {

struct Kernels {
    const char* name;  // of the instruction set
    const GraphcutKernels& graphcut;
    const GmmKernels& gmm;
    const GraphKernels& graph;
    const DensecrfKernels& densecrf;
    const GridcrfKernels& gridcrf;
    const MovesKernels& moves;
    const SaliencyKernels& saliency;
    const SuperpixelKernels& superpixels;
};

const Kernels& kernels();  // the best ones that this processor can run

}  // namespace classicseg
