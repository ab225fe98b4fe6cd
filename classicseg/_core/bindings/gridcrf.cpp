#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>
#include <vector>

#include "arrays.hpp"

namespace classicseg {
namespace {

template <class T>
using Input = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
template <class T>
using Output = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

template <class Array>
void expect_size(const Array& array, size_t size) {
    if (array.size() != size) throw std::invalid_argument("an array of the wrong size");
}

// The cost of labels, with the arrays that it points into.
struct Costs {
    Input<float> rows, transposed;
    LabelCost cost;

    Costs(int kind, int n_labels, float scale, float limit, float lowest, Input<float> rows_, Input<float> transposed_)
        : rows(rows_), transposed(transposed_) {
        if (rows.ndim() != 2 || kind < 0 || kind > 3 || n_labels < 1) throw std::invalid_argument("label cost");
        const auto padded = static_cast<int>(rows.shape(1));
        if (n_labels > max_labels || padded < n_labels || padded > max_labels || (padded != 4 && padded % 8))
            throw std::invalid_argument("rows of the wrong length");
        expect_size(rows, static_cast<size_t>(n_labels) * static_cast<size_t>(padded));
        expect_size(transposed, rows.size());
        cost = {static_cast<LabelCost::Kind>(kind), n_labels, padded, scale, limit, lowest, rows.data(),
                transposed.data()};
    }
};

struct Grid {
    std::vector<Input2D<float>> weights;
    LocalGrid view{};

    Grid(int height, int width, std::vector<std::tuple<int, int, Input2D<float>>> offsets) {
        if (height < 1 || width < 1 || offsets.size() > 4) throw std::invalid_argument("a grid");
        view.height = height;
        view.width = width;
        bool diagonals = false;
        for (const auto& [dy, dx, weight] : offsets) {
            const bool later = (dy == 0 && dx == 1) || (dy == 1 && dx >= -1 && dx <= 1);
            if (!later) throw std::invalid_argument("an offset");
            expect_shape(weight, height, width);
            weights.push_back(weight);
            view.offsets[view.n_offsets++] = {dy, dx, weight.data()};
            diagonals |= dy * dx != 0;
        }
        if (diagonals && view.n_offsets < 4) throw std::invalid_argument("all four offsets or two");
    }
    size_t n_nodes() const { return static_cast<size_t>(view.height) * static_cast<size_t>(view.width); }
    size_t n_slots() const { return n_nodes() * static_cast<size_t>(view.n_offsets); }
};

struct Graph {
    Input2D<int32_t> pairs;
    Input<float> weight;
    Input<uint8_t> flipped;
    Input<int64_t> later_start, earlier_start, earlier_edges;
    LocalGraph view{};

    Graph(int64_t n_nodes, Input2D<int32_t> pairs_, Input<float> weight_, Input<uint8_t> flipped_,
          Input<int64_t> later_start_, Input<int64_t> earlier_start_, Input<int64_t> earlier_edges_)
        : pairs(pairs_), weight(weight_), flipped(flipped_), later_start(later_start_),
          earlier_start(earlier_start_), earlier_edges(earlier_edges_) {
        const size_t n_edges = pairs.shape(0);
        if (n_nodes < 1 || pairs.shape(1) != 2) throw std::invalid_argument("a graph");
        expect_size(weight, n_edges);
        expect_size(flipped, n_edges);
        expect_size(earlier_edges, n_edges);
        expect_size(later_start, static_cast<size_t>(n_nodes) + 1);
        expect_size(earlier_start, static_cast<size_t>(n_nodes) + 1);
        view = {n_nodes, pairs.data(), weight.data(), flipped.data(), later_start.data(), earlier_start.data(),
                earlier_edges.data()};
    }
    size_t n_nodes() const { return static_cast<size_t>(view.n_nodes); }
    size_t n_slots() const { return pairs.shape(0); }
};

double run_sweep(const LocalGrid& g, const LabelCost& c, const Sweep& s, Pool& pool) {
    return kernels().gridcrf.grid_sweep(g, c, s, pool);
}
double run_sweep(const LocalGraph& g, const LabelCost& c, const Sweep& s, Pool& pool) {
    if (c.padded % 8) throw std::invalid_argument("rows of the wrong length");
    return kernels().gridcrf.graph_sweep(g, c, s, pool);
}
int64_t run_icm(const LocalGrid& g, const LabelCost& c, const float* unary, int32_t* labels, Pool& pool) {
    return kernels().gridcrf.grid_icm(g, c, unary, labels, pool);
}
int64_t run_icm(const LocalGraph& g, const LabelCost& c, const float* unary, int32_t* labels, Pool& pool) {
    return kernels().gridcrf.graph_icm(g, c, unary, labels, pool);
}
double run_energy(const LocalGrid& g, const LabelCost& c, const float* unary, const int32_t* labels, Pool& pool) {
    return kernels().gridcrf.grid_energy(g, c, unary, labels, pool);
}
double run_energy(const LocalGraph& g, const LabelCost& c, const float* unary, const int32_t* labels, Pool& pool) {
    return kernels().gridcrf.graph_energy(g, c, unary, labels, pool);
}

template <class Nodes>
double sweep(const Nodes& nodes, const Costs& costs, Input<float> unary, Output<float> messages, bool forward,
             bool tree_reweighted, bool sum_product, std::optional<Output<int32_t>> labels,
             std::optional<Output<float>> beliefs, int n_threads) {
    const auto padded = static_cast<size_t>(costs.cost.padded);
    expect_size(unary, nodes.n_nodes() * padded);
    expect_size(messages, nodes.n_slots() * padded);
    if (labels) expect_size(*labels, nodes.n_nodes());
    if (beliefs) expect_size(*beliefs, nodes.n_nodes() * static_cast<size_t>(costs.cost.n_labels));
    const Sweep s = {forward, tree_reweighted, sum_product, unary.data(), messages.data(),
                     labels ? labels->data() : nullptr, beliefs ? beliefs->data() : nullptr};
    Call call;
    Pool pool(useful_threads(n_threads, unary.size()));
    return run_sweep(nodes.view, costs.cost, s, pool);
}

template <class Labels, class Nodes>
void expect_labels(const Labels& labels, const Input<float>& unary, const Nodes& nodes, const Costs& costs) {
    expect_size(unary, nodes.n_nodes() * static_cast<size_t>(costs.cost.n_labels));
    expect_size(labels, nodes.n_nodes());
    const int32_t* values = labels.data();
    for (size_t p = 0; p < labels.size(); p++)
        if (values[p] < 0 || values[p] >= costs.cost.n_labels) throw std::invalid_argument("a label out of range");
}

template <class Nodes>
int64_t icm(const Nodes& nodes, const Costs& costs, Input<float> unary, Output<int32_t> labels, int n_threads) {
    Call call;
    expect_labels(labels, unary, nodes, costs);
    Pool pool(useful_threads(n_threads, unary.size()));
    return run_icm(nodes.view, costs.cost, unary.data(), labels.data(), pool);
}

template <class Nodes>
double energy(const Nodes& nodes, const Costs& costs, Input<float> unary, Input<int32_t> labels, int n_threads) {
    Call call;
    expect_labels(labels, unary, nodes, costs);
    Pool pool(useful_threads(n_threads, labels.size()));
    return run_energy(nodes.view, costs.cost, unary.data(), labels.data(), pool);
}

template <class Nodes>
nb::class_<Nodes> bind_nodes(nb::module_& m, const char* name) {
    return nb::class_<Nodes>(m, name)
        .def("sweep", &sweep<Nodes>, nb::arg("costs"), nb::arg("unary"), nb::arg("messages"), nb::arg("forward"),
             nb::arg("tree_reweighted"), nb::arg("sum_product"), nb::arg("labels").none(),
             nb::arg("beliefs").none(), nb::arg("n_threads"))
        .def("icm", &icm<Nodes>)
        .def("energy", &energy<Nodes>);
}

}  // namespace

void bind_gridcrf(nb::module_& m) {
    nb::class_<Costs>(m, "LabelCosts")
        .def(nb::init<int, int, float, float, float, Input<float>, Input<float>>());
    bind_nodes<Grid>(m, "LocalGrid")
        .def(nb::init<int, int, std::vector<std::tuple<int, int, Input2D<float>>>>());
    bind_nodes<Graph>(m, "LocalGraph")
        .def(nb::init<int64_t, Input2D<int32_t>, Input<float>, Input<uint8_t>, Input<int64_t>, Input<int64_t>,
                      Input<int64_t>>());
}

}  // namespace classicseg
