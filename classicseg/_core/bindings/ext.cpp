// Python bindings: unwrap arrays that Python has checked, let go of the GIL, call a kernel.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/unique_ptr.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>

#include "kernels.hpp"

namespace nb = nanobind;
using namespace classicseg;

namespace {

template <class T>
using Input2D = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Output2D = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Image = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

ImageView view(const Image& image) {
    if (image.shape(2) != 1 && image.shape(2) != 3) throw std::invalid_argument("1 or 3 channels");
    return {image.data(), static_cast<int>(image.shape(0)), static_cast<int>(image.shape(1)),
            static_cast<int>(image.shape(2))};
}

// A thread takes 50 microseconds to start, in which another one passes over some 100,000 pixels.
int useful_threads(int n_threads, size_t n_pixels) {
    return static_cast<int>(std::min<size_t>(static_cast<size_t>(n_threads), 1 + n_pixels / 200000));
}

template <class Array>
void expect_shape(const Array& array, int height, int width) {
    if (array.shape(0) != static_cast<size_t>(height) || array.shape(1) != static_cast<size_t>(width))
        throw std::invalid_argument("an array's shape differs from the grid's");
}

// Pointers of a list of arrays and Nones, all of the same shape.
template <class Array, class T, size_t n>
void unpack(nb::list list, T* (&pointers)[n], int height, int width) {
    if (nb::len(list) != n) throw std::invalid_argument("a list of the wrong length");
    for (size_t i = 0; i < n; i++) {
        pointers[i] = nullptr;
        if (list[i].is_none()) continue;
        const auto array = nb::cast<Array>(list[i]);
        expect_shape(array, height, width);
        pointers[i] = array.data();  // the list keeps the array alive
    }
}

class PyGridMaxflow {
public:
    PyGridMaxflow(int height, int width, bool wide, int64_t limit) : height_(height), width_(width) {
        if (height < 1 || width < 1) throw std::invalid_argument("an empty grid");
        nb::gil_scoped_release release;
        solver_ = kernels().grid_maxflow(height, width, wide, limit);
    }

    template <class T>
    void set_arcs(nb::list towards, bool symmetric, double scale, int n_threads) {
        GridArcs<T> arcs;
        unpack<Input2D<T>>(towards, arcs.towards, height_, width_);
        arcs.symmetric = symmetric;
        nb::gil_scoped_release release;
        std::lock_guard lock(mutex_);
        Pool pool(n_threads);
        solver_->set_arcs(arcs, scale, pool);
    }

    template <class T>
    Sum<T> set_terminals(Input2D<T> source, Input2D<T> sink, nb::list old, double scale,
                         int n_threads) {
        const T* before[2] = {};
        if (nb::len(old) != 0) unpack<Input2D<T>>(old, before, height_, width_);
        expect_shape(source, height_, width_);
        expect_shape(sink, height_, width_);
        nb::gil_scoped_release release;
        std::lock_guard lock(mutex_);
        Pool pool(n_threads);
        return solver_->set_terminals(source.data(), sink.data(), before[0], before[1], scale, pool);
    }

    int64_t solve(Output2D<uint8_t> minimal, Output2D<uint8_t> maximal, int n_threads) {
        expect_shape(minimal, height_, width_);
        expect_shape(maximal, height_, width_);
        nb::gil_scoped_release release;
        std::lock_guard lock(mutex_);
        Pool pool(n_threads);
        const int64_t flow = solver_->solve(pool);
        solver_->cut(minimal.data(), maximal.data(), pool);
        return flow;
    }

private:
    int height_, width_;
    std::mutex mutex_;  // one Python thread at a time may change a graph
    std::unique_ptr<GridMaxflow> solver_;
};

double sum_squared_differences(Image image, bool diagonals, int n_threads) {
    const ImageView v = view(image);
    nb::gil_scoped_release release;
    Pool pool(n_threads);
    return kernels().sum_squared_differences(v, diagonals, pool);
}

void contrast_weights(Image image, float gamma, float beta, nb::list weights, int n_threads) {
    const ImageView v = view(image);
    float* out[4];
    unpack<Output2D<float>>(weights, out, v.height, v.width);
    nb::gil_scoped_release release;
    Pool pool(n_threads);
    kernels().contrast_weights(v, gamma, beta, out, pool);
}

double cut_cost(nb::list weights, Input2D<uint8_t> mask, int n_threads) {
    const float* in[4];
    const int height = static_cast<int>(mask.shape(0)), width = static_cast<int>(mask.shape(1));
    unpack<Input2D<float>>(weights, in, height, width);
    nb::gil_scoped_release release;
    Pool pool(useful_threads(n_threads, mask.size()));
    return kernels().cut_cost(in, mask.data(), height, width, pool);
}

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
    nb::gil_scoped_release release;
    Pool pool(useful_threads(n_threads, energy.size()));
    kernels().gmm_energies(v, mask[0], components.data(), static_cast<int>(components.shape(0)), energy.data(),
                           best.data(), pool);
}

void trimap_terminals(Input2D<float> background, Input2D<float> foreground, Input2D<uint8_t> trimap,
                      Output2D<float> source, Output2D<float> sink, int n_threads) {
    const int height = static_cast<int>(trimap.shape(0)), width = static_cast<int>(trimap.shape(1));
    expect_shape(background, height, width);
    expect_shape(foreground, height, width);
    expect_shape(source, height, width);
    expect_shape(sink, height, width);
    nb::gil_scoped_release release;
    Pool pool(useful_threads(n_threads, trimap.size()));
    kernels().trimap_terminals(background.data(), foreground.data(), trimap.data(), height, width,
                               source.data(), sink.data(), pool);
}

double data_energy(Input2D<float> background, Input2D<float> foreground, Input2D<uint8_t> mask,
                   int n_threads) {
    const int height = static_cast<int>(mask.shape(0)), width = static_cast<int>(mask.shape(1));
    expect_shape(background, height, width);
    expect_shape(foreground, height, width);
    nb::gil_scoped_release release;
    Pool pool(useful_threads(n_threads, mask.size()));
    return kernels().data_energy(background.data(), foreground.data(), mask.data(), height, width, pool);
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
    nb::gil_scoped_release release;
    const size_t n = mask.size();
    for (const uint8_t* numbers : component) {
        uint8_t largest = 0;
        for (size_t p = 0; p < n; p++) largest = std::max(largest, numbers[p]);
        if (largest >= n_components) throw std::invalid_argument("a component's number is too large");
    }
    Pool pool(useful_threads(n_threads, n));
    kernels().gmm_statistics(v, mask.data(), component, n_components, totals.data(), pool);
}

}  // namespace

NB_MODULE(_ext, m) {
    m.attr("version") = CLASSICSEG_VERSION;
    m.attr("instruction_set") = kernels().name;
    nb::class_<PyGridMaxflow>(m, "GridMaxflow")
        .def(nb::init<int, int, bool, int64_t>(), nb::arg("height"), nb::arg("width"), nb::arg("wide"),
             nb::arg("limit"))
        .def("set_arcs_int32", &PyGridMaxflow::set_arcs<int32_t>)
        .def("set_arcs_int64", &PyGridMaxflow::set_arcs<int64_t>)
        .def("set_arcs_float32", &PyGridMaxflow::set_arcs<float>)
        .def("set_arcs_float64", &PyGridMaxflow::set_arcs<double>)
        .def("set_terminals_int32", &PyGridMaxflow::set_terminals<int32_t>)
        .def("set_terminals_int64", &PyGridMaxflow::set_terminals<int64_t>)
        .def("set_terminals_float32", &PyGridMaxflow::set_terminals<float>)
        .def("set_terminals_float64", &PyGridMaxflow::set_terminals<double>)
        .def("solve", &PyGridMaxflow::solve);
    m.def("sum_squared_differences", &sum_squared_differences);
    m.def("contrast_weights", &contrast_weights);
    m.def("cut_cost", &cut_cost);
    m.def("gmm_energies", &gmm_energies);
    m.def("trimap_terminals", &trimap_terminals);
    m.def("data_energy", &data_energy);
    m.def("gmm_statistics", &gmm_statistics);
}
