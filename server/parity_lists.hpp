// Which lists clients can ask for, and how a page of each is read so that it can be held against
// the same page of another store.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "db/credit_store.hpp"
#include "db/store.hpp"
#include "db/stream_store.hpp"

namespace penstock::server::lists {

/// A page as clients tell it from another one: what names its items, in their order, and behind
/// which item the list goes on. A name holds all that a cursor does.
struct PageSeen {
    std::vector<std::string> names;
    std::optional<std::string> rest = {};  ///< nullopt: the list has ended
};

/// What a store answers, whether it says where it ended or not.
template <class T>
std::vector<T> const& items_of(std::vector<T> const& page) {
    return page;
}
template <class Page>
auto const& items_of(Page const& page) {
    return page.items;
}

/// Reads the page behind an item.
using ReadPage =
    std::function<asio::awaitable<Result<PageSeen>>(db::Store&, std::optional<std::string> after)>;

/// One list: how it is called, and how it is read.
struct List {
    std::string name;
    ReadPage read;
};
using Lists = std::vector<List>;

/// How lists are read, and whose they are.
struct Reading {
    std::size_t limit = 0;  ///< items of a page
    domain::Instant begin;  ///< newest first begins before it
    milliseconds step_max{};
    std::string where = {};  ///< before the name of a list

    SteadyTime deadline() const { return steady_now() + step_max; }
    Reading in(std::string place) const;
    /// What is younger is left out.
    template <class Id>
    Id youngest() const {
        return Id{domain::first_uuid7(begin)};
    }
};

// Each with the filters that its page has; where the page goes on is the list's own affair.

List organizations(Reading const& how);
List api_keys(Reading const& how, domain::OrganizationId organization);
List ledgers(Reading const& how, domain::OrganizationId organization);
List products(Reading const& how, domain::OrganizationId organization);
List exports(Reading const& how, domain::OrganizationId organization);
List export_audit(Reading const& how, domain::ExportId subject);
List orders(Reading const& how, domain::ProductId product, db::OrderPage page);
List jobs(Reading const& how, db::JobPage page);
List activity(Reading const& how, domain::OrganizationId organization, db::ActivityPage page);

List accounts(Reading const& how, domain::LedgerId ledger, std::string prefix);
List entries(Reading const& how, domain::AccountName account);
List transfers(Reading const& how, domain::LedgerId ledger, db::TransferPage page);
List purchases(Reading const& how, domain::LedgerId ledger, db::PurchasePage page);
List holds(Reading const& how, domain::LedgerId ledger, db::HoldPage page);
List streams(Reading const& how, domain::LedgerId ledger, db::StreamPage page);

List credit_balances(Reading const& how, domain::LedgerId ledger, domain::Amount min_balance);
/// One item: how many addresses that list has.
List credit_balances_count(Reading const& how, domain::LedgerId ledger, domain::Amount min_balance);
List credit_history(Reading const& how, domain::LedgerId ledger, db::CreditHistoryPage page);

// The list that a page asks for, and behind it the same one of each kind or status: when nothing
// is in the first, nothing is in the others.

Lists jobs_of_each_status(Reading const& how, db::JobPage page);
Lists transfers_of_each_kind(Reading const& how, domain::LedgerId ledger, db::TransferPage page);
Lists holds_of_each_status(Reading const& how, domain::LedgerId ledger, db::HoldPage page);
Lists streams_of_each_status(Reading const& how, domain::LedgerId ledger, db::StreamPage page);
Lists credit_history_of_each_kind(Reading const& how, domain::LedgerId ledger,
                                  db::CreditHistoryPage page);

}  // namespace penstock::server::lists
