// Withdrawals from streams that run, now and then a settlement; what is settled is replaced by a
// new stream, so that there are always as many.
#include <unistd.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <cstdio>
#include <deque>
#include <memory>

#include "bench/crew.hpp"
#include "bench/ledger_view.hpp"
#include "bench/pages.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

/// 1,000,000 a second vest, so that nothing that this load withdraws is not there.
constexpr Amount stream_total = 1'000'000'000'000;
constexpr std::int64_t duration_s = 1'000'000;
constexpr unsigned parties = 100;
/// One request of so many settles a stream.
constexpr std::uint64_t settle_in = 50;
constexpr std::uint64_t amount_most = 9;
/// Of one deposit; a sender may need several.
constexpr Amount deposit_most = 5'000'000'000'000'000;

/// Connections of the set-up: more than these make no server faster.
constexpr unsigned crew_max = 256;
/// A stream that was started this very millisecond has nothing yet to withdraw.
constexpr milliseconds ripe_after{5};
constexpr std::chrono::seconds progress_every{1};

enum class Action : std::uint8_t { withdraw, settle, create, start };

struct Started {
    std::uint32_t stream = 0;
    SteadyTime at{};
};

/// The streams of one ledger, and what was acknowledged of them.
struct Ground {
    std::string ledger;
    std::string path;  ///< of its streams
    PostRoute creates;
    std::vector<std::string> ids;
    std::vector<PostRoute> withdrawals;
    std::vector<std::uint32_t> running;
    std::deque<Started> ripening;
    std::deque<std::uint32_t> drafts;
    unsigned missing = 0;  ///< settled, and not replaced yet
    unsigned made = 0;
    Total funded, withdrawn, refunded;
};

void count(Total& total, Amount amount) {
    total.count += 1;
    total.amount += amount;
}

std::string body_of_stream(unsigned number) {
    auto const party = std::to_string(number % parties);
    return R"({"sender":"payer-)" + party + R"(","recipient":"payee-)" + party + R"(","total":)" +
           std::to_string(stream_total) + R"(,"duration_s":)" + std::to_string(duration_s) + "}";
}

std::string path_to(Ground const& ground, std::string const& id, char const* action) {
    return ground.path + "/" + id + "/" + action;
}

/// Once a second on a terminal: a set-up of many streams takes its time.
class ProgressLine {
public:
    explicit ProgressLine(std::string what) : what_(std::move(what)) {}

    void show(std::uint64_t done) {
        auto const now = steady_now();
        if (!terminal_ || now < next_) return;
        next_ = now + progress_every;
        std::fprintf(stderr, "\r\x1b[Ksetting up: %llu %s", static_cast<unsigned long long>(done),
                     what_.c_str());
    }

private:
    std::string what_;
    SteadyTime next_ = steady_now() + progress_every;
    bool terminal_ = isatty(STDERR_FILENO) == 1;
};

class Streams final : public Scenario {
public:
    explicit Streams(ScenarioContext const& context)
        : target_(context.target),
          streams_(context.options.accounts),
          crew_(std::min(context.options.connections, crew_max)),
          random_(context.options.seed),
          keys_(context.key_seed),
          grounds_(context.options.ledgers) {
        for (std::size_t i = 0; i < grounds_.size(); ++i) {
            auto& ground = grounds_[i];
            ground.ledger = "bench-streams-" + context.run_id + "-" + std::to_string(i);
            ground.path = ledger_path(ground.ledger) + "/streams";
            ground.creates = PostRoute(target_, ground.path);
        }
    }

    std::vector<std::string> routes() const override {
        return {"POST withdraw", "POST settle", "POST streams", "POST start"};
    }
    std::string unit() const override { return "actions"; }

    asio::awaitable<void> setup(Client& client) override {
        for (auto& ground : grounds_) {
            bool const is_new = co_await create_ledger(client, ground.ledger);
            if (!is_new) throw Unusable(ground.ledger + " is there already");
            co_await fund_all(ground);
            co_await start_all(ground);
        }
    }

    Next next(Call& call) override {
        auto const ledger = random_.below(grounds_.size());
        auto& ground = grounds_[ledger];
        call.keeps = true;
        call.expected_status = 200;
        call.postings.clear();
        ripen(ground);
        if (!ground.drafts.empty()) {
            auto const stream = ground.drafts.front();
            ground.drafts.pop_front();
            write(call, Action::start, ledger, stream);
        } else if (ground.missing > 0) {
            --ground.missing;
            call.expected_status = 201;
            auto const body = body_of_stream(ground.made++);
            ground.creates.write(call.bytes, body, keys_);
            mark(call, Action::create, ledger, 0);
        } else if (ground.running.empty()) {
            return Next::wait;
        } else {
            auto const place = random_.below(ground.running.size());
            auto const stream = ground.running[place];
            bool const settles = random_.below(settle_in) == 0;
            if (settles) {
                ground.running[place] = ground.running.back();
                ground.running.pop_back();
                ++ground.missing;
            }
            write(call, settles ? Action::settle : Action::withdraw, ledger, stream);
        }
        return Next::ready;
    }

    std::size_t available() const override {
        std::size_t calls = 0;
        for (auto const& ground : grounds_)
            calls += ground.running.size() + ground.drafts.size() + ground.missing;
        return calls;
    }

    /// It has had no effect: what it was for is still to do.
    void on_failure(Call const& call) override {
        auto& ground = grounds_[(call.tag >> 32) & 0xffff];
        auto const stream = static_cast<std::uint32_t>(call.tag);
        switch (static_cast<Action>(call.route)) {
            case Action::withdraw:
                break;
            case Action::settle:
                ground.running.push_back(stream);
                if (ground.missing > 0) --ground.missing;
                break;
            case Action::create:
                ++ground.missing;
                break;
            case Action::start:
                ground.drafts.push_back(stream);
                break;
        }
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto& ground = grounds_[(call.tag >> 32) & 0xffff];
        auto const stream = static_cast<std::uint32_t>(call.tag);
        auto const body = response.body;
        switch (static_cast<Action>(call.route)) {
            case Action::withdraw: {
                auto const amount = static_cast<Amount>(call.tag >> 48);
                count(ground.withdrawn, amount);
                if (has_integer(body, "paid", amount)) return std::nullopt;
                return "paid something else: " + std::string(body);
            }
            case Action::settle:
                return settled(ground, body);
            case Action::create: {
                std::string const id(text_member(body, "id"));
                if (id.empty()) return "a stream without an id: " + std::string(body);
                ground.drafts.push_back(learn(ground, id));
                return std::nullopt;
            }
            case Action::start:
                count(ground.funded, stream_total);
                ground.ripening.push_back({stream, steady_now()});
                if (has_text(body, "status", "active")) return std::nullopt;
                return "not active: " + std::string(body);
        }
        return "an answer to nothing";
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        std::vector<std::string> off;
        for (auto const& ground : grounds_) {
            auto const observed = co_await observe(client, ground.ledger);
            compare(ground, observed, off);
        }
        co_return off;
    }

    Figures figures() const override {
        std::uint64_t settled = 0, running = 0;
        for (auto const& ground : grounds_) {
            settled += ground.refunded.count;
            running += ground.running.size() + ground.ripening.size();
        }
        return {{"streams settled", std::to_string(settled)},
                {"streams running", std::to_string(running)}};
    }

private:
    CrewPlan plan_of(std::uint64_t pieces) {
        CrewPlan plan;
        plan.pieces = pieces;
        plan.connections = crew_;
        plan.key_seed = keys_.next();
        return plan;
    }

    /// Each payer has what its streams need, and as much again for those that replace others.
    asio::awaitable<void> fund_all(Ground& ground) {
        Amount const each = Amount{streams_ / parties + 1} * 2 * stream_total + deposit_most;
        Piece const fund = [&ground, each](Client& client,
                                           std::uint64_t party) -> asio::awaitable<void> {
            std::string const path = ledger_path(ground.ledger) + "/deposits";
            for (Amount left = each; left > 0;) {
                auto const amount = std::min(left, deposit_most);
                std::string body = R"({"account":"payer-)" + std::to_string(party) +
                                   R"(","amount":)" + std::to_string(amount) + "}";
                co_await client.post_ok(path, std::move(body), 201);
                left -= amount;
            }
        };
        co_await work_through(target_, plan_of(parties), fund);
    }

    /// By number, whichever is answered first: the same seed finds the same streams.
    asio::awaitable<void> start_all(Ground& ground) {
        ground.ids.resize(streams_);
        Piece const start = [&ground](Client& client,
                                      std::uint64_t number) -> asio::awaitable<void> {
            auto body = body_of_stream(static_cast<unsigned>(number));
            auto const made = co_await client.post_ok(ground.path, std::move(body), 201);
            auto& id = ground.ids[number];
            id = text_at(made, "id");
            std::string const path = path_to(ground, id, "start");
            std::string nothing("{}");
            co_await client.post_ok(path, std::move(nothing), 200);
        };
        auto plan = plan_of(streams_);
        auto line = std::make_shared<ProgressLine>("of " + std::to_string(streams_) +
                                                   " streams in " + ground.ledger);
        plan.progress = [line](std::uint64_t done) { line->show(done); };
        co_await work_through(target_, std::move(plan), start);
        ground.made = streams_;
        ground.withdrawals.reserve(streams_);
        for (std::uint32_t stream = 0; stream < streams_; ++stream) {
            ground.withdrawals.emplace_back(target_,
                                            path_to(ground, ground.ids[stream], "withdraw"));
            count(ground.funded, stream_total);
            ground.running.push_back(stream);
        }
    }

    std::uint32_t learn(Ground& ground, std::string id) {
        ground.withdrawals.emplace_back(target_, path_to(ground, id, "withdraw"));
        ground.ids.push_back(std::move(id));
        return static_cast<std::uint32_t>(ground.ids.size() - 1);
    }

    static void ripen(Ground& ground) {
        auto const now = steady_now();
        while (!ground.ripening.empty() && now >= ground.ripening.front().at + ripe_after) {
            ground.running.push_back(ground.ripening.front().stream);
            ground.ripening.pop_front();
        }
    }

    static void mark(Call& call, Action action, std::uint64_t ledger, std::uint32_t stream,
                     std::uint64_t amount = 0) {
        call.route = static_cast<std::size_t>(action);
        call.tag = amount << 48 | ledger << 32 | stream;
    }

    void write(Call& call, Action action, std::uint64_t ledger, std::uint32_t stream) {
        auto& ground = grounds_[ledger];
        if (action == Action::withdraw) {
            auto const amount = 1 + random_.below(amount_most);
            body_ = R"({"amount":)";
            append_number(body_, static_cast<std::int64_t>(amount));
            body_ += '}';
            ground.withdrawals[stream].write(call.bytes, body_, keys_);
            mark(call, action, ledger, stream, amount);
            return;
        }
        auto const* name = action == Action::settle ? "settle" : "start";
        PostRoute const route(target_, path_to(ground, ground.ids[stream], name));
        route.write(call.bytes, "{}", keys_);
        mark(call, action, ledger, stream);
    }

    static std::optional<std::string> settled(Ground& ground, std::string_view body) {
        auto const refunded = integer_member(body, "refunded");
        auto const vested = integer_member(body, "vested");
        if (!refunded || !vested) return "a stream without its amounts: " + std::string(body);
        count(ground.refunded, *refunded);
        if (*refunded + *vested == stream_total) return std::nullopt;
        return "refunded something else: " + std::string(body);
    }

    /// What is left on the streams' own accounts, and what has reached the other side.
    static void compare(Ground const& ground, Observed const& observed,
                        std::vector<std::string>& off) {
        auto const wrong = [&](std::string const& what, Amount there, Amount expected) {
            if (there == expected) return;
            off.push_back(ground.ledger + ": " + what + " is " + std::to_string(there) + ", not " +
                          std::to_string(expected));
        };
        auto const compare_total = [&](char const* kind, Total const& expected) {
            auto const found = observed.totals.find(kind);
            auto const there = found == observed.totals.end() ? Total{} : found->second;
            wrong(std::string(kind) + " amount", there.amount, expected.amount);
            wrong(std::string(kind) + " count", static_cast<Amount>(there.count),
                  static_cast<Amount>(expected.count));
        };
        compare_total("stream_funding", ground.funded);
        compare_total("stream_withdrawal", ground.withdrawn);
        compare_total("stream_refund", ground.refunded);
        Amount escrow = 0, received = 0;
        for (auto const& [address, balance] : observed.balances) {
            if (address.starts_with("@stream:")) escrow += balance;
            if (address.starts_with("payee-")) received += balance;
        }
        wrong("the sum of the escrow", escrow,
              ground.funded.amount - ground.withdrawn.amount - ground.refunded.amount);
        wrong("what was received", received, ground.withdrawn.amount);
        for (auto const& check : observed.failed_checks)
            off.push_back(ground.ledger + ": " + check);
    }

    Target target_;
    unsigned streams_;
    unsigned crew_;
    Random random_;
    Random keys_;
    std::vector<Ground> grounds_;
    std::string body_;
};

}  // namespace

std::unique_ptr<Scenario> make_streams(ScenarioContext context) {
    return std::make_unique<Streams>(context);
}

}  // namespace penstock::bench
