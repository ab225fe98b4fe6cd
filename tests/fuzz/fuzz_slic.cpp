// Superpixels: connected, contiguous, no more than asked for, equal for all instruction sets.
#include <algorithm>

#include "choices.hpp"
#include "regions.hpp"

using namespace classicseg;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Choices choices(data, size);
    const int64_t depth = choices.coin() ? 1 : choices.between(1, 4);
    Volume v{nullptr, nullptr, depth, choices.between(1, 24), choices.between(1, 40), choices.size(1, 4)};
    const int method = choices.size(0, 2);
    const float compactnesses[] = {0, 0.01f, 256, 2560, 2.56e8f};
    const double steps[] = {1, 1, 1.5, 100, 10000};
    SlicSettings settings{choices.between(1, std::min<int64_t>(v.size(), 300)), choices.size(1, 5), choices.pick(compactnesses),
                          {choices.pick(steps), choices.pick(steps), choices.pick(steps)}, method == 2, method == 0};
    const bool masked = choices.coin();
    const int flat = choices.size(0, 3);  // 0: noise, else squares of one colour
    const auto seed = static_cast<uint32_t>(choices.bytes(2));
    std::vector<int16_t> samples(static_cast<size_t>(v.size() * v.channels + 16));
    for (size_t i = 0; i + 16 < samples.size(); i++) {
        const auto p = static_cast<int64_t>(i) % v.size();
        const auto square = static_cast<uint32_t>(p % v.width / 5 + p / v.width % v.height / 4 * 9);
        const uint32_t value = ((flat ? square : static_cast<uint32_t>(i)) + seed) * 2654435761u;
        samples[i] = choices.left() ? static_cast<int16_t>(choices.bytes(2)) : static_cast<int16_t>(value >> 16);
    }
    std::vector<uint8_t> mask(static_cast<size_t>(v.size()));
    for (size_t i = 0; i < mask.size(); i++) mask[i] = ((static_cast<uint32_t>(i) + seed) * 2246822519u >> 29) > 2;
    mask[seed % mask.size()] = 1;
    v.data = samples.data();
    if (masked) v.mask = mask.data();
    std::vector<int32_t> first, labels(mask.size());
    for (const Kernels* kernels : tables()) {
        Pool pool(1);
        const int64_t count = kernels->superpixels.slic(v, settings, labels.data(), pool);
        CHECK(masked || count <= settings.n_segments);
        if (first.empty()) {
            check_connected(v, labels, count);
            first = labels;
        }
        CHECK(labels == first);
    }
    return 0;
}
