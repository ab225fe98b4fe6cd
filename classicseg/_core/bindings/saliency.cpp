#include "arrays.hpp"

namespace classicseg {
namespace {

template <class T>
using Colours = nb::ndarray<const T, nb::shape<-1, -1, 3>, nb::c_contig, nb::device::cpu>;
template <class T>
using Pixels = nb::ndarray<const T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using ColoursOut = nb::ndarray<float, nb::shape<-1, -1, 3>, nb::c_contig, nb::device::cpu>;

template <class Array>
int rows_of(const Array& array) {
    if (array.shape(0) == 0 || array.shape(0) > INT32_MAX) throw std::invalid_argument("a size out of range");
    return static_cast<int>(array.shape(0));
}

template <class Array>
int columns_of(const Array& array) {
    if (array.shape(1) == 0 || array.shape(1) > INT32_MAX) throw std::invalid_argument("a size out of range");
    return static_cast<int>(array.shape(1));
}

// Passing over a pixel takes a tenth of what it does in other kernels.
int few_threads(int n_threads, size_t n_pixels) { return useful_threads(n_threads, n_pixels / 10); }

template <class T>
bool shrink(Colours<T> image, ColoursOut out, int n_threads) {
    const int height = rows_of(image), width = columns_of(image);
    const int to_height = rows_of(out), to_width = columns_of(out);
    if (to_height > height || to_width > width) throw std::invalid_argument("larger than the image");
    const SaliencyKernels& of = kernels().saliency;
    Call call;
    Pool pool(few_threads(n_threads, static_cast<size_t>(height) * static_cast<size_t>(width)));
    const auto run = [&](auto kernel) { return kernel(image.data(), height, width, out.data(), to_height, to_width, pool); };
    if constexpr (std::is_same_v<T, uint8_t>) return run(of.shrink_bytes);
    else if constexpr (std::is_same_v<T, float>) return run(of.shrink_floats);
    else return run(of.shrink_doubles);
}

template <class T>
bool shrink_grey(Pixels<T> image, Output2D<float> out, int n_threads) {
    const int height = rows_of(image), width = columns_of(image);
    const int to_height = rows_of(out), to_width = columns_of(out);
    if (image.shape(2) != 1 && image.shape(2) != 3) throw std::invalid_argument("1 or 3 channels");
    if (to_height > height || to_width > width) throw std::invalid_argument("larger than the image");
    const int channels = static_cast<int>(image.shape(2));
    const SaliencyKernels& of = kernels().saliency;
    Call call;
    Pool pool(few_threads(n_threads, static_cast<size_t>(height) * static_cast<size_t>(width)));
    const auto run = [&](auto kernel) {
        return kernel(image.data(), height, width, channels, out.data(), to_height, to_width, pool);
    };
    if constexpr (std::is_same_v<T, uint8_t>) return run(of.grey_bytes);
    else if constexpr (std::is_same_v<T, float>) return run(of.grey_floats);
    else return run(of.grey_doubles);
}

void spectral_residual(Input2D<float> grey, double sigma, Output2D<float> out) {
    const int height = rows_of(grey), width = columns_of(grey);
    expect_shape(out, height, width);
    if (std::max(height, width) > kernels().saliency.residual_side) throw std::invalid_argument("a side too long");
    if (!(sigma > 0 && sigma <= 4)) throw std::invalid_argument("sigma");
    Call call;
    kernels().saliency.spectral_residual(grey.data(), height, width, sigma, out.data());
}

void enlarge(Input2D<float> map, Output2D<float> out, int n_threads) {
    const int height = rows_of(map), width = columns_of(map), to_height = rows_of(out), to_width = columns_of(out);
    Call call;
    Pool pool(few_threads(n_threads, out.size()));
    kernels().saliency.enlarge(map.data(), height, width, out.data(), to_height, to_width, pool);
}

void minimum_barrier(Colours<float> image, Input2D<uint8_t> seeds, int passes, Output2D<float> out) {
    const int height = rows_of(image), width = columns_of(image);
    expect_shape(seeds, height, width);
    expect_shape(out, height, width);
    Call call;
    kernels().saliency.minimum_barrier(image.data(), seeds.data(), height, width, passes, out.data());
}

void reconstruct(Input2D<float> mask, Output2D<float> values) {
    const int height = rows_of(mask), width = columns_of(mask);
    expect_shape(values, height, width);
    if (mask.size() > INT32_MAX) throw std::invalid_argument("more than 2**31 pixels");
    Call call;
    kernels().saliency.reconstruct(mask.data(), values.data(), height, width);
}

}  // namespace

void bind_saliency(nb::module_& m) {
    m.def("shrink_uint8", &shrink<uint8_t>);
    m.def("shrink_float32", &shrink<float>);
    m.def("shrink_float64", &shrink<double>);
    m.def("grey_uint8", &shrink_grey<uint8_t>);
    m.def("grey_float32", &shrink_grey<float>);
    m.def("grey_float64", &shrink_grey<double>);
    m.def("spectral_residual", &spectral_residual);
    m.def("enlarge", &enlarge);
    m.def("minimum_barrier", &minimum_barrier);
    m.def("reconstruct", &reconstruct);
}

}  // namespace classicseg
