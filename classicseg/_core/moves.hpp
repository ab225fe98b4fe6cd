// Expansion and swap moves of Boykov, Veksler & Zabih (2001, doi:10.1109/34.969114).
//
// A move asks nodes p: keep the label x_p (0) or take the label t (1)? The energy of the answers s
// is, without auxiliary nodes (Kolmogorov & Zabih 2004, doi:10.1109/TPAMI.2004.1262177),
//
//   sum_p t_p s_p + sum_pq b_pq s_p (1 - s_q),
//   b_pq + b_qp = w_pq (V(x_p, t) + V(t, x_q) - V(x_p, x_q)) >= 0,
//
// a minimum cut. With halves for b, t_p is at least what p pays for t less all that it pays now: only
// nodes where that is negative have anything to win, and a set without one of them wins nothing. The
// cut begins with these nodes and their neighbours alone, without arcs that leave this region. Its
// flow is one of the whole graph. If the set that switches does not reach a node with an arc that was
// left out, the flow proves that this set is the best of all nodes. Else the region grows around
// the places where it does, and the search goes on from the flow that is there.
//
// A swap of two labels is two moves of this kind, each of one label's nodes towards the other label:
// for a submodular function the best superset of a set, and then the best subset of that, is the
// best set of all (f(z) >= f(y | z) + f(y & z) - f(y) twice).
#pragma once

#include "graph_search.hpp"
#include "move_energy.hpp"

namespace classicseg::CLASSICSEG_ISA {

template <class Capacity, class Neighbours, template <class> class Cost>
class LabelMovesOn final : public LabelMoves {
public:
    template <class Edges>
    LabelMovesOn(const MoveProblem& problem, const Edges& edges, Pool& pool)
        : problem_(problem),
          n_(problem.n_nodes),
          neighbours_(edges, n_, problem.scale / problem.cost_scale, pool),
          cost_(problem.cost, problem.n_labels, problem.cost_scale),
          real_cost_(problem.cost, problem.n_labels, 1),
          unary_(size_t(n_) * static_cast<size_t>(problem.n_labels)),
          pull_(size_t(n_)),
          paid_(size_t(n_)),
          labels_(size_t(n_)),
          counts_(static_cast<size_t>(problem.n_labels)),
          state_(size_t(n_)),
          slot_(size_t(n_)),
          order_(size_t(n_)),
          slot_before_(size_t(n_)),
          chunk_counts_(n_node_chunks(n_)),
          next_forward_(size_t(n_)),
          distance_(size_t(n_)),
          parent_(size_t(n_)),
          next_(size_t(n_)),
          graph_(n_),
          before_(n_) {
        for_nodes(pool, n_, [&](int64_t begin, int64_t end, size_t) { prepare(begin, end); });
    }

    double start(const int32_t* labels, Pool& pool) override {
        for_nodes(pool, n_, [&](int64_t begin, int64_t end, size_t) {
            for (int64_t p = begin; p < end; p++)
                labels_[static_cast<size_t>(p)] = labels ? labels[p] : cheapest(p);
        });
        Buffer<double> sums(n_node_chunks(n_));
        for_nodes(pool, n_, [&](int64_t begin, int64_t end, size_t chunk) {
            double sum = 0;
            for (int64_t i = begin; i < end; i++) {
                const auto p = static_cast<int32_t>(i);
                const int label = labels_[size_t(p)];
                Capacity paid = energy(p, label);
                neighbours_.each(p, [&](int32_t q, Capacity w) { paid += w * cost_(label, labels_[size_t(q)]); });
                paid_[size_t(p)] = paid;
                sum += real_energy(p, label);
                neighbours_.each_real(p, n_, [&](int32_t q, double w) {
                    if (q > p) sum += w * real_cost_(label, labels_[size_t(q)]);
                });
            }
            sums[chunk] = sum;
        });
        double total = 0;
        for (size_t c = 0; c < sums.size(); c++) total += sums[c];
        for (size_t l = 0; l < counts_.size(); l++) counts_[l] = 0;
        for (size_t p = 0; p < labels_.size(); p++) counts_[static_cast<size_t>(labels_[p])]++;
        return total;
    }

    const int32_t* labels() const override { return labels_.data(); }

    double expand(int alpha, int only, Pool& pool) override {
        target_ = alpha;
        if (only == alpha || (only >= 0 && counts_[static_cast<size_t>(only)] == 0)) return 0;
        only_ = only;
        find_sources(pool);
        if (region_.empty()) return 0;
        int rings = 1;
        do {
            grow(rings);
            rings *= 2;
        } while (decide());
        const double change = taken_.empty() ? 0 : apply();
        clear();
        return change;
    }

private:
    enum State : uint8_t { keeps, looked_at, switches };

    Capacity* plane(int label) { return unary_.data() + static_cast<size_t>(label) * static_cast<size_t>(n_); }
    Capacity energy(int32_t p, int label) { return plane(label)[p]; }
    double real_energy(int32_t p, int label) const {
        return problem_.unary[static_cast<size_t>(p) * static_cast<size_t>(problem_.n_labels) + static_cast<size_t>(label)];
    }

    // The first label whose unary is the smallest.
    int32_t cheapest(int64_t p) const {
        const float* row = problem_.unary + p * problem_.n_labels;
        int32_t best = 0;
        for (int32_t l = 1; l < problem_.n_labels; l++)
            if (row[l] < row[best]) best = l;
        return best;
    }

    // The unaries in planes, less each node's smallest, and the most that neighbours can do to a node.
    void prepare(int64_t begin, int64_t end) {
        constexpr int64_t block = 64;  // nodes whose rows stay in the cache while the planes are filled
        for (int64_t b = begin; b < end; b += block) {
            const int64_t stop = std::min(end, b + block);
            double lowest[block];
            for (int64_t p = b; p < stop; p++) {
                const float* row = problem_.unary + p * problem_.n_labels;
                float low = row[0];
                for (int l = 1; l < problem_.n_labels; l++) low = std::min(low, row[l]);
                lowest[p - b] = low;
            }
            for (int l = 0; l < problem_.n_labels; l++) {
                const float* from = problem_.unary + l;
                Capacity* to = plane(l);
                for (int64_t p = b; p < stop; p++)
                    to[p] = static_cast<Capacity>(std::nearbyint(
                        (static_cast<double>(from[p * problem_.n_labels]) - lowest[p - b]) * problem_.scale));
            }
        }
        for (int64_t p = begin; p < end; p++) {
            Capacity sum = 0;
            neighbours_.each(static_cast<int32_t>(p), [&](int32_t, Capacity w) { sum += w; });
            pull_[static_cast<size_t>(p)] = sum * cost_.largest();
        }
    }

    bool wanted(size_t p) const { return only_ < 0 ? labels_[p] != target_ : labels_[p] == only_; }

    // Puts the nodes that may win by themselves into the region.
    void find_sources(Pool& pool) {
        const Capacity* unary = plane(target_);
        for_nodes(pool, n_, [&](int64_t begin, int64_t end, size_t chunk) {
            constexpr int64_t block = 64;  // most have nobody
            int32_t* list = order_.data() + begin;
            int32_t count = 0;
            for (int64_t b = begin; b < end; b += block) {
                const int64_t stop = std::min(end, b + block);
                int any = 0;
                for (int64_t p = b; p < stop; p++)
                    any |= (unary[p] < paid_[static_cast<size_t>(p)]) & wanted(static_cast<size_t>(p));
                if (!any) continue;
                for (int64_t p = b; p < stop; p++) {
                    list[count] = static_cast<int32_t>(p);
                    count += (unary[p] < paid_[static_cast<size_t>(p)]) & wanted(static_cast<size_t>(p));
                }
            }
            chunk_counts_[chunk] = count;
        });
        region_.clear();
        border_.clear();
        for (size_t c = 0; c < chunk_counts_.size(); c++) {
            const int32_t* list = order_.data() + static_cast<int64_t>(c) * node_chunk;
            for (int32_t i = 0; i < chunk_counts_[c]; i++) {
                join(list[i]);
                border_.push(list[i]);
            }
        }
    }

    void join(int32_t p) {
        state_[static_cast<size_t>(p)] = looked_at;
        slot_[static_cast<size_t>(p)] = -1;
        region_.push(p);
    }

    // A node outside of the region that its neighbours could make switch.
    bool may_join(int32_t q) {
        const auto i = static_cast<size_t>(q);
        return state_[i] == keeps && wanted(i) && energy(q, target_) < energy(q, labels_[i]) + pull_[i];
    }

    // b_pq + b_qp.
    Capacity coupling(int label_p, int label_q, Capacity w) const {
        const Capacity c = cost_(label_p, target_) + cost_(target_, label_q) - cost_(label_p, label_q);
        return std::max<Capacity>(c, 0) * w;  // below 0 by the rounding of label costs only
    }

    // Adds nodes around the border, some rings of neighbours deep.
    void grow(int rings) {
        for (int ring = 0; ring < rings && !border_.empty(); ring++) {
            next_border_.clear();
            for (size_t b = 0; b < border_.size(); b++) {
                at_times_();
                neighbours_.each(border_[b], [&](int32_t q, Capacity) {
                    if (!may_join(q)) return;
                    join(q);
                    next_border_.push(q);
                });
            }
            border_.swap(next_border_);
        }
    }

    // Finds the smallest best set of the region's nodes. True if it reaches the region's border: then
    // `border_` lists where.
    bool decide() {
        build();
        search();
        border_.clear();
        taken_.clear();
        bool open = false;
        for (size_t i = 0; i < region_.size(); i++) {
            at_times_();
            const int32_t p = region_[i];
            if (distance_[static_cast<size_t>(slot_[static_cast<size_t>(p)])] != reached) continue;
            taken_.push(p);
            bool touches = false;
            neighbours_.each(p, [&](int32_t q, Capacity) { touches |= may_join(q); });
            if (touches) border_.push(p);
            open |= touches;
        }
        return open;
    }

    // The residual graph of the region's nodes, in ascending order: the source side switches. What
    // was in the graph before keeps its flow.
    void build() {
        std::swap(graph_, before_);
        int32_t n_nodes = 0;
        size_t degrees = 0;
        for (int32_t p = 0; p < n_; p++) {
            at_times_();
            if (state_[static_cast<size_t>(p)] == keeps) continue;
            slot_before_[static_cast<size_t>(p)] = slot_[static_cast<size_t>(p)];
            slot_[static_cast<size_t>(p)] = n_nodes;
            order_[static_cast<size_t>(n_nodes++)] = p;
            degrees += neighbours_.degree(p);
        }
        graph_.n_nodes = n_nodes;
        if (graph_.arcs.size() < degrees) {
            graph_.arcs = Buffer<Arc<Capacity>>(degrees);
            graph_.link = Buffer<Link>(degrees + 7);
        }
        int32_t arc = 0;
        for (int32_t node = 0; node < n_nodes; node++) {
            at_times_();
            const int32_t p = order_[static_cast<size_t>(node)];
            const int label = labels_[static_cast<size_t>(p)];
            const int32_t old = slot_before_[static_cast<size_t>(p)];
            auto known = static_cast<size_t>(old < 0 ? 0 : before_.first[static_cast<size_t>(old)]);
            const auto known_end = static_cast<size_t>(old < 0 ? 0 : before_.first[static_cast<size_t>(old) + 1]);
            Capacity cost = energy(p, target_) - energy(p, label);  // t_p
            graph_.first[static_cast<size_t>(node)] = arc;
            int32_t forward = -1;
            neighbours_.each(p, [&](int32_t q, Capacity w) {
                const int label_q = labels_[static_cast<size_t>(q)];
                cost += w * (cost_(target_, label_q) - cost_(label, label_q));
                const bool inside = state_[static_cast<size_t>(q)] != keeps;
                if (!inside && !may_join(q)) return;
                const Capacity both = coupling(label, label_q, w);
                const Capacity less = both / 2;
                Capacity out = q < p ? less : both - less;
                cost -= out;
                if (both == 0 || !inside) return;
                const int32_t head = slot_[static_cast<size_t>(q)];
                if (known != known_end && before_.link[known].head() == slot_before_[static_cast<size_t>(q)])
                    out = before_.arcs[known++].residual;
                const auto a = static_cast<size_t>(arc++);
                if (q < p) {  // arcs from q to nodes after it are met in the order in which they lie
                    const auto twin = static_cast<size_t>(next_forward_[static_cast<size_t>(head)]++);
                    graph_.set(a, twin, node, head, out, graph_.arcs[twin].residual);
                } else {
                    graph_.arcs[a].residual = out;
                    if (forward < 0) forward = arc - 1;
                }
            });
            next_forward_[static_cast<size_t>(node)] = forward;
            graph_.excess[static_cast<size_t>(node)] = old < 0 ? -cost : before_.excess[static_cast<size_t>(old)];
        }
        graph_.first[static_cast<size_t>(n_nodes)] = arc;
    }

    // A maximum flow; then what the excess that remains can reach is the smallest best set.
    void search() {
        GraphSearch<Capacity>(graph_, distance_.data(), parent_.data(), next_.data(), 0, graph_.n_nodes).solve();
        List<int32_t>& stack = next_border_;
        stack.clear();
        for (int32_t i = 0; i < graph_.n_nodes; i++) {
            if (graph_.excess[static_cast<size_t>(i)] <= 0) continue;
            distance_[static_cast<size_t>(i)] = reached;
            stack.push(i);
        }
        while (!stack.empty()) {
            at_times_();
            const int32_t i = stack.pop();
            const auto last = static_cast<size_t>(graph_.first[static_cast<size_t>(i) + 1]);
            for (auto a = static_cast<size_t>(graph_.first[static_cast<size_t>(i)]); a < last; a++) {
                GraphLabel& d = distance_[static_cast<size_t>(graph_.link[a].head())];
                if (graph_.arcs[a].residual == 0 || d == reached) continue;
                d = reached;
                stack.push(graph_.link[a].head());
            }
        }
    }

    // Takes the move if the energy, in doubles and with the weights as given, becomes smaller.
    double apply() {
        double change = 0;
        for (size_t i = 0; i < taken_.size(); i++) state_[static_cast<size_t>(taken_[i])] = switches;
        for (size_t i = 0; i < taken_.size(); i++) {
            at_times_();
            const int32_t p = taken_[i];
            const int before = labels_[static_cast<size_t>(p)];
            change += real_energy(p, target_) - real_energy(p, before);
            neighbours_.each_real(p, n_, [&](int32_t q, double w) {
                if (w == 0) return;
                const int q_before = labels_[static_cast<size_t>(q)];
                const bool too = state_[static_cast<size_t>(q)] == switches;
                if (too && q < p) return;  // counted at q
                change += w * (real_cost_(target_, too ? target_ : q_before) - real_cost_(before, q_before));
            });
        }
        if (!(change < 0)) return 0;
        for (size_t i = 0; i < taken_.size(); i++) relabel(taken_[i]);
        return change;
    }

    void relabel(int32_t p) {
        const int before = labels_[static_cast<size_t>(p)];
        counts_[static_cast<size_t>(before)]--;
        counts_[static_cast<size_t>(target_)]++;
        labels_[static_cast<size_t>(p)] = target_;
        Capacity paid = energy(p, target_);
        neighbours_.each(p, [&](int32_t q, Capacity w) {
            const int label_q = labels_[static_cast<size_t>(q)];
            paid += w * cost_(target_, label_q);
            paid_[static_cast<size_t>(q)] += w * (cost_(target_, label_q) - cost_(before, label_q));
        });
        paid_[static_cast<size_t>(p)] = paid;
    }

    void clear() {
        for (size_t i = 0; i < region_.size(); i++) state_[static_cast<size_t>(region_[i])] = keeps;
    }

    static constexpr GraphLabel reached = GraphSearch<Capacity>::unlabelled + 1;

    MoveProblem problem_;
    int32_t n_;
    Neighbours neighbours_;
    Cost<Capacity> cost_;
    Cost<double> real_cost_;
    Buffer<Capacity> unary_;  // (n_labels, n_nodes)
    Buffer<Capacity> pull_;   // the sum of a node's weights times the largest label cost
    Buffer<Capacity> paid_;   // a node's unary and all its pairs
    Buffer<int32_t> labels_;
    Buffer<int64_t> counts_;  // nodes of each label
    // Of the move:
    int target_ = 0, only_ = -1;
    Buffer<State> state_;
    List<int32_t> region_, taken_, border_, next_border_;  // nodes of the graph, those that switch, ...
    Buffer<int32_t> slot_, order_, slot_before_;           // a node's number in the graph, and back
    Buffer<int32_t> chunk_counts_, next_forward_;
    Buffer<GraphLabel> distance_;
    Buffer<int32_t> parent_, next_;
    Interval at_times_;
    SparseGraph<Capacity> graph_, before_;  // of the nodes looked at, now and in the round before
};

}  // namespace classicseg::CLASSICSEG_ISA
