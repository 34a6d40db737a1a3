// Runs a test's body beside a living Session (or Pool) and ends both, whatever the body does.
#pragma once

#include <exception>
#include <utility>

#include "db/pg/pool.hpp"
#include "db/pg/session.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "tests/db/pg/database.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {

inline SteadyTime soon() { return steady_now() + std::chrono::seconds{20}; }

inline reactor::BackoffLimits fast_backoff() {
    return {milliseconds{5}, milliseconds{50}, milliseconds{1}};
}

/// `service` has run(); `body` is a callable that returns awaitable<void>.
template <class Service, class Body>
void run_beside(asio::io_context& context, Service& service, Body body) {
    reactor::TaskGroup tasks(context.get_executor());
    tasks.spawn(service.run());
    auto whole = [&]() -> asio::awaitable<void> {
        std::exception_ptr failure;
        try {
            co_await body();
        } catch (...) {
            failure = std::current_exception();
        }
        tasks.cancel();
        co_await tasks.join();
        if (failure) std::rethrow_exception(failure);
    };
    run(context, whole, std::chrono::seconds{60});
}

/// body(Session&), once the session is up.
template <class Body>
void with_session(db::pg::ConnectionOptions options, Body body) {
    asio::io_context context{1};
    db::pg::Session session(context.get_executor(), std::move(options), fast_backoff());
    auto whole = [&]() -> asio::awaitable<void> {
        bool const ready = co_await session.ready(soon());
        BOOST_REQUIRE_MESSAGE(ready, session.last_failure().message);
        co_await body(session);
    };
    run_beside(context, session, whole);
}

/// A segment of one statement.
inline db::pg::Segment one(db::Statement const& statement,
                           db::pg::Params params = db::pg::Params()) {
    db::pg::Segment segment;
    segment.add(statement, std::move(params));
    return segment;
}

/// Suspends until `condition()` holds; fails the test after a while.
template <class Condition>
asio::awaitable<void> eventually(Condition condition) {
    for (int i = 0; i < 5000; ++i) {
        if (condition()) co_return;
        co_await reactor::sleep_until(steady_now() + milliseconds{2});
    }
    BOOST_FAIL("the condition never came true");
}

}  // namespace penstock::tests
