#include <nanobind/stl/optional.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "arrays.hpp"

namespace classicseg {
namespace {

using Weights = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Costs = std::optional<Input2D<double>>;

// Holds the arrays that the kernel reads as long as it may read them.
class PyLabelMoves {
public:
    PyLabelMoves(Input2D<float> unary, Costs cost, double scale, double cost_scale, bool wide,
                 Input1D<int32_t> steps, Weights weights, int n_threads)
        : unary_(unary), cost_(cost), heads_(steps), weights_(weights) {
        const MoveProblem problem = checked(scale, cost_scale);
        if (weights.shape(0) != steps.size() || weights.shape(1) != unary.shape(0))
            throw std::invalid_argument("weights of the wrong shape");
        std::vector<const double*> rows;
        for (size_t k = 0; k < steps.size(); k++) {
            if (steps.data()[k] < 1 || (k > 0 && steps.data()[k] < steps.data()[k - 1]))
                throw std::invalid_argument("steps that do not ascend");
            rows.push_back(weights.data() + k * weights.shape(1));
            for (size_t p = weights.shape(1) - std::min<size_t>(weights.shape(1), static_cast<size_t>(steps.data()[k]));
                 p < weights.shape(1); p++)
                if (rows[k][p] != 0) throw std::invalid_argument("a weight that leads out of the grid");
        }
        const MoveGrid grid{static_cast<int>(steps.size()), steps.data(), rows.data()};
        Call call;
        Pool pool(useful_threads(n_threads, unary.size()));
        moves_ = kernels().moves.on_grid(problem, grid, wide, pool);
    }

    PyLabelMoves(Input2D<float> unary, Costs cost, double scale, double cost_scale, bool wide,
                 Input1D<int64_t> first, Input1D<int32_t> heads, Input1D<double> weights,
                 int n_threads)
        : unary_(unary), cost_(cost), first_(first), heads_(heads), flat_weights_(weights) {
        const MoveProblem problem = checked(scale, cost_scale);
        const size_t n = unary.shape(0);
        if (first.size() != n + 1 || first.data()[0] != 0 || first.data()[n] != static_cast<int64_t>(heads.size()) ||
            weights.size() != heads.size())
            throw std::invalid_argument("neighbours of the wrong shape");
        for (size_t i = 0; i < n; i++)
            if (first.data()[i + 1] < first.data()[i]) throw std::invalid_argument("neighbours that do not ascend");
        for (size_t a = 0; a < heads.size(); a++)
            if (heads.data()[a] < 0 || static_cast<size_t>(heads.data()[a]) >= n)
                throw std::invalid_argument("a neighbour that is no node");
        const MoveGraph graph{first.data(), heads.data(), weights.data()};
        Call call;
        Pool pool(useful_threads(n_threads, unary.size()));
        moves_ = kernels().moves.on_graph(problem, graph, wide, pool);
    }

    double start(std::optional<Input1D<int32_t>> labels, int n_threads) {
        if (labels) {
            if (labels->size() != unary_.shape(0)) throw std::invalid_argument("labels of the wrong size");
            for (size_t p = 0; p < labels->size(); p++) expect_label(labels->data()[p]);
        }
        Call call;
        std::lock_guard lock(mutex_);
        Pool pool(useful_threads(n_threads, unary_.shape(0)));
        return moves_->start(labels ? labels->data() : nullptr, pool);
    }

    void get_labels(Output1D<int32_t> labels) {
        if (labels.size() != unary_.shape(0)) throw std::invalid_argument("labels of the wrong size");
        std::lock_guard lock(mutex_);
        std::copy_n(moves_->labels(), labels.size(), labels.data());
    }

    double expand(int alpha, int n_threads) {
        expect_label(alpha);
        Call call;
        std::lock_guard lock(mutex_);
        Pool pool(useful_threads(n_threads, unary_.shape(0)));
        return moves_->expand(alpha, -1, pool);
    }

    double swap(int alpha, int beta, int n_threads) {
        expect_label(alpha);
        expect_label(beta);
        if (alpha == beta) throw std::invalid_argument("a label swapped with itself");
        Call call;
        std::lock_guard lock(mutex_);
        Pool pool(useful_threads(n_threads, unary_.shape(0)));
        return moves_->expand(beta, alpha, pool) + moves_->expand(alpha, beta, pool);
    }

private:
    MoveProblem checked(double scale, double cost_scale) const {
        if (unary_.shape(0) < 1 || unary_.shape(1) < 1 || unary_.shape(0) > 0x7fffffff / 2)
            throw std::invalid_argument("unaries of the wrong shape");
        if (cost_ && (cost_->shape(0) != unary_.shape(1) || cost_->shape(1) != unary_.shape(1)))
            throw std::invalid_argument("label costs of the wrong shape");
        MoveProblem problem;
        problem.n_nodes = static_cast<int32_t>(unary_.shape(0));
        problem.n_labels = static_cast<int>(unary_.shape(1));
        problem.unary = unary_.data();
        problem.cost = cost_ ? cost_->data() : nullptr;
        problem.scale = scale;
        problem.cost_scale = cost_scale;
        return problem;
    }
    void expect_label(int label) const {
        if (label < 0 || static_cast<size_t>(label) >= unary_.shape(1)) throw std::invalid_argument("no such label");
    }

    Input2D<float> unary_;
    Costs cost_;
    Input1D<int64_t> first_;
    Input1D<int32_t> heads_;
    Weights weights_;
    Input1D<double> flat_weights_;
    std::mutex mutex_;  // one Python thread at a time may move labels
    std::unique_ptr<LabelMoves> moves_;
};

nb::tuple unary_range(Input2D<float> unary, int n_threads) {
    UnaryRange range;
    {
        Call call;
        Pool pool(useful_threads(n_threads, unary.size()));
        range = kernels().moves.unary_range(unary.data(), static_cast<int64_t>(unary.shape(0)),
                                            static_cast<int>(unary.shape(1)), pool);
    }
    return nb::make_tuple(range.largest_span, range.whole);
}

}  // namespace

void bind_moves(nb::module_& m) {
    nb::class_<PyLabelMoves>(m, "LabelMoves")
        .def(nb::init<Input2D<float>, Costs, double, double, bool, Input1D<int32_t>, Weights, int>(),
             nb::arg("unary"), nb::arg("cost").none(), nb::arg("scale"), nb::arg("cost_scale"), nb::arg("wide"),
             nb::arg("steps"), nb::arg("weights"), nb::arg("n_threads"))
        .def(nb::init<Input2D<float>, Costs, double, double, bool, Input1D<int64_t>, Input1D<int32_t>,
                      Input1D<double>, int>(),
             nb::arg("unary"), nb::arg("cost").none(), nb::arg("scale"), nb::arg("cost_scale"), nb::arg("wide"),
             nb::arg("first"), nb::arg("heads"), nb::arg("weights"), nb::arg("n_threads"))
        .def("start", &PyLabelMoves::start, nb::arg("labels").none(), nb::arg("n_threads"))
        .def("get_labels", &PyLabelMoves::get_labels)
        .def("expand", &PyLabelMoves::expand)
        .def("swap", &PyLabelMoves::swap);
    m.def("unary_range", &unary_range);
}

}  // namespace classicseg
