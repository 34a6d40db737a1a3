// Do two databases answer repeated requests the same?
#include "server/parity.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "domain/decide.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "server/render.hpp"

// g++ 12 inlines a coroutine's operator new but not its delete, and calls the pair mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::server {
namespace {

using namespace domain;

constexpr milliseconds look_again{50};

/// A writer with its connection, for as long as a comparison lasts.
class Reader {
public:
    Reader(asio::any_io_executor executor, db::Store& store)
        : writer_(store.make_writer()), life_(executor) {
        life_.spawn(writer_->run());
    }

    /// The answer to each key's request, as a server would give it again.
    asio::awaitable<std::map<IdempotencyKey, std::string>> answers(std::set<IdempotencyKey> keys,
                                                                   SteadyTime deadline) {
        KeySet wanted;
        wanted.keys = std::move(keys);
        auto loaded = co_await writer_->load(std::move(wanted), deadline);
        if (!loaded) throw std::runtime_error("keys: " + loaded.error().message());
        co_await writer_->abandon();
        std::vector<KeyUse> uses;
        for (auto const& [key, record] : loaded->keys) uses.push_back({key, record.fingerprint});
        WorkingSet set(std::move(*loaded), Stamp(), Instant());
        std::map<IdempotencyKey, std::string> bodies;
        for (auto const& use : uses) {
            Envelope envelope;
            envelope.key_use = use;
            auto const outcome = domain::decide(set, envelope);
            auto const* receipt = std::get_if<Receipt>(&outcome);
            // A ledger's name cannot differ without its row.
            if (receipt) bodies.emplace(use.key, body_of(*receipt, "ledger"));
        }
        co_return bodies;
    }

    asio::awaitable<void> close() {
        life_.cancel();
        co_await life_.join();
    }

private:
    std::unique_ptr<db::Writer> writer_;
    reactor::TaskGroup life_;
};

std::string first_difference(std::string const& ours, std::string const& theirs) {
    auto const [here, there] =
        std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end());
    auto const at = static_cast<std::size_t>(here - ours.begin());
    constexpr std::size_t shown = 60;
    auto const from = at > shown / 2 ? at - shown / 2 : 0;
    return "answered with …" + ours.substr(from, shown) + "…, by the shadow with …" +
           theirs.substr(std::min(from, theirs.size()), shown) + "…";
}

asio::awaitable<void> compare_portion(Reader& primary, Reader& shadow,
                                      std::set<IdempotencyKey> keys, ParityLimits limits,
                                      ReplayReport& report) {
    auto const settled_by = steady_now() + limits.settle;
    std::map<IdempotencyKey, std::string> ours, theirs;
    for (;;) {
        theirs = co_await shadow.answers(keys, steady_now() + limits.step_max);
        ours = co_await primary.answers(keys, steady_now() + limits.step_max);
        if (ours == theirs || steady_now() >= settled_by) break;
        bool const awake = co_await reactor::sleep_until(steady_now() + look_again);
        if (!awake) co_return;
    }
    for (auto const& [key, body] : ours) {
        auto const found = theirs.find(key);
        if (found != theirs.end() && found->second == body) continue;
        auto what = found == theirs.end() ? "the shadow does not know it"
                                          : first_difference(body, found->second);
        report.differences.push_back({"key", key.to_string(), std::move(what)});
    }
    report.keys += keys.size();
}

}  // namespace

asio::awaitable<ReplayReport> compare_replays(db::Store& primary, db::Store& shadow,
                                              std::vector<std::string> keys, ParityLimits limits) {
    auto const executor = co_await asio::this_coro::executor;
    Reader ours(executor, primary);
    Reader theirs(executor, shadow);
    ReplayReport report;
    std::exception_ptr failure;
    try {
        std::set<IdempotencyKey> portion;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            portion.insert(IdempotencyKey{Uuid::parse(keys[i]).value()});
            if (portion.size() < limits.page_items && i + 1 < keys.size()) continue;
            auto const wanted = std::exchange(portion, {});
            co_await compare_portion(ours, theirs, wanted, limits, report);
        }
    } catch (std::exception const&) {
        failure = std::current_exception();
    }
    co_await ours.close();
    co_await theirs.close();
    if (failure) std::rethrow_exception(failure);
    co_return report;
}

}  // namespace penstock::server
