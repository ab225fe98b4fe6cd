#include <algorithm>

#include "arrays.hpp"

namespace classicseg {
namespace {

using Mask3D = nb::ndarray<const uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Labels3D = nb::ndarray<int32_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

template <class T>
void lab(Input2D<T> rgb, nb::ndarray<int16_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> planes, int n_threads) {
    const size_t n = rgb.shape(0);
    if (rgb.shape(1) != 3 || planes.shape(0) < 3 * n)
        throw std::invalid_argument("arrays of the wrong shape");
    Call call;
    Pool pool(std::min(n_threads, static_cast<int>(1 + n / 50000)));
    if constexpr (sizeof(T) == 1)
        kernels().superpixels.lab_bytes(rgb.data(), static_cast<int64_t>(n), planes.data(), pool);
    else
        kernels().superpixels.lab_floats(rgb.data(), static_cast<int64_t>(n), planes.data(), pool);
}

int64_t slic(Input1D<int16_t> planes, int channels, nb::list mask, Labels3D labels, int64_t n_segments, int n_iterations,
             float compactness, double sz, double sy, double sx, bool adaptive, bool refined, int n_threads) {
    Volume v{planes.data(), nullptr, 0, 0, 0, channels};
    v.depth = static_cast<int64_t>(labels.shape(0));
    v.height = static_cast<int64_t>(labels.shape(1));
    v.width = static_cast<int64_t>(labels.shape(2));
    if (channels < 1 || static_cast<int64_t>(planes.shape(0)) < v.size() * channels + 16)
        throw std::invalid_argument("too few numbers");
    if (nb::len(mask) > 0) {
        const auto array = nb::cast<Mask3D>(mask[0]);
        for (size_t i = 0; i < 3; i++)
            if (array.shape(i) != labels.shape(i)) throw std::invalid_argument("a mask of the wrong shape");
        v.mask = array.data();  // the list keeps the array alive
    }
    const SlicSettings settings{n_segments, n_iterations, compactness, {sz, sy, sx}, adaptive, refined};
    Call call;
    // Components and merging are one thread's work: at 500x375 a second one saves a fifth of the time.
    Pool pool(std::min<int>(n_threads, static_cast<int>(1 + v.size() / 90000)));
    return kernels().superpixels.slic(v, settings, labels.data(), pool);
}

}  // namespace

void bind_superpixels(nb::module_& m) {
    m.def("lab_bytes", &lab<uint8_t>);
    m.def("lab_floats", &lab<float>);
    m.def("slic", &slic);
}

}  // namespace classicseg
