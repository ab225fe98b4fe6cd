// Cuts again near changes, of an image large enough for boxes: as a cut from scratch.
#include <algorithm>
#include <memory>

#include "choices.hpp"

using namespace classicseg;

namespace {

constexpr int64_t limit = 1 << 16;

struct Image {
    int height, width;
    std::vector<int32_t> arcs[4], source, sink;
    size_t size() const { return static_cast<size_t>(height * width); }
};

// The bytes say what kind of image it is; a small generator that they start fills it.
struct Noise {
    uint64_t state;
    uint32_t below(uint32_t end) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<uint32_t>(state >> 33) % end;
    }
};

Image image_of(Choices& choices) {
    Image out{choices.size(1, 90), choices.size(1, 90), {}, {}, {}};
    const auto strength = static_cast<uint32_t>(choices.between(1, 2000)), zeros = static_cast<uint32_t>(choices.between(1, 8));
    const auto rare = static_cast<uint32_t>(choices.between(1, 255)), most = static_cast<uint32_t>(choices.between(1, 3000));
    const bool diagonals = choices.coin();
    Noise noise{choices.bytes(4)};
    for (int k = 0; k < 4; k++) {
        out.arcs[k].resize(out.size());
        if (k < 2 || diagonals)
            for (int32_t& arc : out.arcs[k]) arc = noise.below(zeros) ? static_cast<int32_t>(noise.below(strength + 1)) : 0;
    }
    out.source.resize(out.size());
    out.sink.resize(out.size());
    for (size_t p = 0; p < out.size(); p++)
        if (!noise.below(rare)) (noise.below(2) ? out.source : out.sink)[p] = static_cast<int32_t>(noise.below(most));
    return out;
}

struct Solver {
    std::unique_ptr<GridMaxflow> graph;
    std::vector<uint8_t> minimal, maximal;
    int64_t flow;

    Solver(const Kernels& kernels, const Image& image, Pool& pool) : minimal(image.size()), maximal(image.size()) {
        graph = kernels.graphcut.grid_maxflow(image.height, image.width, false, limit);
        GridArcs<int32_t> arcs;
        const int directions[] = {4, 6, 5, 7};
        for (int k = 0; k < 4; k++) arcs.towards[directions[k]] = image.arcs[k].data();
        graph->set_arcs(arcs, 1, pool);
        graph->set_terminals(image.source.data(), image.sink.data(), nullptr, nullptr, 1, pool);
        solve(pool);
    }
    void solve(Pool& pool) {
        flow = graph->solve(pool);
        graph->cut(minimal.data(), maximal.data(), pool);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Choices choices(data, size);
    Image image = image_of(choices);
    const Kernels& kernels = *tables()[static_cast<size_t>(choices.byte()) % tables().size()];
    Pool pool(1);
    Solver solver(kernels, image, pool);
    for (int round = 0; round < 4 && choices.left(); round++) {
        const int height = choices.size(1, std::min(image.height, 9)), width = choices.size(1, std::min(image.width, 9));
        const int top = choices.size(0, image.height - height), left = choices.size(0, image.width - width);
        std::vector<int32_t> now[2], before[2];
        for (int y = top; y < top + height; y++) {
            for (int x = left; x < left + width; x++) {
                const auto p = static_cast<size_t>(y * image.width + x);
                before[0].push_back(image.source[p]);
                before[1].push_back(image.sink[p]);
                const int what = choices.size(0, 4);
                if (what == 1) image.source[p] = image.sink[p] = 0;
                if (what == 2) image.source[p] = 0, image.sink[p] = limit;
                if (what == 3) image.source[p] = limit, image.sink[p] = 0;
                if (what == 4) std::swap(image.source[p], image.sink[p]);
                now[0].push_back(image.source[p]);
                now[1].push_back(image.sink[p]);
            }
        }
        const std::vector<uint8_t> was = solver.minimal;
        const Box box = solver.graph->solve_again(now[0].data(), now[1].data(), before[0].data(), before[1].data(),
                                                  {top, top + height, 0, 1, left, left + width}, 1, solver.minimal.data(), pool);
        const Solver cold(kernels, image, pool);
        CHECK(solver.minimal == cold.minimal);
        for (int y = 0; y < image.height; y++)
            for (int x = 0; x < image.width; x++) {
                const auto p = static_cast<size_t>(y * image.width + x);
                const bool in = y >= box.z0 && y < box.z1 && x >= box.x0 && x < box.x1;
                CHECK(in || was[p] == solver.minimal[p]);
            }
        if (choices.coin()) {
            solver.solve(pool);
            CHECK(solver.flow == cold.flow && solver.minimal == cold.minimal && solver.maximal == cold.maximal);
        }
    }
    return 0;
}
