// Mean field in the fully connected CRF with Gaussian kernels (Krähenbühl & Koltun 2011). Each
// iteration is one pass over the points, tile by tile, which slices the filtered marginals out of the
// lattices, adds the unaries, takes the softmax and splats the new marginals, and a blur of the lattices.
#pragma once

#include "difference_update.hpp"
#include "label_update.hpp"

namespace classicseg::CLASSICSEG_ISA {

class MeanField : public DenseCrf {
public:
    MeanField(CrfGrid grid, const CrfKernel* kernels, int n_kernels, Normalization normalization, Pool& pool)
        : model_(grid, kernels, n_kernels, normalization, pool) {}

    int64_t n_vertices() const override { return model_.lattices.n_vertices(); }

    int infer(const MeanFieldTask& task, Pool& pool) override {
        const Permutohedral& lattices = model_.lattices;
        // The usual kernels on a colour image: triangles and simplices in five dimensions.
        const bool usual = lattices.n_kernels() == 2 && lattices.n_corners(0) == 3 && lattices.n_corners(1) == 6;
        const bool potts = !task.label_weight && !task.penalty;
        if (task.n_labels == 2 && potts && !task.free_energy && task.tolerance <= 0)
            return usual ? iterate(DifferenceUpdate<3, 6>(model_, task), task, pool)
                         : iterate(DifferenceUpdate<>(model_, task), task, pool);
        return usual ? infer_labels<3, 6>(task, pool) : infer_labels<>(task, pool);
    }

private:
    template <int... C>
    int infer_labels(const MeanFieldTask& task, Pool& pool) const {
        const int n = (task.n_labels + n_lanes - 1) / n_lanes;
        switch (n) {
            case 1: return iterate(LabelUpdate<1, C...>(model_, task, {}), task, pool);
            case 2: return iterate(LabelUpdate<2, C...>(model_, task, {}), task, pool);
            case 3: return iterate(LabelUpdate<3, C...>(model_, task, {}), task, pool);
            case 4: return iterate(LabelUpdate<4, C...>(model_, task, {}), task, pool);
            default: return iterate(LabelUpdate<0, C...>(model_, task, {n}), task, pool);
        }
    }

    template <class Update>
    int iterate(const Update& update, const MeanFieldTask& task, Pool& pool) const {
        const Permutohedral& lattices = model_.lattices;
        const size_t width = update.row().width(), n_tiles = lattices.tiles().count();
        Buffer<float> values(lattices.n_rows() * width);
        Buffer<TileSums> sums(n_tiles);
        const bool keep = keeps_marginals(task);
        const auto pass_over_points = [&](const Pass& pass) {
            if (!pass.first) renew_copies(lattices, update.row(), values.data(), pool);
            pool.run(n_tiles, [&](size_t t) {
                const size_t begin = lattices.tile_begin(t) * width, size = lattices.tile_begin(t + 1) * width - begin;
                float* own = values.data() + begin;
                Scratch<float> blurred(pass.first ? 0 : size);
                if (!pass.first) {
                    copy_weighted(lattices, task.weights, t, width, own, blurred.data());
                    std::memset(own, 0, size * sizeof(float));
                }
                sums[t] = update.run(t, pass, blurred.data(), own);
            });
        };
        double own_energy = 0;
        for (int i = 0;; i++) {
            const bool last = i == task.n_iterations;
            pass_over_points({i == 0, !last || task.free_energy, keep || last, keep && i > 0, true});
            TileSums total;
            for (size_t t = 0; t < n_tiles; t++) {
                total.own += sums[t].own;
                total.pairs += sums[t].pairs;
                total.change = std::max(total.change, sums[t].change);
            }
            if (task.free_energy && i > 0) task.free_energy[i - 1] = own_energy + total.pairs;
            own_energy = total.own;
            const bool done = last || (i > 0 && total.change <= task.tolerance && task.tolerance > 0);
            if (done && !task.free_energy) return i;
            add_copies(lattices, update.row(), values.data(), pool);
            if (task.label_weight || task.penalty) apply_compatibility(task, width, values.data(), pool);
            blur(lattices, update.row(), values.data(), pool);
            if (!done) continue;
            pass_over_points({false, false, false, true, false});
            double pairs = 0;
            for (size_t t = 0; t < n_tiles; t++) pairs += sums[t].pairs;
            task.free_energy[i] = own_energy + pairs;
            return i;
        }
    }

    // What a lattice point's marginals are worth to each label, where it is not one for its own.
    void apply_compatibility(const MeanFieldTask& task, size_t width, float* values, Pool& pool) const {
        const Permutohedral& lattices = model_.lattices;
        const auto n_labels = static_cast<size_t>(task.n_labels);
        // Penalties by the neighbour's label, negated: they are taken from the exponent.
        Buffer<float> label_weight(width), penalty(task.penalty ? n_labels * width : 0);
        for (size_t l = 0; l < n_labels; l++) {
            label_weight[l] = task.label_weight ? task.label_weight[l] : 1;
            for (size_t m = 0; task.penalty && m < n_labels; m++) penalty[m * width + l] = -task.penalty[l * n_labels + m];
        }
        pool.run(lattices.tiles().count(), [&](size_t t) {
            Buffer<float> sum(width);
            for (uint32_t row = lattices.tile_begin(t); row < lattices.tile_begin(t + 1); row++) {
                if (lattices.home_of_row()[row] != row) continue;
                float* x = values + row * width;
                if (!task.penalty) {
                    for (size_t v = 0; v < width; v += n_lanes) store(x + v, load(x + v) * load(label_weight.data() + v));
                    continue;
                }
                std::memset(sum.data(), 0, width * sizeof(float));
                for (size_t m = 0; m < n_labels; m++)
                    for (size_t v = 0; v < width; v += n_lanes)
                        store(sum.data() + v, load(sum.data() + v) + lanes(x[m]) * load(penalty.data() + m * width + v));
                std::memcpy(x, sum.data(), width * sizeof(float));
            }
        });
    }

    NormalizedLattices model_;
};

// Whether no number is negative or NaN and their sum is 1.
CLASSICSEG_INLINE bool sums_to_one(const float* p, int n, float tolerance) {
    Lanes sums = lanes(0), lows = lanes(0);
    int i = 0;
    for (; i + n_lanes <= n; i += n_lanes) {
        sums = sums + load(p + i);
        lows = lanes_min(load(p + i), lows);
    }
    float sum = 0, low = 0;
    for (; i < n; i++) {
        sum += p[i];
        low = p[i] < low ? p[i] : low;
    }
    if (n >= n_lanes)
        CLASSICSEG_UNROLL for (int k = 0; k < n_lanes; k++) {
            sum += sums[k];
            low = lows[k] < low ? lows[k] : low;
        }
    return std::abs(sum - 1) <= tolerance && low >= 0;  // NaN, in the sum, does not
}

// -log of probabilities, and whether those of each point are ones that sum to 1.
inline bool energies_of(const float* probabilities, int64_t n_points, int n_labels, float least, float tolerance,
                        float* energies, Pool& pool) {
    constexpr int64_t block = 128;  // points, whose numbers are still in the cache when they are summed
    const auto n_blocks = static_cast<size_t>((n_points + block - 1) / block);
    Buffer<uint8_t> wrong(n_blocks);
    pool.run(n_blocks, [&](size_t b) {
        const int64_t begin = static_cast<int64_t>(b) * block * n_labels;
        const int64_t end = std::min(n_points, (static_cast<int64_t>(b) + 1) * block) * n_labels;
        bool right = true;
        for (int64_t i = begin; i < end; i += n_labels) right &= sums_to_one(probabilities + i, n_labels, tolerance);
        wrong[b] = !right;
        constexpr int K = 4;  // vectors at a time
        const auto take = [&](const float* p, float* energy) CLASSICSEG_LAMBDA {
            Lanes x[K];
            CLASSICSEG_UNROLL for (int k = 0; k < K; k++)
                x[k] = lanes_min(lanes_max(load(p + k * n_lanes), lanes(least)), lanes(1));
            log_lanes(x);
            CLASSICSEG_UNROLL for (int k = 0; k < K; k++) store(energy + k * n_lanes, lanes(0) - x[k]);
        };
        int64_t i = begin;
        for (; i + K * n_lanes <= end; i += K * n_lanes) take(probabilities + i, energies + i);
        if (i == end) return;
        float p[K * n_lanes] = {};
        std::memcpy(p, probabilities + i, static_cast<size_t>(end - i) * sizeof(float));
        take(p, p);
        std::memcpy(energies + i, p, static_cast<size_t>(end - i) * sizeof(float));
    });
    for (size_t b = 0; b < n_blocks; b++)
        if (wrong[b]) return false;
    return true;
}

}  // namespace classicseg::CLASSICSEG_ISA
