#include "tests/db/export_rules.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "db/export_store.hpp"
#include "domain/export.hpp"
#include "tests/db/rules.hpp"
#include "tests/support/jobs.hpp"

namespace penstock::tests {
namespace {

using db::ExportCare;
using db::ExportChunk;
using db::HeldJob;
using db::JobEnd;

constexpr Instant start{1'700'000'000'000};
constexpr std::int64_t lease_ms = 30'000;
constexpr std::int64_t day_ms = 86'400'000;

Instant at(std::int64_t ms) { return {start.ms + ms}; }

Command request_export(ExportSource source = ExportSource::transfers) {
    RequestExport command;
    command.draft.source = source;
    command.draft.format = ExportFormat::ndjson;
    return command;
}

asio::awaitable<Export> ask(Driver& driver, Command command) {
    driver.at = at(0);
    auto const outcome = co_await driver.one(std::move(command));
    co_return made<Export>(outcome);
}

/// The export's job, claimed; others' jobs of the same kind that are due go with it.
asio::awaitable<HeldJob> take(db::Store& store, Export row, Instant now) {
    db::ClaimOrder order;
    order.kinds = {export_job};
    order.lease = new_lease();
    order.now = now;
    order.lease_until = {now.ms + lease_ms};
    order.limit = 1'000;
    auto const lease = order.lease;
    auto const claimed = value_of(co_await store.jobs().claim(std::move(order), in_time()));
    BOOST_REQUIRE(std::ranges::count(claimed.jobs, JobId{row.id.value}, &Job::id) == 1);
    co_return HeldJob{{row.id.value}, lease};
}

ExportChunk chunk(std::int64_t from, std::string data, std::string position,
                  std::int64_t rows = 1) {
    return {from, rows, std::move(data), std::move(position)};
}

db::ExportEnd end_at(Instant now) {
    return {std::string(64, 'a'), now, {now.ms + day_ms}, {make_uuid7(now, 0, unique_number())}};
}

/// Everything there is to be done at that moment.
asio::awaitable<void> care(db::ExportStore& exports, Instant now) {
    for (;;) {
        ExportCare round;
        round.now = now;
        round.failed_until = {now.ms + day_ms};
        round.chunks_max = 2;
        for (int i = 0; i < 3; ++i) {
            round.failed.push_back({make_uuid7(now, 0, unique_number())});
            round.expired.push_back({make_uuid7(now, 0, unique_number())});
        }
        auto const done = value_of(co_await exports.care(std::move(round), in_time()));
        if (done == 0) co_return;
    }
}

asio::awaitable<std::vector<ExportAuditType>> history(db::ExportStore& exports, ExportId id) {
    db::ExportAuditPage page;
    page.subject = id;
    std::vector<ExportAuditType> types;
    for (auto const& audit : value_of(co_await exports.list_audit(page, in_time())))
        types.push_back(audit.type);
    co_return types;
}

asio::awaitable<Export> stored(db::ExportStore& exports, ExportId id) {
    co_return found(co_await exports.find(std::nullopt, id, in_time()));
}

asio::awaitable<std::string> piece(db::ExportStore& exports, ExportId id, std::int64_t from,
                                   std::size_t bytes_max) {
    co_return value_of(co_await exports.read(id, from, bytes_max, in_time()));
}

asio::awaitable<void> what_was_asked_for_is_there_and_on_record(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    RequestExport asked;
    asked.draft.source = ExportSource::entries;
    asked.draft.format = ExportFormat::csv;
    asked.draft.ledger = ledger.id;
    asked.draft.ledger_name = ledger.name;
    asked.draft.filter = {"alice", at(-5), at(5)};
    Command command = asked;
    auto const row = co_await ask(driver, std::move(command));
    auto& exports = store.exports();
    auto const theirs = found(co_await exports.find(driver.organization, row.id, in_time()));
    BOOST_TEST((theirs == row));
    BOOST_TEST((theirs.requested_at() == at(0)));
    auto const foreign = value_of(co_await exports.find(default_organization, row.id, in_time()));
    BOOST_TEST(!foreign.has_value());
    auto const bare = co_await ask(driver, request_export());
    db::ExportPage page;
    page.organization = driver.organization;
    auto const all = value_of(co_await exports.list(page, in_time()));
    BOOST_TEST((all == std::vector{bare, row}));
    page.before = bare.id;
    page.limit = 1;
    auto const rest = value_of(co_await exports.list(page, in_time()));
    BOOST_TEST((rest == std::vector{row}));
    Command const download = RecordDownload{row.id};
    driver.at = at(1);
    co_await driver.one(download);
    db::ExportAuditPage of_row;
    of_row.subject = row.id;
    auto const audits = value_of(co_await exports.list_audit(of_row, in_time()));
    BOOST_TEST_REQUIRE(audits.size() == 2u);
    BOOST_TEST((audits[0].type == ExportAuditType::downloaded));
    BOOST_TEST((audits[0].at() == at(1)));
    BOOST_TEST((audits[1].type == ExportAuditType::requested));
    BOOST_TEST(!audits[1].request_id.empty());
    of_row.before = audits[0].id;
    auto const older = value_of(co_await exports.list_audit(of_row, in_time()));
    BOOST_TEST((older == std::vector{audits[1]}));
}

asio::awaitable<void> only_who_holds_its_job_writes_it_and_nothing_twice(db::Store& store,
                                                                         Driver& driver) {
    co_await open_ledger(driver);
    auto const row = co_await ask(driver, request_export());
    auto& exports = store.exports();
    auto const first = co_await take(store, row, at(1));
    auto const began = found(co_await exports.begin(first, in_time()));
    BOOST_TEST((began.row.status == ExportStatus::processing));
    BOOST_TEST(!began.position.has_value());
    auto early = chunk(3, "late", "x");
    BOOST_TEST((value_of(co_await exports.append(first, early, in_time())) == JobEnd::lost));
    auto one = chunk(0, "abc", "p1", 2);
    BOOST_TEST((value_of(co_await exports.append(first, one, in_time())) == JobEnd::again));
    BOOST_TEST((value_of(co_await exports.append(first, one, in_time())) == JobEnd::lost));
    // The lease has ended, and somebody else goes on where the first one came to.
    auto const second = co_await take(store, row, at(1 + lease_ms));
    auto two = chunk(3, "de", "p2", 5);
    BOOST_TEST((value_of(co_await exports.append(first, two, in_time())) == JobEnd::lost));
    auto const none = value_of(co_await exports.begin(first, in_time()));
    BOOST_TEST(!none.has_value());
    auto const resumed = found(co_await exports.begin(second, in_time()));
    BOOST_TEST((resumed.position == "p1"));
    BOOST_TEST(resumed.row.rows == 2);
    BOOST_TEST(resumed.row.bytes == 3);
    BOOST_TEST((value_of(co_await exports.append(second, two, in_time())) == JobEnd::again));
    auto end = end_at(at(40'000));
    BOOST_TEST((value_of(co_await exports.finish(first, end, in_time())) == JobEnd::lost));
    BOOST_TEST((value_of(co_await exports.finish(second, end, in_time())) == JobEnd::completed));
    BOOST_TEST((value_of(co_await exports.finish(second, end, in_time())) == JobEnd::lost));
    auto const ready = co_await stored(exports, row.id);
    BOOST_TEST((ready.status == ExportStatus::ready));
    BOOST_TEST(ready.rows == 7);
    BOOST_TEST(ready.bytes == 5);
    BOOST_TEST((ready.sha256 == end.sha256));
    BOOST_TEST((ready.finished_at == at(40'000)));
    BOOST_TEST((ready.expires_at == at(40'000 + day_ms)));
    auto const over = value_of(co_await exports.begin(second, in_time()));
    BOOST_TEST(!over.has_value());
}

asio::awaitable<void> any_piece_of_a_file_can_be_read(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const row = co_await ask(driver, request_export());
    auto& exports = store.exports();
    auto const held = co_await take(store, row, at(1));
    value_of(co_await exports.begin(held, in_time()));
    std::string const odd("\0\xff'\\\r\n", 6);
    for (auto const& [from, data] : {std::pair{0, std::string("abcdef")}, std::pair{6, odd},
                                     std::pair{12, std::string("z")}}) {
        auto next = chunk(from, data, "p");
        BOOST_TEST((value_of(co_await exports.append(held, next, in_time())) == JobEnd::again));
    }
    BOOST_TEST(co_await piece(exports, row.id, 0, 100) == "abcdef");
    BOOST_TEST(co_await piece(exports, row.id, 2, 3) == "cde");
    BOOST_TEST(co_await piece(exports, row.id, 5, 3) == "f");
    BOOST_TEST((co_await piece(exports, row.id, 6, 100) == odd));
    BOOST_TEST(co_await piece(exports, row.id, 12, 1) == "z");
    BOOST_TEST(co_await piece(exports, row.id, 13, 1) == "");
    ExportId const unknown{make_uuid7(start, 0, 1)};
    BOOST_TEST(co_await piece(exports, unknown, 0, 1) == "");
}

asio::awaitable<void> what_is_ready_expires_and_its_chunks_go(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const row = co_await ask(driver, request_export());
    auto& exports = store.exports();
    auto const held = co_await take(store, row, at(1));
    value_of(co_await exports.begin(held, in_time()));
    for (int i = 0; i < 5; ++i) {
        auto next = chunk(i, "x", "p");
        value_of(co_await exports.append(held, next, in_time()));
    }
    auto end = end_at(at(10));
    value_of(co_await exports.finish(held, end, in_time()));
    co_await care(exports, at(9 + day_ms));
    auto const still = co_await stored(exports, row.id);
    BOOST_TEST((still.status == ExportStatus::ready));
    BOOST_TEST(co_await piece(exports, row.id, 4, 9) == "x");
    co_await care(exports, at(10 + day_ms));
    auto const expired = co_await stored(exports, row.id);
    BOOST_TEST((expired.status == ExportStatus::expired));
    BOOST_TEST((expired.expires_at == at(10 + day_ms)));
    for (int i = 0; i < 5; ++i) BOOST_TEST(co_await piece(exports, row.id, i, 9) == "");
    auto const types = co_await history(exports, row.id);
    BOOST_TEST((types == std::vector{ExportAuditType::expired, ExportAuditType::ready,
                                     ExportAuditType::requested}));
    co_await care(exports, at(2 * day_ms));
    BOOST_TEST((co_await history(exports, row.id)).size() == 3u);
}

asio::awaitable<void> what_its_job_died_of_fails_it_until_the_job_is_retried(db::Store& store,
                                                                             Driver& driver) {
    co_await open_ledger(driver);
    auto const row = co_await ask(driver, request_export());
    auto& exports = store.exports();
    auto held = co_await take(store, row, at(1));
    value_of(co_await exports.begin(held, in_time()));
    auto one = chunk(0, "abc", "p1");
    value_of(co_await exports.append(held, one, in_time()));
    for (auto end = JobEnd::again; end != JobEnd::dead;) {
        std::string why = "no";
        end = value_of(co_await store.jobs().fail(held, why, at(2), at(2), in_time()));
        if (end == JobEnd::again) {
            co_await care(exports, at(3));
            held = co_await take(store, row, at(3));
        }
    }
    auto const before = co_await stored(exports, row.id);
    BOOST_TEST((before.status == ExportStatus::processing));
    co_await care(exports, at(4));
    auto const failed = co_await stored(exports, row.id);
    BOOST_TEST((failed.status == ExportStatus::failed));
    BOOST_TEST((failed.finished_at == at(4)));
    BOOST_TEST((failed.expires_at == at(4 + day_ms)));
    auto const types = co_await history(exports, row.id);
    BOOST_TEST((types == std::vector{ExportAuditType::failed, ExportAuditType::requested}));
    driver.at = at(5);
    Command const retry = RetryJob{{row.id.value}};
    co_await driver.one(retry);
    held = co_await take(store, row, at(6));
    auto const resumed = found(co_await exports.begin(held, in_time()));
    BOOST_TEST((resumed.row.status == ExportStatus::processing));
    BOOST_TEST((resumed.position == "p1"));
    BOOST_TEST(!resumed.row.expires_at.has_value());
    co_await care(exports, at(2 * day_ms));
    auto const open = co_await stored(exports, row.id);
    BOOST_TEST((open.status == ExportStatus::processing));
}

std::string line_of(db::TransferView const& view) {
    std::string line = view.id.to_string() + ' ' + std::to_string(static_cast<int>(view.kind));
    line.append(" ").append(view.from.address).append(">").append(view.to.address);
    line += ' ' + std::to_string(view.amount) + ' ';
    line.append(view.reference.value_or("-")).append(" ").append(view.metadata);
    return line;
}

std::string line_of(Transfer const& transfer) {
    std::string line = transfer.id.to_string() + ' ' +
                       std::to_string(static_cast<int>(transfer.kind)) + ' ' +
                       transfer.from.address + '>' + transfer.to.address + ' ' +
                       std::to_string(transfer.amount) + ' ';
    return line + transfer.reference.value_or("-") + ' ' + transfer.metadata;
}

std::string standing_of(auto const& leg) {
    return ' ' + std::to_string(leg.balance_after) + '/' + std::to_string(leg.version);
}

/// All lines of a scan; with an account, with where it stood.
asio::awaitable<std::vector<std::string>> scanned(db::Store& store, db::TransferScan scan,
                                                  std::size_t limit) {
    auto const account = scan.account;
    auto scanner = store.exports().scan(std::move(scan));
    std::vector<std::string> lines;
    for (;;) {
        auto const page = value_of(co_await scanner->next(limit, in_time()));
        BOOST_TEST(page.items.size() <= limit);
        for (auto const& view : page.items)
            lines.push_back(line_of(view) +
                            (account ? standing_of(view.leg_of(*account)) : std::string()));
        if (page.items.empty()) co_return lines;
    }
}

asio::awaitable<std::vector<std::string>> listed(db::Store& store, Ledger ledger,
                                                 std::optional<std::string> account,
                                                 std::optional<Instant> from, Instant to) {
    db::TransferPage page;
    page.account = account;
    page.from = from;
    page.to = to;
    page.limit = 1'000;
    auto const list = value_of(co_await store.list_transfers(ledger.id, page, in_time()));
    std::vector<std::string> lines;
    for (auto const& transfer : list.items)
        lines.push_back(line_of(transfer) +
                        (account ? standing_of(transfer.leg_of(*account)) : std::string()));
    co_return lines;
}

asio::awaitable<void> a_scan_shows_what_the_lists_show(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const stranger = co_await driver.one(create_ledger("other"));
    auto const other = made<Ledger>(stranger);
    co_await driver.one(create_account(other, "alice"));
    co_await driver.one(deposit(other, "alice", 5));
    for (int i = 1; i <= 9; ++i) {
        driver.at = at(i * 1'000);
        std::vector<Envelope> batch;
        batch.push_back(driver.envelope(deposit(ledger, "alice", 100)));
        batch.push_back(driver.envelope(move(ledger, "alice", "bob", i, "r" + std::to_string(i))));
        Command const purchase = MakePurchase{ledger.id, "bob", "alice", 3, {}, R"({"a":"b"})"};
        batch.push_back(driver.envelope(purchase));
        batch.push_back(driver.envelope(move(ledger, "bob", world_address, 1)));
        co_await driver.batch(std::move(batch));
    }
    db::TransferScan scan;
    scan.ledger = ledger.id;
    scan.to = at(8'000);
    auto const all = co_await listed(store, ledger, std::nullopt, std::nullopt, scan.to);
    BOOST_TEST(all.size() > 30u);
    for (std::size_t const limit : {1u, 3u, 1'000u}) {
        auto const lines = co_await scanned(store, scan, limit);
        BOOST_TEST(lines == all, boost::test_tools::per_element());
    }
    scan.from = at(3'000);
    auto const part = co_await listed(store, ledger, std::nullopt, scan.from, scan.to);
    BOOST_TEST(part.size() < all.size());
    auto const lines = co_await scanned(store, scan, 2);
    BOOST_TEST(lines == part, boost::test_tools::per_element());
    for (auto const* address : {"alice", "bob", "@world", "nobody"}) {
        scan.account = address;
        auto const booked = co_await listed(store, ledger, address, scan.from, scan.to);
        auto const shown = co_await scanned(store, scan, 3);
        BOOST_TEST(shown == booked, boost::test_tools::per_element());
    }
}

asio::awaitable<void> a_scan_goes_on_where_another_one_ended(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    driver.at = at(1'000);
    std::vector<Envelope> batch;
    for (int i = 1; i <= 10; ++i) batch.push_back(driver.envelope(move(ledger, "alice", "bob", i)));
    co_await driver.batch(std::move(batch));
    db::TransferScan scan;
    scan.ledger = ledger.id;
    scan.to = at(2'000);
    auto const all = co_await scanned(store, scan, 100);
    auto first = store.exports().scan(scan);
    auto const page = value_of(co_await first->next(4, in_time()));
    BOOST_TEST_REQUIRE(page.items.size() == 4u);
    auto by_id = scan;
    by_id.before_id = page.items.back().id;
    auto rest = co_await scanned(store, by_id, 3);
    BOOST_TEST(rest == std::vector<std::string>(all.begin() + 4, all.end()),
               boost::test_tools::per_element());
    scan.account = "bob";
    auto const booked = co_await scanned(store, scan, 100);
    auto again = store.exports().scan(scan);
    auto const top = value_of(co_await again->next(4, in_time()));
    BOOST_TEST_REQUIRE(top.items.size() == 4u);
    auto const& last = top.items.back();
    scan.before = db::Booking{last.created_at(), last.leg_of("bob").version};
    rest = co_await scanned(store, scan, 3);
    BOOST_TEST(rest == std::vector<std::string>(booked.begin() + 4, booked.end()),
               boost::test_tools::per_element());
}

asio::awaitable<void> the_secret_is_long_and_stays_the_same(db::Store& store, Driver&) {
    auto const secret = value_of(co_await store.exports().secret(in_time()));
    BOOST_TEST(secret.size() == 32u);
    BOOST_TEST(std::set<char>(secret.begin(), secret.end()).size() > 8u);
    auto const again = value_of(co_await store.exports().secret(in_time()));
    BOOST_TEST((again == secret));
    auto const error = co_await store.exports().settle(in_time());
    BOOST_TEST(!error, error.message());
}

constexpr std::array rules{
    PENSTOCK_RULE(what_was_asked_for_is_there_and_on_record),
    PENSTOCK_RULE(only_who_holds_its_job_writes_it_and_nothing_twice),
    PENSTOCK_RULE(any_piece_of_a_file_can_be_read),
    PENSTOCK_RULE(what_is_ready_expires_and_its_chunks_go),
    PENSTOCK_RULE(what_its_job_died_of_fails_it_until_the_job_is_retried),
    PENSTOCK_RULE(a_scan_shows_what_the_lists_show),
    PENSTOCK_RULE(a_scan_goes_on_where_another_one_ended),
    PENSTOCK_RULE(the_secret_is_long_and_stays_the_same),
};

}  // namespace

std::span<ConformanceRule const> export_rules() { return rules; }

}  // namespace penstock::tests
