// How a batch sees its own writes, takes them back, and sums them up as rows.
#include "domain/working_set.hpp"

#include <algorithm>
#include <map>

#include "domain/assert.hpp"
#include "domain/job.hpp"

namespace penstock::domain {
namespace {

/// The 18 bits that make_uuid7 has for them.
constexpr std::uint32_t ordinals_per_ms = 1u << 18;

template <class Map, class Key>
auto find_in(Map& map, Key const& key) -> decltype(&map.find(key)->second) {
    auto const found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

/// Makes the next id greater than `id`, whatever the clock says.
void begin_behind(Uuid const& id, Stamp& stamp) {
    auto const at = instant_of(id);
    if (at < stamp.at) return;
    if (at > stamp.at) stamp = Stamp{at, 0};
    stamp.ordinal = std::max(stamp.ordinal, ordinal_of(id) + 1);
}

/// nullopt for the sender of a transfer: its row repeats what its recipients' rows count.
std::optional<TotalKind> total_kind_of(CreditEntry const& entry) {
    switch (entry.kind) {
        case CreditKind::grant:
            return TotalKind::credits_granted;
        case CreditKind::expense:
            return TotalKind::credits_spent;
        case CreditKind::transfer:
            break;
    }
    if (entry.amount < 0) return std::nullopt;
    return TotalKind::credits_transferred;
}

/// Of several totals for a ledger and kind, one.
std::vector<Total> totals_of(Changes const& changes) {
    std::map<std::pair<LedgerId, TotalKind>, Total> totals;
    auto count = [&](LedgerId ledger, TotalKind kind, Amount amount) {
        auto& total = totals[{ledger, kind}];
        total.ledger = ledger;
        total.kind = kind;
        total.count += 1;
        total.amount += amount;
    };
    for (auto const& each : changes.transfers)
        count(each.ledger, total_kind_of(each.kind), each.amount);
    for (auto const& each : changes.new_purchases)
        count(each.ledger, TotalKind::purchase, each.price);
    for (auto const& each : changes.credit_entries)
        if (auto const kind = total_kind_of(each))
            count(each.ledger, *kind, each.amount < 0 ? -each.amount : each.amount);
    for (auto const& each : changes.events)
        if (each.type == EventType::credits_expired)
            count(*each.ledger, TotalKind::credits_expired, *each.amount);
    std::vector<Total> list;
    for (auto const& [name, total] : totals) list.push_back(total);
    return list;
}

void sort_by_name(std::vector<Account>& accounts) {
    std::ranges::sort(accounts, {}, [](Account const& account) {
        return std::pair<LedgerId, std::string_view>{account.ledger, account.address};
    });
}

}  // namespace

bool Changes::empty() const { return *this == Changes{}; }

WorkingSet::WorkingSet(Loaded loaded, Stamp stamp, Instant keys_since)
    : stamp_{stamp},
      keys_since_{keys_since},
      organizations_{std::move(loaded.organizations)},
      organization_names_{std::move(loaded.organization_names)},
      ledger_names_{std::move(loaded.ledger_names)},
      ledgers_not_empty_{std::move(loaded.ledgers_not_empty)},
      reverted_{std::move(loaded.reverted)},
      credit_references_{std::move(loaded.credit_references)} {
    for (auto& account : loaded.accounts) {
        stamp_.at = std::max(stamp_.at, account.standing.updated_at);
        AccountName name{account.ledger, account.address};
        accounts_.emplace(std::move(name), AccountEntry{std::move(account)});
    }
    for (auto& ledger : loaded.ledgers) {
        auto const id = ledger.id;
        ledgers_.emplace(id, LedgerEntry{std::move(ledger)});
    }
    for (auto& key : loaded.api_keys) {
        auto const id = key.id;
        api_keys_.emplace(id, std::move(key));
    }
    for (auto& purchase : loaded.purchases) {
        auto const id = purchase.id;
        purchases_.emplace(id, std::move(purchase));
    }
    for (auto& hold : loaded.holds) {
        auto const id = hold.id;
        holds_.emplace(id, std::move(hold));
    }
    for (auto const& [ledger, last] : loaded.credit_ledgers) {
        begin_behind(last.value, stamp_);
        credit_ledgers_.emplace(ledger, CreditLedgerEntry{last});
    }
    for (auto const& ledger : loaded.hot_ledgers)
        hot_ledgers_.emplace(ledger.ledger, HotLedgerEntry{ledger});
    for (auto& lot : loaded.lots) {
        auto const account = lot.party.account;
        lots_[account].add(std::move(lot), false);
    }
    for (auto& [key, record] : loaded.keys) keys_.emplace(key, KeyEntry{std::move(record)});
    for (auto& job : loaded.jobs) {
        auto const id = job.id;
        jobs_.emplace(id, std::move(job));
    }
    for (auto& product : loaded.products) {
        auto const id = product.id;
        products_.emplace(id, ProductEntry{std::move(product)});
    }
    for (auto& user : loaded.sale_users)
        bought_.emplace(std::pair{user.product, std::move(user.user)}, user.quantity);
    for (auto& order : loaded.orders) {
        auto const id = order.id;
        orders_.emplace(id, std::move(order));
    }
    for (auto& stream : loaded.streams) {
        stamp_.at = std::max(stamp_.at, stream.updated_at);
        auto const id = stream.id;
        streams_.emplace(id, StreamEntry{std::move(stream)});
    }
}

Uuid WorkingSet::next_id(std::uint64_t nonce) {
    if (stamp_.ordinal >= ordinals_per_ms) {
        stamp_.at.ms += 1;
        stamp_.ordinal = 0;
    }
    return make_uuid7(stamp_.at, stamp_.ordinal++, nonce);
}

Ledger const* WorkingSet::find_ledger(LedgerId id) const {
    auto const* entry = find_in(ledgers_, id);
    return entry && !entry->is_deleted ? &entry->ledger : nullptr;
}

WorkingSet::AccountEntry const* WorkingSet::find_entry(LedgerId ledger,
                                                       std::string_view address) const {
    return find_in(accounts_, AccountNameView{ledger, address});
}

Account const* WorkingSet::find_account(LedgerId ledger, std::string_view address) const {
    auto const* entry = find_entry(ledger, address);
    return entry ? &entry->account : nullptr;
}

ApiKey const* WorkingSet::find_api_key(ApiKeyId id) const { return find_in(api_keys_, id); }

KeyRecord const* WorkingSet::find_key(IdempotencyKey key) const {
    auto const* entry = find_in(keys_, key);
    bool const holds = entry && (entry->is_ours || entry->record.used_at >= keys_since_);
    return holds ? &entry->record : nullptr;
}

Receipt const* WorkingSet::find_receipt(IdempotencyKey key) const {
    auto const* entry = find_in(keys_, key);
    return entry && entry->receipt ? &*entry->receipt : nullptr;
}

bool WorkingSet::organization_exists(OrganizationId id) const {
    return organizations_.contains(id);
}

bool WorkingSet::organization_name_taken(std::string const& name) const {
    return organization_names_.contains(name);
}

bool WorkingSet::ledger_name_taken(OrganizationId organization, std::string const& name) const {
    return ledger_names_.contains({organization, name});
}

bool WorkingSet::ledger_not_empty(LedgerId id) const {
    if (ledgers_not_empty_.contains(id)) return true;
    // What has expired is still booked on its address, and is nothing.
    if (credit_ledgers_.contains(id)) return has_open_lots(id);
    return std::ranges::any_of(accounts_, [id](auto const& named) {
        auto const& account = named.second.account;
        return account.ledger == id && (account.standing.balance || account.standing.held);
    });
}

bool WorkingSet::is_reverted(TransferId id) const { return reverted_.contains(id); }

Purchase const* WorkingSet::find_purchase(PurchaseId id) const { return find_in(purchases_, id); }

Hold const* WorkingSet::find_hold(HoldId id) const { return find_in(holds_, id); }

Job const* WorkingSet::find_job(JobId id) const { return find_in(jobs_, id); }

Product const* WorkingSet::find_product(ProductId id) const {
    auto const* entry = find_in(products_, id);
    return entry ? &entry->product : nullptr;
}

Order const* WorkingSet::find_order(OrderId id) const { return find_in(orders_, id); }

Stream const* WorkingSet::find_stream(StreamId id) const {
    auto const* entry = find_in(streams_, id);
    return entry ? &entry->stream : nullptr;
}

std::int64_t WorkingSet::bought_by(ProductId product, std::string const& user) const {
    auto const* quantity = find_in(bought_, std::pair{product, user});
    return quantity ? *quantity : 0;
}

void WorkingSet::add_organization(Organization organization) {
    PENSTOCK_ASSERT(organizations_.insert(organization.id).second);
    PENSTOCK_ASSERT(organization_names_.insert(organization.name).second);
    changes_.new_organizations.push_back(std::move(organization));
    undo_.emplace_back(OrganizationAdded{});
}

void WorkingSet::take_back(OrganizationAdded const&) {
    auto const& organization = changes_.new_organizations.back();
    organizations_.erase(organization.id);
    organization_names_.erase(organization.name);
    changes_.new_organizations.pop_back();
}

void WorkingSet::add_api_key(ApiKey key) {
    PENSTOCK_ASSERT(api_keys_.emplace(key.id, key).second);
    changes_.new_api_keys.push_back(std::move(key));
    undo_.emplace_back(ApiKeyAdded{});
}

void WorkingSet::take_back(ApiKeyAdded const&) {
    api_keys_.erase(changes_.new_api_keys.back().id);
    changes_.new_api_keys.pop_back();
}

void WorkingSet::revoke_api_key(ApiKeyId id) {
    auto& key = api_keys_.at(id);
    PENSTOCK_ASSERT(!key.revoked_at);
    key.revoked_at = now();
    changes_.revoked_api_keys.emplace_back(id, now());
    undo_.emplace_back(ApiKeyRevoked{id});
}

void WorkingSet::take_back(ApiKeyRevoked const& write) {
    api_keys_.at(write.id).revoked_at.reset();
    changes_.revoked_api_keys.pop_back();
}

void WorkingSet::add_ledger(Ledger ledger) {
    auto const id = ledger.id;
    PENSTOCK_ASSERT(ledger_names_.insert({ledger.organization, ledger.name}).second);
    LedgerEntry entry{std::move(ledger)};
    entry.is_new = true;
    PENSTOCK_ASSERT(ledgers_.emplace(id, std::move(entry)).second);
    undo_.emplace_back(LedgerAdded{id});
}

void WorkingSet::take_back(LedgerAdded const& write) {
    auto const& ledger = ledgers_.at(write.id).ledger;
    ledger_names_.erase({ledger.organization, ledger.name});
    ledgers_.erase(write.id);
}

void WorkingSet::change_ledger(Ledger ledger) {
    auto& entry = ledgers_.at(ledger.id);
    PENSTOCK_ASSERT(!entry.is_deleted && entry.ledger.name == ledger.name);
    undo_.emplace_back(LedgerWritten{std::make_unique<LedgerEntry>(entry)});
    entry.ledger = std::move(ledger);
    entry.is_changed = true;
}

void WorkingSet::delete_ledger(LedgerId id) {
    auto& entry = ledgers_.at(id);
    PENSTOCK_ASSERT(!entry.is_deleted);
    undo_.emplace_back(LedgerWritten{std::make_unique<LedgerEntry>(entry)});
    entry.is_deleted = true;
    ledger_names_.erase({entry.ledger.organization, entry.ledger.name});
    if (!entry.is_new) changes_.deleted_ledgers.emplace_back(id, now());
}

void WorkingSet::take_back(LedgerWritten& write) {
    auto& entry = ledgers_.at(write.before->ledger.id);
    if (entry.is_deleted) {
        ledger_names_.insert({entry.ledger.organization, entry.ledger.name});
        if (!entry.is_new) changes_.deleted_ledgers.pop_back();
    }
    entry = std::move(*write.before);
}

void WorkingSet::add_account(Account account) {
    AccountName name{account.ledger, account.address};
    AccountEntry entry{std::move(account)};
    entry.is_new = true;
    auto const [place, is_free] = accounts_.emplace(std::move(name), std::move(entry));
    PENSTOCK_ASSERT(is_free);
    undo_.emplace_back(AccountAdded{&place->second});
}

void WorkingSet::take_back(AccountAdded const& write) {
    auto const& account = write.entry->account;
    accounts_.erase(accounts_.find(AccountNameView{account.ledger, account.address}));
}

void WorkingSet::set_standing(LedgerId ledger, std::string_view address, Standing standing) {
    auto* entry = find_in(accounts_, AccountNameView{ledger, address});
    PENSTOCK_ASSERT(entry);
    undo_.emplace_back(StandingSet{entry, entry->account.standing, entry->is_changed});
    entry->account.standing = standing;
    entry->is_changed = true;
}

void WorkingSet::take_back(StandingSet const& write) {
    write.entry->account.standing = write.before;
    write.entry->is_changed = write.was_changed;
}

void WorkingSet::use_key(KeyUse const& use, KeyEntry entry) {
    PENSTOCK_ASSERT(!find_key(use.key));
    entry.is_ours = true;
    entry.record.fingerprint = use.fingerprint;
    entry.record.used_at = now();
    KeyUsed write{use.key, nullptr};
    if (auto* expired = find_in(keys_, use.key)) {
        write.freed = std::make_unique<KeyEntry>(std::move(*expired));
        *expired = std::move(entry);
        changes_.freed_keys.push_back(use.key);
    } else {
        keys_.emplace(use.key, std::move(entry));
    }
    undo_.emplace_back(std::move(write));
}

void WorkingSet::take_back(KeyUsed& use) {
    if (use.freed) {
        keys_.at(use.key) = std::move(*use.freed);
        changes_.freed_keys.pop_back();
    } else {
        keys_.erase(use.key);
    }
}

void WorkingSet::add_transfer(Transfer transfer) {
    if (transfer.reverts) PENSTOCK_ASSERT(reverted_.insert(*transfer.reverts).second);
    if (transfer.key_use) {
        KeyEntry entry;
        entry.record.made = transfer;
        use_key(*transfer.key_use, std::move(entry));
    }
    changes_.transfers.push_back(std::move(transfer));
    undo_.emplace_back(TransferAdded{});
}

void WorkingSet::take_back(TransferAdded const&) {
    auto const& transfer = changes_.transfers.back();
    if (transfer.reverts) reverted_.erase(*transfer.reverts);
    changes_.transfers.pop_back();
}

void WorkingSet::add_answer(Answer answer, Receipt receipt) {
    Answer outline;
    outline.key_use = answer.key_use;
    outline.status = answer.status;
    outline.created_at = answer.created_at;
    KeyEntry entry;
    entry.record.made = std::pair{std::move(outline), std::vector<Transfer>{}};
    entry.receipt = std::move(receipt);
    use_key(answer.key_use, std::move(entry));
    changes_.answers.push_back(std::move(answer));
    undo_.emplace_back(AnswerAdded{});
}

void WorkingSet::take_back(AnswerAdded const&) { changes_.answers.pop_back(); }

void WorkingSet::add_purchase(Purchase purchase) {
    PENSTOCK_ASSERT(purchases_.emplace(purchase.id, purchase).second);
    if (purchase.key_use) {
        KeyEntry entry;
        entry.record.made = purchase;
        use_key(*purchase.key_use, std::move(entry));
    }
    changes_.new_purchases.push_back(std::move(purchase));
    undo_.emplace_back(PurchaseAdded{});
}

void WorkingSet::take_back(PurchaseAdded const&) {
    purchases_.erase(changes_.new_purchases.back().id);
    changes_.new_purchases.pop_back();
}

void WorkingSet::refund_purchase(Purchase purchase) {
    auto& known = purchases_.at(purchase.id);
    PENSTOCK_ASSERT(!known.refunded_at && purchase.refunded_at);
    known = purchase;
    changes_.refunded_purchases.push_back(std::move(purchase));
    undo_.emplace_back(PurchaseRefunded{});
}

void WorkingSet::take_back(PurchaseRefunded const&) {
    auto& known = purchases_.at(changes_.refunded_purchases.back().id);
    known.refunded_at.reset();
    known.author_refund = 0;
    changes_.refunded_purchases.pop_back();
}

void WorkingSet::add_hold(Hold hold) {
    PENSTOCK_ASSERT(holds_.emplace(hold.id, hold).second);
    changes_.new_holds.push_back(std::move(hold));
    undo_.emplace_back(HoldAdded{});
}

void WorkingSet::take_back(HoldAdded const&) {
    holds_.erase(changes_.new_holds.back().id);
    changes_.new_holds.pop_back();
}

void WorkingSet::end_hold(Hold hold) {
    auto& known = holds_.at(hold.id);
    PENSTOCK_ASSERT(known.status == HoldStatus::pending && hold.status != HoldStatus::pending);
    known = hold;
    changes_.ended_holds.push_back(std::move(hold));
    undo_.emplace_back(HoldEnded{});
}

void WorkingSet::take_back(HoldEnded const&) {
    auto& known = holds_.at(changes_.ended_holds.back().id);
    known.status = HoldStatus::pending;
    known.ended_at.reset();
    known.captured_amount = 0;
    known.transfer.reset();
    changes_.ended_holds.pop_back();
}

void WorkingSet::add_event(Event event) {
    changes_.events.push_back(std::move(event));
    undo_.emplace_back(EventAdded{});
}

void WorkingSet::take_back(EventAdded const&) { changes_.events.pop_back(); }

void WorkingSet::add_job(Job job) {
    PENSTOCK_ASSERT(job.status == JobStatus::queued && job.attempts == 0);
    PENSTOCK_ASSERT(jobs_.emplace(job.id, job).second);
    changes_.new_jobs.push_back(std::move(job));
    undo_.emplace_back(JobAdded{});
}

void WorkingSet::take_back(JobAdded const&) {
    jobs_.erase(changes_.new_jobs.back().id);
    changes_.new_jobs.pop_back();
}

void WorkingSet::retry_job(JobId id) {
    auto& job = jobs_.at(id);
    PENSTOCK_ASSERT(job.status == JobStatus::failed);
    undo_.emplace_back(JobRetried{std::make_unique<Job>(job)});
    make_due_again(job, now());
    changes_.retried_jobs.emplace_back(id, now());
}

void WorkingSet::take_back(JobRetried& write) {
    jobs_.at(write.before->id) = std::move(*write.before);
    changes_.retried_jobs.pop_back();
}

void WorkingSet::add_product(Product product) {
    auto const id = product.id;
    ProductEntry entry{std::move(product)};
    entry.is_new = true;
    PENSTOCK_ASSERT(products_.emplace(id, std::move(entry)).second);
    undo_.emplace_back(ProductAdded{id});
}

void WorkingSet::take_back(ProductAdded const& write) { products_.erase(write.id); }

void WorkingSet::set_stock(ProductId id, std::int64_t stock, std::int64_t sold) {
    PENSTOCK_ASSERT(sold >= 0 && sold <= stock);
    auto& entry = products_.at(id);
    auto& product = entry.product;
    undo_.emplace_back(StockSet{&entry, product.stock, product.sold, entry.is_changed});
    product.stock = stock;
    product.sold = sold;
    product.version += 1;
    entry.is_changed = true;
}

void WorkingSet::take_back(StockSet const& write) {
    auto& product = write.entry->product;
    product.stock = write.stock;
    product.sold = write.sold;
    product.version -= 1;
    write.entry->is_changed = write.was_changed;
}

void WorkingSet::add_order(Order order) {
    PENSTOCK_ASSERT(order.status == OrderStatus::completed);
    PENSTOCK_ASSERT(orders_.emplace(order.id, order).second);
    if (order.key_use) {
        KeyEntry entry;
        entry.record.made = order;
        use_key(*order.key_use, std::move(entry));
    }
    bought_[{order.product, order.user}] += order.quantity;
    changes_.new_orders.push_back(std::move(order));
    undo_.emplace_back(OrderAdded{});
}

void WorkingSet::take_back(OrderAdded const&) {
    auto const& order = changes_.new_orders.back();
    bought_.at({order.product, order.user}) -= order.quantity;
    orders_.erase(order.id);
    changes_.new_orders.pop_back();
}

void WorkingSet::cancel_order(OrderId id) {
    auto& order = orders_.at(id);
    PENSTOCK_ASSERT(order.status == OrderStatus::completed);
    auto& bought = bought_.at({order.product, order.user});
    PENSTOCK_ASSERT(bought >= order.quantity);
    bought -= order.quantity;
    order.status = OrderStatus::cancelled;
    order.cancelled_at = now();
    changes_.cancelled_orders.push_back(order);
    undo_.emplace_back(OrderCancelled{});
}

void WorkingSet::take_back(OrderCancelled const&) {
    auto& order = orders_.at(changes_.cancelled_orders.back().id);
    order.status = OrderStatus::completed;
    order.cancelled_at.reset();
    bought_.at({order.product, order.user}) += order.quantity;
    changes_.cancelled_orders.pop_back();
}

void WorkingSet::add_stream(Stream stream) {
    auto const id = stream.id;
    StreamEntry entry{std::move(stream)};
    entry.is_new = true;
    PENSTOCK_ASSERT(streams_.emplace(id, std::move(entry)).second);
    undo_.emplace_back(StreamAdded{id});
}

void WorkingSet::take_back(StreamAdded const& write) { streams_.erase(write.id); }

void WorkingSet::change_stream(Stream stream) {
    auto& entry = streams_.at(stream.id);
    undo_.emplace_back(StreamWritten{std::make_unique<StreamEntry>(entry)});
    entry.stream = std::move(stream);
    entry.is_changed = true;
}

void WorkingSet::take_back(StreamWritten& write) {
    streams_.at(write.before->stream.id) = std::move(*write.before);
}

void WorkingSet::add_export(Export row) {
    changes_.new_exports.push_back(std::move(row));
    undo_.emplace_back(ExportAdded{});
}

void WorkingSet::take_back(ExportAdded const&) { changes_.new_exports.pop_back(); }

void WorkingSet::add_export_audit(ExportAudit audit) {
    changes_.export_audits.push_back(std::move(audit));
    undo_.emplace_back(ExportAuditAdded{});
}

void WorkingSet::take_back(ExportAuditAdded const&) { changes_.export_audits.pop_back(); }

void WorkingSet::add_credit_ledger(LedgerId id) {
    PENSTOCK_ASSERT(credit_ledgers_.emplace(id, CreditLedgerEntry{{}, true}).second);
    undo_.emplace_back(CreditLedgerAdded{id});
}

void WorkingSet::take_back(CreditLedgerAdded const& write) { credit_ledgers_.erase(write.ledger); }

HotLedger const* WorkingSet::find_hot_ledger(LedgerId id) const {
    auto const* entry = find_in(hot_ledgers_, id);
    return entry ? &entry->ledger : nullptr;
}

void WorkingSet::add_hot_ledger(LedgerId id) {
    PENSTOCK_ASSERT(hot_ledgers_.emplace(id, HotLedgerEntry{{id}, true}).second);
    undo_.emplace_back(HotLedgerAdded{id});
}

void WorkingSet::take_back(HotLedgerAdded const& write) { hot_ledgers_.erase(write.ledger); }

void WorkingSet::set_hot_ledger(HotLedger ledger) {
    auto& entry = hot_ledgers_.at(ledger.ledger);
    undo_.emplace_back(HotLedgerSet{entry});
    entry = HotLedgerEntry{ledger, true};
}

void WorkingSet::take_back(HotLedgerSet const& write) {
    hot_ledgers_.at(write.before.ledger.ledger) = write.before;
}

bool WorkingSet::credit_reference_taken(LedgerId ledger, std::string const& reference) const {
    return credit_references_.contains({ledger, reference});
}

void WorkingSet::advance_credit_ledger(LedgerId ledger, CreditOperationId id) {
    auto& entry = credit_ledgers_.at(ledger);
    PENSTOCK_ASSERT(entry.last < id);
    undo_.emplace_back(CreditLedgerAdvanced{ledger, entry});
    entry = CreditLedgerEntry{id, true};
}

void WorkingSet::take_back(CreditLedgerAdvanced const& write) {
    credit_ledgers_.at(write.ledger) = write.before;
}

void WorkingSet::add_credit_operation(Credited credited) {
    auto const operation = credited.operation;
    advance_credit_ledger(operation.ledger, operation.id);
    PENSTOCK_ASSERT(credit_references_.insert({operation.ledger, operation.reference}).second);
    changes_.credit_operations.push_back(operation);
    undo_.emplace_back(CreditOperationAdded{});
    if (!operation.key_use) return;
    KeyEntry entry;
    entry.record.made = std::move(credited);
    use_key(*operation.key_use, std::move(entry));
}

void WorkingSet::take_back(CreditOperationAdded const&) {
    auto const& operation = changes_.credit_operations.back();
    credit_references_.erase({operation.ledger, operation.reference});
    changes_.credit_operations.pop_back();
}

void WorkingSet::add_credit_entry(CreditEntry entry) {
    changes_.credit_entries.push_back(std::move(entry));
    undo_.emplace_back(CreditEntryAdded{});
}

void WorkingSet::take_back(CreditEntryAdded const&) { changes_.credit_entries.pop_back(); }

Lot const* WorkingSet::find_lot(AccountId account, LotPlace place) {
    auto* book = find_in(lots_, account);
    auto const* entry = book ? book->find(place) : nullptr;
    return entry ? &entry->lot : nullptr;
}

void WorkingSet::add_lot(Lot lot) {
    LotAdded const write{lot.party.account, lot.place};
    lots_[write.account].add(std::move(lot), true);
    undo_.emplace_back(write);
}

void WorkingSet::take_back(LotAdded const& write) { lots_.at(write.account).remove(write.place); }

std::vector<Portion> WorkingSet::drain_lots(AccountId account, Drain drain, Amount wanted) {
    auto& book = lots_[account];
    book.order_by(drain);
    std::vector<Portion> portions;
    book.drain(wanted, now(), [&](LotBook::Entry& entry, Amount taken) {
        auto const left = entry.lot.remaining - taken;
        change_lot(entry, left, left > 0);
        portions.push_back({taken, entry.lot.expires_at});
    });
    return portions;
}

void WorkingSet::close_lot(AccountId account, LotPlace place) {
    auto* entry = lots_.at(account).find(place);
    PENSTOCK_ASSERT(entry && entry->lot.is_open);
    change_lot(*entry, entry->lot.remaining, false);
}

void WorkingSet::change_lot(LotBook::Entry& entry, Amount remaining, bool is_open) {
    auto& lot = entry.lot;
    undo_.emplace_back(LotChanged{&entry, lot.remaining, lot.is_open, entry.is_changed});
    lot.remaining = remaining;
    lot.is_open = is_open;
    entry.is_changed = true;
}

void WorkingSet::take_back(LotChanged const& write) {
    write.entry->lot.remaining = write.remaining;
    write.entry->lot.is_open = write.was_open;
    write.entry->is_changed = write.was_changed;
}

bool WorkingSet::has_open_lots(LedgerId ledger) const {
    return std::ranges::any_of(
        lots_, [ledger](auto const& named) { return named.second.has_open_lot_of(ledger); });
}

void WorkingSet::undo(Mark mark) {
    PENSTOCK_ASSERT(mark <= undo_.size());
    while (undo_.size() > mark) {
        std::visit([this](auto& write) { take_back(write); }, undo_.back());
        undo_.pop_back();
    }
}

/// Made and deleted in one batch: nothing of it is ever stored.
bool WorkingSet::is_dropped(LedgerId id) const {
    auto const* entry = find_in(ledgers_, id);
    return entry && entry->is_new && entry->is_deleted;
}

/// Lots in the order of granting, so that a batch's rows do not hang on a hash.
void WorkingSet::add_credits(Changes& changes) const {
    for (auto const& [ledger, entry] : credit_ledgers_)
        if (entry.is_changed) changes.credit_ledgers.push_back({ledger, entry.last});
    for (auto const& [account, book] : lots_) {
        for (auto const* entry : book.entries()) {
            if (entry->is_new) changes.new_lots.push_back(entry->lot);
            if (!entry->is_new && entry->is_changed) changes.changed_lots.push_back(entry->lot);
        }
    }
    std::ranges::sort(changes.new_lots, {}, &Lot::place);
    std::ranges::sort(changes.changed_lots, {}, &Lot::place);
}

Changes WorkingSet::changes() const {
    Changes changes = changes_;
    bool any_dropped = false;
    for (auto const& [id, entry] : ledgers_) {
        if (is_dropped(id)) any_dropped = true;
        if (entry.is_deleted) continue;
        if (entry.is_new) changes.new_ledgers.push_back(entry.ledger);
        if (!entry.is_new && entry.is_changed) changes.changed_ledgers.push_back(entry.ledger);
    }
    for (auto const& [name, entry] : accounts_) {
        if (any_dropped && is_dropped(name.ledger)) continue;
        if (entry.is_new) changes.new_accounts.push_back(entry.account);
        if (!entry.is_new && entry.is_changed) changes.changed_accounts.push_back(entry.account);
    }
    for (auto const& [id, entry] : products_) {
        if (entry.is_new) changes.new_products.push_back(entry.product);
        if (!entry.is_new && entry.is_changed) changes.changed_products.push_back(entry.product);
    }
    for (auto const& [id, entry] : streams_) {
        if (entry.is_new) changes.new_streams.push_back(entry.stream);
        if (!entry.is_new && entry.is_changed) changes.changed_streams.push_back(entry.stream);
    }
    for (auto const& [id, entry] : hot_ledgers_)
        if (entry.is_changed) changes.hot_ledgers.push_back(entry.ledger);
    add_credits(changes);
    if (any_dropped) {
        auto const drop = [this](auto& rows) {
            std::erase_if(rows, [this](auto const& row) { return is_dropped(row.ledger); });
        };
        drop(changes.transfers);
        drop(changes.new_purchases);
        drop(changes.refunded_purchases);
        drop(changes.new_holds);
        drop(changes.ended_holds);
        drop(changes.credit_ledgers);
        drop(changes.hot_ledgers);
        drop(changes.credit_operations);
        drop(changes.credit_entries);
        drop(changes.new_lots);
        drop(changes.new_streams);
        std::erase_if(changes.events, [this](auto const& event) {
            return event.ledger && is_dropped(*event.ledger);
        });
    }
    std::ranges::sort(changes.new_ledgers, {}, &Ledger::id);
    std::ranges::sort(changes.changed_ledgers, {}, &Ledger::id);
    std::ranges::sort(changes.new_products, {}, &Product::id);
    std::ranges::sort(changes.changed_products, {}, &Product::id);
    std::ranges::sort(changes.new_streams, {}, &Stream::id);
    std::ranges::sort(changes.changed_streams, {}, &Stream::id);
    sort_by_name(changes.new_accounts);
    sort_by_name(changes.changed_accounts);
    changes.totals = totals_of(changes);
    return changes;
}

}  // namespace penstock::domain
