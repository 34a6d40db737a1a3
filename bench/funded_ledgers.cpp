#include "bench/funded_ledgers.hpp"

#include <algorithm>

#include "bench/hot/view.hpp"
#include "bench/ledger_view.hpp"
#include "bench/text_parts.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench {
namespace {

constexpr Amount funds_wanted = 1'000'000'000;
constexpr Amount transfer_max = 100;
constexpr AccountIndex treasury = 2;
constexpr AccountIndex first_account = 3;
/// Between looks at how far behind PostgreSQL is, and at how many ledgers at most.
constexpr milliseconds between_looks{100};
constexpr std::size_t watched_max = 16;

}  // namespace

FundedLedgers::FundedLedgers(std::string name, Options const& options)
    : pattern_(options.pattern),
      accounts_(options.accounts),
      random_(options.seed),
      posted_(options.posted),
      settle_(options.settle_s) {
    if (pattern_ == Pattern::zipf) {
        zipf_ = std::make_unique<Zipf>(options.accounts, options.zipf_exponent);
    }
    for (unsigned i = 0; i < options.ledgers; ++i) {
        auto& books = ledgers_.emplace_back(name + "-" + std::to_string(i));
        books.open("treasury");
        for (unsigned number = 0; number < options.accounts; ++number) {
            books.open(numbered_account(number));
        }
    }
}

asio::awaitable<void> FundedLedgers::setup(Client& client) {
    // Together the accounts hold no more than one deposit may carry.
    Amount const each = std::min(funds_wanted, domain::amount_max / Amount{accounts_});
    for (std::uint32_t ledger = 0; ledger < ledgers_.size(); ++ledger) {
        auto& books = ledgers_[ledger];
        bool const made =
            co_await create_ledger(client, books.ledger(), Accounts::implicit, posted_);
        if (!made) throw Unusable("the ledger " + books.ledger() + " exists already");
        Posting funds{ledger, Books::world, treasury, Kind::deposit, each * Amount{accounts_}};
        co_await deposit(client, books, funds);
        std::vector<Posting> shares;
        shares.reserve(accounts_);
        for (unsigned number = 0; number < accounts_; ++number) {
            shares.push_back({ledger, treasury, account(number), Kind::transfer, each});
        }
        co_await transfer_all(client, books, std::move(shares));
    }
}

AccountIndex FundedLedgers::account(std::size_t number) const {
    return first_account + static_cast<AccountIndex>(number);
}

std::uint32_t FundedLedgers::choose_ledger() {
    return static_cast<std::uint32_t>(random_.below(ledgers_.size()));
}

AccountIndex FundedLedgers::choose_account() {
    return account(zipf_ ? zipf_->pick(random_) : random_.below(accounts_));
}

Posting FundedLedgers::choose() { return choose(choose_ledger()); }

Posting FundedLedgers::choose(std::uint32_t ledger) {
    AccountIndex from = choose_account();
    bool const all_to_one = pattern_ == Pattern::hot || pattern_ == Pattern::author;
    AccountIndex const to = all_to_one ? first_account : choose_account();
    if (from == to) from = account((from - first_account + 1) % accounts_);
    auto const amount =
        1 + static_cast<Amount>(random_.below(static_cast<std::uint64_t>(transfer_max)));
    return {ledger, from, to, Kind::transfer, amount};
}

asio::awaitable<std::vector<std::string>> FundedLedgers::check(Client& client) {
    std::vector<std::string> found;
    if (posted_ == Posted::hot) {
        for (auto const& books : ledgers_) {
            auto const off = co_await hot::compare_at_once(client, books);
            found.insert(found.end(), off.begin(), off.end());
        }
        auto const off = co_await come_home(client);
        found.insert(found.end(), off.begin(), off.end());
    }
    for (auto const& books : ledgers_) {
        auto const observed = co_await observe(client, books.ledger());
        for (auto const& difference : books.differences(observed)) {
            found.push_back(books.ledger() + ": " + difference);
        }
    }
    co_return found;
}

asio::awaitable<std::vector<std::string>> FundedLedgers::come_home(Client& client) {
    std::vector<std::string> found;
    auto const began = steady_now();
    for (auto const& books : ledgers_) {
        auto const off = co_await hot::await_home(client, books.ledger(), settle_);
        found.insert(found.end(), off.begin(), off.end());
    }
    if (!home_after_s_) home_after_s_ = std::chrono::duration<double>(steady_now() - began).count();
    co_return found;
}

asio::awaitable<void> FundedLedgers::watch(Client& client, std::stop_token over) {
    if (posted_ != Posted::hot) co_return;
    while (!over.stop_requested()) {
        auto const again = steady_now() + between_looks;
        try {
            co_await look(client);
        } catch (Unusable const&) {
            ++failed_looks_;
        }
        co_await reactor::sleep_until(again);
    }
}

asio::awaitable<void> FundedLedgers::look(Client& client) {
    hot::SyncStatus sum;
    for (std::size_t i = 0; i < std::min(ledgers_.size(), watched_max); ++i) {
        auto const status = co_await hot::read_status(client, ledgers_[i].ledger());
        sum.add(status);
    }
    lags_.add(sum);
}

Figures FundedLedgers::figures() const {
    auto figures = lags_.figures();
    if (failed_looks_ > 0) figures.emplace_back("looks that failed", std::to_string(failed_looks_));
    if (home_after_s_)
        figures.emplace_back("all home after the load", format("%.2f s", *home_after_s_));
    return figures;
}

}  // namespace penstock::bench
