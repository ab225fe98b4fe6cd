#include "arrays.hpp"

namespace classicseg {
namespace {

void gmm_energies(Image image, nb::list wanted, Input2D<float> components, Output2D<float> energy,
                  Output2D<uint8_t> best, int n_threads) {
    const ImageView v = view(image);
    expect_shape(energy, v.height, v.width);
    expect_shape(best, v.height, v.width);
    const int fields = 1 + v.channels + v.channels * (v.channels + 1) / 2;
    if (components.shape(0) < 1 || components.shape(0) > 255 ||
        components.shape(1) != static_cast<size_t>(fields))
        throw std::invalid_argument("components of the wrong shape");
    const uint8_t* mask[1];
    unpack<Input2D<uint8_t>>(wanted, mask, v.height, v.width);
    Call call;
    Pool pool(useful_threads(n_threads, energy.size()));
    kernels().gmm.energies(v, mask[0], components.data(), static_cast<int>(components.shape(0)), energy.data(),
                           best.data(), pool);
}

void trimap_terminals(Input2D<float> background, Input2D<float> foreground, Input2D<uint8_t> trimap,
                      size_t top, size_t left, Output2D<float> source, Output2D<float> sink, int n_threads) {
    const int height = static_cast<int>(trimap.shape(0)), width = static_cast<int>(trimap.shape(1));
    expect_shape(background, height, width);
    expect_shape(foreground, height, width);
    const int rows = static_cast<int>(source.shape(0)), columns = static_cast<int>(source.shape(1));
    expect_shape(sink, rows, columns);
    if (top > trimap.shape(0) || source.shape(0) > trimap.shape(0) - top || left > trimap.shape(1) ||
        source.shape(1) > trimap.shape(1) - left)
        throw std::invalid_argument("a window that leaves the image");
    const size_t corner = top * trimap.shape(1) + left;
    Call call;
    Pool pool(useful_threads(n_threads, source.size()));
    kernels().gmm.trimap_terminals(background.data() + corner, foreground.data() + corner, trimap.data() + corner,
                                   width, rows, columns, source.data(), sink.data(), pool);
}

double data_energy(Input2D<float> background, Input2D<float> foreground, Input2D<uint8_t> mask,
                   int n_threads) {
    const int height = static_cast<int>(mask.shape(0)), width = static_cast<int>(mask.shape(1));
    expect_shape(background, height, width);
    expect_shape(foreground, height, width);
    Call call;
    Pool pool(useful_threads(n_threads, mask.size()));
    return kernels().gmm.data_energy(background.data(), foreground.data(), mask.data(), height, width, pool);
}

void gmm_statistics(Image image, Input2D<uint8_t> mask, Input2D<uint8_t> background,
                    Input2D<uint8_t> foreground,
                    nb::ndarray<double, nb::ndim<3>, nb::c_contig, nb::device::cpu> totals, int n_threads) {
    const ImageView v = view(image);
    expect_shape(mask, v.height, v.width);
    expect_shape(background, v.height, v.width);
    expect_shape(foreground, v.height, v.width);
    const int fields = 1 + v.channels + v.channels * (v.channels + 1) / 2;
    if (totals.shape(0) != 2 || totals.shape(2) != static_cast<size_t>(fields))
        throw std::invalid_argument("totals of the wrong shape");
    const uint8_t* component[2] = {background.data(), foreground.data()};
    const int n_components = static_cast<int>(totals.shape(1));
    Call call;
    const size_t n = mask.size();
    for (const uint8_t* numbers : component) {
        uint8_t largest = 0;
        for (size_t p = 0; p < n; p++) largest = std::max(largest, numbers[p]);
        if (largest >= n_components) throw std::invalid_argument("a component's number is too large");
    }
    Pool pool(useful_threads(n_threads, n));
    kernels().gmm.statistics(v, mask.data(), component, n_components, totals.data(), pool);
}

void kmeans(Input2D<float> colours, Input1D<double> uniform, int iterations, Output2D<double> centres,
            Output1D<int64_t> counts) {
    const size_t k = uniform.size(), channels = colours.shape(1);
    if (channels != 1 && channels != 3) throw std::invalid_argument("1 or 3 channels");
    if (k < 1 || k > 255 || k > colours.shape(0)) throw std::invalid_argument("a wrong number of centres");
    expect_shape(centres, static_cast<int>(k), static_cast<int>(channels));
    if (counts.size() != k) throw std::invalid_argument("counts of the wrong length");
    for (size_t i = 0; i < k; i++)
        if (!(uniform(i) >= 0 && uniform(i) < 1)) throw std::invalid_argument("random numbers of [0, 1)");
    Call call;
    kernels().gmm.kmeans(colours.data(), static_cast<int64_t>(colours.shape(0)), static_cast<int>(channels),
                         static_cast<int>(k), uniform.data(), iterations, centres.data(), counts.data());
}

}  // namespace

void bind_gmm(nb::module_& m) {
    m.def("gmm_energies", &gmm_energies);
    m.def("trimap_terminals", &trimap_terminals);
    m.def("data_energy", &data_energy);
    m.def("gmm_statistics", &gmm_statistics);
    m.def("kmeans", &kmeans);
}

}  // namespace classicseg
