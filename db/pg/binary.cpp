#include "db/pg/binary.hpp"

#include <bit>
#include <concepts>
#include <cstring>
#include <limits>

#include "domain/assert.hpp"

namespace penstock::db::pg {
namespace {

constexpr std::int64_t epoch_2000_ms = 946'684'800'000;  // PostgreSQL counts from 2000-01-01
constexpr std::int64_t instant_max_ms = std::numeric_limits<std::int64_t>::max() / 1000 - 1;
constexpr std::size_t value_max = 1U << 30;  // the server's own limit for one value
constexpr std::size_t array_header = 20;     // of one dimension; an empty array has 12

template <std::unsigned_integral T>
T swapped(T value) {
    static_assert(std::endian::native == std::endian::little);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
}

template <std::integral T>
void put(T value, std::string& out) {
    auto const wire = swapped(std::make_unsigned_t<T>(value));
    char bytes[sizeof wire];
    std::memcpy(bytes, &wire, sizeof wire);
    out.append(bytes, sizeof wire);
}

/// Reads a T at the front; the caller has checked that it is there.
template <std::integral T>
T take(Bytes bytes) {
    std::make_unsigned_t<T> wire;
    std::memcpy(&wire, bytes.data(), sizeof wire);
    return static_cast<T>(swapped(wire));
}

template <std::integral T>
std::optional<T> whole(Bytes bytes) {
    if (bytes.size() != sizeof(T)) return std::nullopt;
    return take<T>(bytes);
}

struct ArrayShape {
    std::size_t elements;
    Bytes rest;
};

std::optional<ArrayShape> decode_shape(Oid element, Bytes bytes) {
    if (bytes.size() < 12) return std::nullopt;
    auto const dimensions = take<std::int32_t>(bytes);
    auto const has_null = take<std::int32_t>(bytes.subspan(4));
    if (has_null != 0 && has_null != 1) return std::nullopt;
    if (take<std::uint32_t>(bytes.subspan(8)) != element) return std::nullopt;
    if (dimensions == 0 && bytes.size() == 12) return ArrayShape{0, {}};
    if (dimensions != 1 || bytes.size() < array_header) return std::nullopt;
    auto const elements = take<std::int32_t>(bytes.subspan(12));
    // Each element has at least its length, so a count beyond that is a lie: allocate nothing.
    auto const rest = bytes.subspan(array_header);
    if (elements < 0 || static_cast<std::size_t>(elements) > rest.size() / 4) return std::nullopt;
    return ArrayShape{static_cast<std::size_t>(elements), rest};
}

}  // namespace

void encode(kind::Boolean, bool value, std::string& out) { out.push_back(value ? '\1' : '\0'); }
void encode(kind::Int2, std::int16_t value, std::string& out) { put(value, out); }
void encode(kind::Int4, std::int32_t value, std::string& out) { put(value, out); }
void encode(kind::Int8, std::int64_t value, std::string& out) { put(value, out); }
void encode(kind::Text, std::string_view value, std::string& out) { out.append(value); }

void encode(kind::Bytea, Bytes value, std::string& out) {
    out.append(reinterpret_cast<char const*>(value.data()), value.size());
}

void encode(kind::Uuid, UuidBytes const& value, std::string& out) {
    encode(kind::Bytea{}, value, out);
}

void encode(kind::InstantMs, std::int64_t ms, std::string& out) {
    // Symmetric around the epoch of 2000, far beyond what the server accepts (year 294276).
    PENSTOCK_ASSERT(ms <= instant_max_ms && ms >= -instant_max_ms + 2 * epoch_2000_ms);
    put((ms - epoch_2000_ms) * 1000, out);
}

void encode_length(std::size_t length, std::string& out) {
    PENSTOCK_ASSERT(length < value_max);
    put(static_cast<std::int32_t>(length), out);
}

std::optional<bool> decode(kind::Boolean, Bytes bytes) {
    if (bytes.size() != 1 || bytes[0] > 1) return std::nullopt;
    return bytes[0] == 1;
}

std::optional<std::int16_t> decode(kind::Int2, Bytes bytes) { return whole<std::int16_t>(bytes); }
std::optional<std::int32_t> decode(kind::Int4, Bytes bytes) { return whole<std::int32_t>(bytes); }
std::optional<std::int64_t> decode(kind::Int8, Bytes bytes) { return whole<std::int64_t>(bytes); }

std::optional<std::string> decode(kind::Text, Bytes bytes) {
    return std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}

std::optional<std::vector<std::uint8_t>> decode(kind::Bytea, Bytes bytes) {
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

std::optional<UuidBytes> decode(kind::Uuid, Bytes bytes) {
    UuidBytes value;
    if (bytes.size() != value.size()) return std::nullopt;
    std::memcpy(value.data(), bytes.data(), value.size());
    return value;
}

std::optional<std::int64_t> decode(kind::InstantMs, Bytes bytes) {
    auto const us = whole<std::int64_t>(bytes);
    if (!us) return std::nullopt;
    if (*us == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    if (*us == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    std::int64_t const floored = *us / 1000 - (*us % 1000 < 0 ? 1 : 0);
    return floored + epoch_2000_ms;
}

std::optional<std::vector<std::optional<Bytes>>> decode_array(Oid element, Bytes bytes) {
    auto const shape = decode_shape(element, bytes);
    if (!shape) return std::nullopt;
    std::vector<std::optional<Bytes>> values;
    values.reserve(shape->elements);
    Bytes rest = shape->rest;
    for (std::size_t i = 0; i < shape->elements; ++i) {
        if (rest.size() < 4) return std::nullopt;
        auto const length = take<std::int32_t>(rest);
        rest = rest.subspan(4);
        if (length == -1) {
            values.push_back(std::nullopt);
            continue;
        }
        if (length < 0 || static_cast<std::size_t>(length) > rest.size()) return std::nullopt;
        values.push_back(rest.first(static_cast<std::size_t>(length)));
        rest = rest.subspan(static_cast<std::size_t>(length));
    }
    if (!rest.empty()) return std::nullopt;
    return values;
}

template <class Kind>
void Array<Kind>::encode_to(std::string& out) const {
    PENSTOCK_ASSERT(elements_.size() < value_max - array_header);
    out.reserve(out.size() + array_header + elements_.size());
    put(std::int32_t{size_ == 0 ? 0 : 1}, out);
    put(std::int32_t{has_null_ ? 1 : 0}, out);
    put(Kind::element, out);
    if (size_ == 0) return;
    put(static_cast<std::int32_t>(size_), out);
    put(std::int32_t{1}, out);  // SQL counts from 1
    out.append(elements_);
}

template <class Kind>
void Array<Kind>::set_length(std::size_t at, std::size_t length) {
    PENSTOCK_ASSERT(length < value_max);
    auto const wire = swapped(static_cast<std::uint32_t>(length));
    std::memcpy(elements_.data() + at, &wire, sizeof wire);
}

template class Array<kind::Boolean>;
template class Array<kind::Int2>;
template class Array<kind::Int4>;
template class Array<kind::Int8>;
template class Array<kind::Text>;
template class Array<kind::Bytea>;
template class Array<kind::Uuid>;
template class Array<kind::InstantMs>;

}  // namespace penstock::db::pg
