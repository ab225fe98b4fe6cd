// Hash tables that number 64-bit keys in the order in which they come.
#pragma once

#include <cstddef>
#include <cstdint>

#include "buffer.hpp"

namespace classicseg::CLASSICSEG_ISA {

inline uint64_t hash_of(uint64_t key) { return (key ^ key >> 29) * 0x9E3779B97F4A7C15u; }

// For the few thousand keys of a tile: at most 65534 of them, in slots of two bytes. Most slots are
// empty: a key that meets another one costs more than the cache that they take.
class SmallKeyTable {
public:
    SmallKeyTable() { resize(14); }

    // The key's number; `fresh` where it had none.
    uint32_t add(uint64_t key, bool& fresh) {
        for (uint64_t i = hash_of(key) >> shift_;; i = (i + 1) & mask_) {
            const uint32_t number = slots_[i];
            if (number == 0) {
                const auto count = static_cast<uint32_t>(keys_.size());
                slots_[i] = static_cast<uint16_t>(count + 1);
                keys_.push(key);
                if (4 * keys_.size() > mask_) resize(66 - shift_);
                fresh = true;
                return count;
            }
            if (keys_[number - 1] == key) {
                fresh = false;
                return number - 1;
            }
        }
    }
    size_t size() const { return keys_.size(); }
    List<uint64_t> take_keys() { return static_cast<List<uint64_t>&&>(keys_); }

private:
    void resize(int bits) {
        slots_ = Buffer<uint16_t>(size_t{1} << bits);
        mask_ = (uint64_t{1} << bits) - 1;
        shift_ = 64 - bits;
        for (size_t k = 0; k < keys_.size(); k++) {
            uint64_t i = hash_of(keys_[k]) >> shift_;
            while (slots_[i]) i = (i + 1) & mask_;
            slots_[i] = static_cast<uint16_t>(k + 1);
        }
    }
    Buffer<uint16_t> slots_;
    List<uint64_t> keys_;
    uint64_t mask_ = 0;
    int shift_ = 64;
};

// For the keys of a whole lattice, of which there are at most a known number.
class KeyTable {
public:
    static constexpr uint32_t none = UINT32_MAX;
    KeyTable() = default;
    explicit KeyTable(size_t most_keys) {
        int bits = 4;
        while ((size_t{1} << bits) < most_keys + most_keys / 2) bits++;
        slots_ = Buffer<Slot>(size_t{1} << bits);
        mask_ = (uint64_t{1} << bits) - 1;
        shift_ = 64 - bits;
    }
    uint32_t add(uint64_t key, uint32_t next, bool& fresh) {
        uint64_t i = hash_of(key) >> shift_;
        for (; slots_[i].number_plus_1; i = (i + 1) & mask_)
            if (slots_[i].key == key) {
                fresh = false;
                return slots_[i].number_plus_1 - 1;
            }
        slots_[i] = {key, next + 1};
        fresh = true;
        return next;
    }
    void prefetch(uint64_t key) const { __builtin_prefetch(slots_.data() + (hash_of(key) >> shift_)); }
    uint32_t find(uint64_t key) const {
        for (uint64_t i = hash_of(key) >> shift_; slots_[i].number_plus_1; i = (i + 1) & mask_)
            if (slots_[i].key == key) return slots_[i].number_plus_1 - 1;
        return none;
    }

private:
    struct Slot {
        uint64_t key;
        uint32_t number_plus_1;
    };
    Buffer<Slot> slots_;
    uint64_t mask_ = 0;
    int shift_ = 64;
};

}  // namespace classicseg::CLASSICSEG_ISA
