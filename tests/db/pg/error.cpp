#include "db/pg/error.hpp"

#include <boost/test/unit_test.hpp>

using namespace penstock::db;

BOOST_AUTO_TEST_SUITE(pg_error)

BOOST_AUTO_TEST_CASE(every_sqlstate_has_the_reaction_that_its_cause_deserves) {
    struct {
        char const* sqlstate;
        Errc reaction;
    } const cases[] = {
        {"40001", Errc::retry_transaction},   {"40P01", Errc::retry_transaction},
        {"55P03", Errc::retry_transaction},   {"23505", Errc::retry_transaction},
        {"25P02", Errc::retry_transaction},   {"26000", Errc::retry_transaction},
        {"0A000", Errc::retry_transaction},   {"23514", Errc::refused_by_database},
        {"23503", Errc::refused_by_database}, {"23502", Errc::refused_by_database},
        {"22003", Errc::refused_by_database}, {"22P02", Errc::refused_by_database},
        {"42P01", Errc::refused_by_database}, {"P0001", Errc::refused_by_database},
        {"XX000", Errc::refused_by_database}, {"57P01", Errc::connection_lost},
        {"57P02", Errc::connection_lost},     {"57P03", Errc::connection_lost},
        {"57P05", Errc::connection_lost},     {"25P03", Errc::connection_lost},
        {"08006", Errc::connection_lost},     {"08P01", Errc::connection_lost},
        {"57014", Errc::unavailable},         {"53100", Errc::unavailable},
        {"53300", Errc::unavailable},         {"25006", Errc::unavailable},
        {"58030", Errc::unavailable},         {"28P01", Errc::unavailable},
        {"3D000", Errc::unavailable},         {"57P04", Errc::unavailable},
        {"", Errc::connection_lost},
    };
    for (auto const& expected : cases)
        BOOST_TEST(make_error_code(pg::reaction_to(expected.sqlstate)) ==
                       make_error_code(expected.reaction),
                   expected.sqlstate);
}

BOOST_AUTO_TEST_CASE(what_ends_the_session_is_a_lost_connection_whatever_its_class) {
    BOOST_TEST((pg::reaction_to("XX000", true) == Errc::connection_lost));
}

BOOST_AUTO_TEST_CASE(stale_plans_and_a_read_only_server_want_a_new_connection) {
    BOOST_TEST(pg::wants_new_connection("26000"));
    BOOST_TEST(pg::wants_new_connection("0A000"));
    BOOST_TEST(pg::wants_new_connection("25006"));
    BOOST_TEST(!pg::wants_new_connection("40001"));
}

BOOST_AUTO_TEST_CASE(the_enumerator_is_the_code) {
    BOOST_TEST(make_error_code(Errc::commit_unknown).message() == "commit_unknown");
    BOOST_TEST(make_error_code(Errc::schema_mismatch).message() == "schema_mismatch");
}

BOOST_AUTO_TEST_SUITE_END()
