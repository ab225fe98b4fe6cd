#include "kernels.hpp"

#include <cstdlib>
#include <cstring>

namespace classicseg {

// Each *_isa.cpp file defines the kernels of one module in the namespace of its instruction set.
#define CLASSICSEG_TABLE(isa)                                           \
    namespace isa {                                                     \
    extern const GraphcutKernels graphcut_kernels;                      \
    extern const GmmKernels gmm_kernels;                                \
    extern const GraphKernels graph_kernels;                            \
    extern const DensecrfKernels densecrf_kernels;                      \
    extern const GridcrfKernels gridcrf_kernels;                        \
    extern const MovesKernels moves_kernels;                            \
    extern const SaliencyKernels saliency_kernels;                      \
    extern const SuperpixelKernels superpixel_kernels;                  \
    extern const Kernels table;                                         \
    const Kernels table = {#isa,                                        \
                           graphcut_kernels,                            \
                           gmm_kernels,                                 \
                           graph_kernels,                               \
                           densecrf_kernels,                            \
                           gridcrf_kernels,                             \
                           moves_kernels,                               \
                           saliency_kernels,                            \
                           superpixel_kernels};                         \
    }

CLASSICSEG_TABLE(baseline)
#if defined(CLASSICSEG_X86_64)
CLASSICSEG_TABLE(x86_64_v3)
#endif

const Kernels& kernels() {
#if defined(CLASSICSEG_X86_64)
    // CLASSICSEG_ISA=baseline is for tests of the portable path.
    const char* wanted = std::getenv("CLASSICSEG_ISA");
    const bool portable = wanted && std::strcmp(wanted, "baseline") == 0;
    if (!portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("fma"))
        return x86_64_v3::table;
#endif
    return baseline::table;
}

}  // namespace classicseg
