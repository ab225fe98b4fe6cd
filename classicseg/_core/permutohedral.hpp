// Gaussian filters on permutohedral lattices (Adams, Baek & Davis 2010), one lattice for each kernel:
// points splat onto the corners of their simplices, the lattice is blurred along its d + 1 axes, and
// points are sliced out again.
//
// Each tile of points has rows of its own for the lattice points that it touches, which stay in a
// core's cache while the tile is worked on. A lattice point is at home in the first tile that touches
// it; the rows of other tiles are copies, added to that of the home always in the same order.
#pragma once

#include <memory>
#include <stdexcept>

#include "buffer.hpp"
#include "key_table.hpp"
#include "simplex.hpp"
#include "tiles.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Lattice points that follow each other along one axis, in chains: those of two points first, then
// those of three, and so on. Points without a neighbour are in none.
struct Chains {
    static constexpr size_t look_ahead = 16;  // so many rows beyond the end may be read
    struct Piece {                            // as much as one task does
        size_t begin, n_chains, length;
    };
    Buffer<uint32_t> rows;
    List<Piece> pieces;
};

// The lattice points of one kernel.
struct Lattice {
    int n_axes = 0;  // d + 1
    uint32_t n_vertices = 0;
    std::unique_ptr<Chains[]> chains;  // along each axis
    float blur_scale = 1;              // what to multiply with after the blur
};

// A row for a lattice point that is at home in another tile.
struct Copy {
    uint32_t row, home;
};

class Permutohedral {
public:
    static constexpr int max_kernels = max_crf_features - 1;
    static constexpr size_t look_ahead = 8;  // so many copies beyond the end may be read
    static constexpr uint32_t block_rows = 2048;  // one task adds the copies of so many

    Permutohedral(CrfGrid grid, const CrfKernel* kernels, int n_kernels, Pool& pool)
        : grid_(grid), n_kernels_(n_kernels), lattices_(new Lattice[static_cast<size_t>(n_kernels)]) {
        for (int k = 0; k < n_kernels; k++) n_corners_ += kernels[k].n_features() + 1;
        // A tile's rows have numbers of 16 bits. The larger the tiles, the fewer copies.
        tiles_ = Tiles(grid, std::min<int64_t>(8192, 65534 / n_corners_));
        const auto n = static_cast<size_t>(grid.size()) * static_cast<size_t>(n_corners_);
        if (n / static_cast<size_t>(n_corners_) != static_cast<size_t>(grid.size()) || n > UINT32_MAX / 2)
            throw std::length_error("more than 2^31 corners of simplices");
        rows_of_points_ = Buffer<uint16_t>(n + n_lanes);  // so many beyond the end may be read
        weights_ = Buffer<float>(n);
        find_simplices(kernels, pool);
        find_homes(pool);
        list_copies();
        find_chains(pool);
    }

    const CrfGrid& grid() const { return grid_; }
    const Tiles& tiles() const { return tiles_; }
    int n_kernels() const { return n_kernels_; }
    int n_corners() const { return n_corners_; }  // of a point's simplices, all kernels together
    int n_corners(int kernel) const { return lattices_[static_cast<size_t>(kernel)].n_axes; }
    const Lattice& lattice(int kernel) const { return lattices_[static_cast<size_t>(kernel)]; }
    uint32_t n_rows() const { return tile_begin(tiles_.count()); }
    uint32_t n_vertices() const {
        uint32_t n = 0;
        for (int k = 0; k < n_kernels_; k++) n += lattice(k).n_vertices;
        return n;
    }
    // A tile's rows end where the next one's begin.
    uint32_t tile_begin(size_t tile) const { return rows_begin_[tile * static_cast<size_t>(n_kernels_)]; }

    // Those of one kernel follow those of the one before.
    size_t n_rows(size_t tile, int kernel) const {
        const size_t i = tile * static_cast<size_t>(n_kernels_) + static_cast<size_t>(kernel);
        return rows_begin_[i + 1] - rows_begin_[i];
    }

    // Corners of a point, as rows of its tile, and their weights, by place in the order of the tiles.
    const uint16_t* rows_of_points() const { return rows_of_points_.data(); }
    const float* weights() const { return weights_.data(); }
    float* weights() { return weights_.data(); }
    const uint32_t* home_of_row() const { return home_of_row_.data(); }
    // A tile's copies.
    const Copy* copies_begin(size_t tile) const { return copies_.data() + copies_begin_[tile]; }
    const Copy* copies_end(size_t tile) const { return copies_begin(tile + 1); }
    // Copies of rows block_rows * b and following: those of a row in the order of the tiles.
    size_t n_blocks() const { return (n_rows() + size_t{block_rows} - 1) / block_rows; }
    const Copy* block_begin(size_t b) const { return copies_by_home_.data() + block_begin_[b]; }
    const Copy* block_end(size_t b) const { return block_begin(b + 1); }

private:
    // Simplices of all points, tile by tile, with the rows of the tile.
    void find_simplices(const CrfKernel* kernels, Pool& pool) {
        const size_t n_tiles = tiles_.count(), n_lists = n_tiles * static_cast<size_t>(n_kernels_);
        keys_.reset(new List<uint64_t>[n_lists]);
        LatticeKeys numbering[max_kernels];
        for (int k = 0; k < n_kernels_; k++) {
            Lattice& lattice = lattices_[static_cast<size_t>(k)];
            lattice.n_axes = kernels[k].n_features() + 1;
            lattice.blur_scale = 1 / (1 + std::exp2(static_cast<float>(-kernels[k].n_features())));
            numbering[k] = make_keys(kernels[k], k, pool);
            for (int axis = 0; axis < numbering[k].d + 1; axis++) steps_[k][axis] = numbering[k].step(axis);
        }
        pool.run(n_tiles, [&](size_t tile) {
            uint32_t row = 0;
            int corner = 0;
            for (int k = 0; k < n_kernels_; k++) {
                SmallKeyTable vertices;
                switch (kernels[k].n_features()) {
                    case 2: add_tile<2>(kernels[k], numbering[k], tile, row, corner, vertices); break;
                    case 3: add_tile<3>(kernels[k], numbering[k], tile, row, corner, vertices); break;
                    case 5: add_tile<5>(kernels[k], numbering[k], tile, row, corner, vertices); break;
                    case 6: add_tile<6>(kernels[k], numbering[k], tile, row, corner, vertices); break;
                    default: add_tile<0>(kernels[k], numbering[k], tile, row, corner, vertices);
                }
                row += static_cast<uint32_t>(vertices.size());
                corner += kernels[k].n_features() + 1;
                keys_[tile * static_cast<size_t>(n_kernels_) + static_cast<size_t>(k)] = vertices.take_keys();
            }
        });
        rows_begin_ = Buffer<uint32_t>(n_lists + 1);
        for (size_t i = 0; i < n_lists; i++) rows_begin_[i + 1] = rows_begin_[i] + static_cast<uint32_t>(keys_[i].size());
    }

    LatticeKeys make_keys(const CrfKernel& kernel, int k, Pool& pool) const {
        double low[max_crf_features] = {}, high[max_crf_features] = {};
        const int64_t lengths[3] = {grid_.width, grid_.height, grid_.depth};
        for (int j = 0; j < kernel.n_positions; j++)
            high[j] = static_cast<double>(lengths[j] - 1) / static_cast<double>(kernel.position_divisor[j]);
        const int c = kernel.n_channels;
        if (c) {
            constexpr int64_t block = 1 << 16;
            const auto n_blocks = static_cast<size_t>((grid_.size() + block - 1) / block);
            Buffer<float> bounds(n_blocks * static_cast<size_t>(2 * c));
            pool.run(n_blocks, [&](size_t b) {
                const int64_t begin = static_cast<int64_t>(b) * block, end = std::min(grid_.size(), begin + block);
                bound(kernel.channels + begin * c, (end - begin) * c, c, bounds.data() + b * static_cast<size_t>(2 * c));
            });
            for (size_t b = 0; b < n_blocks; b++)
                for (int i = 0; i < c; i++) {
                    const float* lo = bounds.data() + b * static_cast<size_t>(2 * c);
                    const double sigma = static_cast<double>(kernel.channel_divisor[i]);
                    const int j = kernel.n_positions + i;
                    const double a = static_cast<double>(lo[i]) / sigma, z = static_cast<double>(lo[c + i]) / sigma;
                    low[j] = b == 0 ? a : std::min(low[j], a);
                    high[j] = b == 0 ? z : std::max(high[j], z);
                }
        }
        LatticeKeys numbering;
        FeaturesTooLarge problem{k, 0, 0};
        if (!numbering.make(kernel.n_features(), low, high, problem.feature, problem.cells)) throw problem;
        return numbering;
    }

    // The smallest of each of c channels, then the largest.
    static void bound(const float* values, int64_t n, int c, float* bounds) {
        Lanes low[max_crf_features], high[max_crf_features];  // channels come again after c vectors
        for (int j = 0; j < c; j++)
            for (int i = 0; i < n_lanes; i++) low[j][i] = high[j][i] = values[(j * n_lanes + i) % c];
        int64_t i = 0;
        for (; i + c * n_lanes <= n; i += c * n_lanes)
            for (int j = 0; j < c; j++) {
                low[j] = lanes_min(low[j], load(values + i + j * n_lanes));
                high[j] = lanes_max(high[j], load(values + i + j * n_lanes));
            }
        for (int j = 0; j < c; j++) bounds[j] = bounds[c + j] = values[j];
        const auto include = [&](int64_t channel, float lowest, float highest) {
            bounds[channel] = std::min(bounds[channel], lowest);
            bounds[c + channel] = std::max(bounds[c + channel], highest);
        };
        for (int j = 0; j < c * n_lanes; j++) include(j % c, low[j / n_lanes][j % n_lanes], high[j / n_lanes][j % n_lanes]);
        for (; i < n; i++) include(i % c, values[i], values[i]);
    }

    template <int D>
    void add_tile(const CrfKernel& kernel, const LatticeKeys& numbering, size_t tile, uint32_t first_row,
                  int first_corner, SmallKeyTable& vertices) {
        const int d = D ? D : kernel.n_features();
        const SimplexFinder<D> finder(d);
        constexpr int most = SimplexFinder<D>::capacity + 1;
        Lanes features[most], weight[most];
        IntLanes corner[most], rank[most];
        SmallKeyTable simplices;
        List<uint16_t> corners_of_simplices;
        uint64_t last_key = ~uint64_t{0};
        size_t simplex = 0;
        tiles_.for_rows(tiles_[tile], [&](int64_t z, int64_t y, int64_t x0, int64_t n, int64_t point, int64_t first) {
            for (int64_t i0 = 0; i0 < n; i0 += n_lanes) {
                const int count = static_cast<int>(std::min<int64_t>(n_lanes, n - i0));
                load_features(kernel, z, y, x0 + i0, point + i0, count, features);
                finder.find(features, corner, rank, weight);
                for (int i = 0; i < count; i++) {
                    uint64_t key = 0;
                    for (int j = 0; j < d; j++)
                        key += static_cast<uint64_t>(corner[j][i] - numbering.first_corner[j]) * numbering.corner_stride[j] +
                               static_cast<uint64_t>(rank[j][i]) * numbering.rank_stride[j];
                    if (key != last_key) {
                        last_key = key;
                        bool fresh;
                        simplex = simplices.add(key, fresh);
                        if (fresh) add_simplex(numbering, d, corner, rank, i, first_row, vertices, corners_of_simplices);
                    }
                    const size_t place = static_cast<size_t>(first + i0 + i) * static_cast<size_t>(n_corners_) +
                                         static_cast<size_t>(first_corner);
                    for (int m = 0; m <= d; m++) {
                        rows_of_points_[place + static_cast<size_t>(m)] =
                            corners_of_simplices[simplex * static_cast<size_t>(d + 1) + static_cast<size_t>(m)];
                        weights_[place + static_cast<size_t>(m)] = weight[m][i];
                    }
                }
            }
        });
    }

    // Going from the corner of one remainder to the next, all coordinates rise by one and the one
    // that is next in rank falls by d + 1.
    static void add_simplex(const LatticeKeys& numbering, int d, const IntLanes* corner, const IntLanes* rank,
                            int lane, uint32_t first_row, SmallKeyTable& vertices, List<uint16_t>& corners) {
        uint64_t key = 0, fall[max_crf_features + 1];
        for (int j = 0; j < d; j++) {
            key += static_cast<uint64_t>(corner[j][lane] - numbering.first_corner[j]) * numbering.vertex_stride[j] *
                   static_cast<uint64_t>(d + 1);
            fall[rank[j][lane]] = numbering.vertex_stride[j] * static_cast<uint64_t>(d + 1);
        }
        fall[rank[d][lane]] = 0;
        for (int m = 0; m <= d; m++) {
            bool fresh;
            corners.push(static_cast<uint16_t>(first_row + vertices.add(key, fresh)));
            key += numbering.all_strides - fall[d - m];
        }
    }

    CLASSICSEG_INLINE static void load_features(const CrfKernel& kernel, int64_t z, int64_t y, int64_t x,
                                                int64_t point, int count, Lanes* features) {
        const float position[3] = {0, static_cast<float>(y), static_cast<float>(z)};
        for (int j = 0; j < kernel.n_positions; j++) {
            Lanes f = lanes(position[j]);
            if (j == 0)
                for (int i = 0; i < n_lanes; i++) f[i] = static_cast<float>(x + std::min(i, count - 1));
            features[j] = f / lanes(kernel.position_divisor[j]);
        }
        const float* channels = kernel.channels + point * kernel.n_channels;
        for (int c = 0; c < kernel.n_channels; c++) {
            Lanes f;
            for (int i = 0; i < n_lanes; i++) f[i] = channels[std::min(i, count - 1) * kernel.n_channels + c];
            features[kernel.n_positions + c] = f / lanes(kernel.channel_divisor[c]);
        }
    }

    // Lattice points are numbered kernel by kernel, in the order in which the tiles touch them.
    void find_homes(Pool& pool) {
        const size_t n_tiles = tiles_.count();
        const auto kernels = static_cast<size_t>(n_kernels_);
        home_of_row_ = Buffer<uint32_t>(n_rows());
        tables_.reset(new KeyTable[kernels]);
        vertex_keys_.reset(new List<uint64_t>[kernels]);
        homes_.reset(new List<uint32_t>[kernels]);
        pool.run(kernels, [&](size_t k) {
            size_t most = 0;
            for (size_t tile = 0; tile < n_tiles; tile++) most += keys_[tile * kernels + k].size();
            tables_[k] = KeyTable(most);
            for (size_t tile = 0; tile < n_tiles; tile++) {
                checkpoint();
                const List<uint64_t>& keys = keys_[tile * kernels + k];
                const uint32_t row = rows_begin_[tile * kernels + k];
                for (uint32_t i = 0; i < keys.size(); i++) {
                    bool fresh;
                    const uint32_t vertex = tables_[k].add(keys[i], static_cast<uint32_t>(homes_[k].size()), fresh);
                    if (fresh) {
                        vertex_keys_[k].push(keys[i]);
                        homes_[k].push(row + i);
                    }
                    home_of_row_[row + i] = homes_[k][vertex];
                }
            }
            lattices_[k].n_vertices = static_cast<uint32_t>(homes_[k].size());
        });
        keys_.reset();
    }

    void list_copies() {
        const size_t n_tiles = tiles_.count(), n_copies = n_rows() - n_vertices();
        copies_ = Buffer<Copy>(n_copies + look_ahead);
        copies_begin_ = Buffer<uint32_t>(n_tiles + 1);
        block_begin_ = Buffer<uint32_t>(n_blocks() + 2);
        uint32_t n = 0;
        for (size_t tile = 0; tile < n_tiles; tile++) {
            checkpoint();
            for (uint32_t row = tile_begin(tile); row < tile_begin(tile + 1); row++)
                if (home_of_row_[row] != row) {
                    copies_[n++] = {row, home_of_row_[row]};
                    block_begin_[home_of_row_[row] / block_rows + size_t{2}]++;
                }
            copies_begin_[tile + 1] = n;
        }
        // Sorting by counting keeps each home's copies in the order of the tiles.
        copies_by_home_ = Buffer<Copy>(n_copies + look_ahead);
        for (size_t b = 2; b < block_begin_.size(); b++) block_begin_[b] += block_begin_[b - 1];
        Interval at_times;
        for (size_t i = 0; i < n_copies; i++) {
            at_times();
            copies_by_home_[block_begin_[copies_[i].home / block_rows + size_t{1}]++] = copies_[i];
        }
    }

    void find_chains(Pool& pool) {
        for (int k = 0; k < n_kernels_; k++) {
            Lattice& lattice = lattices_[static_cast<size_t>(k)];
            lattice.chains.reset(new Chains[static_cast<size_t>(lattice.n_axes)]);
        }
        int n_axes = 0;
        for (int k = 0; k < n_kernels_; k++) n_axes += lattices_[static_cast<size_t>(k)].n_axes;
        pool.run(static_cast<size_t>(n_axes), [&](size_t i) {
            int k = n_kernels_ - 1, axis = static_cast<int>(i);  // the largest lattice is mostly the last
            while (axis >= lattices_[static_cast<size_t>(k)].n_axes) axis -= lattices_[static_cast<size_t>(k--)].n_axes;
            find_chains_along(k, axis);
        });
        tables_.reset();
        vertex_keys_.reset();
        homes_.reset();
    }

    void find_chains_along(int k, int axis) {
        Lattice& lattice = lattices_[static_cast<size_t>(k)];
        const uint32_t n = lattice.n_vertices;
        const KeyTable& table = tables_[static_cast<size_t>(k)];
        const List<uint64_t>& keys = vertex_keys_[static_cast<size_t>(k)];
        const List<uint32_t>& homes = homes_[static_cast<size_t>(k)];
        Buffer<uint32_t> next(n);
        Buffer<uint8_t> inside(n);  // of a chain: another point comes before
        Interval at_times;
        uint32_t guess = 0;  // points that follow each other often have neighbours that do
        for (uint32_t r = 0; r < n; r++) {
            at_times();
            if (r + 8 < n) table.prefetch(keys[r + size_t{8}] + steps_[k][axis]);
            const uint64_t key = keys[r] + steps_[k][axis];
            next[r] = guess < n && keys[guess] == key ? guess : table.find(key);
            if (next[r] == KeyTable::none) continue;
            inside[next[r]] = 1;
            guess = next[r] + 1;
        }
        // Chains by length.
        List<uint32_t> lengths, count;
        size_t total = 0;
        for (uint32_t r = 0; r < n; r++) {
            if (inside[r] || next[r] == KeyTable::none) continue;
            at_times();
            uint32_t length = 1;
            for (uint32_t s = next[r]; s != KeyTable::none; s = next[s]) length++;
            while (count.size() <= length) count.push(0);
            count.set(length, count[length] + 1);
            lengths.push(length);
            total += length;
        }
        Chains& chains = lattice.chains[static_cast<size_t>(axis)];
        chains.rows = Buffer<uint32_t>(total + Chains::look_ahead);
        Buffer<size_t> place(count.size());
        size_t begin = 0;
        for (size_t length = 2; length < count.size(); length++) {
            place[length] = begin;
            const size_t most = std::max<size_t>(1, 4096 / length);
            for (size_t c = 0; c < count[length]; c += most) {
                const size_t m = std::min(most, count[length] - c);
                chains.pieces.push({begin, m, length});
                begin += m * length;
            }
        }
        size_t c = 0;
        for (uint32_t r = 0; r < n; r++) {
            if (inside[r] || next[r] == KeyTable::none) continue;
            at_times();
            size_t& to = place[lengths[c++]];
            for (uint32_t s = r; s != KeyTable::none; s = next[s]) chains.rows[to++] = homes[s];
        }
    }

    CrfGrid grid_;
    int n_kernels_ = 0, n_corners_ = 0;
    Tiles tiles_;
    std::unique_ptr<Lattice[]> lattices_;
    Buffer<uint16_t> rows_of_points_;
    Buffer<float> weights_;
    Buffer<uint32_t> rows_begin_;  // of each tile, kernel by kernel
    Buffer<uint32_t> home_of_row_, copies_begin_, block_begin_;
    Buffer<Copy> copies_, copies_by_home_;
    // Needed while it is built.
    uint64_t steps_[max_kernels][max_crf_features + 1];
    std::unique_ptr<List<uint64_t>[]> keys_, vertex_keys_;
    std::unique_ptr<List<uint32_t>[]> homes_;
    std::unique_ptr<KeyTable[]> tables_;
};

}  // namespace classicseg::CLASSICSEG_ISA
