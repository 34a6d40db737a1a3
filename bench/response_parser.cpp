#include "bench/response_parser.hpp"

#include <charconv>

namespace penstock::bench {
namespace {

bool same_name(std::string_view a, std::string_view lower) {
    if (a.size() != lower.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        char const c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] + 32) : a[i];
        if (c != lower[i]) return false;
    }
    return true;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// The whole text as a number of that base, no sign, no space.
template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
    Number value{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

void ResponseParser::reset() {
    response_ = {};
    head_size_ = searched_ = position_ = size_ = 0;
    length_.reset();
    framing_ = Framing::length;
    chunked_body_.clear();
}

ParseState ResponseParser::parse(std::string_view received) {
    if (head_size_ == 0) {
        auto const end = received.find("\r\n\r\n", searched_);
        if (end == std::string_view::npos) {
            searched_ = received.size() < 3 ? 0 : received.size() - 3;
            return received.size() > head_max ? ParseState::malformed : ParseState::incomplete;
        }
        if (end > head_max) return ParseState::malformed;
        if (!parse_head(received.substr(0, end + 2))) return ParseState::malformed;
        head_size_ = position_ = end + 4;
    }
    if (framing_ == Framing::chunked) return parse_chunks(received);
    if (received.size() - head_size_ < *length_) return ParseState::incomplete;
    size_ = head_size_ + *length_;
    response_.body = received.substr(head_size_, *length_);
    return ParseState::complete;
}

bool ResponseParser::parse_head(std::string_view head) {
    auto line_end = head.find("\r\n");
    if (!parse_status_line(head.substr(0, line_end))) return false;
    head.remove_prefix(line_end + 2);
    while (!head.empty()) {
        line_end = head.find("\r\n");
        auto const line = head.substr(0, line_end);
        auto const colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0) return false;
        if (!parse_header(line.substr(0, colon), trimmed(line.substr(colon + 1)))) return false;
        head.remove_prefix(line_end + 2);
    }
    bool const bodyless = response_.status == 204 || response_.status == 304;
    if (framing_ == Framing::chunked) return !length_ && !bodyless;
    if (!length_ && bodyless) length_ = 0;
    return length_.has_value();  // a body that only the end of the connection ends is not accepted
}

bool ResponseParser::parse_status_line(std::string_view line) {
    if (!line.starts_with("HTTP/1.1 ") || line.size() < 12) return false;
    auto const status = number<int>(line.substr(9, 3));
    if (!status || *status < 200 || *status > 599) return false;
    if (line.size() > 12 && line[12] != ' ') return false;
    response_.status = *status;
    return true;
}

bool ResponseParser::parse_header(std::string_view name, std::string_view value) {
    if (same_name(name, "content-length")) {
        auto const length = number<std::size_t>(value);
        if (!length || *length > body_max || length_) return false;
        length_ = length;
    } else if (same_name(name, "transfer-encoding")) {
        if (!same_name(value, "chunked")) return false;
        framing_ = Framing::chunked;
    } else if (same_name(name, "connection")) {
        response_.keep_alive = !same_name(value, "close");
    } else if (same_name(name, "retry-after")) {
        response_.retry_after_s = number<unsigned>(value);
    } else if (same_name(name, "idempotent-replayed")) {
        response_.replayed = value == "true";
    }
    return true;
}

ParseState ResponseParser::parse_chunks(std::string_view received) {
    for (;;) {
        auto const line_end = received.find("\r\n", position_);
        if (line_end == std::string_view::npos) {
            bool const endless = received.size() - position_ > 1024;
            return endless ? ParseState::malformed : ParseState::incomplete;
        }
        auto line = received.substr(position_, line_end - position_);
        auto const size = number<std::size_t>(trimmed(line.substr(0, line.find(';'))), 16);
        if (!size || chunked_body_.size() + *size > body_max) return ParseState::malformed;
        auto const data = line_end + 2;
        // The last chunk is followed by an empty line here: trailers are not accepted.
        if (received.size() < data + *size + 2) return ParseState::incomplete;
        if (received.substr(data + *size, 2) != "\r\n") return ParseState::malformed;
        chunked_body_.append(received, data, *size);
        position_ = data + *size + 2;
        if (*size != 0) continue;
        size_ = position_;
        response_.body = chunked_body_;
        return ParseState::complete;
    }
}

}  // namespace penstock::bench
