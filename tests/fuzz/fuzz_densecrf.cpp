// The dense CRF: any finite energies and features give marginals, or are refused as too far apart.
#include <algorithm>
#include <cmath>
#include <memory>

#include "choices.hpp"

using namespace classicseg;

namespace {

struct Problem {
    CrfGrid grid{1, 1, 1};
    int n_labels = 1;
    std::vector<float> unary, channels, divisors, weights, worth, penalty;
    std::vector<CrfKernel> kernels;
    Normalization normalization{};
};

float theta(Choices& choices) {
    const float usual[] = {0.01f, 1, 3, 80, 1e6f};
    const float any = std::abs(choices.finite());
    return choices.coin() && any > 0 ? any : choices.pick(usual);
}

Problem problem_of(Choices& choices) {
    Problem p;
    p.grid = {choices.coin() ? 1 : choices.between(1, 3), choices.between(1, 9), choices.between(1, 14)};
    p.n_labels = choices.size(1, 10);
    const int n_kernels = choices.size(1, 2), n_channels = choices.size(1, 12);
    const auto n = static_cast<size_t>(p.grid.size());
    p.channels.resize(n * static_cast<size_t>(n_channels));
    for (int c = 0; c < n_channels; c++) p.divisors.push_back(theta(choices));
    for (int k = 0; k < n_kernels; k++) {
        CrfKernel kernel{};
        const bool smooth = k == 1;
        kernel.n_positions = choices.size(smooth ? 1 : 0, 3);
        for (float& divisor : kernel.position_divisor) divisor = theta(choices);
        if (!smooth) {
            kernel.channels = p.channels.data();
            kernel.n_channels = n_channels;
            kernel.channel_divisor = p.divisors.data();
        }
        p.kernels.push_back(kernel);
        const float weights[] = {0, 1e-6f, 3, 10, 1e20f};
        p.weights.push_back(choices.pick(weights));
    }
    p.normalization = static_cast<Normalization>(choices.size(0, 3));
    const auto n_labels = static_cast<size_t>(p.n_labels);
    const int kind = choices.size(0, 2);
    if (kind == 1) p.worth.assign(n_labels, choices.pick({0.0f, 1.5f}));
    if (kind == 2)
        for (size_t i = 0; i < n_labels * n_labels; i++) p.penalty.push_back(i % (n_labels + 1) ? 1.0f + static_cast<float>(i % 3) : 0.0f);
    const bool any = choices.coin();
    for (float& c : p.channels) c = any ? choices.finite() : static_cast<float>(choices.byte());
    p.unary.resize(n * n_labels);
    for (float& u : p.unary) u = any ? choices.finite() : static_cast<float>(choices.byte()) / 16 - 8;
    return p;
}

struct Result {
    bool refused = false;
    std::vector<float> q;
    std::vector<int32_t> labels;
    bool operator==(const Result&) const = default;
};

Result infer(const Problem& p, const Kernels& kernels, int n_threads) {
    const auto n = static_cast<size_t>(p.grid.size());
    Result r{false, std::vector<float>(p.unary.size(), -1), std::vector<int32_t>(n, -1)};
    Pool pool(n_threads);
    std::unique_ptr<DenseCrf> crf;
    try {
        crf = kernels.densecrf.prepare(p.grid, p.kernels.data(), static_cast<int>(p.kernels.size()), p.normalization, pool);
    } catch (const FeaturesTooLarge& problem) {
        CHECK(problem.kernel >= 0 && problem.kernel < static_cast<int>(p.kernels.size()));
        CHECK(problem.feature >= 0 && problem.feature < p.kernels[static_cast<size_t>(problem.kernel)].n_features());
        return {true, {}, {}};
    }
    const MeanFieldTask task{p.n_labels, p.unary.data(), nullptr, p.weights.data(), p.worth.empty() ? nullptr : p.worth.data(),
                             p.penalty.empty() ? nullptr : p.penalty.data(), 3, 0, r.q.data(), r.labels.data(), nullptr};
    CHECK(crf->infer(task, pool) == 3);
    return r;
}

void check_marginals(const Problem& p, const Result& r) {
    for (size_t i = 0; i < r.labels.size(); i++) {
        double sum = 0;
        float largest = 0;
        for (size_t l = 0; l < static_cast<size_t>(p.n_labels); l++) {
            const float q = r.q[i * static_cast<size_t>(p.n_labels) + l];
            CHECK(q >= 0 && q <= 1.00001f);
            sum += static_cast<double>(q);
            largest = std::max(largest, q);
        }
        CHECK(std::abs(sum - 1) < 1e-4);
        CHECK(r.labels[i] >= 0 && r.labels[i] < p.n_labels);
        CHECK(r.q[i * static_cast<size_t>(p.n_labels) + static_cast<size_t>(r.labels[i])] == largest);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Choices choices(data, size);
    const Problem p = problem_of(choices);
    // Marginals of two tables differ by roundings, which large weights make large.
    for (const Kernels* kernels : tables()) {
        const Result r = infer(p, *kernels, 1);
        check_marginals(p, r);
        CHECK(r == infer(p, *kernels, 2));
        CHECK(r.refused == infer(p, *tables()[0], 1).refused);
    }
    return 0;
}
