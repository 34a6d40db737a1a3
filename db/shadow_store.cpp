// A store that writes to two databases.
#include "db/shadow_store.hpp"

#include <algorithm>
#include <utility>

#include "db/credit_store.hpp"
#include "db/export_store.hpp"
#include "db/postgres_writer.hpp"
#include "db/primary.hpp"
#include "db/stream_store.hpp"
#include "reactor/deadline.hpp"
#include "reactor/until_cancelled.hpp"

namespace penstock::db {

using namespace domain;

namespace {

/// How long a read waits for the shadow before the primary answers it.
constexpr milliseconds fit_within{100};
constexpr milliseconds look_again{1};
constexpr milliseconds follows_within{10'000};

/// Until everything that was pushed before is applied; false when that takes too long. For
/// background work, which has time.
asio::awaitable<bool> follows(ShadowLink const& link) {
    auto const wanted = link.progress().pushed.load();
    auto const deadline = steady_now() + follows_within;
    while (link.progress().applied.load() < wanted) {
        if (!link.up() || steady_now() >= deadline) co_return false;
        bool const awake = co_await reactor::sleep_until(steady_now() + look_again);
        if (!awake) co_return false;
    }
    co_return link.up();
}

/// A read that is to come from the shadow waits for what was committed before it.
ShadowOptions adjusted(ShadowOptions options, ReadFrom read_from, std::string server) {
    if (read_from == ReadFrom::shadow) options.linger = milliseconds{0};
    options.server = std::move(server);
    return options;
}

std::unique_ptr<ShadowPositions> make_positions(asio::any_io_executor executor,
                                                ShadowOptions const& options, ReadFrom read_from) {
    if (read_from == ReadFrom::primary) return nullptr;
    return std::make_unique<ShadowPositions>(executor, options.source, options.target,
                                             options.backoff);
}

class ShadowWriter final : public Writer {
public:
    ShadowWriter(PostgresStore& primary, ShadowLink& link, ShadowFleet& fleet)
        : link_(link), server_(fleet.server()) {
        mark_.writer = fleet.next_writer();
        primary_ = primary.make_writer();
        // A store on PostgreSQL makes no other.
        static_cast<PostgresWriter&>(*primary_).before_commit([this](pg::Segment& segment) {
            ++mark_.position;
            mark_committed(segment, server_, mark_);
        });
    }

    asio::awaitable<void> run() override { return primary_->run(); }
    asio::awaitable<Result<Loaded>> load(KeySet keys, SteadyTime deadline) override {
        return primary_->load(std::move(keys), deadline);
    }
    asio::awaitable<error_code> commit(Changes changes, SteadyTime deadline) override {
        auto copy = changes;
        error_code error;
        try {
            error = co_await primary_->commit(std::move(changes), deadline);
        } catch (...) {
            // Cancelled while it was committing: what became of it, nobody waits to hear.
            link_.push(std::move(copy), false, mark_);
            throw;
        }
        bool const unknown = error == Errc::commit_unknown;
        if (!error || unknown) link_.push(std::move(copy), !unknown, mark_);
        co_return error;
    }
    asio::awaitable<void> abandon() override { return primary_->abandon(); }
    pg::SessionMetrics const* connection_metrics() const override {
        return primary_->connection_metrics();
    }

private:
    std::unique_ptr<Writer> primary_;
    ShadowLink& link_;
    std::string const& server_;
    ShadowMark mark_;  ///< of the last commit
};

}  // namespace

Store& primary_of(Store& store) {
    auto* const shadowed = dynamic_cast<ShadowStore*>(&store);
    return shadowed ? shadowed->primary() : store;
}

/// The queue of the primary. What happens to a job there is told to the shadow.
class ShadowJobs final : public JobQueue {
public:
    ShadowJobs(JobQueue& primary, JobQueue& shadow, ShadowLink& link)
        : primary_(primary), shadow_(shadow), link_(link) {}

    asio::awaitable<Result<Claimed>> claim(ClaimOrder order, SteadyTime deadline) override {
        auto claimed = co_await primary_.claim(std::move(order), deadline);
        if (!claimed) co_return claimed;
        for (auto const& job : claimed->jobs) touch(job.id);
        // Whose last lease has ended is not named.
        if (claimed->dead > 0) link_.touch_range(table, mirror::Range());
        co_return claimed;
    }
    asio::awaitable<Result<JobEnd>> renew(HeldJob held, Instant until,
                                          SteadyTime deadline) override {
        auto const end = co_await primary_.renew(held, until, deadline);
        touch(held.job);
        co_return end;
    }
    asio::awaitable<Result<JobEnd>> complete(HeldJob held, std::string result, Instant now,
                                             SteadyTime deadline) override {
        auto const end = co_await primary_.complete(held, std::move(result), now, deadline);
        touch(held.job);
        co_return end;
    }
    asio::awaitable<Result<JobEnd>> fail(HeldJob held, std::string error, Instant retry_at,
                                         Instant now, SteadyTime deadline) override {
        auto const end = co_await primary_.fail(held, std::move(error), retry_at, now, deadline);
        touch(held.job);
        co_return end;
    }
    asio::awaitable<Result<JobEnd>> release(HeldJob held, Instant now,
                                            SteadyTime deadline) override {
        auto const end = co_await primary_.release(held, now, deadline);
        touch(held.job);
        co_return end;
    }
    asio::awaitable<Result<std::optional<Job>>> find(OrganizationId organization, JobId id,
                                                     SteadyTime deadline) override {
        return primary_.find(organization, id, deadline);
    }
    asio::awaitable<Result<std::vector<Job>>> list(JobPage page, SteadyTime deadline) override {
        return primary_.list(std::move(page), deadline);
    }
    asio::awaitable<Result<std::vector<JobBacklog>>> backlog(SteadyTime deadline) override {
        return primary_.backlog(deadline);
    }
    asio::awaitable<Result<std::size_t>> purge(JobStatus status, Instant before, std::size_t limit,
                                               SteadyTime deadline) override {
        auto const purged = co_await primary_.purge(status, before, limit, deadline);
        // The same rows, for they are the oldest there, too, once the shadow has what was before.
        // Else they are left to later purges: the last of them finds nothing here, and them there.
        if (!purged) co_return purged;
        bool const fit = co_await follows(link_);
        if (!fit) co_return purged;
        auto const there = co_await shadow_.purge(status, before, limit, deadline);
        if (!there) link_.metrics().failures.add();
        co_return purged;
    }
    asio::awaitable<void> listen(std::function<void()> wake) override {
        return primary_.listen(std::move(wake));
    }

private:
    static constexpr std::string_view table = "jobs";

    /// Also after an error: nobody knows then.
    void touch(JobId id) { link_.touch(table, {{"id", id.to_string()}}); }

    JobQueue& primary_;
    JobQueue& shadow_;
    ShadowLink& link_;
};

/// Reads of clients from where reads come from; what decisions and replay rest on, from the
/// primary.
class ShadowCredits final : public CreditStore {
public:
    ShadowCredits(ShadowStore& store, CreditStore& primary) : store_(store), primary_(primary) {}

    Repaired compare_lots(LedgerId ledger, SteadyTime deadline) override {
        return primary_.compare_lots(ledger, deadline);
    }
    /// What it rewrites no batch names, and it may be anything of a ledger: a backfill brings it.
    Repaired repair_lots(LedgerId ledger, std::optional<std::string> address,
                         SteadyTime deadline) override {
        auto repaired = co_await primary_.repair_lots(ledger, std::move(address), deadline);
        auto const changed = [](LotRepair const& lots) {
            return lots.missing + lots.differing + lots.surplus + lots.misclosed > 0;
        };
        if (!repaired || changed(*repaired)) store_.link_.miss();
        co_return repaired;
    }
    Listed<LedgerBehind> list_ledgers_behind(std::optional<LedgerId> after, std::size_t limit,
                                             SteadyTime deadline) override {
        return primary_.list_ledgers_behind(after, limit, deadline);
    }

    Lots list_valid_lots(AccountName name, Instant at, SteadyTime deadline) override {
        return store_.read<ValidLots>(
            [=](Store& store) { return store.credits().list_valid_lots(name, at, deadline); });
    }
    Balances list_balances(LedgerId ledger, CreditBalancePage page, SteadyTime deadline) override {
        return store_.read<CreditBalanceList>(
            [=](Store& store) { return store.credits().list_balances(ledger, page, deadline); });
    }
    asio::awaitable<Result<std::int64_t>> count_balances(LedgerId ledger, Instant at,
                                                         Amount min_balance,
                                                         SteadyTime deadline) override {
        return store_.read<std::int64_t>([=](Store& store) {
            return store.credits().count_balances(ledger, at, min_balance, deadline);
        });
    }
    History list_history(LedgerId ledger, CreditHistoryPage page, SteadyTime deadline) override {
        return store_.read<CreditHistoryList>(
            [=](Store& store) { return store.credits().list_history(ledger, page, deadline); });
    }
    Listed<Lot> list_due_lots(Instant now, std::size_t limit, SteadyTime deadline) override {
        return primary_.list_due_lots(now, limit, deadline);
    }
    Listed<CreditOperation> list_operations(LedgerId ledger, std::optional<CreditOperationId> after,
                                            std::size_t limit, SteadyTime deadline) override {
        return primary_.list_operations(ledger, after, limit, deadline);
    }
    Listed<CreditEntry> list_entries(LedgerId ledger, std::vector<CreditOperationId> operations,
                                     SteadyTime deadline) override {
        return primary_.list_entries(ledger, std::move(operations), deadline);
    }
    Listed<Lot> list_lots(std::vector<CreditOperationId> operations, SteadyTime deadline) override {
        return primary_.list_lots(std::move(operations), deadline);
    }

private:
    ShadowStore& store_;
    CreditStore& primary_;
};

class ShadowStreams final : public StreamStore {
public:
    explicit ShadowStreams(ShadowStore& store) : store_(store) {}

    asio::awaitable<Result<std::optional<Stream>>> find_stream(LedgerId ledger, StreamId id,
                                                               SteadyTime deadline) override {
        return store_.read<std::optional<Stream>>(
            [=](Store& store) { return store.streams().find_stream(ledger, id, deadline); });
    }
    asio::awaitable<Result<StreamList>> list_streams(LedgerId ledger, StreamPage page,
                                                     SteadyTime deadline) override {
        return store_.read<StreamList>(
            [=](Store& store) { return store.streams().list_streams(ledger, page, deadline); });
    }

private:
    ShadowStore& store_;
};

/// Files are written and read in the primary. What is written there is told to the shadow.
class ShadowExports final : public ExportStore {
public:
    ShadowExports(ExportStore& primary, ExportStore& shadow, ShadowLink& link)
        : primary_(primary), shadow_(shadow), link_(link) {}

    Found<Export> find(std::optional<OrganizationId> organization, ExportId id,
                       SteadyTime deadline) override {
        return primary_.find(organization, id, deadline);
    }
    Listed<Export> list(ExportPage page, SteadyTime deadline) override {
        return primary_.list(page, deadline);
    }
    Listed<ExportAudit> list_audit(ExportAuditPage page, SteadyTime deadline) override {
        return primary_.list_audit(page, deadline);
    }
    Found<ExportProgress> begin(HeldJob held, SteadyTime deadline) override {
        auto begun = co_await primary_.begin(held, deadline);
        touch(held);
        co_return begun;
    }
    asio::awaitable<Result<JobEnd>> append(HeldJob held, ExportChunk chunk,
                                           SteadyTime deadline) override {
        auto const start = std::to_string(chunk.start);
        auto const end = co_await primary_.append(held, std::move(chunk), deadline);
        touch(held);
        link_.touch("export_chunks", {{"export_id", held.job.to_string()}, {"start", start}});
        co_return end;
    }
    asio::awaitable<Result<JobEnd>> finish(HeldJob held, ExportEnd file,
                                           SteadyTime deadline) override {
        auto const audit = file.audit.to_string();
        auto const end = co_await primary_.finish(held, std::move(file), deadline);
        touch(held);
        link_.touch("export_audit", {{"export_id", held.job.to_string()}, {"id", audit}});
        co_return end;
    }
    asio::awaitable<Result<std::string>> read(ExportId id, std::int64_t from, std::size_t bytes_max,
                                              SteadyTime deadline) override {
        return primary_.read(id, from, bytes_max, deadline);
    }
    /// The same care of the same rows, with the same ids for what it records.
    asio::awaitable<Result<std::size_t>> care(ExportCare order, SteadyTime deadline) override {
        bool fit = co_await follows(link_);
        auto const same = order;
        auto const done = co_await primary_.care(std::move(order), deadline);
        if (!done || *done == 0) co_return done;
        if (fit) {
            auto const there = co_await shadow_.care(same, deadline);
            fit = there && *there == *done;
        }
        if (!fit) link_.miss();
        co_return done;
    }
    asio::awaitable<Result<std::string>> secret(SteadyTime deadline) override {
        return primary_.secret(deadline);
    }
    asio::awaitable<error_code> settle(SteadyTime deadline) override {
        return primary_.settle(deadline);
    }
    std::unique_ptr<TransferScanner> scan(TransferScan scan) override {
        return primary_.scan(std::move(scan));
    }

private:
    /// An export has its job's id.
    void touch(HeldJob held) {
        link_.touch("exports", {{"id", held.job.to_string()}});
        link_.touch("jobs", {{"id", held.job.to_string()}});
    }

    ExportStore& primary_;
    ExportStore& shadow_;
    ShadowLink& link_;
};

asio::awaitable<bool> ShadowFleet::caught_up(SteadyTime deadline) const {
    std::vector<std::uint64_t> wanted;
    for (auto const* link : links_) wanted.push_back(link->progress().pushed.load());
    auto const reached = [&] {
        for (std::size_t i = 0; i < links_.size(); ++i)
            if (links_[i]->progress().applied.load() < wanted[i]) return false;
        return true;
    };
    while (!reached()) {
        if (steady_now() >= deadline) co_return false;
        // The links of other event loops cannot wake this one.
        bool const awake = co_await reactor::sleep_until(steady_now() + look_again);
        if (!awake) co_return false;
    }
    co_return true;
}

std::uint64_t ShadowFleet::gaps() const {
    std::uint64_t all = 0;
    for (auto const* link : links_) all += link->metrics().gaps.get();
    return all;
}

ShadowStore::ShadowStore(asio::any_io_executor executor, PostgresStore& primary,
                         std::unique_ptr<Store> shadow, ShadowOptions options, ReadFrom read_from,
                         ShadowFleet& fleet)
    : executor_(executor),
      primary_(primary),
      shadow_(std::move(shadow)),
      fleet_(fleet),
      link_(executor, adjusted(options, read_from, fleet.server())),
      positions_(make_positions(executor, options, read_from)),
      jobs_(std::make_unique<ShadowJobs>(primary.jobs(), shadow_->jobs(), link_)),
      credits_(std::make_unique<ShadowCredits>(*this, primary.credits())),
      streams_(std::make_unique<ShadowStreams>(*this)),
      exports_(std::make_unique<ShadowExports>(primary.exports(), shadow_->exports(), link_)) {
    fleet.join(link_);
}

ShadowStore::~ShadowStore() = default;

asio::awaitable<void> ShadowStore::run() {
    reactor::TaskGroup lives(executor_);
    lives.spawn(primary_.run());
    lives.spawn(shadow_->run());
    lives.spawn(link_.run());
    if (positions_) lives.spawn(positions_->run());
    co_await reactor::until_cancelled(lives);
}

std::unique_ptr<Writer> ShadowStore::make_writer() {
    return std::make_unique<ShadowWriter>(primary_, link_, fleet_);
}

asio::awaitable<error_code> ShadowStore::ping(SteadyTime deadline) {
    return primary_.ping(deadline);
}

/// It has everything that was acknowledged before, by any server. What this one has acknowledged
/// is waited for here: that costs no database anything.
asio::awaitable<bool> ShadowStore::shadow_is_fit() {
    auto const deadline = steady_now() + fit_within;
    bool fit = link_.up();
    if (fit) fit = co_await fleet_.caught_up(deadline);
    if (fit) fit = co_await positions_->reached(deadline);
    if (fit)
        link_.metrics().reads.add();
    else
        link_.metrics().reads_behind.add();
    co_return fit;
}

template <class T>
asio::awaitable<Result<T>> ShadowStore::read(
    std::function<asio::awaitable<Result<T>>(Store&)> ask) {
    if (!positions_) co_return co_await ask(primary_);
    bool const fit = co_await shadow_is_fit();
    if (!fit) co_return co_await ask(primary_);
    auto answer = co_await ask(*shadow_);
    if (answer) co_return answer;
    co_return co_await ask(primary_);
}

Store::Found<Organization> ShadowStore::find_organization(OrganizationId id, SteadyTime deadline) {
    return read<std::optional<Organization>>(
        [=](Store& store) { return store.find_organization(id, deadline); });
}

Store::Listed<Organization> ShadowStore::list_organizations(std::optional<OrganizationId> after,
                                                            std::size_t limit,
                                                            SteadyTime deadline) {
    return read<std::vector<Organization>>(
        [=](Store& store) { return store.list_organizations(after, limit, deadline); });
}

Store::Listed<ApiKey> ShadowStore::list_api_keys(OrganizationId organization,
                                                 std::optional<ApiKeyId> after, std::size_t limit,
                                                 SteadyTime deadline) {
    return read<std::vector<ApiKey>>(
        [=](Store& store) { return store.list_api_keys(organization, after, limit, deadline); });
}

Store::Found<Ledger> ShadowStore::find_ledger(LedgerName name, SteadyTime deadline) {
    return primary_.find_ledger(std::move(name), deadline);
}

Store::Listed<Ledger> ShadowStore::list_ledgers(OrganizationId organization,
                                                std::optional<std::string> after, std::size_t limit,
                                                SteadyTime deadline) {
    return read<std::vector<Ledger>>(
        [=](Store& store) { return store.list_ledgers(organization, after, limit, deadline); });
}

Store::Found<Account> ShadowStore::find_account(AccountName name, SteadyTime deadline) {
    return read<std::optional<Account>>(
        [=](Store& store) { return store.find_account(name, deadline); });
}

Store::Found<PastStanding> ShadowStore::find_account_at(AccountName name, Instant at,
                                                        SteadyTime deadline) {
    return read<std::optional<PastStanding>>(
        [=](Store& store) { return store.find_account_at(name, at, deadline); });
}

Store::Listed<Account> ShadowStore::list_accounts(LedgerId ledger, AccountPage page,
                                                  SteadyTime deadline) {
    return read<std::vector<Account>>(
        [=](Store& store) { return store.list_accounts(ledger, page, deadline); });
}

Store::Listed<Transfer> ShadowStore::list_entries(AccountName name, EntryPage page,
                                                  SteadyTime deadline) {
    return read<std::vector<Transfer>>(
        [=](Store& store) { return store.list_entries(name, page, deadline); });
}

Store::Found<Transfer> ShadowStore::find_transfer(LedgerId ledger, TransferId id,
                                                  SteadyTime deadline) {
    return read<std::optional<Transfer>>(
        [=](Store& store) { return store.find_transfer(ledger, id, deadline); });
}

asio::awaitable<Result<TransferList>> ShadowStore::list_transfers(LedgerId ledger,
                                                                  TransferPage page,
                                                                  SteadyTime deadline) {
    return read<TransferList>(
        [=](Store& store) { return store.list_transfers(ledger, page, deadline); });
}

Store::Listed<Total> ShadowStore::list_totals(LedgerId ledger, SteadyTime deadline) {
    return read<std::vector<Total>>(
        [=](Store& store) { return store.list_totals(ledger, deadline); });
}

Store::Found<Purchase> ShadowStore::find_purchase(LedgerId ledger, PurchaseId id,
                                                  SteadyTime deadline) {
    return read<std::optional<Purchase>>(
        [=](Store& store) { return store.find_purchase(ledger, id, deadline); });
}

Store::Listed<Purchase> ShadowStore::list_purchases(LedgerId ledger, PurchasePage page,
                                                    SteadyTime deadline) {
    return read<std::vector<Purchase>>(
        [=](Store& store) { return store.list_purchases(ledger, page, deadline); });
}

Store::Found<Hold> ShadowStore::find_hold(LedgerId ledger, HoldId id, SteadyTime deadline) {
    return read<std::optional<Hold>>(
        [=](Store& store) { return store.find_hold(ledger, id, deadline); });
}

Store::Listed<Hold> ShadowStore::list_holds(LedgerId ledger, HoldPage page, SteadyTime deadline) {
    return read<std::vector<Hold>>(
        [=](Store& store) { return store.list_holds(ledger, page, deadline); });
}

Store::Found<Product> ShadowStore::find_product(OrganizationId organization, ProductId id,
                                                SteadyTime deadline) {
    return read<std::optional<Product>>(
        [=](Store& store) { return store.find_product(organization, id, deadline); });
}

Store::Listed<Product> ShadowStore::list_products(OrganizationId organization,
                                                  std::optional<ProductId> before,
                                                  std::size_t limit, SteadyTime deadline) {
    return read<std::vector<Product>>(
        [=](Store& store) { return store.list_products(organization, before, limit, deadline); });
}

Store::Found<Order> ShadowStore::find_order(ProductId product, OrderId id, SteadyTime deadline) {
    return read<std::optional<Order>>(
        [=](Store& store) { return store.find_order(product, id, deadline); });
}

Store::Listed<Order> ShadowStore::list_orders(ProductId product, OrderPage page,
                                              SteadyTime deadline) {
    return read<std::vector<Order>>(
        [=](Store& store) { return store.list_orders(product, page, deadline); });
}

Store::Listed<Activity> ShadowStore::list_activity(OrganizationId organization, ActivityPage page,
                                                   SteadyTime deadline) {
    return read<std::vector<Activity>>(
        [=](Store& store) { return store.list_activity(organization, page, deadline); });
}

Store::Listed<ApiKey> ShadowStore::find_api_keys(std::vector<SecretDigest> digests,
                                                 SteadyTime deadline) {
    return primary_.find_api_keys(std::move(digests), deadline);
}

Store::Listed<Hold> ShadowStore::list_due_holds(Instant now, std::size_t limit,
                                                SteadyTime deadline) {
    return primary_.list_due_holds(now, limit, deadline);
}

Store::Listed<Product> ShadowStore::find_products(std::vector<ProductId> ids, SteadyTime deadline) {
    return primary_.find_products(std::move(ids), deadline);
}

Store::Listed<Product> ShadowStore::list_open_sales(Instant ended_after,
                                                    std::optional<ProductId> after,
                                                    std::size_t limit,
                                                    std::optional<OrganizationId> organization,
                                                    SteadyTime deadline) {
    return primary_.list_open_sales(ended_after, after, limit, organization, deadline);
}

Store::Listed<Sold> ShadowStore::list_sold(ProductId product, std::optional<OrderId> after,
                                           std::size_t limit, SteadyTime deadline) {
    return primary_.list_sold(product, after, limit, deadline);
}

Store::Listed<Sold> ShadowStore::find_orders_by_keys(ProductId product,
                                                     std::vector<IdempotencyKey> keys,
                                                     SteadyTime deadline) {
    return primary_.find_orders_by_keys(product, std::move(keys), deadline);
}

Store::Listed<Check> ShadowStore::verify(LedgerId ledger, SteadyTime deadline) {
    return primary_.verify(ledger, deadline);
}

Store::Listed<Check> ShadowStore::verify_sales(SteadyTime deadline) {
    return primary_.verify_sales(deadline);
}

asio::awaitable<Result<std::size_t>> ShadowStore::purge(Instant before, std::size_t limit,
                                                        SteadyTime deadline) {
    auto const purged = co_await primary_.purge(before, limit, deadline);
    // What nobody can ask for any more is the same there.
    if (!purged) co_return purged;
    bool const fit = co_await follows(link_);
    if (!fit) co_return purged;
    auto const there = co_await shadow_->purge(before, limit, deadline);
    if (!there) link_.metrics().failures.add();
    co_return purged;
}

CreditStore& ShadowStore::credits() { return *credits_; }

StreamStore& ShadowStore::streams() { return *streams_; }

ExportStore& ShadowStore::exports() { return *exports_; }

JobQueue& ShadowStore::jobs() { return *jobs_; }

}  // namespace penstock::db
