// What fills $1, $2, … of a statement: binary values that own their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/pg/binary.hpp"

namespace penstock::db::pg {

/// Parameters in order. Each call appends one and returns *this, so they chain:
///     Params p;  p.uuid(ledger.bytes).int8(limit).optional_text(cursor).add(std::move(ids));
/// A statement is prepared with the types of the first Params it is sent with, so `$1` needs no
/// cast, and every later use must have the same types (asserted). Where the column is an enum, a
/// jsonb or a numeric, cast in SQL: `$3::text::transfer_kind`.
class Params {
public:
    Params() {}

    Params& boolean(bool value) { return scalar<kind::Boolean>(value); }
    Params& int2(std::int16_t value) { return scalar<kind::Int2>(value); }
    Params& int4(std::int32_t value) { return scalar<kind::Int4>(value); }
    Params& int8(std::int64_t value) { return scalar<kind::Int8>(value); }
    Params& text(std::string_view value) { return scalar<kind::Text>(value); }
    Params& bytea(Bytes value) { return scalar<kind::Bytea>(value); }
    Params& uuid(UuidBytes const& value) { return scalar<kind::Uuid>(value); }
    Params& instant_ms(std::int64_t ms) { return scalar<kind::InstantMs>(ms); }
    /// A full transaction id, as pg_current_xact_id() gave it.
    Params& xid8(std::uint64_t value);

    Params& optional_boolean(std::optional<bool> v) { return optional<kind::Boolean>(v); }
    Params& optional_int2(std::optional<std::int16_t> v) { return optional<kind::Int2>(v); }
    Params& optional_int4(std::optional<std::int32_t> v) { return optional<kind::Int4>(v); }
    Params& optional_int8(std::optional<std::int64_t> v) { return optional<kind::Int8>(v); }
    Params& optional_text(std::optional<std::string_view> v) { return optional<kind::Text>(v); }
    Params& optional_bytea(std::optional<Bytes> v) { return optional<kind::Bytea>(v); }
    Params& optional_uuid(std::optional<UuidBytes> v) { return optional<kind::Uuid>(v); }
    Params& optional_instant_ms(std::optional<std::int64_t> v) {
        return optional<kind::InstantMs>(v);
    }

    template <class Kind>
    Params& add(Array<Kind> const& array) {
        std::size_t const at = bytes_.size();
        array.encode_to(bytes_);
        return note(Kind::array, at);
    }

    /// One parameter as libpq wants it; data is null for NULL and valid until the next change.
    struct Item {
        Oid type;
        char const* data;
        std::size_t length;
    };
    std::size_t size() const { return values_.size(); }
    Item operator[](std::size_t index) const;

private:
    struct Value {
        Oid type;
        bool null;
        std::size_t offset;
        std::size_t length;
    };

    template <class Kind>
    Params& scalar(typename Kind::View value) {
        std::size_t const at = bytes_.size();
        encode(Kind{}, value, bytes_);
        return note(Kind::element, at);
    }
    template <class Kind, class T>
    Params& optional(std::optional<T> const& value) {
        return value ? scalar<Kind>(*value) : note_null(Kind::element);
    }
    Params& note(Oid type, std::size_t offset);
    Params& note_null(Oid type);

    std::string bytes_;
    std::vector<Value> values_;
};

}  // namespace penstock::db::pg
