// Do the two stores agree? Random batches through the rules on both, then every row compared.
#include <boost/test/unit_test.hpp>
#include <random>

#include "db/memory_store.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Driver;
using tests::soon;

namespace {

constexpr int batches = 60;
constexpr std::int64_t day_ms = 86'400'000;

/// Envelopes of every money command, on few accounts and few keys so that they meet.
class Source {
public:
    Source(std::uint32_t seed, LedgerId ledger) : seed_(seed), random_(seed), ledger_(ledger) {}

    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    std::string address() {
        auto const n = below(9);
        return n == 0 ? world_address : "shop:" + std::to_string(n);
    }

    std::optional<KeyUse> key() {
        if (below(3) == 0) return std::nullopt;
        KeyUse use;
        use.key.value.bytes[0] = static_cast<std::uint8_t>(below(60));
        // The seeds share a database.
        for (std::size_t i = 0; i < 4; ++i)
            use.key.value.bytes[12 + i] = static_cast<std::uint8_t>(seed_ >> (8 * i));
        use.fingerprint[31] = below(10) == 0 ? 1 : 0;
        return use;
    }

    Command command(std::vector<Transfer> const& known) {
        switch (below(8)) {
            case 0:
                return CreateAccount{ledger_, address(), static_cast<Amount>(below(2) * 500),
                                     R"({"n":1})"};
            case 1:
                return bulk();
            case 2:
                return revert(known);
            case 3:
                return MoveMoney{ledger_, TransferKind::deposit,
                                 movement(world_address, address())};
            case 4:
                return MoveMoney{ledger_, TransferKind::withdrawal,
                                 movement(address(), world_address)};
            default:
                return MoveMoney{ledger_, TransferKind::transfer, movement(address(), address())};
        }
    }

private:
    Movement movement(std::string from, std::string to) {
        Movement movement{std::move(from), std::move(to), static_cast<Amount>(1 + below(400))};
        if (below(4) == 0) movement.reference = "order " + std::to_string(below(3));
        if (below(4) == 0) movement.metadata = R"({"why":"ü"})";
        return movement;
    }

    MoveInBulk bulk() {
        MoveInBulk bulk;
        bulk.ledger = ledger_;
        bulk.atomic = below(2) == 0;
        for (auto left = 1 + below(6); left > 0; --left)
            bulk.items.push_back(movement(address(), address()));
        return bulk;
    }

    RevertTransfer revert(std::vector<Transfer> const& known) {
        RevertTransfer revert{ledger_, std::nullopt};
        if (!known.empty()) revert.original = known[below(known.size())];
        return revert;
    }

    std::uint32_t seed_;
    std::mt19937_64 random_;
    LedgerId ledger_;
};

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

/// Both stores' answers to the same question.
class Both {
public:
    Both(db::Store& one, db::Store& two) : one_(one), two_(two) {}

    asio::awaitable<std::vector<Transfer>> transfers(LedgerId ledger, db::TransferPage page) {
        auto one = value_of(co_await one_.list_transfers(ledger, page, soon()));
        auto const two = value_of(co_await two_.list_transfers(ledger, page, soon()));
        BOOST_TEST((one == two), "a page of transfers differs");
        co_return one;
    }

    asio::awaitable<std::vector<Account>> accounts(LedgerId ledger, db::AccountPage page) {
        auto one = value_of(co_await one_.list_accounts(ledger, page, soon()));
        auto const two = value_of(co_await two_.list_accounts(ledger, page, soon()));
        BOOST_TEST((one == two), "a page of accounts differs");
        co_return one;
    }

    asio::awaitable<void> entries(AccountName name, db::EntryPage page) {
        auto const one = value_of(co_await one_.list_entries(name, page, soon()));
        auto const two = value_of(co_await two_.list_entries(name, page, soon()));
        BOOST_TEST((one == two), "entries of " << name.address << " differ");
    }

    asio::awaitable<void> past(AccountName name, Instant at) {
        auto const one = value_of(co_await one_.find_account_at(name, at, soon()));
        auto const two = value_of(co_await two_.find_account_at(name, at, soon()));
        BOOST_TEST_REQUIRE((one.has_value() && two.has_value()));
        BOOST_TEST(one->balance == two->balance);
        BOOST_TEST(one->version == two->version);
    }

    asio::awaitable<void> sums(LedgerId ledger) {
        auto const one = value_of(co_await one_.list_totals(ledger, soon()));
        auto const two = value_of(co_await two_.list_totals(ledger, soon()));
        BOOST_TEST((one == two), "totals differ");
        for (auto const& check : value_of(co_await two_.verify(ledger, soon())))
            BOOST_TEST(check.ok, check.name << ": " << check.detail);
    }

private:
    db::Store& one_;
    db::Store& two_;
};

asio::awaitable<void> compare(Both both, LedgerId ledger, Source& source) {
    db::TransferPage all;
    all.limit = 100'000;
    auto const transfers = co_await both.transfers(ledger, all);
    BOOST_TEST(!transfers.empty());
    db::AccountPage everyone;
    everyone.limit = 1000;
    auto accounts = co_await both.accounts(ledger, everyone);
    everyone.prefix = "@";
    for (auto& account : co_await both.accounts(ledger, everyone)) accounts.push_back(account);
    for (auto const& account : accounts) {
        AccountName const name{ledger, account.address};
        db::EntryPage page;
        page.limit = 1 + source.below(20);
        co_await both.entries(name, page);
        page.before_version = static_cast<std::int64_t>(source.below(50));
        co_await both.entries(name, page);
        co_await both.past(name, transfers[source.below(transfers.size())].created_at());
    }
    for (int i = 0; i < 60; ++i) {
        db::TransferPage page;
        page.limit = 1 + source.below(15);
        auto const& some = transfers[source.below(transfers.size())];
        if (source.below(2) == 0) page.account = source.address();
        if (source.below(3) == 0) page.kind = some.kind;
        if (source.below(3) == 0) page.reference = "order 1";
        if (source.below(3) == 0) page.from = some.created_at();
        if (source.below(3) == 0) page.to = some.created_at();
        if (source.below(3) == 0) page.before_id = some.id;
        if (source.below(3) == 0) page.before_version = some.to.version;
        co_await both.transfers(ledger, page);
    }
    co_await both.sums(ledger);
}

asio::awaitable<void> run_batches(Driver& one, Driver& two, Source& source) {
    std::vector<Transfer> known;
    for (int i = 0; i < batches; ++i) {
        one.at.ms += static_cast<std::int64_t>(source.below(3) * source.below(day_ms / 4));
        one.keys_since = Instant{one.at.ms - day_ms};
        two.at = one.at;
        two.keys_since = one.keys_since;
        std::vector<Envelope> envelopes;
        for (auto left = 1 + source.below(12); left > 0; --left) {
            auto command = source.command(known);
            envelopes.push_back(one.envelope(std::move(command), source.key()));
        }
        auto const outcomes = co_await one.batch(envelopes);
        auto const others = co_await two.batch(envelopes);
        BOOST_TEST_REQUIRE((outcomes == others), "outcomes of batch " << i << " differ");
        for (auto const& outcome : outcomes)
            if (auto const* receipt = std::get_if<Receipt>(&outcome))
                if (auto const* transfer = std::get_if<Transfer>(&receipt->what))
                    known.push_back(*transfer);
    }
}

asio::awaitable<void> differ(db::Store& one, db::Store& two, std::uint32_t seed) {
    auto const executor = co_await asio::this_coro::executor;
    Driver first(executor, one);
    Driver second(executor, two);
    std::exception_ptr failure;
    try {
        CreateLedger create;
        create.draft.name = "ledger-" + std::to_string(seed);
        create.draft.asset_code = "EUR";
        create.draft.asset_scale = 2;
        std::vector<Envelope> envelopes;
        envelopes.push_back(first.envelope(create));
        auto const made = co_await first.batch(envelopes);
        auto const other = co_await second.batch(envelopes);
        BOOST_TEST_REQUIRE((made == other));
        auto const ledger = std::get<Ledger>(std::get<Receipt>(made.front()).what).id;
        Source source(seed, ledger);
        co_await run_batches(first, second, source);
        co_await compare(Both(one, two), ledger, source);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await first.finish();
    co_await second.finish();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(differential)

BOOST_AUTO_TEST_CASE(both_stores_come_to_the_same_rows) {
    tests::MigratedDatabase database;
    std::random_device device;
    for (std::uint32_t const seed : {1u, 2u, 3u, static_cast<std::uint32_t>(device())}) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            asio::io_context context{1};
            db::MemoryStore memory;
            db::PostgresStore postgres(context.get_executor(), database.store_options());
            auto body = [&]() -> asio::awaitable<void> { co_await differ(memory, postgres, seed); };
            tests::run_beside(context, postgres, body);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
