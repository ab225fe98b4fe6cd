// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "minimum_barrier.hpp"
#include "reconstruction.hpp"
#include "resample.hpp"
#include "saliency_kernels.hpp"
#include "spectral.hpp"

namespace classicseg::CLASSICSEG_ISA {
extern const SaliencyKernels saliency_kernels;
const SaliencyKernels saliency_kernels = {shrink<uint8_t>,
                                          shrink<float>,
                                          shrink<double>,
                                          shrink_grey<uint8_t>,
                                          shrink_grey<float>,
                                          shrink_grey<double>,
                                          enlarge,
                                          SpectralResidual::longest,
                                          spectral_residual,
                                          minimum_barrier,
                                          reconstruct};

}  // namespace classicseg::CLASSICSEG_ISA
