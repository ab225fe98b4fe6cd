// Merges touching regions where that costs least, until a wanted number is left.
#pragma once

#include <cstdint>
#include <limits>

#include "clusters.hpp"
#include "connected.hpp"

namespace classicseg::CLASSICSEG_ISA {

// What SLIC minimises, the sum of squared distances to the means in colour and position, rises by
// this much when two regions become one (Ward's method).
inline double merge_cost(const double* a, const double* b, int channels, const double place[3]) {
    const double ia = 1 / a[0], ib = 1 / b[0];
    double distance = 0;
    for (int i = 0; i < 3; i++) {
        const double d = a[1 + i] * ia - b[1 + i] * ib;
        distance += place[i] * d * d;
    }
    for (int c = 0; c < channels; c++) {
        const double d = a[4 + c] * ia - b[4 + c] * ib;
        distance += d * d;
    }
    return distance * a[0] * b[0] / (a[0] + b[0]);
}

// Gives each component of fewer than `least` pixels to the neighbour where that costs least, as long
// as more than `wanted` are left: specks by the thousand would only wait in the Merger's queue. The
// numbers of what remains, in order of first appearance, go to `table`. Returns how many.
inline int32_t absorb_specks(Clusters& regions, List<Touch>& touches, const double place[3], double least, int64_t wanted,
                             int32_t* table) {
    const int32_t n = static_cast<int32_t>(regions.size());
    struct Best {
        double cost;
        int32_t into;
    };
    Buffer<Best> best(static_cast<size_t>(n));
    for (int32_t k = 0; k < n; k++) {
        table[k] = k;
        best[static_cast<size_t>(k)] = {std::numeric_limits<double>::infinity(), -1};
    }
    const auto offer = [&](int32_t k, double cost, int32_t into) {
        Best& b = best[static_cast<size_t>(k)];
        if (cost < b.cost || (cost == b.cost && into < b.into)) b = {cost, into};
    };
    Interval at_times;
    for (size_t e = 0; e < touches.size(); e++) {
        at_times();
        const Touch t = touches[e];
        const bool a = regions.count(t.a) < least, b = regions.count(t.b) < least;
        if (!a && !b) continue;
        const double cost = merge_cost(regions.sums(t.a), regions.sums(t.b), regions.channels(), place);
        if (a) offer(t.a, cost, t.b);
        if (b) offer(t.b, cost, t.a);
    }
    const auto find = [&](int32_t k) {
        while (table[k] != k) k = table[k] = table[table[k]];
        return k;
    };
    int64_t left = n;
    for (int32_t k = 0; k < n && left > wanted; k++) {
        if (best[static_cast<size_t>(k)].into < 0) continue;
        const int32_t x = find(k), y = find(best[static_cast<size_t>(k)].into);
        if (x == y) continue;
        table[x < y ? y : x] = x < y ? x : y;
        left--;
    }
    // A root comes before all that it has taken in.
    int32_t count = 0;
    for (int32_t k = 0; k < n; k++) {
        const bool root = table[k] == k;
        table[k] = root ? count++ : table[table[k]];
        for (int64_t f = 0; f < regions.fields(); f++) {
            const double sum = regions.sums(k)[f];
            if (root) regions.sums(table[k])[f] = sum;
            else regions.sums(table[k])[f] += sum;
        }
    }
    regions.resize(count);
    SeenPairs seen;
    size_t kept = 0;
    for (size_t e = 0; e < touches.size(); e++) {
        const int32_t x = table[touches[e].a], y = table[touches[e].b];
        const Touch t = x < y ? Touch{x, y} : Touch{y, x};
        if (x != y && !seen.seen(t)) touches.set(kept++, t);
    }
    touches.shorten(kept);
    return count;
}

// The queue holds each region's cheapest neighbour. Where that has changed since, another is found
// when the entry comes up: a merged region looks at all its neighbours, so that what has become
// cheaper is in the queue already.
class Merger {
public:
    Merger(Clusters& regions, const List<Touch>& touches, const double place[3])
        : regions_(regions), touches_(touches), n_(static_cast<int32_t>(regions.size())), nodes_(static_cast<size_t>(n_)),
          next_(2 * touches.size()) {
        for (int i = 0; i < 3; i++) place_[i] = place[i];
        for (int32_t k = 0; k < n_; k++) nodes_[idx(k)] = {k, -1, -1, 0, 0};
        for (size_t e = 0; e < touches.size(); e++) {
            append(touches[e].a, static_cast<int32_t>(2 * e));
            append(touches[e].b, static_cast<int32_t>(2 * e + 1));
        }
    }

    // Leaves `wanted` regions and their sums (more where fewer do not touch); their numbers go to `table`.
    // Returns how many.
    int64_t run(int64_t wanted, int32_t* table) {
        int64_t left = n_;
        Interval at_times;
        for (int32_t k = 0; left > wanted && k < n_; k++) {
            at_times();
            push_cheapest(k);
        }
        while (left > wanted && !heap_.empty()) {
            at_times();
            const Candidate best = pop();
            const int32_t k = best.owner == 0 ? best.a : best.b, other = best.owner == 0 ? best.b : best.a;
            if (nodes_[idx(k)].version != best.version) continue;
            if (nodes_[idx(other)].version != best.other_version) {
                push_cheapest(k);
                continue;
            }
            join(best.a, best.b);
            left--;
        }
        int32_t count = 0;
        for (int32_t k = 0; k < n_; k++) {
            const int32_t root = find(k);  // never after k: the smaller number stays
            table[k] = root == k ? count++ : table[root];
            if (root != k) continue;
            for (int64_t f = 0; f < regions_.fields(); f++) regions_.sums(table[k])[f] = regions_.sums(k)[f];
        }
        regions_.resize(count);
        return count;
    }

private:
    struct Node {
        int32_t parent, head, tail;  // ends of touches: a list
        int32_t version, mark;
    };
    struct Candidate {
        double cost;
        int32_t a, b;              // a < b
        int32_t owner;             // 0: a's cheapest neighbour is b; 1: b's is a
        int32_t version, other_version;
        bool before(const Candidate& other) const {
            if (cost != other.cost) return cost < other.cost;
            return a != other.a ? a < other.a : b < other.b;
        }
    };

    static size_t idx(int32_t i) { return static_cast<size_t>(i); }

    int32_t find(int32_t k) {
        while (nodes_[idx(k)].parent != k) k = nodes_[idx(k)].parent = nodes_[idx(nodes_[idx(k)].parent)].parent;
        return k;
    }

    void append(int32_t region, int32_t end) {
        next_[idx(end)] = -1;
        Node& node = nodes_[idx(region)];
        if (node.head < 0) node.head = end;
        else next_[idx(node.tail)] = end;
        node.tail = end;
    }

    // Drops what lies inside by now, and what leads to the same neighbour, from the region's list.
    void push_cheapest(int32_t k) {
        round_++;
        nodes_[idx(k)].mark = round_;
        int32_t end = nodes_[idx(k)].head;
        nodes_[idx(k)].head = nodes_[idx(k)].tail = -1;
        Candidate best{std::numeric_limits<double>::infinity(), -1, -1, 0, nodes_[idx(k)].version, 0};
        while (end >= 0) {
            const int32_t after = next_[idx(end)];
            const Touch t = touches_[idx(end) / 2];
            const int32_t other = find(end % 2 ? t.a : t.b);
            if (nodes_[idx(other)].mark != round_) {
                nodes_[idx(other)].mark = round_;
                append(k, end);
                Candidate c = best;
                c.a = k < other ? k : other;
                c.b = k < other ? other : k;
                c.owner = k != c.a;
                c.cost = merge_cost(regions_.sums(c.a), regions_.sums(c.b), regions_.channels(), place_);
                c.other_version = nodes_[idx(other)].version;
                if (best.a < 0 || c.before(best)) best = c;
            }
            end = after;
        }
        if (best.a >= 0) push(best);
    }

    void push(const Candidate& c) {
        heap_.push(c);
        Candidate* h = heap_.data();
        size_t i = heap_.size() - 1;
        for (; i > 0 && c.before(h[(i - 1) / 2]); i = (i - 1) / 2) h[i] = h[(i - 1) / 2];
        h[i] = c;
    }

    Candidate pop() {
        Candidate* h = heap_.data();
        const Candidate top = h[0], last = heap_.pop();
        const size_t n = heap_.size();
        size_t i = 0;
        for (size_t down = 1; down < n; down = 2 * i + 1) {
            if (down + 1 < n && h[down + 1].before(h[down])) down++;
            if (!h[down].before(last)) break;
            h[i] = h[down];
            i = down;
        }
        if (n > 0) h[i] = last;
        return top;
    }

    void join(int32_t a, int32_t b) {  // a < b
        for (int64_t f = 0; f < regions_.fields(); f++) regions_.sums(a)[f] += regions_.sums(b)[f];
        Node &x = nodes_[idx(a)], &y = nodes_[idx(b)];
        y.parent = a;
        x.version++;
        y.version++;
        if (y.head >= 0) {
            if (x.head < 0) x.head = y.head;
            else next_[idx(x.tail)] = y.head;
            x.tail = y.tail;
        }
        push_cheapest(a);
    }

    Clusters& regions_;
    const List<Touch>& touches_;
    int32_t n_;
    double place_[3];
    Buffer<Node> nodes_;
    Buffer<int32_t> next_;  // in the lists of ends
    List<Candidate> heap_;
    int32_t round_ = 0;
};

}  // namespace classicseg::CLASSICSEG_ISA
