#include "db/memory_store.hpp"

#include "db/pg/error.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/sale_rules.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {

BOOST_AUTO_TEST_SUITE(memory_store)

BOOST_AUTO_TEST_CASE(keeps_every_rule_of_a_store) {
    db::MemoryStore store;
    for (auto const rules : {conformance_rules(), sale_rules()}) {
        for (auto const& rule : rules) {
            BOOST_TEST_CONTEXT(rule.name) {
                auto body = [&]() -> asio::awaitable<void> { co_await rule.check(store); };
                run(body);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_writer_whose_rows_are_stale_is_told_to_try_again) {
    db::MemoryStore store;
    auto body = [&]() -> asio::awaitable<void> {
        auto first = store.make_writer();
        auto second = store.make_writer();
        domain::Changes changes;
        changes.new_organizations.push_back({{domain::make_uuid7({1}, 0, 1)}, "acme", {}});
        domain::KeySet const keys;
        auto const loaded_first = co_await first->load(keys, in_time());
        auto const loaded_second = co_await second->load(keys, in_time());
        BOOST_TEST((loaded_first && loaded_second));
        auto const done = co_await first->commit(changes, in_time());
        BOOST_TEST(!done);
        auto const refused = co_await second->commit(changes, in_time());
        BOOST_TEST((refused == db::Errc::retry_transaction));
        auto const page = co_await store.list_organizations(std::nullopt, 10, in_time());
        BOOST_TEST(page->size() == 2u);
    };
    run(body);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
