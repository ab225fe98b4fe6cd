// Compiled once for each instruction set, with CLASSICSEG_ISA naming it.
#include "gmm.hpp"
#include "gmm_kernels.hpp"
#include "kmeans.hpp"

namespace classicseg::CLASSICSEG_ISA {
namespace {

template <int C>
void gmm_energies_of(ImageView v, const uint8_t* wanted, const float* components, int n_components,
                     float* energy, uint8_t* best, Pool& pool) {
    static_assert(sizeof(Component<C>) == (1 + C + C * (C + 1) / 2) * sizeof(float));
    for_rows(pool, v.height, [&](int y0, int y1, size_t) {
        const int64_t begin = static_cast<int64_t>(y0) * v.width;
        const int64_t n = static_cast<int64_t>(y1 - y0) * v.width;
        gmm_energies<C>(v.data + begin * C, wanted ? wanted + begin : nullptr, n,
                        reinterpret_cast<const Component<C>*>(components), n_components,
                        energy + begin, best + begin);
    });
}

void run_gmm_energies(ImageView v, const uint8_t* wanted, const float* components, int n_components,
                      float* energy, uint8_t* best, Pool& pool) {
    const auto run = v.channels == 1 ? gmm_energies_of<1> : gmm_energies_of<3>;
    run(v, wanted, components, n_components, energy, best, pool);
}

void run_trimap_terminals(const float* background, const float* foreground, const uint8_t* trimap,
                          int stride, int height, int width, float* source, float* sink, Pool& pool) {
    for_rows(pool, height, [&](int y0, int y1, size_t) {
        for (int y = y0; y < y1; y++) {
            const ptrdiff_t from = static_cast<ptrdiff_t>(y) * stride, to = static_cast<ptrdiff_t>(y) * width;
            trimap_terminals(background + from, foreground + from, trimap + from, width, source + to, sink + to);
        }
    });
}

double run_data_energy(const float* background, const float* foreground, const uint8_t* mask,
                       int height, int width, Pool& pool) {
    Buffer<double> sums(n_row_chunks(height));
    for_rows(pool, height, [&](int y0, int y1, size_t chunk) {
        const int64_t p = static_cast<int64_t>(y0) * width, n = static_cast<int64_t>(y1 - y0) * width;
        sums[chunk] = data_energy(background + p, foreground + p, mask + p, n);
    });
    double total = 0;
    for (size_t c = 0; c < sums.size(); c++) total += sums[c];
    return total;
}

void run_gmm_statistics(ImageView v, const uint8_t* mask, const uint8_t* const component[2],
                        int n_components, double* totals, Pool& pool) {
    const auto run = v.channels == 1 ? gmm_statistics<1> : gmm_statistics<3>;
    run(v.data, mask, component, v.height, v.width, n_components, totals, pool);
}

void run_kmeans(const float* colours, int64_t n, int channels, int k, const double* uniform, int iterations,
                double* centres, int64_t* counts) {
    const auto run = channels == 1 ? kmeans<1> : kmeans<3>;
    run(colours, n, k, uniform, iterations, centres, counts);
}

}  // namespace

extern const GmmKernels gmm_kernels;
const GmmKernels gmm_kernels = {run_gmm_energies, run_trimap_terminals, run_data_energy, run_gmm_statistics,
                                run_kmeans};

}  // namespace classicseg::CLASSICSEG_ISA
