// How a session with the server is opened without ever blocking the event loop.
#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "db/pg/connection.hpp"
#include "db/pg/result_failure.hpp"
#include "reactor/deadline.hpp"

// g++ 12 inlines a coroutine's operator new but not its delete, and calls the pair mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::db::pg {
namespace {

void ignore_notice(void*, PGresult const*) {}

std::string setting(std::string const& name, milliseconds value) {
    return " -c " + name + '=' + std::to_string(value.count());
}

/// Settings travel in the startup packet: they are the session's defaults, cost no round trip,
/// and no RESET can take them away.
std::string settings_of(ConnectionOptions const& options) {
    std::string text = setting("statement_timeout", options.statement_timeout);
    text += setting("lock_timeout", options.lock_timeout);
    text += setting("idle_in_transaction_session_timeout", options.idle_in_transaction_max);
    text += " -c TimeZone=UTC -c synchronous_commit=on";
    if (options.plans == Plans::pinned)
        text +=
            " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
            " -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off -c jit=off";
    return text;
}

Keywords completed(Keywords keywords, ConnectionOptions const& options) {
    keywords["options"] += settings_of(options);
    keywords["client_encoding"] = "UTF8";
    keywords["fallback_application_name"] = options.application_name;
    // A peer that vanished without a word: the kernel gives up when we would.
    keywords.emplace("tcp_user_timeout", std::to_string(options.response_max.count()));
    keywords.emplace("keepalives_idle", "30");
    // Looking for a Kerberos server could block the event loop; who wants it says so in the URL.
    keywords.emplace("gssencmode", "disable");
    return keywords;
}

ConnectionHandle start(Keywords const& keywords) {
    std::vector<char const*> names;
    std::vector<char const*> values;
    for (auto const& [name, value] : keywords) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    return ConnectionHandle(PQconnectStartParams(names.data(), values.data(), 0));
}

/// Done: connected. connection_lost: libpq gave up and knows why. Other errors: cancelled.
asio::awaitable<Result<Done>> poll_until_decided(PGconn* connection) {
    auto const executor = co_await asio::this_coro::executor;
    reactor::BorrowedFd socket(executor);
    auto wanted = PGRES_POLLING_WRITING;
    for (;;) {
        // libpq may close its socket and open another one (TLS fallback, next host) that gets the
        // same number: comparing numbers would keep waiting on a descriptor epoll has dropped.
        socket.forget();
        socket.track(PQsocket(connection));
        error_code error;
        if (wanted == PGRES_POLLING_READING)
            error = co_await socket.readable();
        else
            error = co_await socket.writable();
        if (error) co_return error;
        socket.forget();  // before the poll, which may close it
        wanted = PQconnectPoll(connection);
        if (wanted == PGRES_POLLING_OK) co_return Done();
        if (wanted == PGRES_POLLING_FAILED) co_return Errc::connection_lost;
    }
}

asio::awaitable<Answer<ConnectionHandle>> dial_one(Keywords keywords, SteadyTime deadline) {
    auto connection = start(keywords);
    if (!connection) co_return failure_of(Errc::unavailable, "out of memory");
    if (PQstatus(connection.get()) == CONNECTION_BAD)
        co_return failure_of(Errc::unavailable, last_words(connection.get()));
    PQsetNoticeReceiver(connection.get(), ignore_notice, nullptr);
    auto const connected =
        co_await reactor::with_deadline(poll_until_decided(connection.get()), deadline);
    if (connected) co_return std::move(connection);
    auto const& error = connected.error();
    if (error == Errc::connection_lost)
        co_return failure_of(Errc::unavailable, last_words(connection.get()));
    if (error == reactor::Errc::deadline_exceeded)
        co_return failure_of(Errc::unavailable, keywords["host"] + " did not answer in time");
    co_return failure_of(error);
}

/// What each pass over the hosts demands. `prefer-standby` is two passes, which libpq would only
/// do for hosts that it knows all at once.
std::vector<std::string> passes_of(Keywords const& keywords) {
    auto const found = keywords.find("target_session_attrs");
    if (found == keywords.end()) return {"any"};
    if (found->second == "prefer-standby") return {"standby", "any"};
    return {found->second};
}

}  // namespace

void Finish::operator()(::pg_conn* connection) const { PQfinish(connection); }

asio::awaitable<Answer<ConnectionHandle>> dial(ConnectionOptions options, SteadyTime deadline) {
    auto candidates = co_await options.address.candidates(deadline);
    if (!candidates) co_return candidates.error();
    auto const passes = passes_of(candidates->front());
    std::size_t left = passes.size() * candidates->size();
    Failure failure = failure_of(Errc::unavailable);
    for (auto const& demanded : passes) {
        for (auto const& candidate : *candidates) {
            auto const now = steady_now();
            // Each candidate gets its share of the time: a host that swallows packets must not
            // keep the next one from being asked.
            auto const share = (deadline - now) / static_cast<std::int64_t>(left--);
            auto keywords = completed(candidate, options);
            keywords["target_session_attrs"] = demanded;
            auto dialled = co_await dial_one(std::move(keywords), now + share);
            if (dialled) co_return std::move(*dialled);
            failure = std::move(dialled.error());
            failure.message = options.address.scrubbed(std::move(failure.message));
            if (failure.code == asio::error::operation_aborted) co_return failure;
        }
    }
    co_return failure;
}

}  // namespace penstock::db::pg
