#include "kernels.hpp"

#include <cstdlib>
#include <cstring>

namespace classicseg {

namespace baseline {
extern const Kernels table;
}
#if defined(CLASSICSEG_X86_64)
namespace x86_64_v3 {
extern const Kernels table;
}
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
