// Unwraps arrays that Python has checked.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <stdexcept>

#include "call.hpp"
#include "kernels.hpp"

namespace classicseg {

namespace nb = nanobind;

template <class T>
using Input1D = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Output1D = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Input2D = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Output2D = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Image = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

inline ImageView view(const Image& image) {
    if (image.shape(2) != 1 && image.shape(2) != 3) throw std::invalid_argument("1 or 3 channels");
    return {image.data(), static_cast<int>(image.shape(0)), static_cast<int>(image.shape(1)),
            static_cast<int>(image.shape(2))};
}

// A thread takes 50 microseconds to start, in which another one passes over some 50,000 pixels.
inline int useful_threads(int n_threads, size_t n_pixels) {
    return static_cast<int>(std::min<size_t>(static_cast<size_t>(n_threads), 1 + n_pixels / 100000));
}

template <class Array>
void expect_shape(const Array& array, int height, int width) {
    if (array.shape(0) != static_cast<size_t>(height) || array.shape(1) != static_cast<size_t>(width))
        throw std::invalid_argument("an array's shape differs from the grid's");
}

// Pointers of a list of arrays and Nones, all of the same shape.
template <class Array, class T>
void unpack(nb::list list, T** pointers, size_t n, int height, int width) {
    if (nb::len(list) != n) throw std::invalid_argument("a list of the wrong length");
    for (size_t i = 0; i < n; i++) {
        pointers[i] = nullptr;
        if (list[i].is_none()) continue;
        const auto array = nb::cast<Array>(list[i]);
        expect_shape(array, height, width);
        pointers[i] = array.data();  // the list keeps the array alive
    }
}
template <class Array, class T, size_t n>
void unpack(nb::list list, T* (&pointers)[n], int height, int width) {
    unpack<Array>(list, pointers, n, height, width);
}

}  // namespace classicseg
