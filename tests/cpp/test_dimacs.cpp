// The DIMACS reader on damaged files: it reads or refuses them, and looks at nothing beyond their end.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "check.hpp"
#include "dimacs.hpp"

using namespace classicseg;

namespace {

const std::string good = "c a comment\np max 4 3\nn 2 s\nn 3 t\na 2 1 7\na 1 3 4\na 4 3 2\n";

// From memory of exactly the text's size, which the address sanitizer watches.
bool is_read(const std::string& text) {
    current_case = text;
    const std::unique_ptr<char[]> copy(new char[text.size()]);
    std::memcpy(copy.get(), text.data(), text.size());
    try {
        const DimacsProblem problem = DimacsReader({copy.get(), text.size()}).read();
        CHECK(problem.source >= 1 && problem.source <= problem.n_nodes && problem.sink >= 1 &&
              problem.sink <= problem.n_nodes && problem.source != problem.sink);
        for (size_t a = 0; a < problem.arcs.size(); a += 3)
            CHECK(problem.arcs[a] >= 1 && problem.arcs[a] <= problem.n_nodes && problem.arcs[a + 1] >= 1 &&
                  problem.arcs[a + 1] <= problem.n_nodes && problem.arcs[a + 2] >= 0);
        return true;
    } catch (const std::invalid_argument& error) {
        CHECK(std::string(error.what()).starts_with("line "));
        return false;
    }
}

}  // namespace

int main() {
    const DimacsProblem problem = DimacsReader(good).read();
    CHECK(problem.n_nodes == 4 && problem.source == 2 && problem.sink == 3);
    CHECK(problem.arcs == std::vector<int64_t>{2, 1, 7, 1, 3, 4, 4, 3, 2});

    CHECK(!is_read("") && !is_read("p") && !is_read("\n\n"));
    for (size_t size = 0; size + 1 < good.size(); size++) CHECK(!is_read(good.substr(0, size)));
    CHECK(is_read(good.substr(0, good.size() - 1)));

    std::mt19937 random(1);
    int n_read = 0;
    const std::string pieces = "apnstc \n\r\t0123456789-.";
    for (int round = 0; round < 20000; round++) {
        std::string text = good;
        for (unsigned k = 0; k <= random() % 4; k++) {
            const size_t at = random() % text.size();
            if (random() % 3 == 0) text.erase(at, random() % 3);
            else if (random() % 2) text[at] = pieces[random() % pieces.size()];
            else text.insert(at, 1, static_cast<char>(random()));
            if (text.empty()) break;
        }
        n_read += is_read(text);
    }
    CHECK(n_read > 100 && n_read < 19900);
}
