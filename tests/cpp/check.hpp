// CHECK(condition): ends the test with the place and the case in hand where the condition fails.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

inline std::string current_case;  // printed with a failure

#define CHECK(...)                                                                           \
    do {                                                                                     \
        if (!(__VA_ARGS__)) {                                                                \
            std::fprintf(stderr, "%s:%d: not so: %s\n  case: %s\n", __FILE__, __LINE__,      \
                         #__VA_ARGS__, current_case.c_str());                                \
            std::exit(1);                                                                    \
        }                                                                                    \
    } while (false)
