#include "db/pg/row.hpp"

#include <libpq-fe.h>

#include <charconv>

#include "domain/assert.hpp"

namespace penstock::db::pg {
namespace {

bool is_textual(Oid type) {
    return type == oid::text || type == oid::varchar || type == oid::name || type == oid::bpchar ||
           type == oid::json || type == oid::unknown;
}

Bytes raw(PGresult const* result, int row, int column) {
    auto const* data = PQgetvalue(result, row, column);
    auto const length = static_cast<std::size_t>(PQgetlength(result, row, column));
    return {reinterpret_cast<std::uint8_t const*>(data), length};
}

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// A column that is not there must not reach libpq, which prints to stderr and answers nonsense.
void require_column(PGresult const* result, int column, char const* wanted) {
    if (column < 0 || column >= PQnfields(result)) throw BadReply(column, wanted);
}

}  // namespace

bool Row::is_null(int column) const {
    require_column(result_, column, "a column");
    return PQgetisnull(result_, index_, column) != 0;
}

Bytes Row::bytes(int column, Oid type, char const* wanted) const {
    require_column(result_, column, wanted);
    if (PQgetisnull(result_, index_, column) != 0) throw BadReply(column, wanted);
    if (PQfformat(result_, column) != 1) throw BadReply(column, wanted);
    if (PQftype(result_, column) != type) throw BadReply(column, wanted);
    return raw(result_, index_, column);
}

template <class Kind, class T>
T Row::scalar(int column, char const* wanted) const {
    auto const value = decode(Kind{}, bytes(column, Kind::element, wanted));
    if (!value) throw BadReply(column, wanted);
    return *value;
}

bool Row::boolean(int column) const { return scalar<kind::Boolean, bool>(column, "bool"); }
std::int16_t Row::int2(int column) const {
    return scalar<kind::Int2, std::int16_t>(column, "int2");
}
std::int32_t Row::int4(int column) const {
    return scalar<kind::Int4, std::int32_t>(column, "int4");
}
std::int64_t Row::int8(int column) const {
    return scalar<kind::Int8, std::int64_t>(column, "int8");
}
UuidBytes Row::uuid(int column) const { return scalar<kind::Uuid, UuidBytes>(column, "uuid"); }

std::int64_t Row::instant_ms(int column) const {
    return scalar<kind::InstantMs, std::int64_t>(column, "timestamptz");
}

std::string_view Row::text(int column) const {
    require_column(result_, column, "text");
    if (PQgetisnull(result_, index_, column) != 0) throw BadReply(column, "text");
    auto const value = raw(result_, index_, column);
    if (PQfformat(result_, column) == 0) return text_of(value);  // an ordinary connection's answer
    Oid const type = PQftype(result_, column);
    if (is_textual(type)) return text_of(value);
    // jsonb is a version byte, 1, and the text.
    if (type != oid::jsonb || value.empty() || value[0] != 1) throw BadReply(column, "text");
    return text_of(value.subspan(1));
}

Bytes Row::bytea(int column) const { return bytes(column, oid::bytea, "bytea"); }

std::uint64_t Row::xid8(int column) const {
    auto const value = decode(kind::Int8{}, bytes(column, oid::xid8, "xid8"));
    if (!value) throw BadReply(column, "xid8");
    return static_cast<std::uint64_t>(*value);
}

std::optional<bool> Row::optional_boolean(int column) const {
    if (is_null(column)) return std::nullopt;
    return boolean(column);
}
std::optional<std::int16_t> Row::optional_int2(int column) const {
    if (is_null(column)) return std::nullopt;
    return int2(column);
}
std::optional<std::int32_t> Row::optional_int4(int column) const {
    if (is_null(column)) return std::nullopt;
    return int4(column);
}
std::optional<std::int64_t> Row::optional_int8(int column) const {
    if (is_null(column)) return std::nullopt;
    return int8(column);
}
std::optional<std::string_view> Row::optional_text(int column) const {
    if (is_null(column)) return std::nullopt;
    return text(column);
}
std::optional<Bytes> Row::optional_bytea(int column) const {
    if (is_null(column)) return std::nullopt;
    return bytea(column);
}
std::optional<UuidBytes> Row::optional_uuid(int column) const {
    if (is_null(column)) return std::nullopt;
    return uuid(column);
}
std::optional<std::int64_t> Row::optional_instant_ms(int column) const {
    if (is_null(column)) return std::nullopt;
    return instant_ms(column);
}

template <class Kind, class T>
std::vector<std::optional<T>> Row::optional_elements(int column, char const* wanted) const {
    auto const values = decode_array(Kind::element, bytes(column, Kind::array, wanted));
    if (!values) throw BadReply(column, wanted);
    std::vector<std::optional<T>> elements;
    elements.reserve(values->size());
    for (auto const& value : *values) {
        if (!value) {
            elements.push_back(std::nullopt);
            continue;
        }
        auto element = decode(Kind{}, *value);
        if (!element) throw BadReply(column, wanted);
        elements.push_back(std::move(element));
    }
    return elements;
}

template <class Kind, class T>
std::vector<T> Row::elements(int column, char const* wanted) const {
    std::vector<T> values;
    for (auto& element : optional_elements<Kind, T>(column, wanted)) {
        if (!element) throw BadReply(column, wanted);
        values.push_back(std::move(*element));
    }
    return values;
}

std::vector<std::int16_t> Row::int2s(int column) const {
    return elements<kind::Int2, std::int16_t>(column, "int2[]");
}
std::vector<std::int32_t> Row::int4s(int column) const {
    return elements<kind::Int4, std::int32_t>(column, "int4[]");
}
std::vector<std::int64_t> Row::int8s(int column) const {
    return elements<kind::Int8, std::int64_t>(column, "int8[]");
}
std::vector<std::string> Row::texts(int column) const {
    return elements<kind::Text, std::string>(column, "text[]");
}
std::vector<UuidBytes> Row::uuids(int column) const {
    return elements<kind::Uuid, UuidBytes>(column, "uuid[]");
}
std::vector<std::optional<std::int64_t>> Row::optional_int8s(int column) const {
    return optional_elements<kind::Int8, std::int64_t>(column, "int8[]");
}
std::vector<std::optional<std::string>> Row::optional_texts(int column) const {
    return optional_elements<kind::Text, std::string>(column, "text[]");
}
std::vector<std::optional<UuidBytes>> Row::optional_uuids(int column) const {
    return optional_elements<kind::Uuid, UuidBytes>(column, "uuid[]");
}

void Rows::Clear::operator()(::pg_result* result) const { PQclear(result); }

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::size_t Rows::columns() const { return static_cast<std::size_t>(PQnfields(result_.get())); }

Row Rows::operator[](std::size_t index) const {
    PENSTOCK_ASSERT(index < size());
    return {result_.get(), static_cast<int>(index)};
}

std::uint64_t Rows::affected() const {
    if (!result_) return 0;
    std::string_view const digits = PQcmdTuples(result_.get());
    std::uint64_t count = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    return count;
}

std::string_view Rows::tag() const {
    if (!result_) return {};
    return PQcmdStatus(result_.get());
}

}  // namespace penstock::db::pg
