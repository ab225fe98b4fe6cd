#include <vector>

#include "arrays.hpp"

namespace classicseg {
namespace {

// A thread that starts for less than some thousand points costs more than it brings.
int useful_crf_threads(int n_threads, int64_t n_points) {
    return static_cast<int>(std::min<int64_t>(n_threads, 1 + n_points / 4096));
}

class PyDenseCrf {
public:
    PyDenseCrf(std::unique_ptr<DenseCrf> crf, int64_t n_points, int n_kernels)
        : crf_(std::move(crf)), n_points_(n_points), n_kernels_(n_kernels) {}

    int64_t n_vertices() const { return crf_->n_vertices(); }

    int infer(Input2D<float> unary, nb::object start, Input1D<float> weights, nb::object label_weight,
              nb::object penalty, int n_iterations, float tolerance, Output2D<float> probabilities, Output1D<int32_t> labels,
              nb::object free_energy, int n_threads) const {
        const auto n_labels = static_cast<int>(unary.shape(1));
        const auto n = static_cast<int>(n_points_);
        if (unary.shape(0) != static_cast<size_t>(n_points_) || labels.size() != static_cast<size_t>(n_points_) ||
            weights.size() != static_cast<size_t>(n_kernels_) || n_labels < 1 || n_iterations < 0)
            throw std::invalid_argument("arrays of the wrong shape");
        expect_shape(probabilities, n, n_labels);
        MeanFieldTask task{n_labels,     unary.data(), nullptr, weights.data(),       nullptr,       nullptr,
                           n_iterations, tolerance,    probabilities.data(), labels.data(), nullptr};
        Input2D<float> start_array, penalty_array;
        Input1D<float> label_array;
        Output1D<double> energy_array;
        if (!start.is_none()) {
            start_array = nb::cast<Input2D<float>>(start);
            expect_shape(start_array, n, n_labels);
            task.start = start_array.data();
        }
        if (!label_weight.is_none()) {
            label_array = nb::cast<Input1D<float>>(label_weight);
            if (label_array.size() != unary.shape(1)) throw std::invalid_argument("label weights of the wrong shape");
            task.label_weight = label_array.data();
        }
        if (!penalty.is_none()) {
            penalty_array = nb::cast<Input2D<float>>(penalty);
            expect_shape(penalty_array, n_labels, n_labels);
            task.penalty = penalty_array.data();
        }
        if (!free_energy.is_none()) {
            energy_array = nb::cast<Output1D<double>>(free_energy);
            if (energy_array.size() != static_cast<size_t>(n_iterations) + 1)
                throw std::invalid_argument("free energies of the wrong shape");
            task.free_energy = energy_array.data();
        }
        if (task.probabilities == task.unary && keeps_marginals(task))
            throw std::invalid_argument("the unaries are needed until the end");
        Call call;
        Pool pool(useful_crf_threads(n_threads, n_points_));
        return crf_->infer(task, pool);
    }

private:
    std::unique_ptr<DenseCrf> crf_;
    int64_t n_points_;
    int n_kernels_;
};

// Kernels as Python gives them, each (divisors of x, y, z; channels or None; their divisors).
struct GivenKernels {
    std::vector<CrfKernel> kernels;
    std::vector<std::vector<float>> divisors;
    std::vector<Input2D<float>> channels;

    GivenKernels(const CrfGrid& grid, nb::list list) {
        const size_t n_kernels = nb::len(list);
        if (grid.depth < 1 || grid.height < 1 || grid.width < 1 || n_kernels < 1 || n_kernels > 8)
            throw std::invalid_argument("an empty grid, or not 1 to 8 kernels");
        kernels.resize(n_kernels);
        divisors.resize(n_kernels);
        channels.resize(n_kernels);
        for (size_t k = 0; k < n_kernels; k++) {
            const auto parts = nb::cast<nb::tuple>(list[k]);
            CrfKernel& kernel = kernels[k];
            kernel = {};
            for (nb::handle divisor : nb::cast<nb::tuple>(parts[0])) {
                if (kernel.n_positions == 3) throw std::invalid_argument("more than 3 positions");
                kernel.position_divisor[kernel.n_positions++] = nb::cast<float>(divisor);
            }
            if (!parts[1].is_none()) {
                channels[k] = nb::cast<Input2D<float>>(parts[1]);
                for (nb::handle divisor : nb::cast<nb::tuple>(parts[2])) divisors[k].push_back(nb::cast<float>(divisor));
                if (channels[k].shape(0) != static_cast<size_t>(grid.size()) || channels[k].shape(1) != divisors[k].size())
                    throw std::invalid_argument("channels of the wrong shape");
                kernel.channels = channels[k].data();
                kernel.n_channels = static_cast<int>(divisors[k].size());
                kernel.channel_divisor = divisors[k].data();
            }
            if (kernel.n_features() < 1 || kernel.n_features() > max_crf_features)
                throw std::invalid_argument("not 1 to 15 features");
        }
    }
};

// Returns the lattices, or (kernel, feature, cells) where features are too far apart.
nb::object prepare_densecrf(int64_t depth, int64_t height, int64_t width, nb::list kernels, int normalization,
                            int n_threads) {
    const CrfGrid grid{depth, height, width};
    const GivenKernels given(grid, kernels);
    const int n_kernels = static_cast<int>(given.kernels.size());
    try {
        std::unique_ptr<DenseCrf> crf;
        {
            Call call;
            Pool pool(useful_crf_threads(n_threads, grid.size()));
            crf = classicseg::kernels().densecrf.prepare(grid, given.kernels.data(), n_kernels,
                                                         static_cast<Normalization>(normalization), pool);
        }
        return nb::cast(new PyDenseCrf(std::move(crf), grid.size(), n_kernels), nb::rv_policy::take_ownership);
    } catch (const FeaturesTooLarge& problem) {
        return nb::make_tuple(problem.kernel, problem.feature, problem.cells);
    }
}

class PyKernelFilter {
public:
    PyKernelFilter(std::unique_ptr<KernelFilter> filter, int64_t n_points)
        : filter_(std::move(filter)), n_points_(n_points) {}

    int64_t n_vertices() const { return filter_->n_vertices(); }
    int n_corners() const { return filter_->n_corners(); }

    template <class T>
    void apply(Input2D<T> values, bool transposed, Output2D<T> result, int n_threads) const {
        const auto n_channels = static_cast<int>(values.shape(1));
        if (values.shape(0) != static_cast<size_t>(n_points_) || n_channels < 1)
            throw std::invalid_argument("values of the wrong shape");
        expect_shape(result, static_cast<int>(n_points_), n_channels);
        Call call;
        Pool pool(useful_crf_threads(n_threads, n_points_));
        filter_->apply(values.data(), n_channels, transposed, result.data(), pool);
    }

    float describe(Output2D<int32_t> vertices, Output2D<float> weights, Output2D<int32_t> neighbours,
                   int n_threads) const {
        expect_shape(vertices, static_cast<int>(n_points_), n_corners());
        expect_shape(weights, static_cast<int>(n_points_), n_corners());
        expect_shape(neighbours, 2 * n_corners(), static_cast<int>(n_vertices()));
        Call call;
        Pool pool(useful_crf_threads(n_threads, n_points_));
        return filter_->describe(vertices.data(), weights.data(), neighbours.data(), pool);
    }

private:
    std::unique_ptr<KernelFilter> filter_;
    int64_t n_points_;
};

// Returns the filter of one kernel, or what `prepare_densecrf` returns where features are too far apart.
nb::object make_kernel_filter(int64_t depth, int64_t height, int64_t width, nb::tuple kernel, int n_threads) {
    const CrfGrid grid{depth, height, width};
    nb::list kernels;
    kernels.append(kernel);
    const GivenKernels given(grid, kernels);
    try {
        std::unique_ptr<KernelFilter> filter;
        {
            Call call;
            Pool pool(useful_crf_threads(n_threads, grid.size()));
            filter = classicseg::kernels().densecrf.make_filter(grid, given.kernels[0], pool);
        }
        return nb::cast(new PyKernelFilter(std::move(filter), grid.size()), nb::rv_policy::take_ownership);
    } catch (const FeaturesTooLarge& problem) {
        return nb::make_tuple(problem.kernel, problem.feature, problem.cells);
    }
}

bool energies_of_probabilities(Input2D<float> probabilities, float least, float tolerance, Output2D<float> energies,
                               int n_threads) {
    const auto n_points = static_cast<int64_t>(probabilities.shape(0));
    const auto n_labels = static_cast<int>(probabilities.shape(1));
    expect_shape(energies, static_cast<int>(n_points), n_labels);
    Call call;
    Pool pool(useful_threads(n_threads, probabilities.size()));
    return kernels().densecrf.energies(probabilities.data(), n_points, n_labels, least, tolerance, energies.data(), pool);
}

}  // namespace

void bind_densecrf(nb::module_& m) {
    nb::class_<PyDenseCrf>(m, "DenseCrf")
        .def("n_vertices", &PyDenseCrf::n_vertices)
        .def("infer", &PyDenseCrf::infer, nb::arg("unary"), nb::arg("start").none(), nb::arg("weights"),
             nb::arg("label_weight").none(), nb::arg("penalty").none(), nb::arg("n_iterations"), nb::arg("tolerance"),
             nb::arg("probabilities"), nb::arg("labels"), nb::arg("free_energy").none(), nb::arg("n_threads"));
    nb::class_<PyKernelFilter>(m, "KernelFilter")
        .def("n_vertices", &PyKernelFilter::n_vertices)
        .def("n_corners", &PyKernelFilter::n_corners)
        .def("apply", &PyKernelFilter::apply<float>)
        .def("apply", &PyKernelFilter::apply<double>)
        .def("describe", &PyKernelFilter::describe);
    m.def("prepare_densecrf", &prepare_densecrf);
    m.def("make_kernel_filter", &make_kernel_filter);
    m.def("energies_of_probabilities", &energies_of_probabilities);
}

}  // namespace classicseg
