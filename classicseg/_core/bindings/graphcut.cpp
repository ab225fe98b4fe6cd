#include <mutex>

#include "arrays.hpp"

namespace classicseg {
namespace {

// A volume's arrays come as (depth * height, width).
class PyGridMaxflow {
public:
    PyGridMaxflow(int height, int width, bool wide, int64_t limit) : height_(height), width_(width), n_directions_(8) {
        if (height < 1 || width < 1) throw std::invalid_argument("an empty grid");
        nb::gil_scoped_release release;
        solver_ = kernels().graphcut.grid_maxflow(height, width, wide, limit);
    }
    PyGridMaxflow(int depth, int height, int width, int connectivity, bool wide, int64_t limit)
        : height_(depth * height), width_(width), n_directions_(static_cast<size_t>(connectivity)) {
        if (depth < 1 || height < 1 || width < 1) throw std::invalid_argument("an empty grid");
        if (connectivity != 6 && connectivity != 26) throw std::invalid_argument("6 or 26 neighbours");
        nb::gil_scoped_release release;
        solver_ = kernels().graphcut.volume_maxflow(depth, height, width, connectivity, wide, limit);
    }

    template <class T>
    void set_arcs(nb::list towards, bool symmetric, double scale, int n_threads) {
        GridArcs<T> arcs;
        unpack<Input2D<T>>(towards, arcs.towards, n_directions_, height_, width_);
        arcs.symmetric = symmetric;
        nb::gil_scoped_release release;
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
        nb::gil_scoped_release release;
        std::lock_guard lock(mutex_);
        Pool pool(useful_threads(n_threads, n_pixels()));
        return solver_->set_terminals(source.data(), sink.data(), before[0], before[1], scale, pool);
    }

    int64_t solve(Output2D<uint8_t> minimal, Output2D<uint8_t> maximal, int n_threads) {
        expect_shape(minimal, height_, width_);
        expect_shape(maximal, height_, width_);
        nb::gil_scoped_release release;
        std::lock_guard lock(mutex_);
        // Joining the threads' strips again costs more than it brings on smaller grids.
        constexpr size_t pixels_a_thread = 150000;
        const auto useful = static_cast<int>(std::clamp<size_t>(n_pixels() / pixels_a_thread, 1, 1 << 20));
        Pool pool(std::min(n_threads, useful));
        const int64_t flow = solver_->solve(pool);
        solver_->cut(minimal.data(), maximal.data(), pool);
        return flow;
    }

private:
    size_t n_pixels() const { return static_cast<size_t>(height_) * static_cast<size_t>(width_); }

    int height_, width_;
    size_t n_directions_;
    std::mutex mutex_;  // one Python thread at a time may change a graph
    std::unique_ptr<GridMaxflow> solver_;
};

double sum_squared_differences(Image image, bool diagonals, int n_threads) {
    const ImageView v = view(image);
    nb::gil_scoped_release release;
    Pool pool(useful_threads(n_threads, image.size()));
    return kernels().graphcut.sum_squared_differences(v, diagonals, pool);
}

void contrast_weights(Image image, float gamma, float beta, nb::list weights, int n_threads) {
    const ImageView v = view(image);
    float* out[4];
    unpack<Output2D<float>>(weights, out, v.height, v.width);
    nb::gil_scoped_release release;
    Pool pool(n_threads);
    kernels().graphcut.contrast_weights(v, gamma, beta, out, pool);
}

double cut_cost(nb::list weights, Input2D<uint8_t> mask, int n_threads) {
    const float* in[4];
    const int height = static_cast<int>(mask.shape(0)), width = static_cast<int>(mask.shape(1));
    unpack<Input2D<float>>(weights, in, height, width);
    nb::gil_scoped_release release;
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
        .def("solve", &PyGridMaxflow::solve);
    m.def("sum_squared_differences", &sum_squared_differences);
    m.def("contrast_weights", &contrast_weights);
    m.def("cut_cost", &cut_cost);
}

}  // namespace classicseg
