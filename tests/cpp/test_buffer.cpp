// Buffers and lists.
#include "buffer.hpp"

#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "check.hpp"

using namespace classicseg::CLASSICSEG_ISA;

namespace {

void test_buffer() {
    CHECK(Buffer<int>().size() == 0 && Buffer<int>(0).data() == nullptr);
    // Below and above the size from which huge pages are asked for.
    for (size_t n : {1, 15, 17, 100000, 524288, 524289, 3000000}) {
        current_case = std::to_string(n) + " values";
        Buffer<int32_t> a(n);
        CHECK(a.size() == n && reinterpret_cast<uintptr_t>(a.data()) % 64 == 0);
        for (size_t i = 0; i < n; i++) CHECK(a[i] == 0);
        a[0] = 1;
        a[n - 1] = 7;
        const int32_t* data = a.data();
        Buffer<int32_t> b(std::move(a));
        CHECK(b.data() == data && b.size() == n && b[n - 1] == 7);
        a = Buffer<int32_t>(3);
        CHECK(a.size() == 3 && a[2] == 0);
        a = std::move(b);
        CHECK(a.data() == data && a.size() == n);
    }
}

template <class T>
void expect_too_large(size_t n) {
    bool caught = false;
    try {
        Buffer<T> buffer(n);
    } catch (const std::bad_alloc&) {
        caught = true;
    }
    CHECK(caught);
}

void test_sizes_that_do_not_fit() {
    expect_too_large<int64_t>(SIZE_MAX);
    expect_too_large<int64_t>(SIZE_MAX / 8);
    expect_too_large<int64_t>(SIZE_MAX / 8 - 1000);
    expect_too_large<uint8_t>(SIZE_MAX);
}

void test_list() {
    List<int32_t> list;
    std::vector<int32_t> twin;
    CHECK(list.empty());
    uint32_t random = 1;
    for (int step = 0; step < 20000; step++) {
        random = random * 1664525u + 1013904223u;
        if (random >> 30 && step < 15000) {
            list.push(step);
            twin.push_back(step);
        } else if (!twin.empty()) {
            CHECK(list.pop() == twin.back());
            twin.pop_back();
        }
        CHECK(list.size() == twin.size() && list.empty() == twin.empty());
    }
    for (size_t i = 0; i < twin.size(); i++) CHECK(list[i] == twin[i]);
    if (!twin.empty()) {
        list.set(0, -4);
        CHECK(list[0] == -4);
    }
    List<int32_t> other;
    other.push(11);
    list.swap(other);
    CHECK(list.size() == 1 && list[0] == 11 && other.size() == twin.size());
    List<int32_t> moved(std::move(list));
    CHECK(moved.size() == 1 && moved[0] == 11);
    list = std::move(moved);
    CHECK(list.size() == 1 && list[0] == 11);
    list.clear();
    CHECK(list.empty());
}

void test_level_lists() {
    LevelLists lists;
    CHECK(lists.at(0).empty());
    for (int32_t round = 0; round < 3; round++)
        for (int32_t level : {0, 3, 64, 65, 1000, 7, 100000, 3}) lists.push(static_cast<size_t>(level), level + round);
    CHECK(lists.at(3).size() == 6 && lists.at(3)[0] == 3 && lists.at(3)[5] == 5);
    CHECK(lists.at(100000).size() == 3 && lists.at(100000)[2] == 100002);
    CHECK(lists.at(99999).empty() && lists.at(200000).empty());
    List<int32_t>& seven = lists.at(7);  // stays valid while no level is added
    for (int32_t i = 0; i < 1000; i++) lists.push(7, i);
    CHECK(seven.size() == 1003 && seven[1002] == 999);
}

}  // namespace

int main() {
    test_buffer();
    test_sizes_that_do_not_fit();
    test_list();
    test_level_lists();
}
