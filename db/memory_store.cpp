// How the rows of a batch are kept when nothing has to outlive the process.
#include "db/memory_store.hpp"

#include <algorithm>
#include <set>

#include "db/memory_rows.hpp"
#include "db/pg/error.hpp"
#include "domain/assert.hpp"

namespace penstock::db {

using namespace domain;

using namespace memory;

namespace {

constexpr char const* default_organization_name = "default";

/// Keyset paging over a map in the order of its keys.
template <class Map, class Key, class Wanted>
auto page_of(Map const& map, std::optional<Key> const& after, std::size_t limit, Wanted wanted) {
    std::vector<typename Map::mapped_type> page;
    auto at = after ? map.upper_bound(*after) : map.begin();
    for (; at != map.end() && page.size() < limit; ++at)
        if (wanted(at->second)) page.push_back(at->second);
    return page;
}

/// In the range of an index that a page walks along.
bool is_walked(Transfer const& transfer, TransferPage const& page) {
    if (page.reference && transfer.reference != page.reference) return false;
    if (page.from && transfer.created_at() < *page.from) return false;
    if (page.to && transfer.created_at() >= *page.to) return false;
    if (!page.is_by_booking()) return !page.before_id || transfer.id < *page.before_id;
    return !page.before || booking_of(transfer, *page.account) < *page.before;
}

/// Of those, what it shows.
bool matches(Transfer const& transfer, TransferPage const& page) {
    if (page.kind && transfer.kind != *page.kind) return false;
    return !page.account || transfer.from.address == *page.account ||
           transfer.to.address == *page.account;
}

bool matches(Purchase const& purchase, PurchasePage const& page) {
    if (page.buyer && purchase.buyer.address != *page.buyer) return false;
    if (page.author && purchase.author.address != *page.author) return false;
    return !page.before || purchase.id < *page.before;
}

bool matches(Hold const& hold, HoldPage const& page) {
    if (page.status && hold.status != *page.status) return false;
    if (page.account && hold.from.address != *page.account && hold.to.address != *page.account)
        return false;
    return !page.before || hold.id < *page.before;
}

/// A ledger's rows, newest first, of a map by (ledger, id).
template <class Map>
auto newest_of(Map const& map, LedgerId ledger) {
    std::vector<typename Map::mapped_type const*> list;
    auto at = map.lower_bound({ledger, {}});
    for (; at != map.end() && at->first.first == ledger; ++at) list.push_back(&at->second);
    std::ranges::reverse(list);
    return list;
}

template <class Map, class Page>
auto newest_page(Map const& map, LedgerId ledger, Page const& page) {
    std::vector<typename Map::mapped_type> list;
    for (auto const* row : newest_of(map, ledger))
        if (list.size() < page.limit && matches(*row, page)) list.push_back(*row);
    return list;
}

}  // namespace

/// One batch at a time on a MemoryStore.
class MemoryWriter : public Writer {
public:
    explicit MemoryWriter(MemoryStore& store) : store_{store} {}

    asio::awaitable<void> run() override { co_return; }

    asio::awaitable<Result<Loaded>> load(KeySet keys, SteadyTime) override {
        PENSTOCK_ASSERT(!loaded_at_);
        loaded_at_ = store_.commits_;
        co_return store_.load(keys);
    }

    asio::awaitable<error_code> commit(Changes changes, SteadyTime) override {
        PENSTOCK_ASSERT(loaded_at_);
        bool const is_stale = *loaded_at_ != store_.commits_;
        loaded_at_.reset();
        if (is_stale) co_return make_error_code(Errc::retry_transaction);
        store_.commit(changes);
        co_return error_code{};
    }

    asio::awaitable<void> abandon() override {
        PENSTOCK_ASSERT(loaded_at_);
        loaded_at_.reset();
        co_return;
    }

private:
    MemoryStore& store_;
    std::optional<std::uint64_t> loaded_at_;
};

MemoryStore::MemoryStore() {
    organizations_[default_organization] = {default_organization, default_organization_name, {}};
}

asio::awaitable<void> MemoryStore::run() { co_return; }

std::unique_ptr<Writer> MemoryStore::make_writer() { return std::make_unique<MemoryWriter>(*this); }

asio::awaitable<error_code> MemoryStore::ping(SteadyTime) { co_return error_code{}; }

Loaded MemoryStore::load(KeySet const& keys) const {
    Loaded loaded;
    for (auto const& id : keys.organizations)
        if (organizations_.contains(id)) loaded.organizations.insert(id);
    for (auto const& [id, organization] : organizations_)
        if (keys.organization_names.contains(organization.name))
            loaded.organization_names.insert(organization.name);
    for (auto const& id : keys.api_keys)
        if (auto const* key = find_in(api_keys_, id)) loaded.api_keys.push_back(*key);
    load_ledgers(keys, loaded);
    for (auto const& name : keys.accounts)
        if (auto const* account = find_in(accounts_, name)) {
            loaded.accounts.push_back(*account);
            loaded.accounts.back().metadata = "{}";
        }
    for (auto const& id : keys.reverted)
        if (reverted_.contains(id)) loaded.reverted.insert(id);
    for (auto const& name : keys.purchases)
        if (auto const* purchase = find_in(purchases_, name)) loaded.purchases.push_back(*purchase);
    for (auto const& name : keys.holds)
        if (auto const* hold = find_in(holds_, name)) loaded.holds.push_back(*hold);
    for (auto const& id : keys.jobs)
        if (auto const* job = jobs_.find(id)) loaded.jobs.push_back(*job);
    load_sales(keys, loaded);
    credits_.load(keys, loaded);
    streams_.load(keys, loaded);
    hot_.load(keys, loaded);
    for (auto const& key : keys.keys)
        if (KeyRecord record; load_key(key, record))
            loaded.keys.emplace_back(key, std::move(record));
    return loaded;
}

void MemoryStore::load_ledgers(KeySet const& keys, Loaded& loaded) const {
    for (auto const& name : keys.ledger_names)
        if (ledger_names_.contains(name)) loaded.ledger_names.insert(name);
    auto wanted = keys.ledgers;
    wanted.insert(keys.ledgers_exclusive.begin(), keys.ledgers_exclusive.end());
    for (auto const& id : wanted)
        if (auto const* ledger = find_in(ledgers_, id)) loaded.ledgers.push_back(*ledger);
    for (auto const& id : keys.ledgers_exclusive) {
        auto const* ledger = find_in(ledgers_, id);
        bool const is_of_credits = ledger && ledger->kind == LedgerKind::credits;
        bool const is_used = is_of_credits
                                 ? credits_.has_open_lots(id)
                                 : std::ranges::any_of(accounts_of(id), [](Account const* account) {
                                       return account->standing.balance || account->standing.held;
                                   });
        if (is_used) loaded.ledgers_not_empty.insert(id);
    }
}

bool MemoryStore::load_key(IdempotencyKey key, KeyRecord& record) const {
    if (auto const* index = find_in(transfer_keys_, key)) {
        auto const& transfer = transfers_.at(*index);
        record = {transfer.key_use->fingerprint, transfer.created_at(), transfer};
        return true;
    }
    if (auto const* name = find_in(purchase_keys_, key)) {
        auto const& purchase = purchases_.at(*name);
        record = {purchase.key_use->fingerprint, purchase.created_at(), purchase};
        return true;
    }
    if (auto const* name = find_in(order_keys_, key)) {
        auto const& order = orders_.at(*name);
        record = {order.key_use->fingerprint, order.created_at(), order};
        return true;
    }
    if (auto const* operation = credits_.find_key(key)) {
        record = credits_.record_of(*operation);
        return true;
    }
    auto const* answer = find_in(answers_, key);
    if (!answer) return false;
    std::vector<Transfer> transfers;
    for (auto const& id : answer->transfers) transfers.push_back(*find(id));
    record = {answer->key_use.fingerprint, answer->created_at,
              std::pair{*answer, std::move(transfers)}};
    return true;
}

void MemoryStore::commit(Changes const& changes) {
    for (auto const& key : changes.freed_keys) free_key(key);
    commit_organizations(changes);
    commit_ledgers(changes);
    for (auto const& account : changes.new_accounts)
        PENSTOCK_ASSERT(
            accounts_.emplace(AccountName{account.ledger, account.address}, account).second);
    for (auto const& account : changes.changed_accounts)
        accounts_.at({account.ledger, account.address}).standing = account.standing;
    for (auto const& transfer : changes.transfers) commit_transfer(transfer);
    commit_purchases(changes);
    commit_holds(changes);
    commit_sales(changes);
    credits_.commit(changes);
    streams_.commit(changes);
    hot_.commit(changes);
    events_.insert(events_.end(), changes.events.begin(), changes.events.end());
    for (auto const& total : changes.totals) {
        auto& sum = totals_[{total.ledger, total.kind}];
        sum.ledger = total.ledger;
        sum.kind = total.kind;
        sum.count += total.count;
        sum.amount += total.amount;
    }
    for (auto const& answer : changes.answers) {
        PENSTOCK_ASSERT(!key_is_used(answer.key_use.key));
        answers_.emplace(answer.key_use.key, answer);
        answers_by_age_.emplace(answer.created_at, answer.key_use.key);
    }
    for (auto const& [id, at] : changes.retried_jobs) jobs_.make_due_again(id, at);
    for (auto const& job : changes.new_jobs) jobs_.add(job);
    exports_.commit(changes);
    ++commits_;
}

void MemoryStore::free_key(IdempotencyKey key) {
    if (auto const* answer = find_in(answers_, key)) {
        answers_by_age_.erase({answer->created_at, key});
        answers_.erase(key);
    }
    if (auto const* index = find_in(transfer_keys_, key)) transfers_.at(*index).key_use.reset();
    transfer_keys_.erase(key);
    if (auto const* name = find_in(purchase_keys_, key)) purchases_.at(*name).key_use.reset();
    purchase_keys_.erase(key);
    if (auto const* name = find_in(order_keys_, key)) orders_.at(*name).key_use.reset();
    order_keys_.erase(key);
    credits_.free_key(key);
}

bool MemoryStore::key_is_used(IdempotencyKey key) const {
    return transfer_keys_.contains(key) || purchase_keys_.contains(key) ||
           order_keys_.contains(key) || credits_.find_key(key) || answers_.contains(key);
}

void MemoryStore::commit_organizations(Changes const& changes) {
    for (auto const& organization : changes.new_organizations)
        PENSTOCK_ASSERT(organizations_.emplace(organization.id, organization).second);
    for (auto const& key : changes.new_api_keys)
        PENSTOCK_ASSERT(api_keys_.emplace(key.id, key).second);
    for (auto const& [id, at] : changes.revoked_api_keys) api_keys_.at(id).revoked_at = at;
}

void MemoryStore::commit_ledgers(Changes const& changes) {
    // Deleted ones first: their names may be taken again in the same batch.
    for (auto const& [id, at] : changes.deleted_ledgers) {
        auto const& ledger = ledgers_.at(id);
        ledger_names_.erase({ledger.organization, ledger.name});
        ledgers_.erase(id);
        deleted_ledgers_.emplace(at, id);
    }
    for (auto const& ledger : changes.new_ledgers) {
        LedgerName const name{ledger.organization, ledger.name};
        PENSTOCK_ASSERT(ledgers_.emplace(ledger.id, ledger).second);
        PENSTOCK_ASSERT(ledger_names_.emplace(name, ledger.id).second);
    }
    for (auto const& ledger : changes.changed_ledgers) ledgers_.at(ledger.id) = ledger;
}

void MemoryStore::commit_transfer(Transfer const& transfer) {
    auto const index = next_transfer_++;
    transfers_.emplace(index, transfer);
    PENSTOCK_ASSERT(transfers_by_id_.emplace(transfer.id, index).second);
    transfers_by_account_[{transfer.ledger, transfer.from.address}].push_back(index);
    transfers_by_account_[{transfer.ledger, transfer.to.address}].push_back(index);
    if (transfer.reverts) PENSTOCK_ASSERT(reverted_.insert(*transfer.reverts).second);
    if (!transfer.key_use) return;
    PENSTOCK_ASSERT(!key_is_used(transfer.key_use->key));
    transfer_keys_.emplace(transfer.key_use->key, index);
}

void MemoryStore::commit_purchases(Changes const& changes) {
    for (auto const& purchase : changes.new_purchases) {
        PurchaseName const name{purchase.ledger, purchase.id};
        PENSTOCK_ASSERT(purchases_.emplace(name, purchase).second);
        if (!purchase.key_use) continue;
        PENSTOCK_ASSERT(!key_is_used(purchase.key_use->key));
        purchase_keys_.emplace(purchase.key_use->key, name);
    }
    for (auto const& refunded : changes.refunded_purchases) {
        auto& purchase = purchases_.at({refunded.ledger, refunded.id});
        PENSTOCK_ASSERT(!purchase.refunded_at && refunded.refunded_at);
        purchase.refunded_at = refunded.refunded_at;
        purchase.author_refund = refunded.author_refund;
    }
}

void MemoryStore::commit_holds(Changes const& changes) {
    for (auto const& hold : changes.new_holds) {
        HoldName const name{hold.ledger, hold.id};
        PENSTOCK_ASSERT(holds_.emplace(name, hold).second);
        if (hold.expires_at) due_.insert({*hold.expires_at, name});
    }
    for (auto const& ended : changes.ended_holds) {
        HoldName const name{ended.ledger, ended.id};
        auto& hold = holds_.at(name);
        PENSTOCK_ASSERT(hold.status == HoldStatus::pending);
        PENSTOCK_ASSERT(ended.status != HoldStatus::pending);
        hold = ended;
        if (hold.expires_at) due_.erase({*hold.expires_at, name});
    }
}

Transfer const* MemoryStore::find(TransferId id) const {
    auto const* index = find_in(transfers_by_id_, id);
    return index ? &transfers_.at(*index) : nullptr;
}

std::vector<Account const*> MemoryStore::accounts_of(LedgerId ledger) const {
    std::vector<Account const*> list;
    auto at = accounts_.lower_bound({ledger, ""});
    for (; at != accounts_.end() && at->first.ledger == ledger; ++at) list.push_back(&at->second);
    return list;
}

std::vector<Transfer const*> MemoryStore::transfers_of(AccountName const& name) const {
    std::vector<Transfer const*> list;
    if (auto const* indices = find_in(transfers_by_account_, name))
        for (auto const index : *indices) list.push_back(&transfers_.at(index));
    return list;
}

std::vector<Transfer const*> MemoryStore::newest_first(
    LedgerId ledger, std::optional<std::string> const& account) const {
    std::vector<Transfer const*> list;
    if (account) {
        // Booked in the order of versions.
        list = transfers_of({ledger, *account});
        std::ranges::reverse(list);
        return list;
    }
    for (auto at = transfers_by_id_.rbegin(); at != transfers_by_id_.rend(); ++at)
        if (auto const& transfer = transfers_.at(at->second); transfer.ledger == ledger)
            list.push_back(&transfer);
    return list;
}

Store::Listed<ApiKey> MemoryStore::find_api_keys(std::vector<SecretDigest> digests, SteadyTime) {
    std::set<SecretDigest> const wanted(digests.begin(), digests.end());
    std::vector<ApiKey> list;
    for (auto const& [id, key] : api_keys_)
        if (wanted.contains(key.digest)) list.push_back(key);
    co_return list;
}

Store::Found<Organization> MemoryStore::find_organization(OrganizationId id, SteadyTime) {
    co_return copy_of(find_in(std::as_const(organizations_), id));
}

Store::Listed<Organization> MemoryStore::list_organizations(std::optional<OrganizationId> after,
                                                            std::size_t limit, SteadyTime) {
    co_return page_of(organizations_, after, limit, [](Organization const&) { return true; });
}

Store::Listed<ApiKey> MemoryStore::list_api_keys(OrganizationId organization,
                                                 std::optional<ApiKeyId> after, std::size_t limit,
                                                 SteadyTime) {
    co_return page_of(api_keys_, after, limit,
                      [&](ApiKey const& key) { return key.organization == organization; });
}

Store::Found<Ledger> MemoryStore::find_ledger(LedgerName name, SteadyTime) {
    auto const* id = find_in(ledger_names_, name);
    if (!id) co_return std::optional<Ledger>{};
    co_return std::optional{ledgers_.at(*id)};
}

Store::Listed<Ledger> MemoryStore::list_ledgers(OrganizationId organization,
                                                std::optional<std::string> after, std::size_t limit,
                                                SteadyTime) {
    std::vector<Ledger> page;
    for (auto const& [name, id] : ledger_names_) {
        if (name.organization != organization || page.size() == limit) continue;
        if (!after || name.name > *after) page.push_back(ledgers_.at(id));
    }
    co_return page;
}

Store::Found<Account> MemoryStore::find_account(AccountName name, SteadyTime) {
    co_return copy_of(find_in(std::as_const(accounts_), name));
}

Store::Found<PastStanding> MemoryStore::find_account_at(AccountName name, Instant at, SteadyTime) {
    if (!accounts_.contains(name)) co_return std::optional<PastStanding>{};
    PastStanding past;
    for (auto const* transfer : transfers_of(name)) {
        if (transfer->created_at() > at) break;
        auto const& leg = transfer->leg_of(name.address);
        past.balance = leg.balance_after;
        past.version = leg.version;
    }
    co_return std::optional{past};
}

Store::Listed<Account> MemoryStore::list_accounts(LedgerId ledger, AccountPage page, SteadyTime) {
    std::vector<Account> list;
    for (auto const* account : accounts_of(ledger)) {
        auto const& address = account->address;
        bool const is_wanted =
            page.prefix.empty() ? !address.starts_with('@') : address.starts_with(page.prefix);
        if (!is_wanted || (page.after && address <= *page.after)) continue;
        if (list.size() < page.limit) list.push_back(*account);
    }
    co_return list;
}

Store::Listed<Transfer> MemoryStore::list_entries(AccountName name, EntryPage page, SteadyTime) {
    TransferPage wanted;
    wanted.account = name.address;
    wanted.before = page.before;
    wanted.limit = page.limit;
    co_return list_of(name.ledger, wanted).items;
}

Store::Found<Transfer> MemoryStore::find_transfer(LedgerId ledger, TransferId id, SteadyTime) {
    auto const* transfer = find(id);
    if (!transfer || transfer->ledger != ledger) co_return std::optional<Transfer>{};
    co_return std::optional{*transfer};
}

asio::awaitable<Result<TransferList>> MemoryStore::list_transfers(LedgerId ledger,
                                                                  TransferPage page, SteadyTime) {
    co_return list_of(ledger, page);
}

TransferList MemoryStore::list_of(LedgerId ledger, TransferPage const& page) const {
    TransferList list;
    std::size_t scanned = 0;
    auto const order = page.is_by_booking() ? page.account : std::nullopt;
    for (auto const* transfer : newest_first(ledger, order)) {
        if (list.items.size() == page.limit || list.scanned_to) break;
        if (!is_walked(*transfer, page)) continue;
        if (matches(*transfer, page)) list.items.push_back(*transfer);
        if (page.passes_over_rows() && ++scanned == page.scan_max) list.scanned_to = *transfer;
    }
    return list;
}

Store::Listed<Total> MemoryStore::list_totals(LedgerId ledger, SteadyTime) {
    std::vector<Total> list;
    for (auto const& [name, total] : totals_)
        if (name.first == ledger) list.push_back(total);
    co_return list;
}

Store::Found<Purchase> MemoryStore::find_purchase(LedgerId ledger, PurchaseId id, SteadyTime) {
    PurchaseName const name{ledger, id};
    co_return copy_of(find_in(std::as_const(purchases_), name));
}

Store::Listed<Purchase> MemoryStore::list_purchases(LedgerId ledger, PurchasePage page,
                                                    SteadyTime) {
    co_return newest_page(purchases_, ledger, page);
}

Store::Found<Hold> MemoryStore::find_hold(LedgerId ledger, HoldId id, SteadyTime) {
    HoldName const name{ledger, id};
    co_return copy_of(find_in(std::as_const(holds_), name));
}

Store::Listed<Hold> MemoryStore::list_holds(LedgerId ledger, HoldPage page, SteadyTime) {
    co_return newest_page(holds_, ledger, page);
}

Store::Listed<Hold> MemoryStore::list_due_holds(Instant now, std::size_t limit,
                                                SteadyTime deadline) {
    return list_due_holds(DuePage{now, {}, limit}, deadline);
}

Store::Listed<Hold> MemoryStore::list_due_holds(DuePage page, SteadyTime) {
    std::vector<Hold> list;
    for (auto const& [at, name] : due_) {
        if (at > page.now || list.size() == page.limit) break;
        if (std::ranges::find(page.without, name.first) == page.without.end())
            list.push_back(holds_.at(name));
    }
    co_return list;
}

Store::Listed<Lot> MemoryStore::list_due_lots(DuePage page, SteadyTime deadline) {
    return credits_.list_due_lots(std::move(page), deadline);
}

asio::awaitable<Result<std::size_t>> MemoryStore::purge(Instant before, std::size_t limit,
                                                        SteadyTime) {
    auto removed = purge_answers(before, limit);
    while (removed < limit && !deleted_ledgers_.empty()) {
        auto const [deleted_at, ledger] = *deleted_ledgers_.begin();
        if (deleted_at >= ledgers_before(before)) break;
        removed += purge_ledger(ledger, limit - removed);
    }
    co_return removed;
}

std::size_t MemoryStore::purge_answers(Instant before, std::size_t limit) {
    std::size_t removed = 0;
    while (removed < limit && !answers_by_age_.empty()) {
        auto const oldest = answers_by_age_.begin();
        if (oldest->first >= before) break;
        answers_.erase(oldest->second);
        answers_by_age_.erase(oldest);
        ++removed;
    }
    return removed;
}

/// At least one row, so that whoever calls it again comes to an end.
std::size_t MemoryStore::purge_ledger(LedgerId id, std::size_t limit) {
    std::size_t removed = 0;
    while (removed < limit) {
        auto const account = accounts_.lower_bound({id, ""});
        if (account == accounts_.end() || account->first.ledger != id) break;
        ++removed;
        if (purge_newest_transfer(account->first)) continue;
        transfers_by_account_.erase(account->first);
        accounts_.erase(account);
    }
    removed += purge_children(id, limit - removed);
    if (removed == limit) return removed;
    std::erase_if(totals_, [&](auto const& entry) { return entry.first.first == id; });
    std::erase_if(deleted_ledgers_, [&](auto const& entry) { return entry.second == id; });
    return removed + 1;
}

/// Purchases, holds, events, credits and streams of a ledger.
std::size_t MemoryStore::purge_children(LedgerId id, std::size_t limit) {
    std::size_t removed = 0;
    auto const first_of = [&](auto& rows) {
        auto const at = rows.lower_bound({id, {}});
        return at != rows.end() && at->first.first == id ? at : rows.end();
    };
    for (auto at = first_of(purchases_); at != purchases_.end() && removed < limit; ++removed) {
        if (at->second.key_use) purchase_keys_.erase(at->second.key_use->key);
        purchases_.erase(at);
        at = first_of(purchases_);
    }
    for (auto at = first_of(holds_); at != holds_.end() && removed < limit; ++removed) {
        holds_.erase(at);
        at = first_of(holds_);
    }
    for (auto at = events_.begin(); at != events_.end() && removed < limit;) {
        bool const is_its = at->ledger == id;
        at = is_its ? events_.erase(at) : at + 1;
        removed += is_its;
    }
    while (removed < limit && credits_.forget_oldest(id)) ++removed;
    while (removed < limit && streams_.forget_oldest(id)) ++removed;
    if (removed < limit && hot_.forget(id)) ++removed;
    return removed;
}

/// False: the account has none. Its other account forgets it, too: it is the newest there as well,
/// or stands near the end.
bool MemoryStore::purge_newest_transfer(AccountName const& name) {
    auto* const own = find_in(transfers_by_account_, name);
    if (!own || own->empty()) return false;
    auto const index = own->back();
    auto const transfer = transfers_.extract(index).mapped();
    for (auto const& leg : {transfer.from, transfer.to}) {
        auto& booked = transfers_by_account_.at({name.ledger, leg.address});
        booked.erase(std::ranges::lower_bound(booked, index));
    }
    transfers_by_id_.erase(transfer.id);
    if (transfer.reverts) reverted_.erase(*transfer.reverts);
    if (transfer.key_use) transfer_keys_.erase(transfer.key_use->key);
    return true;
}

Store::Listed<Check> MemoryStore::verify(LedgerId ledger, SteadyTime) {
    LedgerRows rows;
    rows.accounts = accounts_of(ledger);
    for (auto const& [index, transfer] : transfers_)
        if (transfer.ledger == ledger) rows.transfers.push_back(&transfer);
    rows.purchases = newest_of(purchases_, ledger);
    rows.holds = newest_of(holds_, ledger);
    for (auto const& event : events_)
        if (event.ledger == ledger) rows.events.push_back(&event);
    rows.streams = streams_.of(ledger);
    for (auto const& [name, total] : totals_)
        if (name.first == ledger) rows.totals.push_back(total);
    auto const* verified = find_in(ledgers_, ledger);
    if (verified && verified->kind == LedgerKind::credits)
        co_return credits_.verify(ledger, rows.accounts, rows.totals);
    auto checks = verify_ledger(rows);
    for (auto& check : db::verify_sales(sale_rows(ledger))) checks.push_back(std::move(check));
    co_return checks;
}

}  // namespace penstock::db
