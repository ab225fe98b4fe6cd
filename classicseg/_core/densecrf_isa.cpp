// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "dense_crf.hpp"
#include "densecrf_kernels.hpp"

namespace classicseg::CLASSICSEG_ISA {
namespace {

std::unique_ptr<DenseCrf> prepare(CrfGrid grid, const CrfKernel* kernels, int n_kernels, Normalization normalization,
                                  Pool& pool) {
    return std::unique_ptr<DenseCrf>(new MeanField(grid, kernels, n_kernels, normalization, pool));
}

}  // namespace

extern const DensecrfKernels densecrf_kernels;
const DensecrfKernels densecrf_kernels = {prepare, energies_of};

}  // namespace classicseg::CLASSICSEG_ISA
