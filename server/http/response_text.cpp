// HOW a response becomes bytes.
#include "server/http/response_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace penstock::server {
namespace {

template <class T>
void append_number(std::string& out, T number, int base = 10) {
    char digits[24];
    auto const end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    out.append(digits, end);
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

bool is_sendable(std::string_view value) {
    return std::none_of(value.begin(), value.end(), [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7F;
    });
}

bool has_no_body(unsigned status) { return status == 204 || status == 304 || status < 200; }

std::string_view body_of(Response const& response) {
    return response.shared_body ? *response.shared_body : std::string_view(response.body);
}

void append_body_headers(std::string& out, Response const& response, Framing const& framing) {
    if (has_no_body(response.status)) return;
    append_line(out, "Content-Type", response.content_type);
    if (is_chunked(response, framing.http10)) out += "Transfer-Encoding: chunked\r\n";
    if (response.source && !response.source_bytes) return;
    out += "Content-Length: ";
    append_number(out, response.source ? *response.source_bytes : body_of(response).size());
    out += "\r\n";
}

}  // namespace

bool is_chunked(Response const& response, bool http10) {
    return response.source && !response.source_bytes && !http10;
}

std::size_t body_size(Response const& response) {
    return has_no_body(response.status) || response.source ? 0 : body_of(response).size();
}

std::size_t append_response(std::string& out, Response const& response, Framing const& framing) {
    out += "HTTP/1.1 ";
    append_number(out, response.status);
    out += ' ';
    out += reason_phrase(response.status);
    out += "\r\n";
    if (!framing.date.empty()) append_line(out, "Date", framing.date);
    append_body_headers(out, response, framing);
    append_line(out, "X-Request-Id", framing.request_id);
    out += "X-Content-Type-Options: nosniff\r\n";
    for (auto const& header : response.headers)
        if (is_sendable(header.value)) append_line(out, header.name, header.value);
    if (!framing.keep_alive) {
        out += connection_close_line;
    } else if (framing.http10) {
        out += "Connection: keep-alive\r\n";
    }
    auto const insertion = out.size();
    out += "\r\n";
    bool const with_body = !framing.head_only && body_size(response) > 0;
    if (with_body) out += body_of(response);
    return insertion;
}

void append_chunk(std::string& out, std::string_view piece) {
    append_number(out, piece.size(), 16);
    out += "\r\n";
    out += piece;
    out += "\r\n";
}

std::string http_date(std::int64_t seconds_since_1970) {
    using namespace std::chrono;
    constexpr char const* days_of_week[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr char const* months_of_year[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    sys_seconds const at{seconds{seconds_since_1970}};
    auto const day = floor<days>(at);
    year_month_day const date{day};
    hh_mm_ss const time{at - day};
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                  days_of_week[weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                  months_of_year[static_cast<unsigned>(date.month()) - 1],
                  static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text;
}

}  // namespace penstock::server
