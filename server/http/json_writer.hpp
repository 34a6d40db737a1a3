// HOW answers become text: members in the order in which they are written, appended to one string.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/instant_text.hpp"

namespace penstock::server {

/// Appends `text` quoted and escaped. Text is UTF-8 already: everything that came in was checked.
void append_json_string(std::string& out, std::string_view text);

/// Appends the 36 characters of a UUID.
void append_uuid(std::string& out, std::array<std::uint8_t, 16> const& id);

/// Writes compact JSON. Commas are its business, balance of begin and end is the caller's:
///
///     JsonWriter json(body);
///     json.begin_object();
///     json.member("id", id).member("amount", amount).instant("created_at", ms);
///     json.begin_array("data"); … json.end_array();
///     json.end_object();
///
/// Member names are literals that need no escaping.
class JsonWriter {
public:
    explicit JsonWriter(std::string& out) : out_(out), start_(out.size()) {}
    JsonWriter(JsonWriter const&) = delete;

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& begin_object(std::string_view name) { return key(name).open_value('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& begin_array(std::string_view name) { return key(name).open_value('['); }
    JsonWriter& end_array() { return close(']'); }

    template <class T>
    JsonWriter& member(std::string_view name, T const& value) {
        key(name);
        append(value);
        return *this;
    }
    template <class T>
    JsonWriter& value(T const& element) {
        comma();
        append(element);
        return *this;
    }

    JsonWriter& id(std::string_view name, std::array<std::uint8_t, 16> const& id) {
        key(name);
        out_ += '"';
        append_uuid(out_, id);
        out_ += '"';
        return *this;
    }

    /// An instant, or null.
    JsonWriter& instant(std::string_view name, std::optional<std::int64_t> ms) {
        key(name);
        if (!ms) {
            append(nullptr);
            return *this;
        }
        out_ += '"';
        append_instant(out_, *ms);
        out_ += '"';
        return *this;
    }

    /// A value that is JSON already, such as stored metadata.
    JsonWriter& raw(std::string_view name, std::string_view json) {
        key(name);
        out_ += json;
        return *this;
    }
    JsonWriter& raw_value(std::string_view json) {
        comma();
        out_ += json;
        return *this;
    }

    std::string& text() { return out_; }

private:
    JsonWriter& open(char bracket) {
        comma();
        out_ += bracket;
        return *this;
    }
    JsonWriter& open_value(char bracket) {
        out_ += bracket;
        return *this;
    }
    JsonWriter& close(char bracket) {
        out_ += bracket;
        return *this;
    }
    JsonWriter& key(std::string_view name) {
        comma();
        out_ += '"';
        out_ += name;
        out_ += "\":";
        return *this;
    }
    // No value ends in an opening bracket, so the last character says whether this is the first.
    void comma() {
        if (out_.size() == start_) return;
        char const last = out_.back();
        if (last != '{' && last != '[') out_ += ',';
    }

    void append(std::string_view text) { append_json_string(out_, text); }
    void append(std::string const& text) { append_json_string(out_, text); }
    void append(char const* text) { append_json_string(out_, text); }
    void append(std::nullptr_t) { out_ += "null"; }
    void append(bool flag) { out_ += flag ? "true" : "false"; }
    template <std::integral T>
    void append(T number) {
        char digits[24];
        auto const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        out_.append(digits, end);
    }
    template <class T>
    void append(std::optional<T> const& maybe) {
        if (maybe) {
            append(*maybe);
        } else {
            append(nullptr);
        }
    }

    std::string& out_;
    std::size_t start_;
};

}  // namespace penstock::server
