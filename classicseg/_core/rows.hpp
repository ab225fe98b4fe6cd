// Parallel loops over the rows of an image.
#pragma once

#include <algorithm>
#include <cstddef>

#include "isa.hpp"
#include "pool.hpp"

namespace classicseg::CLASSICSEG_ISA {

constexpr int row_chunk = 32;
inline size_t n_row_chunks(int rows, int chunk_rows = row_chunk) {
    return static_cast<size_t>((rows - 1) / chunk_rows + 1);
}

// Calls task(first_row, end_row, chunk). The chunks do not depend on the pool, so that what is
// summed by chunk and then over the chunks is the same for any number of threads.
template <class Task>
void for_rows(Pool& pool, int rows, Task&& task, int chunk_rows = row_chunk) {
    pool.run(n_row_chunks(rows, chunk_rows), [&](size_t chunk) {
        const int y0 = static_cast<int>(chunk) * chunk_rows;
        task(y0, std::min(rows, y0 + chunk_rows), chunk);
    });
}

// The same for tasks that write one row beyond their own: every second chunk first.
template <class Task>
void for_rows_and_next(Pool& pool, int rows, Task&& task, int chunk_rows = row_chunk) {
    const size_t n = n_row_chunks(rows, chunk_rows);
    for (size_t parity = 0; parity < 2; parity++) {
        pool.run((n + 1 - parity) / 2, [&](size_t c) {
            const int y0 = static_cast<int>(2 * c + parity) * chunk_rows;
            task(y0, std::min(rows, y0 + chunk_rows));
        });
    }
}

}  // namespace classicseg::CLASSICSEG_ISA
