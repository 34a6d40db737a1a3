#include "tests/db/driver.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>

namespace penstock::tests {

using namespace domain;

namespace {

constexpr Instant first_batch_at{1'700'000'000'000};
constexpr std::int64_t retention_ms = 86'400'000;

/// Different in every program, so that test programs may share a database.
std::uint64_t next_nonce() {
    static std::atomic<std::uint64_t> next{
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())};
    return ++next;
}

}  // namespace

SteadyTime in_time() { return steady_now() + std::chrono::seconds{20}; }

std::string body_of(Answer const& answer) {
    return R"({"status":)" + std::to_string(answer.status) + R"(,"request":")" + answer.request_id +
           "\"}";
}

Driver::Driver(asio::any_io_executor executor, db::Store& store)
    : at{first_batch_at},
      keys_since{at.ms - retention_ms},
      tasks_{executor},
      writer_{store.make_writer()} {
    tasks_.spawn(writer_->run());
}

Envelope Driver::envelope(Command command, std::optional<KeyUse> use) {
    Envelope envelope;
    envelope.organization = organization;
    envelope.key_use = use;
    envelope.nonce = next_nonce();
    envelope.request_id = "request-" + std::to_string(envelope.nonce);
    envelope.command = std::move(command);
    return envelope;
}

asio::awaitable<Driver::Prepared> Driver::prepare(std::vector<Envelope> envelopes) {
    KeySet keys;
    for (auto const& envelope : envelopes) add_keys_of(envelope, keys);
    auto loaded = co_await writer_->load(std::move(keys), in_time());
    BOOST_REQUIRE_MESSAGE(loaded, "load: " << loaded.error().message());
    if (stamp_.at < at) stamp_ = {at};
    WorkingSet set{*std::move(loaded), stamp_, keys_since};
    Prepared prepared;
    for (auto const& envelope : envelopes)
        prepared.outcomes.push_back(domain::decide(set, envelope));
    stamp_ = set.stamp();
    prepared.at = stamp_.at;
    prepared.changes = set.changes();
    for (auto& answer : prepared.changes.answers)
        if (answer.items.empty()) answer.body = body_of(answer);
    co_return prepared;
}

asio::awaitable<error_code> Driver::commit(Prepared const& prepared) {
    if (prepared.changes.empty()) {
        co_await writer_->abandon();
        co_return error_code();
    }
    auto changes = prepared.changes;
    co_return co_await writer_->commit(std::move(changes), in_time());
}

asio::awaitable<void> Driver::abandon() { return writer_->abandon(); }

asio::awaitable<std::vector<Outcome>> Driver::batch(std::vector<Envelope> envelopes) {
    auto prepared = co_await prepare(std::move(envelopes));
    auto const error = co_await commit(prepared);
    BOOST_REQUIRE_MESSAGE(!error, "commit: " << error.message());
    co_return std::move(prepared.outcomes);
}

asio::awaitable<std::vector<Outcome>> Driver::abandoned(std::vector<Envelope> envelopes) {
    auto prepared = co_await prepare(std::move(envelopes));
    co_await abandon();
    co_return std::move(prepared.outcomes);
}

asio::awaitable<Outcome> Driver::one(Command command) {
    std::vector<Envelope> envelopes;
    envelopes.push_back(envelope(std::move(command)));
    auto outcomes = co_await batch(std::move(envelopes));
    co_return std::move(outcomes.front());
}

asio::awaitable<Outcome> Driver::one(Command command, KeyUse use) {
    std::vector<Envelope> envelopes;
    envelopes.push_back(envelope(std::move(command), use));
    auto outcomes = co_await batch(std::move(envelopes));
    co_return std::move(outcomes.front());
}

asio::awaitable<void> Driver::finish() {
    tasks_.cancel();
    bool const ended = co_await tasks_.join(in_time());
    BOOST_REQUIRE(ended);
}

}  // namespace penstock::tests
