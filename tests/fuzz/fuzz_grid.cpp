// Max-flow on small images and volumes, cold and after changes, against the reference.
#include <algorithm>
#include <limits>
#include <memory>

#include "choices.hpp"
#include "reference_maxflow.hpp"
#include "topology.hpp"

using namespace classicseg;

namespace {

struct Shape {
    int depth, height, width, connectivity;  // an image: slices of one row, 8-connected
    size_t size() const { return static_cast<size_t>(depth * height * width); }
    CLASSICSEG_ISA::Step step(int k) const {
        using namespace classicseg::CLASSICSEG_ISA;
        return connectivity == 8 ? Image8::steps[k] : connectivity == 6 ? Volume6::steps[k] : Volume26::steps[k];
    }
};

template <class T>
struct Problem {
    Shape shape;
    double scale;
    int64_t limit;
    std::vector<T> towards[26], source, sink;

    int64_t whole(T value) const {
        if constexpr (std::is_integral_v<T>) return value;
        return static_cast<int64_t>(std::nearbyint(static_cast<double>(value) * scale));
    }
    int opposite(int k) const { return shape.connectivity - 1 - k; }
    bool symmetric() const {
        for (int k = 0; k < shape.connectivity; k++)
            if (!towards[k].empty() && !towards[opposite(k)].empty()) return false;
        return true;
    }
    int64_t net(size_t p) const {
        const auto bound = static_cast<double>(limit);
        if constexpr (std::is_integral_v<T>)
            return std::clamp(static_cast<int64_t>(source[p]) - static_cast<int64_t>(sink[p]), -limit, limit);
        const double exact = (static_cast<double>(source[p]) - static_cast<double>(sink[p])) * scale;
        return static_cast<int64_t>(std::nearbyint(std::clamp(exact, -bound, bound)));
    }
    ReferenceCut reference() const {
        ReferenceMaxflow graph(shape.size());
        size_t p = 0;
        for (int z = 0; z < shape.depth; z++)
            for (int y = 0; y < shape.height; y++)
                for (int x = 0; x < shape.width; x++, p++) {
                    if (net(p) > 0) graph.add_arc(graph.source(), p, net(p));
                    if (net(p) < 0) graph.add_arc(p, graph.sink(), -net(p));
                    for (int k = 0; k < shape.connectivity; k++) {
                        const auto s = shape.step(k);
                        const int w = z + s.dz, v = y + s.dy, u = x + s.dx;
                        if (w < 0 || v < 0 || u < 0 || w >= shape.depth || v >= shape.height || u >= shape.width) continue;
                        const auto q = static_cast<size_t>((w * shape.height + v) * shape.width + u);
                        const int o = opposite(k);
                        const int64_t capacity = !towards[k].empty() ? whole(towards[k][p]) : !towards[o].empty() ? whole(towards[o][q]) : 0;
                        graph.add_arc(p, q, capacity);
                    }
                }
        return graph.solve();
    }
};

template <class T>
T value(Choices& choices, int64_t largest, double scale) {
    return static_cast<T>(static_cast<double>(choices.between(0, largest)) / scale);
}

template <class T>
void fill_arcs(Choices& choices, Problem<T>& p, int64_t largest) {
    for (int k = 0; k < p.shape.connectivity; k++) {
        p.towards[k].clear();
        if (choices.coin()) continue;
        p.towards[k].resize(p.shape.size());
        for (T& arc : p.towards[k]) arc = value<T>(choices, largest, p.scale);
    }
}

template <class T>
void fill_terminals(Choices& choices, Problem<T>& p, int64_t largest) {
    p.source.assign(p.shape.size(), 0);
    p.sink.assign(p.shape.size(), 0);
    for (size_t i = 0; i < p.shape.size(); i++) {
        const int kind = choices.size(0, 7);
        if (kind & 1) p.source[i] = value<T>(choices, largest, p.scale);
        if (kind & 2) p.sink[i] = value<T>(choices, largest, p.scale);
        if (kind != 4) continue;
        if constexpr (std::is_integral_v<T>)
            p.source[i] = std::numeric_limits<int32_t>::max();
        else
            (choices.coin() ? p.source : p.sink)[i] = std::numeric_limits<T>::infinity();
    }
}

template <class T>
void run(Choices& choices, const Shape& shape, int64_t largest) {
    Problem<T> p{shape, std::is_integral_v<T> ? 1.0 : 64.0, 1, {}, {}, {}};
    while (p.limit <= shape.connectivity * largest) p.limit *= 2;
    fill_arcs(choices, p, largest);
    fill_terminals(choices, p, 4 * largest);
    std::vector<std::unique_ptr<GridMaxflow>> solvers;
    for (const Kernels* kernels : tables())
        for (int wide = p.limit > 1 << 29; wide < 2; wide++)
            solvers.push_back(shape.connectivity == 8
                                  ? kernels->graphcut.grid_maxflow(shape.depth, shape.width, wide, p.limit)
                                  : kernels->graphcut.volume_maxflow(shape.depth, shape.height, shape.width, shape.connectivity, wide, p.limit));
    Problem<T> old = p;
    int what = 3;
    Pool pool(1);
    for (int change = 0; change < 3; change++) {
        const ReferenceCut cut = p.reference();
        std::vector<uint8_t> minimal(shape.size()), maximal(shape.size());
        GridArcs<T> arcs;
        for (int k = 0; k < shape.connectivity; k++) arcs.towards[k] = p.towards[k].empty() ? nullptr : p.towards[k].data();
        arcs.symmetric = p.symmetric();
        for (auto& solver : solvers) {
            if (what & 1) solver->set_arcs(arcs, p.scale, pool);
            if (what & 2)
                solver->set_terminals(p.source.data(), p.sink.data(), change ? old.source.data() : nullptr,
                                      change ? old.sink.data() : nullptr, p.scale, pool);
            CHECK(solver->solve(pool) == cut.flow);
            solver->cut(minimal.data(), maximal.data(), pool);
            CHECK(minimal == cut.minimal && maximal == cut.maximal);
        }
        if (choices.left() == 0) return;
        old = p;
        what = choices.size(1, 3);
        if (what & 1) fill_arcs(choices, p, largest);
        if (what & 2) fill_terminals(choices, p, 4 * largest);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Choices choices(data, size);
    const int connectivities[] = {8, 8, 6, 26};
    Shape shape{1, 1, 1, choices.pick(connectivities)};
    const bool image = shape.connectivity == 8;
    shape.depth = choices.size(1, image ? 10 : 4);
    shape.height = image ? 1 : choices.size(1, 4);
    shape.width = choices.size(1, image ? 20 : 10);
    const int type = choices.size(0, 3);
    const int64_t small[] = {1, 3, 255, 65535}, large[] = {1, 255, int64_t{1} << 32, int64_t{1} << 44};
    switch (type) {
        case 0: run<int32_t>(choices, shape, choices.pick(small)); break;
        case 1: run<int64_t>(choices, shape, choices.pick(large)); break;
        case 2: run<float>(choices, shape, choices.pick(small)); break;
        default: run<double>(choices, shape, choices.pick(large));
    }
    return 0;
}
