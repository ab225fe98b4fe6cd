// Runs a fuzz target on random bytes where libFuzzer is not at hand: fuzz_NAME [SECONDS [SEED]].
// A failure is found again by the seed and the number of the run, which are printed every second.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "choices.hpp"

int main(int n_arguments, char** arguments) {
    const double seconds = n_arguments > 1 ? std::atof(arguments[1]) : 4;
    const unsigned seed = n_arguments > 2 ? static_cast<unsigned>(std::atoi(arguments[2])) : 1;
    std::mt19937_64 random(seed);
    const auto begin = std::chrono::steady_clock::now();
    const auto passed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
    std::vector<uint8_t> data;
    size_t runs = 0;
    for (; passed() < seconds; runs++) {
        // As many bits as there are in a few of the bytes: small numbers are where the edges lie.
        const uint64_t mask = runs % 3 ? ~uint64_t{0} : random() & random();
        data.resize(random() % (runs % 5 ? 64 : 2048));
        for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<uint8_t>(random() & mask);
        current_case = "seed " + std::to_string(seed) + ", run " + std::to_string(runs);
        LLVMFuzzerTestOneInput(data.data(), data.size());
    }
    std::printf("%zu runs in %.1f s, seed %u\n", runs, passed(), seed);
    CHECK(runs > 0);
}
