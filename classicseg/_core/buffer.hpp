// Fixed-size zeroed arrays for solver state, and a growable list of plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

// Under AddressSanitizer all memory comes from its own allocator, which watches the ends.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__  // as GCC says it
#endif
#endif
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define CLASSICSEG_MMAP
#include <sys/mman.h>
#endif

#include "isa.hpp"

namespace classicseg::CLASSICSEG_ISA {

// Zeroed memory of a fixed length. Large ones come from the system in huge pages where there are
// any: the solvers walk neighbourhoods that touch three distant rows, and 4 KiB pages cost a TLB miss
// for each. Such pages are zero when they are first touched, so that nobody has to write them twice.
template <class T>
class Buffer {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    Buffer() = default;
    explicit Buffer(size_t n) : size_(n) {
        if (n == 0) return;
        if (n > SIZE_MAX / sizeof(T) - 2 * huge_page) throw std::bad_alloc();
        const size_t bytes = n * sizeof(T);
#if defined(CLASSICSEG_MMAP)
        if (bytes >= huge_page) {
            mapped_ = (bytes + huge_page - 1) / huge_page * huge_page + huge_page;
            base_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (base_ == MAP_FAILED) throw std::bad_alloc();
            const auto address = reinterpret_cast<uintptr_t>(base_);
            data_ = reinterpret_cast<T*>((address + huge_page - 1) / huge_page * huge_page);
            madvise(data_, mapped_ - huge_page, MADV_HUGEPAGE);
            return;
        }
#endif
        base_ = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
        if (!base_) throw std::bad_alloc();
        data_ = static_cast<T*>(std::memset(base_, 0, bytes));
    }
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        swap(other);
        return *this;
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() {
#if defined(CLASSICSEG_MMAP)
        if (mapped_) {
            munmap(base_, mapped_);
            return;
        }
#endif
        std::free(base_);
    }

    T& operator[](size_t i) { return data_[i]; }
    const T& operator[](size_t i) const { return data_[i]; }
    T* data() { return data_; }
    const T* data() const { return data_; }
    size_t size() const { return size_; }

private:
    static constexpr size_t huge_page = size_t{2} << 20;
    void swap(Buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(base_, other.base_);
        std::swap(mapped_, other.mapped_);
    }
    T* data_ = nullptr;
    size_t size_ = 0;
    void* base_ = nullptr;  // what was allocated; data_ lies in it
    size_t mapped_ = 0;     // its length if it is a mapping
};

// Memory for a task's own use: small enough for malloc, and not zeroed.
template <class T>
class Scratch {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    explicit Scratch(size_t n) : data_(static_cast<T*>(std::aligned_alloc(64, (n * sizeof(T) + 64) / 64 * 64))) {
        if (!data_) throw std::bad_alloc();
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { std::free(data_); }
    T& operator[](size_t i) { return data_[i]; }
    T* data() { return data_; }

private:
    T* data_;
};

// A growable list. std::vector<int> would be one weak symbol shared by every instruction set's
// translation unit, and the linker may keep the copy that an older processor cannot run.
template <class T>
class List {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    List() = default;
    List(List&& other) noexcept { swap(other); }
    List& operator=(List&& other) noexcept {
        swap(other);
        return *this;
    }
    List(const List&) = delete;
    List& operator=(const List&) = delete;
    ~List() { std::free(data_); }

    void push(T value) {
        if (size_ == capacity_) grow();
        data_[size_++] = value;
    }
    void set(size_t i, T value) { data_[i] = value; }
    T pop() { return data_[--size_]; }
    void clear() { size_ = 0; }
    void shorten(size_t fewer) { size_ = fewer; }
    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }
    T operator[](size_t i) const { return data_[i]; }
    T* data() { return data_; }
    const T* data() const { return data_; }
    void swap(List& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

private:
    void grow() {
        const size_t capacity = capacity_ ? 2 * capacity_ : 8;
        void* data = std::realloc(data_, capacity * sizeof(T));
        if (!data) throw std::bad_alloc();
        data_ = static_cast<T*>(data);
        capacity_ = capacity;
    }
    T* data_ = nullptr;
    size_t size_ = 0;
    size_t capacity_ = 0;
};

// One list for each level 0, 1, 2, ...; levels appear when something is pushed there.
class LevelLists {
public:
    LevelLists() = default;
    LevelLists(const LevelLists&) = delete;
    LevelLists& operator=(const LevelLists&) = delete;
    ~LevelLists() {
        for (size_t i = 0; i < count_; i++) lists_[i].~List();
        std::free(lists_);
    }
    void push(size_t level, int32_t value) {
        if (level >= count_) grow(level + 1);
        lists_[level].push(value);
    }
    // Valid until a push to a level that does not exist yet.
    List<int32_t>& at(size_t level) {
        if (level >= count_) grow(level + 1);
        return lists_[level];
    }

private:
    void grow(size_t needed) {
        const size_t count = needed + needed / 2 + 64;
        void* lists = std::realloc(static_cast<void*>(lists_), count * sizeof(List<int32_t>));
        if (!lists) throw std::bad_alloc();
        lists_ = static_cast<List<int32_t>*>(lists);
        for (size_t i = count_; i < count; i++) new (&lists_[i]) List<int32_t>();
        count_ = count;
    }
    List<int32_t>* lists_ = nullptr;
    size_t count_ = 0;
};

}  // namespace classicseg::CLASSICSEG_ISA
