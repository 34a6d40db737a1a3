// WHERE one request ends: the only file that sees Beast.
#include "server/http/request_parser.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace penstock::server {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return Method::get;
        case http::verb::head:
            return Method::head;
        case http::verb::post:
            return Method::post;
        case http::verb::put:
            return Method::put;
        case http::verb::patch:
            return Method::patch;
        case http::verb::delete_:
            return Method::delete_;
        case http::verb::options:
            return Method::options;
        default:
            return Method::other;
    }
}

std::string_view view(string_view text) { return {text.data(), text.size()}; }

bool iequals(std::string_view a, std::string_view b) {
    return boost::beast::iequals(string_view(a.data(), a.size()), string_view(b.data(), b.size()));
}

/// Collects into a Request. Beast's own message containers would allocate per field.
class Parser final : public http::basic_parser<true> {
public:
    Parser(Request& request, std::size_t header_bytes_max, std::size_t header_fields_max)
        : request_(request), fields_max_(header_fields_max) {
        header_limit(static_cast<std::uint32_t>(header_bytes_max));
        body_limit(boost::none);  // ours depends on the route, which the header decides
        eager(false);
    }

    bool too_many_fields() const { return too_many_fields_; }
    void body_max(std::size_t bytes) { body_max_ = bytes; }
    std::size_t body_max() const { return body_max_; }
    bool is_http10() const { return http10_; }

private:
    void on_request_impl(http::verb verb, string_view, string_view target, int version,
                         error_code&) override {
        request_.method = method_of(verb);
        request_.target.raw = view(target);
        http10_ = version == 10;
    }
    void on_field_impl(http::field, string_view name, string_view value,
                       error_code& error) override {
        if (header_done_) return;  // trailers mean nothing to us
        if (request_.headers.size() == fields_max_) {
            too_many_fields_ = true;
            error = http::error::header_limit;
            return;
        }
        request_.headers.add(view(name), view(value));
    }
    void on_header_impl(error_code&) override { header_done_ = true; }
    // A length that a client merely claims reserves no memory beyond this.
    void on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) override {
        constexpr std::uint64_t trusted = 64 * 1024;
        if (length) request_.body.reserve(static_cast<std::size_t>(std::min(*length, trusted)));
    }
    std::size_t on_body_impl(string_view part, error_code& error) override {
        return keep(part, error);
    }
    void on_chunk_header_impl(std::uint64_t size, string_view, error_code& error) override {
        if (size > body_max_ - std::min(body_max_, request_.body.size()))
            error = http::error::body_limit;
    }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code& error) override {
        return keep(part, error);
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_finish_impl(error_code&) override {}

    std::size_t keep(string_view part, error_code& error) {
        if (part.size() > body_max_ - std::min(body_max_, request_.body.size())) {
            error = http::error::body_limit;
            return 0;
        }
        request_.body.append(part.data(), part.size());
        return part.size();
    }

    Request& request_;
    std::size_t fields_max_;
    std::size_t body_max_ = 0;
    bool header_done_ = false;
    bool too_many_fields_ = false;
    bool http10_ = false;
};

bool is_host(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// What would let two programs read one message differently, or nobody answer for it.
std::optional<std::string_view> framing_fault(Request const& request, bool http10) {
    auto const& headers = request.headers;
    auto const hosts = headers.count("Host");
    if (hosts > 1 || (hosts == 0 && !http10)) return "exactly one Host header is required";
    if (!is_host(headers.get("Host"))) return "the Host header is not valid";
    auto const lengths = headers.count("Content-Length");
    auto const encodings = headers.count("Transfer-Encoding");
    if (lengths > 1) return "Content-Length is given twice";
    if (lengths + encodings > 1) return "Content-Length and Transfer-Encoding exclude each other";
    if (encodings == 1 && (http10 || !iequals(headers.get("Transfer-Encoding"), "chunked")))
        return "the only Transfer-Encoding is chunked, in HTTP/1.1";
    return std::nullopt;
}

}  // namespace

struct RequestParser::Impl {
    Impl(std::size_t bytes, std::size_t fields)
        : header_bytes_max(bytes), header_fields_max(fields) {}

    std::size_t header_bytes_max;
    std::size_t header_fields_max;
    Request request;
    std::optional<Parser> parser;
    std::size_t header_bytes = 0;
    bool head_complete = false;
    std::optional<Problem> refusal;
};

RequestParser::RequestParser(std::size_t header_bytes_max, std::size_t header_fields_max)
    : impl_(std::make_unique<Impl>(header_bytes_max, header_fields_max)) {}

RequestParser::~RequestParser() = default;

Progress RequestParser::advance(std::string_view input, std::size_t& consumed) {
    auto& impl = *impl_;
    consumed = 0;
    if (!impl.parser) {
        // An empty line before a request is skipped: some clients send one after a body.
        while (input.substr(consumed, 2) == "\r\n") consumed += 2;
        if (consumed == input.size()) return Progress::need_more;
        impl.parser.emplace(impl.request, impl.header_bytes_max, impl.header_fields_max);
    }
    auto& parser = *impl.parser;
    while (!parser.is_done()) {
        auto const rest = input.substr(consumed);
        if (rest.empty()) return Progress::need_more;
        error_code error;
        auto const used = parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
        consumed += used;
        if (!parser.is_header_done()) impl.header_bytes += used;
        // Beast waits for the length of a good version, also where the header has ended.
        bool const never_enough = !parser.is_header_done() && rest.find("\r\n\r\n") != rest.npos;
        if (error == http::error::need_more && never_enough) error = http::error::bad_version;
        if (error == http::error::need_more) return Progress::need_more;
        if (error == http::error::header_limit)
            return refuse(Code::headers_too_large, parser.too_many_fields()
                                                       ? "the header has too many fields"
                                                       : "the header has too many bytes");
        if (error == http::error::body_limit) return refuse(Code::payload_too_large, "");
        if (error) return refuse(Code::invalid_request, "the message is not valid HTTP/1.1");
        if (!parser.is_header_done() || impl.head_complete) continue;
        return finish_head(used);
    }
    return Progress::complete;
}

Progress RequestParser::finish_head(std::size_t used) {
    auto& impl = *impl_;
    impl.head_complete = true;
    if (impl.header_bytes + used > impl.header_bytes_max)
        return refuse(Code::headers_too_large, "the header has too many bytes");
    auto& request = impl.request;
    request.keep_alive = impl.parser->keep_alive();
    auto fault = framing_fault(request, impl.parser->is_http10());
    if (fault) return refuse(Code::invalid_request, *fault);
    auto const raw = std::string(request.target.raw);
    fault = parse_target(raw, request.target);
    if (fault) return refuse(Code::invalid_request, *fault);
    return Progress::head;
}

bool RequestParser::started() const { return impl_->parser.has_value(); }
bool RequestParser::head_complete() const { return impl_->head_complete; }

bool RequestParser::expects_continue() const {
    return !http10() && !impl_->parser->is_done() && impl_->request.body.empty() &&
           iequals(impl_->request.headers.get("Expect"), "100-continue");
}

std::size_t RequestParser::body_expected() const {
    auto const length = impl_->parser->content_length();
    return length ? static_cast<std::size_t>(*length) : impl_->parser->body_max();
}

bool RequestParser::http10() const { return impl_->parser && impl_->parser->is_http10(); }

bool RequestParser::body_max(std::size_t bytes) {
    impl_->parser->body_max(bytes);
    auto const length = impl_->parser->content_length();
    return !length || *length <= bytes;
}

Request& RequestParser::request() { return impl_->request; }

Request RequestParser::take() {
    Request taken = std::move(impl_->request);
    impl_->request = Request();
    impl_->parser.reset();
    impl_->header_bytes = 0;
    impl_->head_complete = false;
    return taken;
}

Problem const& RequestParser::refusal() const { return *impl_->refusal; }

Progress RequestParser::refuse(Code code, std::string_view detail) {
    impl_->refusal.emplace(code, std::string(detail));
    return Progress::refused;
}

}  // namespace penstock::server
