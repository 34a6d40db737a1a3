#include "tests/db/stream_rules.hpp"

#include <algorithm>

#include "tests/db/activity_walk.hpp"
#include "tests/db/streaming.hpp"

namespace penstock::tests {
namespace {

using std::chrono::seconds;

asio::awaitable<void> check_verified(db::Store& store, LedgerId ledger) {
    auto const checks = value_of(co_await store.verify(ledger, in_time()));
    for (auto const& check : checks) BOOST_TEST(check.ok, check.name << ": " << check.detail);
    for (auto const* name :
         {"streams_equal_transfers", "escrow_equals_streams", "streams_within_vested"})
        BOOST_TEST(std::ranges::count(checks, name, &db::Check::name) == 1, name);
}

asio::awaitable<Stream> stored(db::Store& store, Stream stream) {
    co_return found(co_await store.streams().find_stream(stream.ledger, stream.id, in_time()));
}

asio::awaitable<Stream> done(Driver& driver, Stream stream, StreamAction action,
                             std::optional<Amount> amount = {}) {
    auto const outcome = co_await driver.one(act_on(stream, action, amount));
    co_return made<Streamed>(outcome).stream;
}

asio::awaitable<void> a_stream_is_kept_as_it_was_made_and_as_it_changes(db::Store& store,
                                                                        Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    std::string const metadata(R"({"für":[1]})");
    std::string const label("May's \"rent\"");
    auto const command =
        create_stream(ledger.id, "alice", "bob", 700, seconds{1'000}, label, metadata);
    auto stream = made<Streamed>(co_await driver.one(command)).stream;
    auto const drafted = co_await stored(store, stream);
    BOOST_TEST((drafted == stream));
    BOOST_TEST((drafted.label == label));
    BOOST_TEST(drafted.metadata == metadata);
    for (auto const action : {StreamAction::start, StreamAction::pause, StreamAction::start,
                              StreamAction::withdraw, StreamAction::stop, StreamAction::settle}) {
        pass(driver, 100);
        stream = co_await done(driver, stream, action);
        auto const changed = co_await stored(store, stream);
        BOOST_TEST((changed == stream));
        BOOST_TEST((changed.label == label));
        BOOST_TEST(changed.metadata == metadata);
    }
    BOOST_TEST((stream.status == StreamStatus::ended));
    // 100 s before the pause, 200 s behind it.
    BOOST_TEST(stream.released == 140);
    BOOST_TEST(stream.refunded == 490);
    stream = co_await done(driver, stream, StreamAction::withdraw);
    BOOST_TEST((stream.status == StreamStatus::withdrawn));
    auto const own = name_in(ledger, escrow_address(stream.id));
    auto const escrow = found(co_await store.find_account(own, in_time()));
    BOOST_TEST(escrow.standing.balance == 0);
    auto const bob = found(co_await store.find_account(name_in(ledger, "bob"), in_time()));
    BOOST_TEST(bob.standing.balance == 210);
    co_await check_verified(store, ledger.id);
}

asio::awaitable<void> a_stream_is_found_in_its_ledger_only(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const stream = co_await draft_stream(driver, ledger.id);
    auto& streams = store.streams();
    LedgerId const elsewhere{make_uuid7(driver.at, 0, 3)};
    auto const foreign = value_of(co_await streams.find_stream(elsewhere, stream.id, in_time()));
    BOOST_TEST(!foreign.has_value());
    StreamId const unknown{make_uuid7(driver.at, 0, 4)};
    auto const nothing = value_of(co_await streams.find_stream(ledger.id, unknown, in_time()));
    BOOST_TEST(!nothing.has_value());
}

asio::awaitable<void> an_action_is_decided_on_the_row_and_not_on_what_was_read(db::Store& store,
                                                                               Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const draft = co_await draft_stream(driver, ledger.id);
    co_await driver.one(act_on(draft, StreamAction::start));
    pass(driver, 400);
    // With what the path named as it was before anything happened to it.
    auto const paid = made<Streamed>(co_await driver.one(act_on(draft, StreamAction::withdraw)));
    BOOST_TEST((paid.paid == 400));
    auto const again = co_await driver.one(act_on(draft, StreamAction::withdraw));
    BOOST_TEST(refusal_of(again) == "nothing_to_withdraw");
    auto const row = co_await stored(store, draft);
    BOOST_TEST((row == paid.stream));
    std::vector<Envelope> both;
    both.push_back(driver.envelope(act_on(draft, StreamAction::pause)));
    both.push_back(driver.envelope(act_on(draft, StreamAction::cancel)));
    co_await driver.batch(std::move(both));
    auto const last = co_await stored(store, draft);
    BOOST_TEST((last.status == StreamStatus::cancelled));
    co_await check_verified(store, ledger.id);
}

asio::awaitable<void> a_deleted_draft_is_gone_but_for_the_feed(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const draft = co_await draft_stream(driver, ledger.id);
    auto const use = new_key(driver);
    auto const removed = co_await driver.one(act_on(draft, StreamAction::remove), use);
    BOOST_TEST(std::holds_alternative<Receipt>(removed));
    auto const again = co_await driver.one(act_on(draft, StreamAction::remove), use);
    BOOST_TEST(is_replayed(again));
    auto const start = co_await driver.one(act_on(draft, StreamAction::start));
    BOOST_TEST(refusal_of(start) == "stream_not_found");
    auto& streams = store.streams();
    auto const gone = value_of(co_await streams.find_stream(ledger.id, draft.id, in_time()));
    BOOST_TEST(!gone.has_value());
    db::StreamPage page;
    auto const listed = value_of(co_await streams.list_streams(ledger.id, page, in_time()));
    BOOST_TEST(listed.items.empty());
    db::ActivityPage of_subject;
    of_subject.subject = draft.id.to_string();
    auto const feed =
        value_of(co_await store.list_activity(driver.organization, of_subject, in_time()));
    BOOST_TEST_REQUIRE(feed.size() == 2U);
    BOOST_TEST((feed[0].type == db::activity_of(EventType::stream_deleted)));
    BOOST_TEST((feed[1].type == db::stream_created));
    co_await check_verified(store, ledger.id);
}

/// All pages of one list, by the cursor of the last item shown or by where a scan has ended.
asio::awaitable<std::vector<Stream>> walked(db::Store& store, LedgerId ledger,
                                            db::StreamPage page) {
    std::vector<Stream> all;
    for (int pages = 0; pages < 1'000; ++pages) {
        auto const list = value_of(co_await store.streams().list_streams(ledger, page, in_time()));
        BOOST_TEST(list.items.size() <= page.limit);
        all.insert(all.end(), list.items.begin(), list.items.end());
        if (list.scanned_to) {
            page.before = list.scanned_to;
        } else if (list.items.size() == page.limit) {
            page.before = list.items.back().id;
        } else {
            co_return all;
        }
    }
    BOOST_ERROR("the list has no end");
    co_return all;
}

asio::awaitable<void> streams_are_paged_under_every_filter(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    co_await driver.one(create_account(ledger, "carol"));
    std::vector<Envelope> batch;
    // Many of one millisecond.
    for (int i = 0; i < 12; ++i) {
        auto const* sender = i % 3 == 0 ? "bob" : "alice";
        auto const* recipient = i % 4 == 0 ? "carol" : i % 3 == 0 ? "alice" : "bob";
        batch.push_back(
            driver.envelope(create_stream(ledger.id, sender, recipient, 1 + i, seconds{60})));
    }
    auto const outcomes = co_await driver.batch(std::move(batch));
    std::vector<Stream> all;
    for (auto const& outcome : outcomes) all.push_back(made<Streamed>(outcome).stream);
    for (std::size_t const stopped : {2U, 5U, 8U})
        all[stopped] = co_await done(driver, all[stopped], StreamAction::stop);
    co_await driver.one(act_on(all[4], StreamAction::remove));
    all.erase(all.begin() + 4);
    std::ranges::reverse(all);
    for (auto const* sender : {"", "alice", "bob", "carol", "nobody"})
        for (auto const* recipient : {"", "alice", "bob", "carol"})
            for (auto const status : {StreamStatus::draft, StreamStatus::ended,
                                      StreamStatus::active, StreamStatus::deleted}) {
                db::StreamPage page;
                if (*sender) page.sender = sender;
                if (*recipient) page.recipient = recipient;
                bool const any = status == StreamStatus::deleted;
                if (!any) page.status = status;
                std::vector<Stream> expected;
                std::ranges::copy_if(all, std::back_inserter(expected), [&](Stream const& one) {
                    return (!*sender || one.sender.address == sender) &&
                           (!*recipient || one.recipient.address == recipient) &&
                           (any || one.status == status);
                });
                for (std::size_t const limit : {1U, 2U, 50U})
                    for (std::size_t const scan_max : {1U, 3U, 1'000U}) {
                        page.limit = limit;
                        page.scan_max = scan_max;
                        auto const list = co_await walked(store, ledger.id, page);
                        BOOST_TEST((list == expected), sender << " to " << recipient);
                    }
            }
}

std::vector<std::string> names_of(std::vector<db::Activity> const& feed) {
    std::vector<std::string> names;
    for (auto const& item : feed) names.emplace_back(db::activity_name(item.type));
    return names;
}

using Names = std::vector<std::string>;

asio::awaitable<std::vector<db::Activity>> feed_of(db::Store& store, Driver& driver,
                                                   db::ActivityPage page) {
    co_return value_of(co_await store.list_activity(driver.organization, page, in_time()));
}

asio::awaitable<void> the_feed_tells_what_became_of_a_stream(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto stream = co_await draft_stream(driver, ledger.id);
    for (auto const action : {StreamAction::start, StreamAction::withdraw, StreamAction::pause,
                              StreamAction::start, StreamAction::withdraw, StreamAction::cancel}) {
        pass(driver, 100);
        stream = co_await done(driver, stream, action);
    }
    Names const whole{"stream.cancelled", "stream.withdrawn", "stream.resumed", "stream.paused",
                      "stream.withdrawn", "stream.started",   "stream.created"};
    db::ActivityPage of_stream;
    of_stream.subject = stream.id.to_string();
    auto const life = co_await feed_of(store, driver, of_stream);
    BOOST_TEST(names_of(life) == whole, boost::test_tools::per_element());
    BOOST_TEST_REQUIRE(life.size() == whole.size());
    for (auto const& item : life) BOOST_TEST(item.subject == stream.id.to_string());
    auto const escrow = escrow_address(stream.id);
    BOOST_TEST((life[5].account == "alice"));
    BOOST_TEST((life[5].counterparty == escrow));
    BOOST_TEST((life[1].account == escrow));
    BOOST_TEST((life[1].counterparty == "bob"));
    BOOST_TEST((life[1].amount == 200));
    BOOST_TEST((life[0].account == "alice"));
    BOOST_TEST((life[0].counterparty == "bob"));
    BOOST_TEST((life[6].amount == 1'000));
    // Page by page, each behind the one before.
    of_stream.limit = 2;
    auto const paged = co_await walked(store, driver, of_stream);
    BOOST_TEST((paged == life));
    // The other transfers of a cancellation are themselves.
    db::ActivityPage of_ledger;
    of_ledger.ledger = ledger.id;
    auto const all = names_of(co_await feed_of(store, driver, of_ledger));
    Names const newest{"stream.cancelled", "transfer.stream_refund", "transfer.stream_payout",
                       "stream.withdrawn"};
    BOOST_TEST_REQUIRE(all.size() >= newest.size());
    BOOST_TEST((std::ranges::equal(std::span(all).first(4), newest)));
}

/// What the first of two lanes or servers decided has the greater ids, and the smaller versions.
asio::awaitable<void> withdrawals_of_one_instant_are_all_met_page_by_page(db::Store& store,
                                                                          Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto stream = co_await draft_stream(driver, ledger.id);
    stream = co_await done(driver, stream, StreamAction::start);
    pass(driver, 400);
    auto const executor = co_await asio::this_coro::executor;
    Driver other(executor, store);
    other.at = driver.at;
    other.organization = driver.organization;
    std::vector<Envelope> batch;
    for (int i = 0; i < 5; ++i)
        batch.push_back(driver.envelope(act_on(stream, StreamAction::withdraw, 10)));
    co_await driver.batch(std::move(batch));
    for (int i = 0; i < 3; ++i) co_await other.one(act_on(stream, StreamAction::withdraw, 10));
    co_await other.finish();
    db::ActivityPage of_stream;
    of_stream.subject = stream.id.to_string();
    auto const life = co_await feed_of(store, driver, of_stream);
    BOOST_TEST(life.size() == 10U);
    for (of_stream.limit = 1; of_stream.limit <= 4; ++of_stream.limit) {
        auto const pages = co_await walked(store, driver, of_stream);
        BOOST_TEST((pages == life), "by " << of_stream.limit);
    }
}

asio::awaitable<void> the_feed_of_an_account_has_the_streams_it_is_a_party_to(db::Store& store,
                                                                              Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto stream = co_await draft_stream(driver, ledger.id);
    for (auto const action : {StreamAction::start, StreamAction::withdraw, StreamAction::settle}) {
        pass(driver, 100);
        stream = co_await done(driver, stream, action);
    }
    auto const escrow = escrow_address(stream.id);
    struct Expected {
        std::string account;
        Names names;
    };
    std::vector<Expected> const expected{
        {"alice",
         {"stream.settled", "transfer.stream_refund", "stream.started", "stream.created",
          "transfer.deposit", "account.created"}},
        {"bob", {"stream.settled", "stream.withdrawn", "stream.created", "account.created"}},
        {escrow, {"transfer.stream_refund", "stream.withdrawn", "stream.started"}}};
    for (auto const& [account, names] : expected) {
        db::ActivityPage page;
        page.account = account;
        auto const feed = co_await feed_of(store, driver, page);
        BOOST_TEST(names_of(feed) == names, boost::test_tools::per_element());
        // Of the stream alone, the same without what has another subject; in pages of one.
        page.subject = stream.id.to_string();
        page.limit = 1;
        Names paged;
        for (std::size_t pages = 0; pages < 10; ++pages) {
            auto const one = co_await feed_of(store, driver, page);
            if (one.empty()) break;
            paged.push_back(names_of(one).front());
            page.before = one.back().id;
        }
        Names of_stream;
        std::ranges::copy_if(names, std::back_inserter(of_stream),
                             [](auto const& name) { return name.starts_with("stream."); });
        BOOST_TEST(paged == of_stream, boost::test_tools::per_element());
        for (auto const* type : {"stream.started", "stream.withdrawn", "stream.created"}) {
            db::ActivityPage typed;
            typed.account = account;
            auto const known = db::activity_names();
            typed.type = std::ranges::find(known, type, &db::ActivityName::name)->type;
            auto const some = co_await feed_of(store, driver, typed);
            BOOST_TEST(std::ssize(some) == std::ranges::count(names, type), type);
        }
    }
}

asio::awaitable<void> a_ledger_with_a_running_stream_is_not_deleted(db::Store& store,
                                                                    Driver& driver) {
    driver.at = Instant{1'600'000'000'000};
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const stream = co_await draft_stream(driver, ledger.id);
    co_await draft_stream(driver, ledger.id);
    co_await driver.one(act_on(stream, StreamAction::start));
    auto const refused = co_await driver.one(delete_ledger(ledger));
    BOOST_TEST(refusal_of(refused) == "ledger_not_empty");
    co_await driver.one(act_on(stream, StreamAction::cancel));
    co_await driver.one(move(ledger, "alice", world_address, 1'000));
    auto const deleted = co_await driver.one(delete_ledger(ledger));
    BOOST_TEST(refusal_of(deleted) == "");
    Instant const before{driver.at.ms + 2 * milliseconds(db::purge_slack).count()};
    for (int pages = 0; pages < 1'000; ++pages) {
        auto const removed = value_of(co_await store.purge(before, 2, in_time()));
        if (removed == 0) break;
    }
    db::StreamPage page;
    auto const left = value_of(co_await store.streams().list_streams(ledger.id, page, in_time()));
    BOOST_TEST(left.items.empty());
    auto const own = name_in(ledger, escrow_address(stream.id));
    auto const escrow = value_of(co_await store.find_account(own, in_time()));
    BOOST_TEST(!escrow.has_value());
}

constexpr ConformanceRule rules[] = {
    PENSTOCK_RULE(a_stream_is_kept_as_it_was_made_and_as_it_changes),
    PENSTOCK_RULE(a_stream_is_found_in_its_ledger_only),
    PENSTOCK_RULE(an_action_is_decided_on_the_row_and_not_on_what_was_read),
    PENSTOCK_RULE(a_deleted_draft_is_gone_but_for_the_feed),
    PENSTOCK_RULE(streams_are_paged_under_every_filter),
    PENSTOCK_RULE(the_feed_tells_what_became_of_a_stream),
    PENSTOCK_RULE(withdrawals_of_one_instant_are_all_met_page_by_page),
    PENSTOCK_RULE(the_feed_of_an_account_has_the_streams_it_is_a_party_to),
    PENSTOCK_RULE(a_ledger_with_a_running_stream_is_not_deleted),
};

}  // namespace

std::span<ConformanceRule const> stream_rules() { return rules; }

}  // namespace penstock::tests
