// The activity feed page by page, as a client reads it.
#pragma once

#include <vector>

#include "tests/db/rules.hpp"

namespace penstock::tests {

inline asio::awaitable<std::vector<db::Activity>> walked(db::Store& store, Driver& driver,
                                                         db::ActivityPage page) {
    std::vector<db::Activity> all;
    for (;;) {
        auto const items =
            value_of(co_await store.list_activity(driver.organization, page, in_time()));
        if (items.empty()) co_return all;
        all.insert(all.end(), items.begin(), items.end());
        page.before = items.back().id;
    }
}

}  // namespace penstock::tests
