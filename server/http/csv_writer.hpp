// HOW rows become CSV: RFC 4180, and nothing that a spreadsheet would take for a formula.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/instant_text.hpp"
#include "server/http/json_writer.hpp"

namespace penstock::server {

/// Appends a text as one field. What begins with = + - @ tab or CR gets a leading apostrophe; an
/// empty text is "", which tells it from null.
void append_csv_text(std::string& out, std::string_view text);

/// A line per object, a field per member: what writes an object to a JsonWriter writes it to this
/// one, as long as none of its members is an object or array but as raw JSON, which is one text.
class CsvWriter {
public:
    explicit CsvWriter(std::string& out) : out_(out) {}
    CsvWriter(CsvWriter const&) = delete;

    CsvWriter& begin_object() {
        is_first_ = true;
        return *this;
    }
    CsvWriter& end_object() {
        out_ += "\r\n";
        return *this;
    }

    template <class T>
    CsvWriter& member(std::string_view, T const& value) {
        separate();
        append(value);
        return *this;
    }
    CsvWriter& id(std::string_view, std::array<std::uint8_t, 16> const& id) {
        separate();
        append_uuid(out_, id);
        return *this;
    }
    CsvWriter& instant(std::string_view, std::optional<std::int64_t> ms) {
        separate();
        if (ms) append_instant(out_, *ms);
        return *this;
    }
    CsvWriter& raw(std::string_view, std::string_view json) {
        separate();
        append_csv_text(out_, json);
        return *this;
    }

private:
    void separate() {
        if (!is_first_) out_ += ',';
        is_first_ = false;
    }

    void append(std::string_view text) { append_csv_text(out_, text); }
    void append(std::string const& text) { append_csv_text(out_, text); }
    void append(char const* text) { append_csv_text(out_, text); }
    void append(std::nullptr_t) {}
    template <std::integral T>
    void append(T number) {
        char digits[24];
        auto const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        out_.append(digits, end);
    }
    template <class T>
    void append(std::optional<T> const& maybe) {
        if (maybe) append(*maybe);
    }

    std::string& out_;
    bool is_first_ = true;
};

/// The names of the members instead: the line that a file begins with.
class CsvHeader {
public:
    explicit CsvHeader(std::string& out) : out_(out), start_(out.size()) {}
    CsvHeader(CsvHeader const&) = delete;

    CsvHeader& begin_object() { return *this; }
    CsvHeader& end_object() {
        out_ += "\r\n";
        return *this;
    }
    template <class T>
    CsvHeader& member(std::string_view name, T const&) {
        return add(name);
    }
    template <class T>
    CsvHeader& id(std::string_view name, T const&) {
        return add(name);
    }
    CsvHeader& instant(std::string_view name, std::optional<std::int64_t>) { return add(name); }
    CsvHeader& raw(std::string_view name, std::string_view) { return add(name); }

private:
    CsvHeader& add(std::string_view name) {
        if (out_.size() != start_) out_ += ',';
        out_ += name;
        return *this;
    }

    std::string& out_;
    std::size_t start_;
};

}  // namespace penstock::server
