// Everything that a ledger has, out of the server: how long its file takes to be written, and how
// fast it is fetched. On a ledger that is there already; once before the load, then piece by piece
// and file after file.
#include <algorithm>
#include <vector>

#include "bench/scenarios/scenarios.hpp"
#include "bench/text_parts.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench {
namespace {

constexpr std::uint64_t piece_bytes = 16 << 20;
constexpr milliseconds look_again{20};
constexpr std::chrono::minutes write_max{60};

double seconds_since(SteadyTime start) {
    return std::chrono::duration<double>(steady_now() - start).count();
}

class Export final : public Scenario {
public:
    explicit Export(ScenarioContext const& context)
        : target_(context.target), ledger_(context.options.ledger) {}

    std::vector<std::string> routes() const override { return {"GET download (16 MiB)"}; }
    std::string unit() const override { return "rows"; }

    asio::awaitable<void> setup(Client& client) override {
        std::string const body =
            R"({"source":"transfers","format":"csv","ledger":")" + ledger_ + R"("})";
        auto const start = steady_now();
        auto const asked = co_await client.post_ok("/v1/exports", body, 202);
        std::string const path = "/v1/exports/" + std::string(asked.at("id").as_string());
        for (;;) {
            auto const now = co_await client.get_ok(path);
            auto const status = std::string(now.at("status").as_string());
            if (status == "ready") {
                written_s_ = seconds_since(start);
                url_ = std::string(now.at("download_url").as_string());
                rows_ = static_cast<std::uint64_t>(now.at("rows").as_int64());
                bytes_ = static_cast<std::uint64_t>(now.at("bytes").as_int64());
                break;
            }
            bool const is_stuck = steady_now() > start + write_max;
            if (status == "failed" || is_stuck) throw Unusable("the export is " + status);
            co_await reactor::sleep_until(steady_now() + look_again);
        }
        if (rows_ == 0) throw Unusable(ledger_ + " has no transfers");
        pieces_ = (bytes_ + piece_bytes - 1) / piece_bytes;
        is_fetched_.assign(pieces_, false);
    }

    Next next(Call& call) override {
        auto const piece = asked_++ % pieces_;
        if (piece == 0 && asked_ == 1) began_ = steady_now();
        auto const first = piece * piece_bytes;
        auto const last = std::min(first + piece_bytes, bytes_) - 1;
        write_get(call.bytes, target_, url_);
        std::string const range =
            "Range: bytes=" + std::to_string(first) + '-' + std::to_string(last) + "\r\n";
        call.bytes.insert(call.bytes.size() - 2, range);
        call.expected_status = 206;
        call.tag = piece;
        call.units = rows_ * (last - first + 1) / bytes_;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto const first = call.tag * piece_bytes;
        if (response.body.size() != std::min(piece_bytes, bytes_ - first))
            return "a piece of " + std::to_string(response.body.size()) + " bytes";
        if (is_fetched_[call.tag]) return std::nullopt;
        is_fetched_[call.tag] = true;
        lines_ += static_cast<std::uint64_t>(
            std::count(response.body.begin(), response.body.end(), '\n'));
        if (++fetched_ == pieces_) fetched_s_ = seconds_since(began_);
        return std::nullopt;
    }

    /// A line per row, and the header.
    asio::awaitable<std::vector<std::string>> check(Client&) override {
        std::vector<std::string> off;
        if (fetched_ == pieces_ && lines_ != rows_ + 1)
            off.push_back(std::to_string(lines_) + " lines for " + std::to_string(rows_) + " rows");
        co_return off;
    }

    Figures figures() const override {
        Figures figures;
        figures.emplace_back("rows in the file", std::to_string(rows_));
        figures.emplace_back("bytes in the file", std::to_string(bytes_));
        figures.emplace_back("written in", format("%.2f s", written_s_));
        figures.emplace_back("rows written", rate_text(per_second(rows_, written_s_)));
        if (fetched_s_ > 0) {
            figures.emplace_back("fetched in", format("%.2f s", fetched_s_));
            figures.emplace_back("rows to the client",
                                 rate_text(per_second(rows_, written_s_ + fetched_s_)));
        }
        return figures;
    }

private:
    Target target_;
    std::string ledger_;
    std::string url_;
    std::uint64_t rows_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t pieces_ = 1;
    std::uint64_t asked_ = 0;
    std::vector<bool> is_fetched_;  ///< by piece
    std::uint64_t fetched_ = 0;     ///< different pieces
    std::uint64_t lines_ = 0;       ///< in them
    SteadyTime began_{};
    double written_s_ = 0;
    double fetched_s_ = 0;
};

}  // namespace

std::unique_ptr<Scenario> make_export(ScenarioContext context) {
    return std::make_unique<Export>(context);
}

}  // namespace penstock::bench
