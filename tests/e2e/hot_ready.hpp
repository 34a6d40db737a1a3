// When does a server post on hot ledgers? Not before Redis has said, to each of its threads, that
// it forgets nothing.
#pragma once

#include <string>

#include "tests/e2e/api.hpp"

namespace penstock::tests {

inline void await_posts(ServerProcess const& server) {
    await_redis(server);
    Api api(server);
    auto const allowed = [&] {
        return api.get("/metrics").body.find("\npenstock_hot_bar{") != std::string::npos &&
               metric(api, "penstock_hot_bar") == 0;
    };
    await_that(allowed, "Redis's word that it is fit");
}

}  // namespace penstock::tests
