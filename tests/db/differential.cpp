// Do the two stores agree? Random batches through the rules on both, then every row compared.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>

#include "db/credit_store.hpp"
#include "db/memory_store.hpp"
#include "domain/report.hpp"
#include "tests/db/credit_source.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Driver;
using tests::soon;

namespace {

constexpr int batches = 60;
constexpr std::int64_t day_ms = 86'400'000;

/// What the batches before have made.
struct Known {
    std::vector<Transfer> transfers;
    std::vector<Purchase> purchases;
    std::vector<Hold> holds;
    std::vector<Product> products;
    std::vector<Order> orders;
    std::vector<JobId> jobs;
    std::vector<Credited> credited;

    void learn(Outcome const& outcome) {
        auto const* receipt = std::get_if<Receipt>(&outcome);
        if (!receipt) return;
        if (auto const* transfer = std::get_if<Transfer>(&receipt->what))
            transfers.push_back(*transfer);
        if (auto const* captured = std::get_if<Captured>(&receipt->what))
            transfers.push_back(captured->transfer);
        if (auto const* purchase = std::get_if<Purchase>(&receipt->what))
            purchases.push_back(*purchase);
        if (auto const* hold = std::get_if<Hold>(&receipt->what)) holds.push_back(*hold);
        if (auto const* offered = std::get_if<Offered>(&receipt->what))
            if (offered->product.version == 0) products.push_back(offered->product);
        if (auto const* order = std::get_if<Order>(&receipt->what))
            if (!receipt->replayed && !order->cancelled_at) orders.push_back(*order);
        if (auto const* job = std::get_if<Accepted>(&receipt->what)) jobs.push_back(job->job);
        if (auto const* done = std::get_if<Credited>(&receipt->what)) credited.push_back(*done);
    }
};

/// Envelopes of every command about money, sales and credits, on few accounts and few keys so that
/// they meet.
class Source {
public:
    Source(std::uint32_t seed, LedgerId ledger, LedgerId points)
        : seed_(seed), random_(seed), ledger_(ledger), points_(points) {}

    LedgerId points() const { return points_; }

    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    std::string address() {
        auto const n = below(10);
        if (n == 0) return world_address;
        return n == 1 ? platform_address : "shop:" + std::to_string(n);
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

    template <class T>
    std::optional<T> any_of(std::vector<T> const& known) {
        if (known.empty()) return std::nullopt;
        return known[below(known.size())];
    }

    Command command(Known const& known, Instant now) {
        if (below(4) == 0) return sale(known, now);
        if (below(4) == 0) return credits(now);
        switch (below(16)) {
            case 0:
                return CreateAccount{ledger_, address(), static_cast<Amount>(below(2) * 500),
                                     R"({"n":1})"};
            case 1:
                return bulk();
            case 2:
                return RevertTransfer{ledger_, any_of(known.transfers)};
            case 3:
                return MoveMoney{ledger_, TransferKind::deposit,
                                 movement(world_address, address())};
            case 4:
                return MoveMoney{ledger_, TransferKind::withdrawal,
                                 movement(address(), world_address)};
            case 5:
                return ChangeLedger{ledger_, {}, {}, static_cast<std::int16_t>(below(101))};
            case 6:
            case 7:
                return purchase();
            case 8:
                return RefundPurchase{ledger_, any_of(known.purchases)};
            case 9:
            case 10:
                return hold();
            case 11:
                return capture(any_of(known.holds));
            case 12:
                return VoidHold{ledger_, any_of(known.holds)};
            case 13:
                return RequestReport{ledger_};
            case 14:
                return RetryJob{any_of(known.jobs).value_or(JobId{})};
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

    MakePurchase purchase() {
        auto const words = movement(address(), address());
        return {ledger_, words.from, words.to, words.amount, words.reference, words.metadata};
    }

    PlaceHold hold() {
        PlaceHold hold{ledger_, address(), address(), static_cast<Amount>(1 + below(400))};
        if (below(3) != 0) hold.expires_in = std::chrono::seconds{1 + below(day_ms / 2000)};
        return hold;
    }

    CaptureHold capture(std::optional<Hold> original) {
        CaptureHold capture{ledger_, std::move(original), {}};
        if (capture.original && below(2) == 0) capture.amount = 1 + static_cast<Amount>(below(500));
        return capture;
    }

    /// Sometimes on a ledger of money, sometimes with a reference that is taken.
    Command credits(Instant now) {
        auto const draw = [this](std::uint64_t n) { return below(n); };
        auto const reference = "request " + std::to_string(below(2'000));
        return tests::some_credit_command(draw, below(40) == 0 ? ledger_ : points_, reference, now);
    }

    Command sale(Known const& known, Instant now) {
        auto const choice = below(12);
        auto const product = any_of(known.products);
        if (choice == 0 || !product) return offer(now);
        if (choice == 1)
            return RestockProduct{product->id, static_cast<std::int64_t>(1 + below(5)),
                                  product->payment};
        if (choice < 5 && !known.orders.empty()) {
            auto const order = any_of(known.orders);
            auto const is_its = [&](Product const& one) { return one.id == order->product; };
            auto const of = std::ranges::find_if(known.products, is_its);
            // Sometimes by the wrong product.
            auto const& by = below(8) == 0 ? *product : *of;
            return CancelOrder{by.id, by.payment, order};
        }
        PlaceOrder place{product->id, product->payment, address()};
        place.quantity = static_cast<std::int64_t>(1 + below(3));
        if (below(3) == 0) place.metadata = R"({"size":"ß"})";
        if (below(3) == 0) place.admitted_at = Instant{now.ms - static_cast<Amount>(below(9))};
        return place;
    }

    CreateProduct offer(Instant now) {
        CreateProduct create;
        create.draft.name = "product " + std::to_string(below(100));
        create.draft.price = static_cast<Amount>(below(50));
        create.draft.stock = static_cast<std::int64_t>(below(20));
        create.draft.per_user_limit = static_cast<std::int64_t>(1 + below(6));
        create.draft.starts_at = Instant{now.ms + static_cast<Amount>(below(5)) - 4};
        if (below(2) == 0) create.draft.ends_at = Instant{now.ms + 1 + day_ms};
        if (below(2) == 0) create.draft.metadata = R"({"n":2})";
        if (below(3) != 0) create.payment = PayInto{ledger_, "?", "shop:2"};
        return create;
    }

    std::uint32_t seed_;
    std::mt19937_64 random_;
    LedgerId ledger_;
    LedgerId points_;
};

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

/// What a worker does with a job that it was given.
enum class Work { complete, fail, release, renew, die };

asio::awaitable<db::JobEnd> work_on(db::JobQueue& queue, db::HeldJob held, Work work, Instant now) {
    Instant const later{now.ms + 1'000};
    std::string const result(R"({"n":1})");
    switch (work) {
        case Work::complete:
            co_return value_of(co_await queue.complete(held, result, now, soon()));
        case Work::fail:
            co_return value_of(co_await queue.fail(held, "it failed", now, now, soon()));
        case Work::release:
            co_return value_of(co_await queue.release(held, now, soon()));
        case Work::renew:
            co_return value_of(co_await queue.renew(held, later, soon()));
        case Work::die:
            break;
    }
    co_return db::JobEnd::lost;
}

/// Both stores' answers to the same question.
class Both {
public:
    Both(db::Store& one, db::Store& two, OrganizationId organization)
        : one_(one), two_(two), organization_(organization) {}

    /// What those before have left in the queue of the database that they share.
    asio::awaitable<void> drain_jobs() {
        Instant const late{1'000'000 * day_ms};
        for (;;) {
            db::ClaimOrder order{{report_job}, {first_uuid7(late)}, late, late, 1'000};
            auto const claimed = value_of(co_await two_.jobs().claim(order, soon()));
            if (claimed.jobs.empty()) co_return;
            for (auto const& job : claimed.jobs) {
                db::HeldJob const held{job.id, order.lease};
                co_await work_on(two_.jobs(), held, Work::complete, late);
            }
        }
    }

    /// A worker's turn: the same jobs from both queues, with the same end.
    asio::awaitable<void> work(Instant now, std::size_t limit, Uuid lease, Work work) {
        db::ClaimOrder order{{report_job}, {lease}, now, {now.ms + 500}, limit};
        auto one = value_of(co_await one_.jobs().claim(order, soon()));
        auto two = value_of(co_await two_.jobs().claim(order, soon()));
        std::ranges::sort(one.jobs, {}, &Job::id);
        std::ranges::sort(two.jobs, {}, &Job::id);
        BOOST_TEST((one.jobs == two.jobs), "the claimed jobs differ");
        BOOST_TEST(one.dead == two.dead);
        BOOST_TEST((one.next_due == two.next_due));
        for (auto const& job : one.jobs) {
            db::HeldJob const held{job.id, order.lease};
            auto const end = co_await work_on(one_.jobs(), held, work, now);
            auto const same = co_await work_on(two_.jobs(), held, work, now);
            BOOST_TEST((end == same), "a job's end differs");
        }
    }

    /// How many are dead letters.
    asio::awaitable<std::size_t> jobs(LedgerId ledger) {
        db::JobPage page;
        page.organization = organization_;
        page.ledger = ledger;
        page.kind = report_job;
        page.limit = 100'000;
        auto const one = value_of(co_await one_.jobs().list(page, soon()));
        auto const two = value_of(co_await two_.jobs().list(page, soon()));
        BOOST_TEST((one == two), "the jobs differ");
        co_return std::ranges::count(one, JobStatus::failed, &Job::status);
    }

    asio::awaitable<std::vector<Transfer>> transfers(LedgerId ledger, db::TransferPage page) {
        auto one = value_of(co_await one_.list_transfers(ledger, page, soon()));
        auto const two = value_of(co_await two_.list_transfers(ledger, page, soon()));
        BOOST_TEST((one == two), "a page of transfers differs");
        co_return one.items;
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

    asio::awaitable<std::vector<Purchase>> purchases(LedgerId ledger, db::PurchasePage page) {
        auto one = value_of(co_await one_.list_purchases(ledger, page, soon()));
        auto const two = value_of(co_await two_.list_purchases(ledger, page, soon()));
        BOOST_TEST((one == two), "a page of purchases differs");
        co_return one;
    }

    asio::awaitable<std::vector<Hold>> holds(LedgerId ledger, db::HoldPage page) {
        auto one = value_of(co_await one_.list_holds(ledger, page, soon()));
        auto const two = value_of(co_await two_.list_holds(ledger, page, soon()));
        BOOST_TEST((one == two), "a page of holds differs");
        co_return one;
    }

    /// Of one ledger: the seeds share a database.
    asio::awaitable<std::vector<Hold>> due(LedgerId ledger, Instant now) {
        auto one = value_of(co_await one_.list_due_holds(now, 100'000, soon()));
        auto two = value_of(co_await two_.list_due_holds(now, 100'000, soon()));
        auto const of_others = [&](Hold const& hold) { return hold.ledger != ledger; };
        std::erase_if(two, of_others);
        BOOST_TEST((one == two), "due holds differ");
        co_return one;
    }

    /// Of one ledger: the seeds share a database.
    asio::awaitable<std::vector<Lot>> due_lots(LedgerId ledger, Instant now) {
        auto one = value_of(co_await one_.credits().list_due_lots(now, 100'000, soon()));
        auto two = value_of(co_await two_.credits().list_due_lots(now, 100'000, soon()));
        std::erase_if(two, [&](Lot const& lot) { return lot.ledger != ledger; });
        BOOST_TEST((one == two), "due lots differ");
        co_return one;
    }

    asio::awaitable<void> valid_lots(AccountName name, Instant at) {
        auto const one = value_of(co_await one_.credits().list_valid_lots(name, at, soon()));
        auto const two = value_of(co_await two_.credits().list_valid_lots(name, at, soon()));
        BOOST_TEST((one == two), "lots of " << name.address << " differ");
    }

    asio::awaitable<void> credit_balances(LedgerId ledger, db::CreditBalancePage page) {
        auto const one = value_of(co_await one_.credits().list_balances(ledger, page, soon()));
        auto const two = value_of(co_await two_.credits().list_balances(ledger, page, soon()));
        BOOST_TEST((one == two), "a page of balances differs");
        auto const many = value_of(
            co_await one_.credits().count_balances(ledger, page.at, page.min_balance, soon()));
        auto const same = value_of(
            co_await two_.credits().count_balances(ledger, page.at, page.min_balance, soon()));
        BOOST_TEST(many == same);
    }

    asio::awaitable<void> credit_history(LedgerId ledger, db::CreditHistoryPage page) {
        auto const one = value_of(co_await one_.credits().list_history(ledger, page, soon()));
        auto const two = value_of(co_await two_.credits().list_history(ledger, page, soon()));
        BOOST_TEST((one == two), "a page of the history differs");
    }

    /// Every row of a ledger of credits.
    asio::awaitable<void> credit_rows(LedgerId ledger) {
        std::optional<CreditOperationId> const first;
        auto const one =
            value_of(co_await one_.credits().list_operations(ledger, first, 100'000, soon()));
        auto const two =
            value_of(co_await two_.credits().list_operations(ledger, first, 100'000, soon()));
        BOOST_TEST((one == two), "operations differ");
        std::vector<CreditOperationId> ids;
        for (auto const& operation : one) ids.push_back(operation.id);
        auto const entries = value_of(co_await one_.credits().list_entries(ledger, ids, soon()));
        auto const same = value_of(co_await two_.credits().list_entries(ledger, ids, soon()));
        BOOST_TEST((entries == same), "entries of credits differ");
        auto const lots = value_of(co_await one_.credits().list_lots(ids, soon()));
        auto const others = value_of(co_await two_.credits().list_lots(ids, soon()));
        BOOST_TEST((lots == others), "lots differ");
        BOOST_TEST(!lots.empty());
    }

    asio::awaitable<std::vector<db::Activity>> activity(db::ActivityPage page) {
        auto one = value_of(co_await one_.list_activity(organization_, page, soon()));
        auto const two = value_of(co_await two_.list_activity(organization_, page, soon()));
        BOOST_TEST((one == two), "a page of the feed differs");
        co_return one;
    }

    asio::awaitable<std::vector<Product>> products(std::optional<ProductId> before,
                                                   std::size_t limit) {
        auto one = value_of(co_await one_.list_products(organization_, before, limit, soon()));
        auto const two =
            value_of(co_await two_.list_products(organization_, before, limit, soon()));
        BOOST_TEST((one == two), "a page of products differs");
        co_return one;
    }

    asio::awaitable<std::vector<Order>> orders(ProductId product, db::OrderPage page) {
        auto one = value_of(co_await one_.list_orders(product, page, soon()));
        auto const two = value_of(co_await two_.list_orders(product, page, soon()));
        BOOST_TEST((one == two), "a page of orders differs");
        co_return one;
    }

    asio::awaitable<void> sold(ProductId product, std::optional<OrderId> after, std::size_t limit) {
        auto const one = value_of(co_await one_.list_sold(product, after, limit, soon()));
        auto const two = value_of(co_await two_.list_sold(product, after, limit, soon()));
        BOOST_TEST((one == two), "what was sold differs");
    }

    asio::awaitable<void> open_sales(Instant since) {
        std::optional<ProductId> const first;
        auto const one =
            value_of(co_await one_.list_open_sales(since, first, 1000, organization_, soon()));
        auto const two =
            value_of(co_await two_.list_open_sales(since, first, 1000, organization_, soon()));
        BOOST_TEST((one == two), "open sales differ");
        for (auto const& check : value_of(co_await two_.verify_sales(soon())))
            BOOST_TEST(check.ok, check.name << ": " << check.detail);
    }

    asio::awaitable<void> sums(LedgerId ledger) {
        auto const one = value_of(co_await one_.list_totals(ledger, soon()));
        auto const two = value_of(co_await two_.list_totals(ledger, soon()));
        BOOST_TEST((one == two), "totals differ");
        for (auto const& check : value_of(co_await two_.verify(ledger, soon())))
            BOOST_TEST(check.ok, check.name << ": " << check.detail);
    }

    /// How much it is differs: the seeds share a database.
    asio::awaitable<void> purge(Instant before) {
        for (auto* store : {&one_, &two_})
            for (std::size_t removed = 1; removed > 0;)
                removed = value_of(co_await store->purge(before, 50, soon()));
    }

private:
    db::Store& one_;
    db::Store& two_;
    OrganizationId organization_;
};

asio::awaitable<void> compare_purchases(Both both, LedgerId ledger, Source& source) {
    db::PurchasePage all;
    all.limit = 100'000;
    auto const purchases = co_await both.purchases(ledger, all);
    BOOST_TEST_REQUIRE(!purchases.empty());
    for (int i = 0; i < 40; ++i) {
        db::PurchasePage page;
        page.limit = 1 + source.below(10);
        auto const& some = purchases[source.below(purchases.size())];
        if (source.below(2) == 0) page.buyer = some.buyer.address;
        if (source.below(2) == 0) page.author = some.author.address;
        if (source.below(2) == 0) page.before = purchases[source.below(purchases.size())].id;
        co_await both.purchases(ledger, page);
    }
}

asio::awaitable<void> compare_holds(Both both, LedgerId ledger, Source& source) {
    db::HoldPage all;
    all.limit = 100'000;
    auto const holds = co_await both.holds(ledger, all);
    BOOST_TEST_REQUIRE(!holds.empty());
    for (int i = 0; i < 40; ++i) {
        db::HoldPage page;
        page.limit = 1 + source.below(10);
        auto const& some = holds[source.below(holds.size())];
        if (source.below(2) == 0) page.account = source.address();
        if (source.below(2) == 0) page.status = some.status;
        if (source.below(2) == 0) page.before = some.id;
        co_await both.holds(ledger, page);
    }
}

asio::awaitable<void> compare_credits(Both both, Source& source, Known known, Instant now) {
    auto const ledger = source.points();
    auto const draw = [&](std::uint64_t n) { return source.below(n); };
    BOOST_TEST_REQUIRE(!known.credited.empty());
    co_await both.credit_rows(ledger);
    for (int i = 0; i < 40; ++i) {
        auto const& some = known.credited[source.below(known.credited.size())].operation;
        Instant const at{now.ms - static_cast<Amount>(source.below(20'000))};
        AccountName const name{ledger, tests::some_credit_address(draw)};
        co_await both.valid_lots(name, at);
        db::CreditBalancePage balances;
        balances.at = at;
        balances.limit = 1 + source.below(4);
        balances.scan_max = 1 + source.below(4);
        if (source.below(2) == 0) balances.min_balance = 1 + static_cast<Amount>(source.below(50));
        if (source.below(2) == 0) balances.after = tests::some_credit_address(draw);
        co_await both.credit_balances(ledger, balances);
        db::CreditHistoryPage page;
        page.limit = 1 + source.below(10);
        page.scan_max = 1 + source.below(10);
        if (source.below(2) == 0) page.address = tests::some_credit_address(draw);
        if (source.below(3) == 0) page.kind = some.kind;
        if (source.below(4) == 0) page.reference = some.reference;
        if (source.below(3) == 0) page.from = some.created_at();
        if (source.below(3) == 0) page.to = some.created_at();
        if (source.below(3) == 0)
            page.before = LotPlace{some.id, static_cast<std::int32_t>(source.below(4))};
        co_await both.credit_history(ledger, page);
    }
    co_await both.sums(ledger);
}

/// The events have no list of their own: the feed shows every one of them.
asio::awaitable<void> compare_activity(Both both, LedgerId ledger, Source& source) {
    db::ActivityPage all;
    all.limit = 100'000;
    auto const feed = co_await both.activity(all);
    BOOST_TEST_REQUIRE(!feed.empty());
    for (int i = 0; i < 40; ++i) {
        db::ActivityPage page;
        if (source.below(2) == 0) page.ledger = ledger;
        page.limit = 1 + source.below(10);
        auto const& some = feed[source.below(feed.size())];
        if (source.below(3) == 0) page.account = source.address();
        if (source.below(3) == 0) page.account = some.account;
        if (source.below(3) == 0) page.subject = some.subject;
        if (source.below(3) == 0) page.type = some.type;
        if (source.below(2) == 0) page.before = some.id;
        co_await both.activity(page);
    }
}

asio::awaitable<void> compare_sales(Both both, Source& source, Instant now) {
    auto const products = co_await both.products(std::nullopt, 100'000);
    BOOST_TEST_REQUIRE(!products.empty());
    for (auto const& product : products) {
        db::OrderPage all;
        all.limit = 100'000;
        auto const orders = co_await both.orders(product.id, all);
        co_await both.sold(product.id, std::nullopt, 100'000);
        if (orders.empty()) continue;
        for (int i = 0; i < 5; ++i) {
            db::OrderPage page;
            page.limit = 1 + source.below(5);
            auto const& some = orders[source.below(orders.size())];
            if (source.below(2) == 0) page.user = source.address();
            if (source.below(2) == 0) page.before = some.id;
            co_await both.orders(product.id, page);
            co_await both.sold(product.id, some.id, page.limit);
        }
    }
    auto const& some = products[source.below(products.size())];
    co_await both.products(some.id, 1 + source.below(5));
    co_await both.open_sales(now);
    co_await both.open_sales(some.ends_at.value_or(now));
}

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
        auto const& some = transfers[source.below(transfers.size())];
        page.before = db::Booking{some.created_at(), static_cast<std::int64_t>(source.below(50))};
        co_await both.entries(name, page);
        co_await both.past(name, transfers[source.below(transfers.size())].created_at());
    }
    for (int i = 0; i < 60; ++i) {
        db::TransferPage page;
        page.limit = 1 + source.below(15);
        page.scan_max = 1 + source.below(40);
        auto const& some = transfers[source.below(transfers.size())];
        if (source.below(2) == 0) page.account = source.address();
        if (source.below(3) == 0) page.kind = some.kind;
        if (source.below(3) == 0) page.reference = "order 1";
        if (source.below(3) == 0) page.from = some.created_at();
        if (source.below(3) == 0) page.to = some.created_at();
        if (source.below(3) == 0) page.before_id = some.id;
        if (source.below(3) == 0) page.before = db::booking_of(some, some.to.address);
        co_await both.transfers(ledger, page);
    }
    co_await compare_purchases(both, ledger, source);
    co_await compare_holds(both, ledger, source);
    co_await compare_activity(both, ledger, source);
    co_await both.sums(ledger);
}

asio::awaitable<void> run_batches(Driver& one, Driver& two, Both both, LedgerId ledger,
                                  Source& source) {
    Known known;
    std::size_t expired = 0;
    std::size_t lots_expired = 0;
    std::size_t dead = 0;
    std::uint64_t claims = 0;
    co_await both.drain_jobs();
    // Some seeds come late to what is rare; the bound is for what would never come.
    auto const has_seen_all = [&] {
        return expired > 0 && lots_expired > 0 && dead > 0 && !known.purchases.empty() &&
               !known.orders.empty();
    };
    auto const is_enough = [&](int i) {
        return i >= batches && (has_seen_all() || i >= 50 * batches);
    };
    for (int i = 0; !is_enough(i); ++i) {
        one.at.ms += static_cast<std::int64_t>(source.below(3) * source.below(day_ms / 4));
        one.keys_since = Instant{one.at.ms - day_ms};
        two.at = one.at;
        two.keys_since = one.keys_since;
        if (i % 9 == 0) co_await both.purge(one.keys_since);
        std::vector<Envelope> envelopes;
        for (auto left = 1 + source.below(12); left > 0; --left) {
            auto command = source.command(known, one.at);
            envelopes.push_back(one.envelope(std::move(command), source.key()));
        }
        auto due = co_await both.due(ledger, one.at);
        if (source.below(3) == 0) {
            expired += due.size();
            envelopes.push_back(one.envelope(ExpireHolds{ledger, std::move(due)}));
        }
        auto over = co_await both.due_lots(source.points(), one.at);
        if (source.below(3) == 0) {
            lots_expired += over.size();
            envelopes.push_back(one.envelope(ExpireLots{source.points(), std::move(over)}));
        }
        auto const outcomes = co_await one.batch(envelopes);
        auto const others = co_await two.batch(envelopes);
        BOOST_TEST_REQUIRE((outcomes == others), "outcomes of batch " << i << " differ");
        for (auto const& outcome : outcomes) known.learn(outcome);
        for (auto left = source.below(12); left > 0; --left) {
            Work const fates[]{Work::fail, Work::fail,     Work::fail,    Work::fail,  Work::fail,
                               Work::fail, Work::complete, Work::release, Work::renew, Work::die};
            auto const lease = make_uuid7(one.at, 0, ++claims);
            auto const limit = 1 + source.below(6);
            auto const fate = fates[source.below(10)];
            co_await both.work(one.at, limit, lease, fate);
        }
        dead = std::max(dead, co_await both.jobs(ledger));
    }
    BOOST_TEST(dead > 0u);
    BOOST_TEST(!known.purchases.empty());
    BOOST_TEST(!known.orders.empty());
    BOOST_TEST(lots_expired > 0u);
    co_await compare_sales(both, source, one.at);
    co_await compare_credits(both, source, known, one.at);
    BOOST_TEST(expired > 0u);
}

asio::awaitable<void> differ(db::Store& one, db::Store& two, std::uint32_t seed) {
    auto const executor = co_await asio::this_coro::executor;
    Driver first(executor, one);
    Driver second(executor, two);
    std::exception_ptr failure;
    try {
        // The seeds share a database.
        CreateOrganization const owner{"organization-" + std::to_string(seed)};
        std::vector<Envelope> const founding(1, first.envelope(owner));
        auto const founded = co_await first.batch(founding);
        co_await second.batch(founding);
        first.organization = std::get<Organization>(std::get<Receipt>(founded.front()).what).id;
        Both const both(one, two, first.organization);
        CreateLedger create;
        create.draft.name = "ledger-" + std::to_string(seed);
        create.draft.asset_code = "EUR";
        create.draft.asset_scale = 2;
        std::vector<Envelope> envelopes;
        envelopes.push_back(first.envelope(create));
        create.draft.name = "points-" + std::to_string(seed);
        create.draft.kind = LedgerKind::credits;
        create.draft.issuers.emplace_back(tests::credit_addresses.back());
        envelopes.push_back(first.envelope(create));
        auto const made = co_await first.batch(envelopes);
        auto const other = co_await second.batch(envelopes);
        BOOST_TEST_REQUIRE((made == other));
        auto const ledger = std::get<Ledger>(std::get<Receipt>(made.front()).what).id;
        auto const points = std::get<Ledger>(std::get<Receipt>(made.back()).what).id;
        Source source(seed, ledger, points);
        co_await run_batches(first, second, both, ledger, source);
        co_await compare(both, ledger, source);
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
