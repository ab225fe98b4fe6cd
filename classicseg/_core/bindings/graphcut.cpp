#include <nanobind/stl/tuple.h>

#include <mutex>

#include "arrays.hpp"

namespace classicseg {
namespace {

// A volume's arrays come as (depth * height, width).
class PyGridMaxflow {
public:
    PyGridMaxflow(int height, int width, bool wide, int64_t limit) : height_(height), width_(width), n_directions_(8) {
        if (height < 1 || width < 1) throw std::invalid_argument("an empty grid");
        Call call;
        solver_ = kernels().graphcut.grid_maxflow(height, width, wide, limit);
    }
    PyGridMaxflow(int depth, int height, int width, int connectivity, bool wide, int64_t limit)
        : height_(depth * height), width_(width), n_directions_(static_cast<size_t>(connectivity)), is_image_(false) {
        if (depth < 1 || height < 1 || width < 1) throw std::invalid_argument("an empty grid");
        if (connectivity != 6 && connectivity != 26) throw std::invalid_argument("6 or 26 neighbours");
        Call call;
        solver_ = kernels().graphcut.volume_maxflow(depth, height, width, connectivity, wide, limit);
    }

    template <class T>
    void set_arcs(nb::list towards, bool symmetric, double scale, int n_threads) {
        GridArcs<T> arcs;
        unpack<Input2D<T>>(towards, arcs.towards, n_directions_, height_, width_);
        arcs.symmetric = symmetric;
        Call call;
        std::lock_guard lock(mutex_);
        Pool pool(useful_threads(n_threads, n_pixels()));
        solver_->set_arcs(arcs, scale, pool);
    }

    template <class T>
    Sum<T> set_terminals(Input2D<T> source, Input2D<T> sink, nb::list old, double scale,
                         int n_threads) {
        const T* before[2] = {};
        if (nb::len(old) != 0) unpack<Input2D<T>>(old, before, height_, width_);
        expect_shape(source, height_, width_);
        expect_shape(sink, height_, width_);
        Call call;
        std::lock_guard lock(mutex_);
        Pool pool(useful_threads(n_threads, n_pixels()));
        return solver_->set_terminals(source.data(), sink.data(), before[0], before[1], scale, pool);
    }

    int64_t solve(Output2D<uint8_t> minimal, Output2D<uint8_t> maximal, int n_threads) {
        expect_shape(minimal, height_, width_);
        expect_shape(maximal, height_, width_);
        Call call;
        std::lock_guard lock(mutex_);
        Pool pool(n_useful_threads(n_threads));
        const int64_t flow = solver_->solve(pool);
        solver_->cut(minimal.data(), maximal.data(), pool);
        solved_ = true;
        return flow;
    }

    // The same after a change in a box of an image, whose first pixel is (y, x): `minimal` is the
    // whole cut before and after. Returns the box (y0, y1, x0, x1) outside of which it has stayed.
    template <class T>
    std::tuple<int, int, int, int> solve_again(Input2D<T> source, Input2D<T> sink, Input2D<T> old_source,
                                               Input2D<T> old_sink, int y, int x, double scale,
                                               Output2D<uint8_t> minimal, int n_threads) {
        const int height = static_cast<int>(source.shape(0)), width = static_cast<int>(source.shape(1));
        for (const auto& array : {sink, old_source, old_sink}) expect_shape(array, height, width);
        expect_shape(minimal, height_, width_);
        if (y < 0 || x < 0 || height > height_ - y || width > width_ - x) throw std::invalid_argument("a box outside");
        if (!is_image_) throw std::logic_error("solve_again is for images");
        if (!solved_) throw std::logic_error("solve_again before solve");
        Call call;
        std::lock_guard lock(mutex_);
        Pool pool(n_useful_threads(n_threads));
        const Box box = solver_->solve_again(source.data(), sink.data(), old_source.data(), old_sink.data(),
                                             {y, y + height, 0, 1, x, x + width}, scale, minimal.data(), pool);
        return {box.z0, box.z1, box.x0, box.x1};
    }

private:
    // Joining the threads' strips again costs more than it brings on smaller grids.
    int n_useful_threads(int n_threads) const {
        constexpr size_t pixels_a_thread = 150000;
        return std::min(n_threads, static_cast<int>(std::clamp<size_t>(n_pixels() / pixels_a_thread, 1, 1 << 20)));
    }
    size_t n_pixels() const { return static_cast<size_t>(height_) * static_cast<size_t>(width_); }

    int height_, width_;
    size_t n_directions_;
    bool is_image_ = true, solved_ = false;
    std::mutex mutex_;  // one Python thread at a time may change a graph
    std::unique_ptr<GridMaxflow> solver_;
};

using Volume = nb::ndarray<const float, nb::ndim<4>, nb::c_contig, nb::device::cpu>;
using VolumeWeights = nb::ndarray<float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

VolumeView view(const Volume& volume) {
    if (volume.shape(3) != 1 && volume.shape(3) != 3) throw std::invalid_argument("1 or 3 channels");
    if (volume.shape(0) * volume.shape(1) > 1u << 30) throw std::invalid_argument("too many rows");
    return {volume.data(), static_cast<int>(volume.shape(0)), static_cast<int>(volume.shape(1)),
            static_cast<int>(volume.shape(2)), static_cast<int>(volume.shape(3))};
}

// Steps (dz, dy, dx), each to a pixel that comes later.
size_t unpack_steps(nb::list steps, ContrastNeighbour (&neighbours)[13]) {
    const size_t n = nb::len(steps);
    if (n > 13) throw std::invalid_argument("too many neighbours");
    for (size_t k = 0; k < n; k++) {
        const auto [dz, dy, dx] = nb::cast<std::tuple<int, int, int>>(steps[k]);
        const auto unit = [](int step) { return step >= -1 && step <= 1; };
        if (!unit(dz) || !unit(dy) || !unit(dx) || 9 * dz + 3 * dy + dx <= 0)
            throw std::invalid_argument("a step that does not lead to a later neighbour");
        neighbours[k] = {dz, dy, dx, 0, nullptr};
    }
    return n;
}

double sum_squared_differences(Volume volume, nb::list steps, int n_threads) {
    const VolumeView v = view(volume);
    ContrastNeighbour neighbours[13];
    const size_t n = unpack_steps(steps, neighbours);
    Call call;
    Pool pool(useful_threads(n_threads, volume.size()));
    return kernels().graphcut.sum_squared_differences(v, neighbours, n, pool);
}

void contrast_weights(Volume volume, nb::list steps, nb::list strengths, float beta, nb::list weights,
                      int n_threads) {
    const VolumeView v = view(volume);
    ContrastNeighbour neighbours[13];
    const size_t n = unpack_steps(steps, neighbours);
    if (nb::len(strengths) != n || nb::len(weights) != n) throw std::invalid_argument("lists of different lengths");
    for (size_t k = 0; k < n; k++) {
        const auto out = nb::cast<VolumeWeights>(weights[k]);
        for (size_t axis = 0; axis < 3; axis++)
            if (out.shape(axis) != volume.shape(axis)) throw std::invalid_argument("weights of another shape");
        neighbours[k].strength = nb::cast<float>(strengths[k]);
        neighbours[k].weights = out.data();  // the list keeps the array alive
    }
    Call call;
    Pool pool(useful_threads(n_threads, volume.size()));
    kernels().graphcut.contrast_weights(v, beta, neighbours, n, pool);
}

double cut_cost(nb::list weights, Input2D<uint8_t> mask, int n_threads) {
    const float* in[4];
    const int height = static_cast<int>(mask.shape(0)), width = static_cast<int>(mask.shape(1));
    unpack<Input2D<float>>(weights, in, height, width);
    Call call;
    Pool pool(useful_threads(n_threads, mask.size()));
    return kernels().graphcut.cut_cost(in, mask.data(), height, width, pool);
}

}  // namespace

void bind_graphcut(nb::module_& m) {
    nb::class_<PyGridMaxflow>(m, "GridMaxflow")
        .def(nb::init<int, int, bool, int64_t>(), nb::arg("height"), nb::arg("width"), nb::arg("wide"),
             nb::arg("limit"))
        .def(nb::init<int, int, int, int, bool, int64_t>(), nb::arg("depth"), nb::arg("height"), nb::arg("width"),
             nb::arg("connectivity"), nb::arg("wide"), nb::arg("limit"))
        .def("set_arcs_int32", &PyGridMaxflow::set_arcs<int32_t>)
        .def("set_arcs_int64", &PyGridMaxflow::set_arcs<int64_t>)
        .def("set_arcs_float32", &PyGridMaxflow::set_arcs<float>)
        .def("set_arcs_float64", &PyGridMaxflow::set_arcs<double>)
        .def("set_terminals_int32", &PyGridMaxflow::set_terminals<int32_t>)
        .def("set_terminals_int64", &PyGridMaxflow::set_terminals<int64_t>)
        .def("set_terminals_float32", &PyGridMaxflow::set_terminals<float>)
        .def("set_terminals_float64", &PyGridMaxflow::set_terminals<double>)
        .def("solve", &PyGridMaxflow::solve)
        .def("solve_again_int32", &PyGridMaxflow::solve_again<int32_t>)
        .def("solve_again_int64", &PyGridMaxflow::solve_again<int64_t>)
        .def("solve_again_float32", &PyGridMaxflow::solve_again<float>)
        .def("solve_again_float64", &PyGridMaxflow::solve_again<double>);
    m.def("sum_squared_differences", &sum_squared_differences);
    m.def("contrast_weights", &contrast_weights);
    m.def("cut_cost", &cut_cost);
}

}  // namespace classicseg
