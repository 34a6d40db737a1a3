// Whose quota an order is taken from.
#include <boost/test/unit_test.hpp>
#include <memory>

#include "db/memory_store.hpp"
#include "server/context.hpp"
#include "server/exports/desk.hpp"
#include "server/hot/desk.hpp"
#include "server/key_directory.hpp"
#include "server/product_reads.hpp"
#include "server/rate_limiter.hpp"
#include "server/sales/desk.hpp"
#include "tests/support/run_on.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using server::Credential;
using server::RateClass;

class Silent final : public server::Introspection {
public:
    asio::awaitable<Readiness> readiness(SteadyTime) override { co_return Readiness(); }
    std::string metrics() override { return {}; }
    std::string const& openapi() override { return nothing_; }

private:
    std::string nothing_;
};

server::RateLimiterOptions limits_of(std::initializer_list<RateClass> classes) {
    server::RateLimiterOptions options;
    for (auto const limited : classes) options.limits.set(limited, cache::RateLimit{1h, 2});
    options.subjects_max = 100;
    return options;
}

/// Who asks, and from where.
struct Asker {
    Credential credential = Credential::none;
    domain::Scopes scopes = 7;
    domain::OrganizationId organization{{{1}}};
    std::string ip = "10.0.0.1";
};

/// The services of a shard of which only the limiter matters, and requests on their way.
struct Shard {
    explicit Shard(std::initializer_list<RateClass> limited)
        : limiter(reactor, limits_of(limited)) {
        limiter.add_shard(nullptr);
    }

    /// The refusal's status; 0 when the order of that user may go on.
    asio::awaitable<unsigned> ask_for(std::string user, Asker asker) {
        auto context = context_of(asker);
        auto const refused = co_await context->over_user_limit(std::move(user));
        co_return note(*context, refused);
    }
    asio::awaitable<unsigned> ask_from(std::string ip, Asker asker) {
        asker.ip = std::move(ip);
        auto context = context_of(asker);
        auto const refused = co_await context->over_address_limit();
        co_return note(*context, refused);
    }

    std::unique_ptr<server::RequestContext> context_of(Asker const& asker) {
        server::Request request;
        request.peer_ip = asker.ip;
        auto context = std::make_unique<server::RequestContext>(
            services, ledgers, std::move(request), server::Match(), steady_now() + 10s);
        context->principal.credential = asker.credential;
        context->principal.scopes = asker.scopes;
        context->principal.organization = asker.organization;
        return context;
    }
    unsigned note(server::RequestContext const& context,
                  std::optional<server::Response> const& refused) {
        standings = context.rates;
        if (!refused) return 0;
        body = refused->body;
        return refused->status;
    }

    reactor::Reactor reactor{1};
    db::MemoryStore store;
    server::Engine engine{reactor, server::EngineOptions()};
    server::SystemClock clock;
    server::SystemIdSource ids;
    Silent introspection;
    server::AccessPolicy access;
    cache::Edge edge{nullptr, cache::EdgeOptions(), 1};
    server::RateLimiter limiter;
    server::SaleDesk sales{reactor.executor(0), nullptr, store, clock, server::SaleDeskOptions()};
    server::ProductReads products{reactor.executor(0), store, clock, server::FeedLimits()};
    server::KeyDirectory keys{reactor.executor(0), store};
    server::ExportDesk exports{store.exports(), server::ExportDeskOptions()};
    server::HotDesk hot{reactor.executor(0), nullptr, store, {}, clock, server::HotOptions()};
    server::Services services{store, engine,   clock,   ids, introspection, access,  keys, edge,
                              sales, 10'000ms, limiter, 0,   products,      exports, hot};
    server::LedgerDirectory ledgers{store};
    std::string body;
    std::vector<server::RateStanding> standings;
};

BOOST_AUTO_TEST_SUITE(context_rates)

BOOST_AUTO_TEST_CASE(an_end_user_has_one_quota_whichever_key_asks) {
    Shard shard({RateClass::user});
    run_on(shard.reactor, [&]() -> asio::awaitable<void> {
        Asker const nobody;
        Asker const writer{Credential::key, 3};
        unsigned const first = co_await shard.ask_for("ann", nobody);
        unsigned const second = co_await shard.ask_for("ann", writer);
        unsigned const third = co_await shard.ask_for("ann", nobody);
        BOOST_TEST(first == 0U);
        BOOST_TEST(second == 0U);
        BOOST_TEST(third == 429U);
        BOOST_TEST(shard.body.find("rate_limited") != std::string::npos);
        unsigned const other = co_await shard.ask_for("bob", nobody);
        BOOST_TEST(other == 0U);
        BOOST_TEST_REQUIRE(shard.standings.size() == 1U);
        BOOST_TEST((shard.standings.front().rate_class == RateClass::user));
    });
}

BOOST_AUTO_TEST_CASE(users_of_two_organizations_are_two_users) {
    Shard shard({RateClass::user});
    run_on(shard.reactor, [&]() -> asio::awaitable<void> {
        Asker const here;
        Asker elsewhere;
        elsewhere.organization.value.bytes[0] = 2;
        for (int i = 0; i < 2; ++i) co_await shard.ask_for("ann", here);
        unsigned const there = co_await shard.ask_for("ann", elsewhere);
        unsigned const third = co_await shard.ask_for("ann", here);
        BOOST_TEST(there == 0U);
        BOOST_TEST(third == 429U);
    });
}

BOOST_AUTO_TEST_CASE(an_address_has_one_quota_whatever_it_asks_for) {
    Shard shard({RateClass::address});
    run_on(shard.reactor, [&]() -> asio::awaitable<void> {
        Asker const writer{Credential::key, 3};
        for (int i = 0; i < 2; ++i) co_await shard.ask_from("10.0.0.1", writer);
        unsigned const third = co_await shard.ask_from("10.0.0.1", writer);
        unsigned const other = co_await shard.ask_from("10.0.0.2", writer);
        BOOST_TEST(third == 429U);
        BOOST_TEST(other == 0U);
        // Users are not limited here.
        for (int i = 0; i < 5; ++i) {
            unsigned const user = co_await shard.ask_for("ann", writer);
            BOOST_TEST(user == 0U);
        }
        BOOST_TEST(shard.standings.empty());
    });
}

BOOST_AUTO_TEST_CASE(a_key_that_may_do_everything_is_trusted) {
    Shard shard({RateClass::user, RateClass::address});
    run_on(shard.reactor, [&]() -> asio::awaitable<void> {
        Asker const admin{Credential::key, 7};
        for (int i = 0; i < 5; ++i) {
            unsigned const user = co_await shard.ask_for("ann", admin);
            unsigned const address = co_await shard.ask_from("10.0.0.1", admin);
            BOOST_TEST(user + address == 0U);
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
