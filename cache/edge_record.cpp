#include "cache/edge_record.hpp"

#include <cstddef>

#include "domain/assert.hpp"

namespace penstock::cache {
namespace {

// The digit is the version of the format: what another version wrote is not understood, and the
// database is asked.
constexpr std::string_view mark_tag = "M1";
constexpr std::string_view answer_tag = "A1";
constexpr std::size_t mark_size = 2 + 8 + 8;
constexpr std::size_t fingerprint_at = 2 + 8 + 2;
constexpr std::size_t body_at = fingerprint_at + 32;

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
    while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes));
}

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (char const c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
}

/// FNV-1a: against bytes that were cut or overwritten, not against an attacker, who could as well
/// write a right one.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (char const c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
}

bool is_success(std::uint64_t status) { return status >= 200 && status <= 299; }

EdgeRecord read_answer(std::string_view bytes) {
    if (bytes.size() < body_at) return {};
    auto const checked = bytes.substr(2 + 8);
    auto const status = big_endian(bytes.substr(2 + 8, 2));
    if (big_endian(bytes.substr(2, 8)) != checksum(checked) || !is_success(status)) return {};
    EdgeAnswer answer;
    answer.status = static_cast<unsigned>(status);
    for (std::size_t i = 0; i < answer.fingerprint.size(); ++i)
        answer.fingerprint[i] = static_cast<std::uint8_t>(bytes[fingerprint_at + i]);
    answer.body = bytes.substr(body_at);
    return answer;
}

}  // namespace

std::string encode(EdgeMark const& mark) {
    std::string out;
    out.reserve(mark_size);
    out += mark_tag;
    append_big_endian(out, mark.owner, 8);
    append_big_endian(out, mark.number, 8);
    return out;
}

std::string encode_answer(domain::Fingerprint const& fingerprint, unsigned status,
                          std::string_view body) {
    PENSTOCK_ASSERT(is_success(status));
    std::string out;
    out.reserve(body_at + body.size());
    out += answer_tag;
    append_big_endian(out, 0, 8);
    append_big_endian(out, status, 2);
    for (auto const byte : fingerprint) out += static_cast<char>(byte);
    out += body;
    std::string sum;
    append_big_endian(sum, checksum(std::string_view(out).substr(2 + 8)), 8);
    return out.replace(2, 8, sum);
}

EdgeRecord read_edge_record(std::string_view bytes) {
    if (bytes.starts_with(answer_tag)) return read_answer(bytes);
    if (!bytes.starts_with(mark_tag) || bytes.size() != mark_size) return {};
    return EdgeMark{big_endian(bytes.substr(2, 8)), big_endian(bytes.substr(10, 8))};
}

}  // namespace penstock::cache
