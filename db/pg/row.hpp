// What a statement answered: typed, checked columns in binary format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/pg/binary.hpp"
#include "db/pg/error.hpp"
#include "reactor/result.hpp"

struct pg_result;  // libpq's PGresult

namespace penstock::db::pg {

/// The server's bytes are not what the statement promised: a wrong type, size, format or an
/// unexpected NULL. Thrown by the column readers and caught by decoded(), nowhere else.
class BadReply {
public:
    BadReply(int column_index, char const* wanted_type)
        : column(column_index), wanted(wanted_type) {}
    int column;
    char const* wanted;
};

/// One row. Columns count from 0. A view (text, bytea) lives as long as its Rows.
class Row {
public:
    Row(::pg_result const* result, int index) : result_(result), index_(index) {}

    bool is_null(int column) const;

    bool boolean(int column) const;
    std::int16_t int2(int column) const;
    std::int32_t int4(int column) const;
    std::int64_t int8(int column) const;
    std::string_view text(int column) const;  ///< text, varchar, name, json; jsonb as its text
    Bytes bytea(int column) const;
    UuidBytes uuid(int column) const;
    std::int64_t instant_ms(int column) const;
    std::uint64_t xid8(int column) const;

    std::optional<bool> optional_boolean(int column) const;
    std::optional<std::int16_t> optional_int2(int column) const;
    std::optional<std::int32_t> optional_int4(int column) const;
    std::optional<std::int64_t> optional_int8(int column) const;
    std::optional<std::string_view> optional_text(int column) const;
    std::optional<Bytes> optional_bytea(int column) const;
    std::optional<UuidBytes> optional_uuid(int column) const;
    std::optional<std::int64_t> optional_instant_ms(int column) const;

    // Arrays without NULL elements.
    std::vector<std::int16_t> int2s(int column) const;
    std::vector<std::int32_t> int4s(int column) const;
    std::vector<std::int64_t> int8s(int column) const;
    std::vector<std::string> texts(int column) const;
    std::vector<UuidBytes> uuids(int column) const;
    // Arrays whose elements may be NULL.
    std::vector<std::optional<std::int64_t>> optional_int8s(int column) const;
    std::vector<std::optional<std::string>> optional_texts(int column) const;
    std::vector<std::optional<UuidBytes>> optional_uuids(int column) const;

private:
    Bytes bytes(int column, Oid type, char const* wanted) const;
    template <class Kind, class T>
    T scalar(int column, char const* wanted) const;
    template <class Kind, class T>
    std::vector<T> elements(int column, char const* wanted) const;
    template <class Kind, class T>
    std::vector<std::optional<T>> optional_elements(int column, char const* wanted) const;

    ::pg_result const* result_;
    int index_;
};

/// The rows of one statement, and what it touched. Owns them; `for (Row row : rows)` reads them.
class Rows {
public:
    Rows() = default;
    explicit Rows(::pg_result* owned) : result_(owned) {}

    class Iterator {
    public:
        Iterator(::pg_result const* result, int index) : result_(result), index_(index) {}
        Row operator*() const { return {result_, index_}; }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        bool operator==(Iterator const&) const = default;

    private:
        ::pg_result const* result_;
        int index_;
    };

    std::size_t size() const;
    bool empty() const { return size() == 0; }
    Row operator[](std::size_t index) const;  ///< asserts that there is such a row
    Iterator begin() const { return {result_.get(), 0}; }
    Iterator end() const { return {result_.get(), static_cast<int>(size())}; }

    std::size_t columns() const;
    std::uint64_t affected() const;  ///< rows inserted, updated, deleted or selected
    std::string_view tag() const;    ///< the command tag: "INSERT 0 3", "COMMIT"

private:
    struct Clear {
        void operator()(::pg_result* result) const;
    };
    std::unique_ptr<::pg_result, Clear> result_;
};

/// Runs `read` (a plain callable that reads columns) and turns BadReply into
/// Errc::unexpected_reply:
///     auto read = [&] { return Account{rows[0].uuid(0), rows[0].int8(1)}; };
///     co_return pg::decoded(read);
template <class Read>
auto decoded(Read&& read) -> Result<decltype(read())> {
    try {
        return read();
    } catch (BadReply const&) {
        return error_code(Errc::unexpected_reply);
    }
}

}  // namespace penstock::db::pg
