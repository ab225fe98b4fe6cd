// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "lab.hpp"
#include "superpixels.hpp"
#include "superpixels_kernels.hpp"

namespace classicseg::CLASSICSEG_ISA {
namespace {

int64_t run_slic(Volume v, const SlicSettings& settings, int32_t* labels, Pool& pool) {
    if (v.channels == 1) return superpixels<1>(v, settings, labels, pool);
    if (v.channels == 3) return superpixels<3>(v, settings, labels, pool);
    return superpixels<0>(v, settings, labels, pool);
}

}  // namespace

extern const SuperpixelKernels superpixel_kernels;
const SuperpixelKernels superpixel_kernels = {rgb_to_lab<uint8_t>, rgb_to_lab<float>, run_slic};

}  // namespace classicseg::CLASSICSEG_ISA
