// The DIMACS format of maximum-flow problems: `p max NODES ARCS`, `n NODE s`, `n NODE t`,
// `a TAIL HEAD CAPACITY`, `c comment`, one to a line; nodes count from 1.
#pragma once

#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "watch.hpp"

namespace classicseg {

struct DimacsProblem {
    int64_t n_nodes = 0, source = 0, sink = 0;
    std::vector<int64_t> arcs;  // tail, head and capacity of each
};

class DimacsReader {
public:
    explicit DimacsReader(std::string_view text) : text_(text), size_(text.size()) {}

    DimacsProblem read() {
        while (!text_.empty()) {
            if (++line_number_ % 4096 == 0) checkpoint();
            const size_t end = text_.find('\n');
            line_ = text_.substr(0, end);
            text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
            read_line();
        }
        if (problem_.n_nodes == 0) fail("the file has no line 'p max NODES ARCS'");
        if (problem_.source == 0) fail("the file ends without a source ('n NODE s')");
        if (problem_.sink == 0) fail("the file ends without a sink ('n NODE t')");
        if (found() != n_arcs_)
            fail("the file ends after " + std::to_string(found()) + " of " + std::to_string(n_arcs_) + " arcs");
        return std::move(problem_);
    }

private:
    static constexpr int64_t max_nodes = (int64_t{1} << 29) - 1, max_arcs = (int64_t{1} << 30) - 1;
    static constexpr int64_t max_capacity = int64_t{1} << 62;
    static constexpr int64_t shortest_arc = 7;  // "a 1 2 3"

    int64_t found() const { return static_cast<int64_t>(problem_.arcs.size() / 3); }

    [[noreturn]] void fail(const std::string& message) const {
        throw std::invalid_argument("line " + std::to_string(line_number_) + ": " + message);
    }

    void read_line() {
        const std::string_view kind = word();
        if (kind.empty() || kind[0] == 'c') return;
        if (kind == "a") {
            read_arc();
        } else if (kind == "n") {
            read_terminal();
        } else if (kind == "p") {
            read_size();
        } else {
            fail("begins with '" + shown(kind) + "', expected c, p, n or a");
        }
        const std::string_view rest = word();
        if (!rest.empty()) fail("has '" + shown(rest) + "' after its end");
    }

    void read_size() {
        if (problem_.n_nodes != 0) fail("a second line 'p'");
        const std::string_view kind = word();
        if (kind != "max") fail("a problem of kind '" + shown(kind) + "', expected 'max'");
        problem_.n_nodes = number("the number of nodes", 2, max_nodes);
        n_arcs_ = number("the number of arcs", 0, max_arcs);
        if (n_arcs_ > static_cast<int64_t>(size_) / shortest_arc)
            fail(std::to_string(n_arcs_) + " arcs do not fit into a file of " + std::to_string(size_) + " bytes");
        problem_.arcs.reserve(static_cast<size_t>(3 * n_arcs_));
    }

    void read_terminal() {
        const int64_t node = this->node("a terminal");
        const std::string_view side = word();
        if (side != "s" && side != "t") fail("a terminal of kind '" + shown(side) + "', expected s or t");
        int64_t& terminal = side == "s" ? problem_.source : problem_.sink;
        if (terminal != 0) fail(side == "s" ? "a second source" : "a second sink");
        terminal = node;
        if (problem_.source == problem_.sink) fail("the source is the sink too");
    }

    void read_arc() {
        const int64_t tail = node("an arc's tail"), head = node("an arc's head");
        const int64_t capacity = number("a capacity", 0, max_capacity);
        if (found() == n_arcs_) fail("more than the " + std::to_string(n_arcs_) + " arcs of line 'p'");
        problem_.arcs.insert(problem_.arcs.end(), {tail, head, capacity});
    }

    int64_t node(const char* what) {
        if (problem_.n_nodes == 0) fail("comes before the line 'p max NODES ARCS'");
        return number(what, 1, problem_.n_nodes);
    }

    int64_t number(const char* what, int64_t low, int64_t high) {
        const std::string_view digits = word();
        int64_t value = 0;
        const char* const end = digits.data() + digits.size();
        const auto result = std::from_chars(digits.data(), end, value);
        if (result.ec != std::errc() || result.ptr != end || value < low || value > high)
            fail(std::string(what) + " is '" + shown(digits) + "', expected a whole number from " +
                 std::to_string(low) + " to " + std::to_string(high));
        return value;
    }

    // The next word of the line, empty at its end.
    std::string_view word() {
        const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
        size_t begin = 0;
        while (begin < line_.size() && is_space(line_[begin])) begin++;
        size_t end = begin;
        while (end < line_.size() && !is_space(line_[end])) end++;
        const std::string_view found = line_.substr(begin, end - begin);
        line_.remove_prefix(end);
        return found;
    }

    // Fit for a message, whatever bytes there are.
    static std::string shown(std::string_view word) {
        std::string text;
        for (const char c : word.substr(0, 20)) text += c > ' ' && c <= '~' ? c : '?';
        return word.size() > 20 ? text + "..." : text;
    }

    std::string_view text_, line_;
    size_t size_;
    int64_t line_number_ = 0, n_arcs_ = 0;
    DimacsProblem problem_;
};

}  // namespace classicseg
