// Is a link to a download good for one file and for its time, and for nothing else?
#include "server/exports/desk.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "db/memory_store.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {
namespace {

using namespace server;
using domain::Instant;
using Signature = ExportDesk::Signature;

constexpr Instant now{1'700'000'000'123};
constexpr std::int64_t hour_ms = 3'600'000;

domain::Export ready_export(std::uint64_t number = 1) {
    domain::Export row;
    row.id = {domain::make_uuid7(now, 0, number)};
    row.status = domain::ExportStatus::ready;
    row.expires_at = Instant{now.ms + 24 * hour_ms};
    return row;
}

std::string parameter(ExportLink const& link, std::string const& name) {
    auto const begin = link.url.find(name + '=') + name.size() + 1;
    return link.url.substr(begin, link.url.find('&', begin) - begin);
}

ExportDesk desk_with(db::MemoryStore& store, std::string key) {
    ExportDeskOptions options;
    options.signing_key = std::move(key);
    return ExportDesk(store.exports(), options);
}

BOOST_AUTO_TEST_SUITE(export_desk)

BOOST_AUTO_TEST_CASE(a_link_is_good_until_it_expires_and_for_its_export_only) {
    db::MemoryStore store;
    auto desk = desk_with(store, "0123456789abcdef");
    auto const row = ready_export();
    auto const link = desk.link_of(row, now).value();
    BOOST_TEST(link.url.starts_with("/v1/exports/" + row.id.to_string() + "/download?"));
    // In whole seconds.
    BOOST_TEST(link.expires_at.ms == now.ms / 1000 * 1000 + hour_ms);
    auto const expires = parameter(link, "expires");
    auto const signature = parameter(link, "signature");
    auto const check = [&](domain::ExportId id, std::string const& until, std::string const& mark,
                           std::int64_t at) { return desk.check(id, until, mark, Instant{at}); };
    BOOST_TEST((check(row.id, expires, signature, now.ms) == Signature::valid));
    auto const end = link.expires_at.ms;
    BOOST_TEST((check(row.id, expires, signature, end - 1) == Signature::valid));
    BOOST_TEST((check(row.id, expires, signature, end) == Signature::expired));
    auto const other = ready_export(2).id;
    BOOST_TEST((check(other, expires, signature, now.ms) == Signature::invalid));
    auto const later = std::to_string(end / 1000 + 1);
    BOOST_TEST((check(row.id, later, signature, now.ms) == Signature::invalid));
    std::vector<std::string> const malformed{"", "0" + expires, "+" + expires, expires + " ", "x"};
    for (auto const& until : malformed)
        BOOST_TEST((check(row.id, until, signature, now.ms) == Signature::invalid), until);
    for (std::size_t i = 0; i < signature.size(); ++i) {
        auto tampered = signature;
        tampered[i] = tampered[i] == '0' ? '1' : '0';
        BOOST_TEST((check(row.id, expires, tampered, now.ms) == Signature::invalid));
    }
    BOOST_TEST((check(row.id, expires, "", now.ms) == Signature::invalid));
    BOOST_TEST((check(row.id, expires, signature + "0", now.ms) == Signature::invalid));
}

BOOST_AUTO_TEST_CASE(servers_with_one_key_honour_each_others_links_and_nobody_elses) {
    db::MemoryStore store;
    auto desk = desk_with(store, "0123456789abcdef");
    auto twin = desk_with(store, "0123456789abcdef");
    auto stranger = desk_with(store, "0123456789abcdeF");
    auto const row = ready_export();
    auto const link = desk.link_of(row, now).value();
    auto const expires = parameter(link, "expires");
    auto const signature = parameter(link, "signature");
    BOOST_TEST((twin.check(row.id, expires, signature, now) == Signature::valid));
    BOOST_TEST((stranger.check(row.id, expires, signature, now) == Signature::invalid));
}

BOOST_AUTO_TEST_CASE(without_a_key_it_is_the_stores_own) {
    db::MemoryStore store;
    auto one = desk_with(store, "");
    auto two = desk_with(store, "");
    auto body = [&]() -> asio::awaitable<void> {
        for (auto* desk : {&one, &two}) {
            error_code const error = co_await desk->ready(steady_now() + milliseconds{20'000});
            BOOST_TEST(!error, error.message());
        }
    };
    run(body);
    auto const row = ready_export();
    auto const link = one.link_of(row, now).value();
    auto const expires = parameter(link, "expires");
    auto const signature = parameter(link, "signature");
    BOOST_TEST((two.check(row.id, expires, signature, now) == Signature::valid));
}

BOOST_AUTO_TEST_CASE(only_what_can_be_downloaded_has_a_link_and_none_outlives_its_export) {
    db::MemoryStore store;
    auto desk = desk_with(store, "0123456789abcdef");
    using domain::ExportStatus;
    for (auto const status : {ExportStatus::pending, ExportStatus::processing, ExportStatus::failed,
                              ExportStatus::expired}) {
        auto row = ready_export();
        row.status = status;
        BOOST_TEST(!desk.link_of(row, now).has_value());
    }
    auto row = ready_export();
    row.expires_at = Instant{now.ms + 60'000};
    BOOST_TEST(desk.link_of(row, now).value().expires_at.ms == (now.ms + 60'000) / 1000 * 1000);
    row.expires_at = now;
    BOOST_TEST(!desk.link_of(row, now).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
