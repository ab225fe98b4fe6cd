// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "dense_crf.hpp"
#include "densecrf_kernels.hpp"
#include "kernel_filter.hpp"

namespace classicseg::CLASSICSEG_ISA {
namespace {

std::unique_ptr<DenseCrf> prepare(CrfGrid grid, const CrfKernel* kernels, int n_kernels, Normalization normalization,
                                  Pool& pool) {
    return std::unique_ptr<DenseCrf>(new MeanField(grid, kernels, n_kernels, normalization, pool));
}

std::unique_ptr<KernelFilter> make_filter(CrfGrid grid, const CrfKernel& kernel, Pool& pool) {
    return std::unique_ptr<KernelFilter>(new LatticeKernelFilter(grid, kernel, pool));
}

}  // namespace

extern const DensecrfKernels densecrf_kernels;
const DensecrfKernels densecrf_kernels = {prepare, make_filter, energies_of};

}  // namespace classicseg::CLASSICSEG_ISA
