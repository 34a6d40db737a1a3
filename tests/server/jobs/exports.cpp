// Does an export come out the same however often whoever writes it is cut off?
#include "server/jobs/exports.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>

#include "db/export_store.hpp"
#include "db/memory_store.hpp"
#include "domain/export.hpp"
#include "server/digest.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {
namespace {

using namespace server;
using domain::Instant;

constexpr Instant start{1'700'000'000'000};

SteadyTime in_time() { return steady_now() + std::chrono::seconds{20}; }

class FixedClock final : public Clock {
public:
    Instant now() noexcept override { return {start.ms + 60'000}; }
};

/// A store's exports whose answers to some chunks are lost, after or before they were written.
class CutExports final : public db::ExportStore {
public:
    explicit CutExports(db::ExportStore& real) : real_(real) {}

    int chunks_left = std::numeric_limits<int>::max();  ///< then every one fails
    bool written_all_the_same = false;

    Found<domain::Export> find(std::optional<domain::OrganizationId> organization,
                               domain::ExportId id, SteadyTime deadline) override {
        return real_.find(organization, id, deadline);
    }
    Listed<domain::Export> list(db::ExportPage page, SteadyTime deadline) override {
        return real_.list(page, deadline);
    }
    Listed<domain::ExportAudit> list_audit(db::ExportAuditPage page, SteadyTime deadline) override {
        return real_.list_audit(page, deadline);
    }
    Found<db::ExportProgress> begin(db::HeldJob held, SteadyTime deadline) override {
        return real_.begin(held, deadline);
    }
    asio::awaitable<Result<db::JobEnd>> append(db::HeldJob held, db::ExportChunk chunk,
                                               SteadyTime deadline) override {
        bool const is_cut = chunks_left-- <= 0;
        if (!is_cut || written_all_the_same) {
            auto end = co_await real_.append(held, std::move(chunk), deadline);
            if (!is_cut) co_return end;
        }
        co_return make_error_code(boost::system::errc::io_error);
    }
    asio::awaitable<Result<db::JobEnd>> finish(db::HeldJob held, db::ExportEnd end,
                                               SteadyTime deadline) override {
        return real_.finish(held, std::move(end), deadline);
    }
    asio::awaitable<Result<std::string>> read(domain::ExportId id, std::int64_t from,
                                              std::size_t bytes_max, SteadyTime deadline) override {
        return real_.read(id, from, bytes_max, deadline);
    }
    asio::awaitable<Result<std::size_t>> care(db::ExportCare care, SteadyTime deadline) override {
        return real_.care(std::move(care), deadline);
    }
    asio::awaitable<Result<std::string>> secret(SteadyTime deadline) override {
        return real_.secret(deadline);
    }
    asio::awaitable<error_code> settle(SteadyTime deadline) override {
        return real_.settle(deadline);
    }
    std::unique_ptr<db::TransferScanner> scan(db::TransferScan scan) override {
        return real_.scan(std::move(scan));
    }

private:
    db::ExportStore& real_;
};

class CutStore final : public db::MemoryStore {
public:
    db::ExportStore& exports() override { return cut; }
    CutExports cut{db::MemoryStore::exports()};
};

/// A store with two ledgers full of transfers, and whoever writes exports of them.
struct Office {
    explicit Office(asio::any_io_executor executor) : tasks(executor), writer(store.make_writer()) {
        tasks.spawn(writer->run());
        options.rows_max = 5;
        options.slice_rows = 2;
        options.chunk_bytes = 600;
    }

    asio::awaitable<void> commit(domain::Changes changes) {
        domain::KeySet const nothing;
        auto const limit = in_time();
        auto const loaded = co_await writer->load(nothing, limit);
        BOOST_REQUIRE(loaded);
        error_code const error = co_await writer->commit(std::move(changes), limit);
        BOOST_REQUIRE_MESSAGE(!error, error.message());
    }

    domain::Uuid new_id(Instant at) { return domain::make_uuid7(at, ++made, 7); }

    asio::awaitable<void> open() {
        domain::Changes changes;
        for (auto const* name : {"alpha", "beta"}) {
            domain::Ledger ledger;
            ledger.id = {new_id(start)};
            ledger.name = name;
            changes.new_ledgers.push_back(ledger);
            for (int i = 1; i <= 60; ++i) {
                domain::Transfer transfer;
                transfer.id = {new_id({start.ms - 100 + i})};
                transfer.ledger = ledger.id;
                transfer.from.address = "@world";
                transfer.to.address = "user-" + std::to_string(i % 7);
                transfer.amount = i;
                changes.transfers.push_back(transfer);
            }
        }
        co_await commit(std::move(changes));
    }

    asio::awaitable<domain::Export> ask(domain::ExportSource source, domain::ExportFormat format) {
        domain::Export row;
        row.id = {new_id(start)};
        row.source = source;
        row.format = format;
        domain::Job job;
        job.id = {row.id.value};
        job.kind = domain::export_job;
        job.payload = R"({"export":")" + row.id.to_string() + "\"}";
        job.attempts_max = 1'000;
        domain::Changes changes;
        changes.new_jobs.push_back(job);
        changes.new_exports.push_back(row);
        co_await commit(std::move(changes));
        co_return row;
    }

    asio::awaitable<void> finish() {
        tasks.cancel();
        bool const ended = co_await tasks.join(in_time());
        BOOST_REQUIRE(ended);
    }

    /// One attempt by somebody who has never seen it before.
    asio::awaitable<Result<std::string>> attempt(domain::Export row) {
        db::ClaimOrder order;
        order.kinds = {domain::export_job};
        order.lease = new_lease();
        order.now = {start.ms + 1'000'000 * ++claims};
        order.lease_until = {order.now.ms + 1'000};
        order.limit = 10;
        auto const limit = in_time();
        auto claimed = co_await store.jobs().claim(std::move(order), limit);
        BOOST_REQUIRE(claimed);
        // Nobody ends the jobs here: those of earlier exports are there too.
        auto const own =
            std::ranges::find(claimed->jobs, domain::JobId{row.id.value}, &domain::Job::id);
        BOOST_REQUIRE(own != claimed->jobs.end());
        auto const kind = export_kind(store, clock, metrics, options);
        co_return co_await kind.handle(*own);
    }

    asio::awaitable<std::string> file(domain::Export row) {
        std::string all;
        for (;;) {
            auto const at = static_cast<std::int64_t>(all.size());
            auto const limit = in_time();
            auto const piece = co_await store.exports().read(row.id, at, 100, limit);
            BOOST_REQUIRE(piece);
            if (piece->empty()) co_return all;
            all += *piece;
        }
    }

    asio::awaitable<domain::Export> stored(domain::Export row) {
        auto const limit = in_time();
        auto const found = co_await store.exports().find(std::nullopt, row.id, limit);
        BOOST_REQUIRE(found && *found);
        co_return **found;
    }

    CutStore store;
    reactor::TaskGroup tasks;
    std::unique_ptr<db::Writer> writer;
    std::uint32_t made = 0;
    FixedClock clock;
    ExportJobMetrics metrics;
    ExportJobOptions options;
    std::int64_t claims = 0;
};

void in_an_office(asio::awaitable<void> (*test)(Office&)) {
    auto body = [test]() -> asio::awaitable<void> {
        Office office(co_await asio::this_coro::executor);
        co_await office.open();
        co_await test(office);
        co_await office.finish();
    };
    run(body);
}

std::size_t lines(std::string const& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

asio::awaitable<void> write_undisturbed(Office& office) {
    auto const asked =
        co_await office.ask(domain::ExportSource::transfers, domain::ExportFormat::csv);
    auto const result = co_await office.attempt(asked);
    BOOST_REQUIRE(result);
    auto const row = co_await office.stored(asked);
    auto const text = co_await office.file(asked);
    BOOST_TEST((row.status == domain::ExportStatus::ready));
    BOOST_TEST(row.rows == 120);
    BOOST_TEST(row.bytes == static_cast<std::int64_t>(text.size()));
    BOOST_TEST(lines(text) == 121u);
    BOOST_TEST(text.starts_with("id,ledger,kind,from,to,amount,reference,metadata,created_at\r\n"));
    Sha256 digest;
    digest.update(text);
    BOOST_TEST(row.sha256.value() == digest.hex());
    BOOST_TEST(office.metrics.rows.get() == 120u);
    BOOST_TEST(office.metrics.running.get() == 0u);
    // Whoever does it once more finds it done.
    BOOST_TEST(*result == R"({"export":")" + row.id.to_string() + R"(","rows":120,"bytes":)" +
                              std::to_string(row.bytes) + "}");
    auto const again = co_await office.attempt(asked);
    BOOST_REQUIRE(again);
    BOOST_TEST(*again == *result);
}

/// Cut off at every chunk, once before and once after it was written.
asio::awaitable<void> write_cut_off(Office& office) {
    auto const asked =
        co_await office.ask(domain::ExportSource::transfers, domain::ExportFormat::ndjson);
    auto const done = co_await office.attempt(asked);
    BOOST_REQUIRE(done);
    auto const whole = co_await office.file(asked);
    auto const wanted = co_await office.stored(asked);
    auto const again =
        co_await office.ask(domain::ExportSource::transfers, domain::ExportFormat::ndjson);
    int cuts = 0;
    for (;;) {
        office.store.cut.chunks_left = cuts % 3 == 0 ? 0 : 1;
        office.store.cut.written_all_the_same = cuts % 2 == 1;
        auto const result = co_await office.attempt(again);
        if (result) break;
        ++cuts;
        BOOST_REQUIRE(cuts < 1'000);
        // An attempt of which nothing is written would be repeated for ever here.
        if (cuts % 3 == 1) continue;
        auto const row = co_await office.stored(again);
        BOOST_TEST(row.rows > 0);
    }
    BOOST_TEST(cuts > 5);
    auto const text = co_await office.file(again);
    BOOST_TEST((text == whole));
    auto const row = co_await office.stored(again);
    BOOST_TEST((row.sha256 == wanted.sha256));
    BOOST_TEST(row.rows == 120);
    BOOST_TEST(office.metrics.resumed.get() > 3u);
}

asio::awaitable<void> write_nothing(Office& office) {
    for (auto const format : {domain::ExportFormat::csv, domain::ExportFormat::ndjson}) {
        auto const row = co_await office.ask(domain::ExportSource::orders, format);
        auto const result = co_await office.attempt(row);
        BOOST_REQUIRE(result);
        auto const text = co_await office.file(row);
        BOOST_TEST(lines(text) == (format == domain::ExportFormat::csv ? 1u : 0u));
        auto const stored = co_await office.stored(row);
        BOOST_TEST((stored.status == domain::ExportStatus::ready));
        BOOST_TEST(stored.bytes == static_cast<std::int64_t>(text.size()));
    }
}

BOOST_AUTO_TEST_SUITE(export_job)

BOOST_AUTO_TEST_CASE(a_file_has_every_row_once_and_is_what_its_digest_says) {
    in_an_office(write_undisturbed);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_cut_off_anywhere_is_the_same_in_the_end) {
    in_an_office(write_cut_off);
}

BOOST_AUTO_TEST_CASE(a_file_of_nothing_is_a_header_or_empty) { in_an_office(write_nothing); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
