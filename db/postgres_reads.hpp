// How a page is asked for and read: what every query of the store over PostgreSQL has in common.
// Private to it.
#pragma once

#include <algorithm>
#include <utility>

#include "db/postgres_rows.hpp"
#include "db/postgres_store.hpp"

namespace penstock::db {

namespace reads {

/// Beyond every instant that an API can name: the end of year 9999.
inline constexpr std::int64_t end_of_time_ms = 253'402'300'800'000;

/// Beyond every UUIDv7: those have other bits in the middle.
inline domain::Uuid last_id() {
    domain::Uuid id;
    id.bytes.fill(0xff);
    return id;
}

inline std::int64_t limit_of(std::size_t limit) { return static_cast<std::int64_t>(limit); }

inline domain::Instant within_range(domain::Instant at) {
    return {std::clamp<std::int64_t>(at.ms, 0, end_of_time_ms)};
}

/// Where a page of what is newest first begins: below the last item seen, or at the top.
template <class Id>
pg::UuidBytes below(std::optional<Id> const& before) {
    return before ? before->value.bytes : last_id().bytes;
}

inline pg::Params due_page(DuePage const& page) {
    pg::Params params;
    params.instant_ms(within_range(page.now).ms).int8(limit_of(page.limit));
    params.add(rows::uuids(page.without));
    return params;
}

template <class T>
Store::Listed<T> list(pg::Pool& pool, Statement const& statement, pg::Params params,
                      SteadyTime deadline, T (*read)(pg::Row)) {
    auto const answer = co_await pool.query(statement, std::move(params), deadline);
    if (!answer) co_return answer.error();
    auto read_all = [&] {
        std::vector<T> items;
        items.reserve(answer->size());
        for (pg::Row const row : *answer) items.push_back(read(row));
        return items;
    };
    co_return pg::decoded(read_all);
}

}  // namespace reads

template <class T>
Store::Listed<T> PostgresStore::list(Statement const& statement, pg::Params params,
                                     SteadyTime deadline, T (*read)(pg::Row)) {
    return reads::list(readers_, statement, std::move(params), deadline, read);
}

template <class T>
Store::Found<T> PostgresStore::find(Statement const& statement, pg::Params params,
                                    SteadyTime deadline, T (*read)(pg::Row)) {
    auto items = co_await list<T>(statement, std::move(params), deadline, read);
    if (!items) co_return items.error();
    std::optional<T> found;
    if (!items->empty()) found = std::move(items->front());
    co_return found;
}

}  // namespace penstock::db
