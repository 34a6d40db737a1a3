// Requests of which a share was sent before, under the same key: they must come back as they were,
// byte for byte, and change nothing.
#include <algorithm>

#include "bench/movements.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace penstock::bench {
namespace {

/// So many for each connection are made before the first is repeated: hardly ever are two retries
/// of one key under way at once. And so many are remembered: memory stays bounded.
constexpr std::size_t remembered_per_connection = 20;
constexpr std::size_t remembered_max = 20'000;

enum Route : std::size_t { fresh, repeated };

/// A request that was answered.
struct Past {
    std::string request;
    std::string body;
    int status = 0;
};

class Replays final : public Scenario {
public:
    explicit Replays(ScenarioContext const& context)
        : share_(context.options.repeat),
          remembered_min_(
              std::min(remembered_max, remembered_per_connection * context.options.connections)),
          movements_("replays", context, context.options.as),
          random_(context.options.seed ^ 0x9e37) {}

    std::vector<std::string> routes() const override {
        return {movements_.route() + " (new key)", movements_.route() + " (replay)"};
    }
    std::string unit() const override { return "requests"; }

    asio::awaitable<void> setup(Client& client) override { return movements_.setup(client); }

    Next next(Call& call) override {
        bool const again = past_.size() >= remembered_min_ && random_.unit() < share_;
        call.route = again ? repeated : fresh;
        if (!again) {
            movements_.next(call);
            return Next::ready;
        }
        call.tag = random_.below(past_.size());
        call.bytes = past_[call.tag].request;
        call.postings.clear();
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        if (call.route == repeated) return compare(past_[call.tag], response);
        if (past_.size() < remembered_max) {
            past_.push_back({call.bytes, std::string(response.body), response.status});
        }
        return movements_.on_answer(call, response);
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        return movements_.check(client);
    }

    Figures figures() const override {
        return {{"replays compared", std::to_string(compared_)},
                {"replays that differed", std::to_string(differed_)}};
    }

private:
    std::optional<std::string> compare(Past const& past, Response const& response) {
        compared_ += 1;
        bool const same = response.status == past.status && response.body == past.body;
        if (same && response.replayed) return std::nullopt;
        differed_ += 1;
        if (same) return "a replay that does not say so (Idempotent-Replayed)";
        return "a replay that differs: " + std::string(response.body) + " was " + past.body;
    }

    double share_;
    std::size_t remembered_min_;
    Movements movements_;
    Random random_;
    std::vector<Past> past_;
    std::uint64_t compared_ = 0;
    std::uint64_t differed_ = 0;
};

}  // namespace

std::unique_ptr<Scenario> make_replays(ScenarioContext context) {
    return std::make_unique<Replays>(context);
}

}  // namespace penstock::bench
