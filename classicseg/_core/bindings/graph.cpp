#include <nanobind/stl/optional.h>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "arrays.hpp"
#include "dimacs.hpp"

namespace classicseg {
namespace {

using Pairs = Input2D<int32_t>;

template <class T>
GraphEdges<T> edges_of(const Pairs& pairs, const Input1D<T>& forward, const Input1D<T>& backward) {
    if (pairs.shape(1) != 2) throw std::invalid_argument("pairs of nodes");
    if (forward.size() != pairs.shape(0) || backward.size() != pairs.shape(0))
        throw std::invalid_argument("as many capacities as pairs");
    return {pairs.data(), forward.data(), backward.data(), pairs.shape(0)};
}

class PyGraphMaxflow {
public:
    PyGraphMaxflow(int32_t n_nodes, bool wide, int64_t limit) : n_nodes_(static_cast<size_t>(n_nodes)) {
        if (n_nodes < 1) throw std::invalid_argument("an empty graph");
        Call call;
        solver_ = kernels().graph.graph_maxflow(n_nodes, wide, limit);
    }

    template <class T>
    void build(Pairs pairs, Input1D<T> forward, Input1D<T> backward, double scale) {
        const auto edges = edges_of(pairs, forward, backward);
        Call call;
        std::lock_guard lock(mutex_);
        if (n_edges_ != unbuilt) throw std::invalid_argument("built already");
        solver_->build(edges, scale);
        n_edges_ = edges.count;
    }

    template <class T>
    void change(Pairs pairs, Input1D<T> forward, Input1D<T> backward, Input1D<T> old_forward,
                Input1D<T> old_backward, double scale) {
        const auto now = edges_of(pairs, forward, backward);
        const auto old = edges_of(pairs, old_forward, old_backward);
        Call call;
        std::lock_guard lock(mutex_);
        if (n_edges_ != now.count) throw std::invalid_argument("other edges than were built");
        solver_->change(now, old, scale);
    }

    template <class T>
    GraphSum<T> set_terminals(Input1D<T> source, Input1D<T> sink, std::optional<Input1D<T>> old_source,
                              std::optional<Input1D<T>> old_sink, double scale) {
        for (const auto* array : {&source, &sink}) expect_size(*array);
        for (const auto* array : {&old_source, &old_sink})
            if (*array) expect_size(**array);
        if (old_source.has_value() != old_sink.has_value()) throw std::invalid_argument("both or none");
        Call call;
        std::lock_guard lock(mutex_);
        return solver_->set_terminals(source.data(), sink.data(), old_source ? old_source->data() : nullptr,
                                      old_sink ? old_sink->data() : nullptr, scale);
    }

    int64_t solve(Output1D<uint8_t> minimal, Output1D<uint8_t> maximal, int n_threads) {
        expect_size(minimal);
        expect_size(maximal);
        Call call;
        std::lock_guard lock(mutex_);
        if (n_edges_ == unbuilt) throw std::invalid_argument("not built");
        // A thread takes 50 microseconds to start, in which another one solves some 1000 nodes.
        Pool pool(static_cast<int>(std::min<size_t>(static_cast<size_t>(n_threads), 1 + n_nodes_ / 8192)));
        const int64_t flow = solver_->solve(pool);
        solver_->cut(minimal.data(), maximal.data());
        return flow;
    }

private:
    static constexpr size_t unbuilt = SIZE_MAX;

    template <class Array>
    void expect_size(const Array& array) const {
        if (array.size() != n_nodes_) throw std::invalid_argument("an array's length differs from the graph's");
    }

    size_t n_nodes_, n_edges_ = unbuilt;
    std::mutex mutex_;  // one Python thread at a time may change a graph
    std::unique_ptr<GraphMaxflow> solver_;
};

template <class T>
GraphSum<T> largest_load(GraphSum<T> (*run)(const GraphEdges<T>&, int32_t), const Pairs& pairs,
                         const Input1D<T>& forward, const Input1D<T>& backward, int32_t n_nodes) {
    const auto edges = edges_of(pairs, forward, backward);
    Call call;
    return run(edges, n_nodes);
}

// Number of nodes, source, sink, and the arcs as an (n, 3) array.
nb::tuple parse_dimacs(nb::bytes text) {
    auto* problem = new DimacsProblem;
    const nb::capsule owner(problem, [](void* p) noexcept { delete static_cast<DimacsProblem*>(p); });
    {
        const std::string_view view(text.c_str(), text.size());
        Call call;
        *problem = DimacsReader(view).read();
    }
    const size_t shape[] = {problem->arcs.size() / 3, 3};
    const nb::ndarray<nb::numpy, int64_t, nb::ndim<2>> arcs(problem->arcs.data(), 2, shape, owner);
    return nb::make_tuple(problem->n_nodes, problem->source, problem->sink, arcs);
}

template <class T>
void bind_capacity(nb::module_& m, nb::class_<PyGraphMaxflow>& c, const char* type,
                   GraphSum<T> (*GraphKernels::*load)(const GraphEdges<T>&, int32_t)) {
    const auto named = [type](const char* name) { return std::string(name) + "_" + type; };
    c.def(named("build").c_str(), &PyGraphMaxflow::build<T>);
    c.def(named("change").c_str(), &PyGraphMaxflow::change<T>);
    c.def(named("set_terminals").c_str(), &PyGraphMaxflow::set_terminals<T>, nb::arg("source"), nb::arg("sink"),
          nb::arg("old_source").none(), nb::arg("old_sink").none(), nb::arg("scale"));
    m.def(named("largest_load").c_str(),
          [load](Pairs pairs, Input1D<T> forward, Input1D<T> backward, int32_t n_nodes) {
              return largest_load<T>(kernels().graph.*load, pairs, forward, backward, n_nodes);
          });
}

}  // namespace

void bind_graph(nb::module_& m) {
    nb::class_<PyGraphMaxflow> c(m, "GraphMaxflow");
    c.def(nb::init<int32_t, bool, int64_t>(), nb::arg("n_nodes"), nb::arg("wide"), nb::arg("limit"));
    c.def("solve", &PyGraphMaxflow::solve);
    m.def("parse_dimacs", &parse_dimacs);
    bind_capacity<int32_t>(m, c, "int32", &GraphKernels::load_int32);
    bind_capacity<int64_t>(m, c, "int64", &GraphKernels::load_int64);
    bind_capacity<float>(m, c, "float32", &GraphKernels::load_float);
    bind_capacity<double>(m, c, "float64", &GraphKernels::load_double);
}

}  // namespace classicseg
