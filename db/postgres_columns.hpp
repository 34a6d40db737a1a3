// Columns of rows as values, and values as columns of arrays: what all readers and writers of
// rows are made of. Private to the store over PostgreSQL.
#pragma once

#include <algorithm>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "db/pg/params.hpp"
#include "db/pg/row.hpp"
#include "db/postgres_rows.hpp"
#include "domain/model.hpp"

namespace penstock::db::rows {

using namespace domain;

/// The members that nearly every row leaves at this are NULL in the table.
inline constexpr std::string_view no_metadata = "{}";

inline std::array<std::uint8_t, 32> digest(pg::Row row, int column) {
    auto const bytes = row.bytea(column);
    std::array<std::uint8_t, 32> digest{};
    if (bytes.size() != digest.size()) throw pg::BadReply(column, "32 bytes");
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
}

template <class Enum>
using Enumerators = boost::describe::describe_enumerators<Enum>;

template <class Enum>
Enum enumerator(pg::Row row, int column) {
    auto const number = row.int2(column);
    bool known = false;
    auto compare = [&](auto each) {
        known = known || static_cast<std::int16_t>(each.value) == number;
    };
    boost::mp11::mp_for_each<Enumerators<Enum>>(compare);
    if (!known) throw pg::BadReply(column, "a number of the enumeration");
    return static_cast<Enum>(number);
}

template <class Tag>
std::optional<Id<Tag>> optional_id(pg::Row row, int column) {
    auto const bytes = row.optional_uuid(column);
    if (!bytes) return std::nullopt;
    return Id<Tag>{{*bytes}};
}

inline std::optional<std::string> optional_string(pg::Row row, int column) {
    auto const text = row.optional_text(column);
    if (!text) return std::nullopt;
    return std::string(*text);
}

template <class Enum>
std::int16_t number(Enum value) {
    return static_cast<std::int16_t>(value);
}

template <class Enum>
pg::Int2Array all_numbers() {
    pg::Int2Array numbers;
    auto push = [&](auto each) { numbers.push(number(each.value)); };
    boost::mp11::mp_for_each<Enumerators<Enum>>(push);
    return numbers;
}

inline std::optional<std::int64_t> ms(std::optional<Instant> at) {
    if (!at) return std::nullopt;
    return at->ms;
}

template <class Id>
std::optional<pg::UuidBytes> bytes(std::optional<Id> const& id) {
    if (!id) return std::nullopt;
    return id->value.bytes;
}

inline std::optional<KeyUse> key_use(pg::Row row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return KeyUse{{uuid(row, column)}, digest(row, column + 1)};
}

inline std::optional<Instant> optional_instant(pg::Row row, int column) {
    auto const at = row.optional_instant_ms(column);
    if (!at) return std::nullopt;
    return Instant{*at};
}

inline Party party(pg::Row row, int column) {
    return {{uuid(row, column)}, std::string(row.text(column + 1))};
}

inline void push_metadata(pg::TextArray& column, std::string const& metadata) {
    if (metadata == no_metadata)
        column.push_null();
    else
        column.push(metadata);
}

/// The columns that say how a row's own key was used.
struct KeyColumns {
    pg::UuidArray keys;
    pg::ByteaArray fingerprints;

    void reserve(std::size_t rows) {
        keys.reserve(rows);
        fingerprints.reserve(rows, sizeof(Fingerprint));
    }

    void push(std::optional<KeyUse> const& use) {
        if (!use) {
            keys.push_null();
            fingerprints.push_null();
            return;
        }
        keys.push(use->key.value.bytes);
        fingerprints.push(use->fingerprint);
    }
};

/// One column of many rows: what `of`, a member or a callable, gives for each.
template <class Array, class Items, class Of>
Array column(Items const& items, Of of) {
    Array array;
    for (auto const& item : items) array.push(std::invoke(of, item));
    return array;
}

template <class Array, class Items, class Of>
Array optional_column(Items const& items, Of of) {
    Array array;
    for (auto const& item : items) array.push_optional(std::invoke(of, item));
    return array;
}

template <class Items, class Of>
pg::UuidArray ids(Items const& items, Of of) {
    pg::UuidArray array;
    array.reserve(items.size());
    for (auto const& item : items) array.push(std::invoke(of, item).value.bytes);
    return array;
}

template <class Items, class Of>
pg::InstantMsArray instants(Items const& items, Of of) {
    pg::InstantMsArray array;
    for (auto const& item : items) array.push(std::invoke(of, item).ms);
    return array;
}

}  // namespace penstock::db::rows
