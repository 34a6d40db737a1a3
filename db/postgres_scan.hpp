// What became of a scan: how a page is read of which only a part of the rows looked at is shown.
// Private to the store over PostgreSQL.
#pragma once

#include <utility>
#include <vector>

namespace penstock::db::reads {

/// A row that a list shows, or the last one that it looked at, or both.
template <class T>
struct Scanned {
    T item;
    bool shown = false;
    bool is_last = false;
};

/// The list that such rows make; `place_of(item)` is where it goes on behind the last one.
template <class List, class T, class Place>
List list_scanned(std::vector<Scanned<T>> rows, Place place_of) {
    List list;
    for (auto& row : rows) {
        if (row.is_last) list.scanned_to = place_of(row.item);
        if (row.shown) list.items.push_back(std::move(row.item));
    }
    return list;
}

}  // namespace penstock::db::reads
