// How rows are found in the maps of the store in memory. Private to it.
#pragma once

#include <optional>

namespace penstock::db::memory {

template <class Map, class Key>
auto find_in(Map& map, Key const& key) -> decltype(&map.find(key)->second) {
    auto const found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

template <class T>
std::optional<T> copy_of(T const* found) {
    if (!found) return std::nullopt;
    return *found;
}

}  // namespace penstock::db::memory
