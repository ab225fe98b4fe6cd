// The DIMACS reader: any text is refused with a message, or read; what was read is read again.
#include <string>

#include "choices.hpp"
#include "dimacs.hpp"

using namespace classicseg;

namespace {

// Words that a file may be made of, so that random bytes get past the first line.
std::string text_of(Choices& choices) {
    static const char* const words[] = {"p max 3 2\n", "n 1 s\n",  "n 2 t\n", "a 1 2 5\n", "a 2 3 0\n", "c x\n", "p", "max",
                                        "n",           "a",        "s",       "t",         " ",         "\n",    "\t", "\r\n",
                                        "1",           "2",        "3",       "0",         "-1",        "99999999999999999999",
                                        "4611686018427387904", "536870911", "1073741823", "+1", "1e3", "0x1", "c"};
    std::string text;
    while (choices.left()) text += choices.pick(words);
    return text;
}

std::string written(const DimacsProblem& problem) {
    std::string text = "p max " + std::to_string(problem.n_nodes) + " " + std::to_string(problem.arcs.size() / 3) + "\n";
    text += "n " + std::to_string(problem.source) + " s\nn " + std::to_string(problem.sink) + " t\n";
    for (size_t i = 0; i < problem.arcs.size(); i += 3)
        text += "a " + std::to_string(problem.arcs[i]) + " " + std::to_string(problem.arcs[i + 1]) + " " +
                std::to_string(problem.arcs[i + 2]) + "\n";
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Choices choices(data, size);
    std::string text;
    if (choices.coin())
        text = text_of(choices);
    else
        text.assign(reinterpret_cast<const char*>(data), size);
    DimacsProblem problem;
    try {
        problem = DimacsReader(text).read();
    } catch (const std::invalid_argument& error) {
        const std::string message = error.what();
        CHECK(message.starts_with("line ") && message.size() < 300);
        for (const char c : message) CHECK(c >= ' ' && c <= '~');
        return 0;
    }
    const auto is_node = [&](int64_t node) { return node >= 1 && node <= problem.n_nodes; };
    CHECK(is_node(problem.source) && is_node(problem.sink) && problem.source != problem.sink);
    CHECK(problem.arcs.size() % 3 == 0);
    for (size_t i = 0; i < problem.arcs.size(); i += 3)
        CHECK(is_node(problem.arcs[i]) && is_node(problem.arcs[i + 1]) && problem.arcs[i + 2] >= 0);
    const std::string again = written(problem);
    const DimacsProblem read = DimacsReader(again).read();
    CHECK(read.n_nodes == problem.n_nodes && read.source == problem.source && read.sink == problem.sink);
    CHECK(read.arcs == problem.arcs);
    return 0;
}
