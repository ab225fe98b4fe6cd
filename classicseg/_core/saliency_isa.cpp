// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "minimum_barrier.hpp"
#include "reconstruction.hpp"
#include "resample.hpp"
#include "saliency_kernels.hpp"

namespace classicseg::CLASSICSEG_ISA {
extern const SaliencyKernels saliency_kernels;
const SaliencyKernels saliency_kernels = {shrink<uint8_t, 3>, shrink<float, 3>, enlarge, minimum_barrier,
                                          reconstruct};

}  // namespace classicseg::CLASSICSEG_ISA
