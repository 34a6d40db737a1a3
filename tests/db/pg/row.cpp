#include "db/pg/row.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "tests/db/pg/with_session.hpp"

using namespace penstock;
using namespace penstock::db::pg;
using db::Statement;
using tests::one;
using tests::soon;
using tests::with_session;

namespace {

constexpr Statement echo_scalars{"echo_scalars", "SELECT $1, $2, $3, $4, $5, $6, $7, $8"};
constexpr Statement echo_optionals{"echo_optionals", "SELECT $1, $2, $3, $4, $5, $6, $7, $8"};
constexpr Statement echo_arrays{"echo_arrays", "SELECT $1, $2, $3, $4, $5, $6, $7, $8"};
constexpr Statement as_text{"as_text", "SELECT $1::text, $2::text, $3::text, $4::text"};
constexpr Statement odd_texts{
    "odd_texts", "SELECT '{\"a\": 1}'::jsonb, '[1]'::json, 'n'::name, 'v'::varchar, 'b'::char(3)"};
constexpr Statement current_xid{"current_xid", "SELECT pg_current_xact_id(), $1"};

tests::Database& database() {
    static tests::Database instance;
    return instance;
}

UuidBytes uuid_of(std::uint8_t fill) {
    UuidBytes bytes;
    bytes.fill(fill);
    return bytes;
}

/// The rows of one statement, or a failed test.
asio::awaitable<Rows> ask(Session& session, Statement const& statement, Params params) {
    auto answer = co_await session.execute(one(statement, std::move(params)), soon());
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
    co_return std::move(answer->front());
}

Params scalars(std::int64_t i, std::string const& text, std::int64_t ms) {
    Params params;
    params.boolean(i > 0)
        .int2(static_cast<std::int16_t>(i))
        .int4(static_cast<std::int32_t>(i))
        .int8(i)
        .text(text)
        .bytea(bytes_of(text))
        .uuid(uuid_of(static_cast<std::uint8_t>(i)))
        .instant_ms(ms);
    return params;
}

template <class Value>
void refuses(Value read) {
    BOOST_CHECK_THROW(read(), BadReply);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pg_row)

BOOST_AUTO_TEST_CASE(scalars_and_their_extremes_survive_the_server) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        using Int8 = std::numeric_limits<std::int64_t>;
        std::int64_t const numbers[] = {0, 1, -1, Int8::max(), Int8::min()};
        std::string const texts[] = {"", "x", "grüße \n\t '\"\\", std::string(70'000, 'y')};
        std::int64_t const instants[] = {0, -1, 946'684'799'999, 1'763'700'000'123,
                                         253'402'300'799'999};
        for (auto number : numbers)
            for (auto const& text : texts)
                for (auto instant : instants) {
                    auto params = scalars(number, text, instant);
                    auto const rows = co_await ask(session, echo_scalars, std::move(params));
                    BOOST_TEST_REQUIRE(rows.size() == 1u);
                    auto const row = rows[0];
                    BOOST_TEST(row.boolean(0) == (number > 0));
                    BOOST_TEST(row.int2(1) == static_cast<std::int16_t>(number));
                    BOOST_TEST(row.int4(2) == static_cast<std::int32_t>(number));
                    BOOST_TEST(row.int8(3) == number);
                    BOOST_TEST(row.text(4) == text);
                    BOOST_TEST((row.bytea(5).size() == text.size()));
                    BOOST_TEST(row.uuid(6) == uuid_of(static_cast<std::uint8_t>(number)));
                    BOOST_TEST(row.instant_ms(7) == instant);
                }
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(null_is_nothing_and_not_a_value) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Params params;
        params.optional_boolean(std::nullopt)
            .optional_int2(std::nullopt)
            .optional_int4(std::nullopt)
            .optional_int8(std::nullopt)
            .optional_text(std::nullopt)
            .optional_bytea(std::nullopt)
            .optional_uuid(std::nullopt)
            .optional_instant_ms(std::nullopt);
        auto const rows = co_await ask(session, echo_optionals, std::move(params));
        auto const row = rows[0];
        for (int i = 0; i < 8; ++i) BOOST_TEST(row.is_null(i));
        BOOST_TEST(!row.optional_boolean(0).has_value());
        BOOST_TEST(!row.optional_int2(1).has_value());
        BOOST_TEST(!row.optional_int4(2).has_value());
        BOOST_TEST(!row.optional_int8(3).has_value());
        BOOST_TEST(!row.optional_text(4).has_value());
        BOOST_TEST(!row.optional_bytea(5).has_value());
        BOOST_TEST(!row.optional_uuid(6).has_value());
        BOOST_TEST(!row.optional_instant_ms(7).has_value());
        refuses([&] { return row.int8(3); });
        refuses([&] { return row.text(4); });

        Params present;
        present.optional_boolean(true)
            .optional_int2(std::int16_t{2})
            .optional_int4(3)
            .optional_int8(4)
            .optional_text("five")
            .optional_bytea(bytes_of("six"))
            .optional_uuid(uuid_of(7))
            .optional_instant_ms(8);
        auto const there = co_await ask(session, echo_optionals, std::move(present));
        BOOST_TEST(*there[0].optional_int8(3) == 4);
        BOOST_TEST(*there[0].optional_text(4) == "five");
        BOOST_TEST(*there[0].optional_instant_ms(7) == 8);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(arrays_of_every_type_survive_the_server) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        for (std::size_t size : {0U, 1U, 1000U}) {
            BooleanArray booleans;
            Int2Array int2s;
            Int4Array int4s;
            Int8Array int8s;
            TextArray texts;
            ByteaArray byteas;
            UuidArray uuids;
            InstantMsArray instants;
            for (std::size_t i = 0; i < size; ++i) {
                auto const n = static_cast<std::int64_t>(i);
                booleans.push(i % 2 == 0);
                int2s.push(static_cast<std::int16_t>(-n));
                int4s.push(static_cast<std::int32_t>(n));
                if (i % 3 == 0)
                    int8s.push_null();
                else
                    int8s.push(std::numeric_limits<std::int64_t>::max() - n);
                texts.push("text, {\"" + std::to_string(i) + "\"}");
                byteas.push(bytes_of("x"));
                uuids.push(uuid_of(static_cast<std::uint8_t>(i)));
                instants.push(n);
            }
            Params params;
            params.add(booleans).add(int2s).add(int4s).add(int8s);
            params.add(texts).add(byteas).add(uuids).add(instants);
            auto const rows = co_await ask(session, echo_arrays, std::move(params));
            auto const row = rows[0];
            BOOST_TEST_REQUIRE(row.int2s(1).size() == size);
            BOOST_TEST_REQUIRE(row.optional_int8s(3).size() == size);
            if (size == 0) continue;
            BOOST_TEST(row.int2s(1).back() == 1 - static_cast<std::int16_t>(size));
            BOOST_TEST(row.int4s(2).size() == size);
            BOOST_TEST(!row.optional_int8s(3).front().has_value());
            BOOST_TEST(row.texts(4).front() == "text, {\"0\"}");
            BOOST_TEST(row.uuids(6).size() == size);
            // An array with a NULL is not an array without.
            refuses([&] { return row.int8s(3); });
        }
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(the_server_reads_binary_values_as_we_meant_them) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Params params;
        UuidArray uuids;
        uuids.push(uuid_of(0xab));
        Int8Array numbers;
        numbers.push(-5);
        numbers.push_null();
        params.instant_ms(1'763'700'000'123).uuid(uuid_of(1)).add(numbers).add(uuids);
        auto const rows = co_await ask(session, as_text, std::move(params));
        BOOST_TEST(rows[0].text(0) == "2025-11-21 04:40:00.123+00");
        BOOST_TEST(rows[0].text(1) == "01010101-0101-0101-0101-010101010101");
        BOOST_TEST(rows[0].text(2) == "{-5,NULL}");
        BOOST_TEST(rows[0].text(3) == "{abababab-abab-abab-abab-abababababab}");
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(texts_of_every_kind_are_texts) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const rows = co_await ask(session, odd_texts, Params());
        BOOST_TEST(rows[0].text(0) == "{\"a\": 1}");
        BOOST_TEST(rows[0].text(1) == "[1]");
        BOOST_TEST(rows[0].text(2) == "n");
        BOOST_TEST(rows[0].text(3) == "v");
        BOOST_TEST(rows[0].text(4) == "b  ");
        BOOST_TEST(rows.columns() == 5u);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(a_transaction_id_goes_both_ways) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Params params;
        params.xid8(0x8000'0000'0000'0001U);
        auto const rows = co_await ask(session, current_xid, std::move(params));
        BOOST_TEST(rows[0].xid8(0) > 0u);
        BOOST_TEST(rows[0].xid8(1) == 0x8000'0000'0000'0001U);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(a_wrong_type_or_column_is_a_bad_reply_and_an_error_code) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const rows = co_await ask(session, echo_scalars, scalars(1, "t", 0));
        auto const row = rows[0];
        refuses([&] { return row.int8(2); });
        refuses([&] { return row.int4(3); });
        refuses([&] { return row.uuid(5); });
        refuses([&] { return row.text(5); });
        refuses([&] { return row.uuids(6); });
        refuses([&] { return row.instant_ms(3); });
        refuses([&] { return row.int8(8); });
        refuses([&] { return row.is_null(-1); });
        auto const wrong = [&] { return row.int8(0); };
        BOOST_TEST((decoded(wrong).error() == db::Errc::unexpected_reply));
        auto const right = [&] { return row.int8(3); };
        BOOST_TEST(decoded(right).value() == 1);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_SUITE_END()
