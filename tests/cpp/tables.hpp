// The kernels of every instruction set that this processor can run.
#pragma once

#include <cstdio>
#include <vector>

#include "kernels.hpp"

namespace classicseg {

namespace baseline {
extern const Kernels table;
}
#if defined(CLASSICSEG_X86_64)
namespace x86_64_v3 {
extern const Kernels table;
}
#endif

inline std::vector<const Kernels*> runnable_tables() {
    std::vector<const Kernels*> tables = {&baseline::table};
#if defined(CLASSICSEG_X86_64)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        tables.push_back(&x86_64_v3::table);
#endif
    for (const Kernels* table : tables) std::printf("instruction set: %s\n", table->name);
    return tables;
}

}  // namespace classicseg
