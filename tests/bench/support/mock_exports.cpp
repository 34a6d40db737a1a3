// How the mock writes a file and hands it out, and what it does wrong on purpose.
#include "mock_exports.hpp"

#include <algorithm>

namespace penstock::tests {
namespace {

namespace json = boost::json;

constexpr char const* place = "/v1/exports/e1";
constexpr char const* download = "/v1/exports/e1/download";
constexpr std::uint64_t looks_until_ready = 2;

}  // namespace

std::optional<MockAnswer> MockExports::post(std::string const& path, json::object const& body) {
    if (path != "/v1/exports") return std::nullopt;
    bool const is_whole = text(body, "source") == "transfers" && text(body, "format") == "csv";
    if (!is_whole) return problem(400, "invalid_request");
    ledger_ = text(body, "ledger");
    looks_ = 0;
    write_file();
    return MockAnswer{202, json::serialize(show())};
}

std::optional<MockAnswer> MockExports::get(MockRequest const& request) {
    if (request.path == download)
        return request.query == "signature=s" ? piece(request.range)
                                              : problem(403, "signature_invalid");
    if (request.path != place) return std::nullopt;
    ++looks_;
    return MockAnswer{200, json::serialize(show())};
}

/// As long as many rows are.
void MockExports::write_file() {
    std::string const row(mischief_.row_bytes - 1, 'x');
    file_ = "id,amount\n";
    auto const lines = mischief_.rows - (mischief_.drop_a_row && mischief_.rows > 0 ? 1 : 0);
    for (std::uint64_t i = 0; i < lines; ++i) file_ += row + '\n';
}

json::object MockExports::show() const {
    bool const is_over = looks_ >= looks_until_ready;
    char const* const end = mischief_.fail ? "failed" : "ready";
    json::object shown{{"id", "e1"},
                       {"source", "transfers"},
                       {"status", is_over       ? end
                                  : looks_ == 0 ? "pending"
                                                : "running"},
                       {"rows", nullptr},
                       {"bytes", nullptr},
                       {"download_url", nullptr}};
    if (!is_over || mischief_.fail) return shown;
    shown["rows"] = mischief_.rows;
    shown["bytes"] = file_.size();
    shown["download_url"] = std::string(download) + "?signature=s";
    return shown;
}

/// `bytes=first-last`, or the whole file.
MockAnswer MockExports::piece(std::string const& range) const {
    if (range.empty() || mischief_.ignore_ranges) return {200, file_};
    auto const dash = range.find('-');
    auto const first = std::stoull(range.substr(6, dash - 6));
    auto const last = std::stoull(range.substr(dash + 1));
    if (first >= file_.size()) return problem(416, "range_not_satisfiable");
    auto body = file_.substr(first, last - first + 1);
    if (mischief_.cut_pieces) body.pop_back();
    return {206, std::move(body)};
}

}  // namespace penstock::tests
