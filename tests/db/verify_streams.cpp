// Does verify see every way in which a stream can be damaged?
#include <boost/test/unit_test.hpp>

#include "db/verify.hpp"
#include "tests/domain/streaming.hpp"

namespace penstock::tests {
namespace {

using Break = void (*)(StreamBooks&);

struct Damage {
    std::string state;
    std::string failing;
    Break breaks;
};

/// The names of the checks that fail.
std::string failing(StreamBooks const& books) {
    db::LedgerRows rows;
    for (auto const& account : books.rows.accounts) rows.accounts.push_back(&account);
    for (auto const& transfer : books.transfers) rows.transfers.push_back(&transfer);
    for (auto const& stream : books.rows.streams) rows.streams.push_back(&stream);
    std::string names;
    for (auto const& check : db::verify_streams(rows))
        if (!check.ok) names += check.name + ' ';
    return names;
}

Stream& stream_of(StreamBooks& books) { return books.rows.streams.back(); }

std::vector<Damage> const& damages() {
    static std::vector<Damage> const list{
        {"paused", "streams_equal_transfers escrow_equals_streams ",
         [](auto& books) { stream_of(books).released += 1; }},
        {"settled", "streams_equal_transfers escrow_equals_streams streams_within_vested ",
         [](auto& books) { stream_of(books).refunded += 1; }},
        {"active", "streams_equal_transfers escrow_equals_streams ",
         [](auto& books) { stream_of(books).total += 1; }},
        {"active", "escrow_equals_streams streams_within_vested ",
         [](auto& books) { stream_of(books).status = StreamStatus::withdrawn; }},
        {"withdrawn", "streams_within_vested ",
         [](auto& books) { stream_of(books).status = StreamStatus::cancelled; }},
        {"draft", "streams_within_vested ",
         [](auto& books) { stream_of(books).status = StreamStatus::active; }},
        {"active", "streams_within_vested ",
         [](auto& books) { stream_of(books).paused_at = noon; }},
        {"cancelled", "streams_within_vested ",
         [](auto& books) { stream_of(books).ended_at.reset(); }},
        {"settled", "streams_equal_transfers streams_within_vested ",
         [](auto& books) { stream_of(books).settled_at.reset(); }},
        {"active", "streams_within_vested ",
         [](auto& books) { stream_of(books).ends_at->ms -= 1; }},
        {"settled", "streams_within_vested ",
         [](auto& books) { stream_of(books).ends_at->ms += 86'400'000; }},
        {"paused", "streams_equal_transfers escrow_equals_streams streams_within_vested ",
         [](auto& books) {
             stream_of(books).started_at.reset();
             stream_of(books).ends_at.reset();
         }},
        {"active", "streams_equal_transfers ",
         [](auto& books) { stream_of(books).sender = stream_of(books).recipient; }},
        {"draft", "escrow_equals_streams ", [](auto& books) { books.rows.streams.clear(); }},
        {"active", "streams_equal_transfers escrow_equals_streams ",
         [](auto& books) { books.rows.streams.clear(); }},
        {"active", "streams_equal_transfers ",
         [](auto& books) { books.transfers.back().cause.reset(); }},
        {"withdrawn", "streams_equal_transfers ",
         [](auto& books) { books.transfers.back().kind = TransferKind::stream_payout; }},
        {"active", "escrow_equals_streams ",
         [](auto& books) { books.rows.accounts.back().standing.balance += 1; }},
        {"cancelled", "streams_equal_transfers ",
         [](auto& books) { books.transfers.push_back(books.transfers.back()); }}};
    return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(verify_streams)

BOOST_AUTO_TEST_CASE(a_sound_stream_passes_every_check) {
    for (auto const* state :
         {"draft", "deleted", "active", "paused", "ended", "settled", "withdrawn", "cancelled"})
        BOOST_TEST(failing(in_state(state)) == "", state);
}

BOOST_AUTO_TEST_CASE(a_damaged_stream_fails_the_checks_that_it_breaks) {
    for (auto const& [state, expected, breaks] : damages()) {
        auto books = in_state(state);
        breaks(books);
        auto const names = failing(books);
        BOOST_TEST(names == expected, state << ": " << names << "instead of " << expected);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
