#include "cache/redis/reply_reader.hpp"

#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>

#include "cache/redis/command.hpp"

using namespace penstock;
using namespace penstock::cache;

namespace {

/// The one reply that these bytes are, fed in pieces of `piece` bytes.
Reply read(std::string const& bytes, std::size_t piece = 1) {
    ReplyReader reader(ReplyLimits{});
    for (std::size_t i = 0; i < bytes.size(); i += piece) {
        auto const early = reader.next();
        BOOST_REQUIRE(early.has_value());
        BOOST_REQUIRE(!early->has_value());
        reader.feed(std::string_view(bytes).substr(i, piece));
    }
    auto const reply = reader.next();
    BOOST_REQUIRE(reply.has_value());
    BOOST_REQUIRE(reply->has_value());
    return **reply;
}

std::string complaint(std::string const& bytes, ReplyLimits limits = {}) {
    ReplyReader reader(limits);
    reader.feed(bytes);
    for (;;) {
        auto const reply = reader.next();
        if (!reply) {
            BOOST_TEST(!reader.next().has_value());  // and stays so
            return reader.complaint();
        }
        if (!*reply) return "";
    }
}

std::string shown(Reply const& reply) {
    std::ostringstream out;
    out << reply;
    return out.str();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_reply_reader)

BOOST_AUTO_TEST_CASE(every_kind_is_read_whole_and_byte_by_byte) {
    for (std::size_t const piece : {1U, 2U, 1000U}) {
        BOOST_TEST(read("+OK\r\n", piece) == Reply::status("OK"));
        BOOST_TEST(read("-ERR no\r\n", piece) == Reply::error("ERR no"));
        BOOST_TEST(read(":-42\r\n", piece) == Reply::of(-42));
        BOOST_TEST(read("$-1\r\n", piece) == Reply::nil());
        BOOST_TEST(read("*-1\r\n", piece) == Reply::nil());
        BOOST_TEST(read("$0\r\n\r\n", piece) == Reply::string(""));
        BOOST_TEST(read(std::string("$4\r\na\r\0b\r\n", 10), piece) ==
                   Reply::string(std::string("a\r\0b", 4)));
        BOOST_TEST(read("*0\r\n", piece) == Reply::array({}));
        BOOST_TEST(read("*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+OK\r\n", piece) ==
                   Reply::array({Reply::of(1), Reply::array({Reply::string("x"), Reply::nil()}),
                                 Reply::status("OK")}));
    }
}

BOOST_AUTO_TEST_CASE(replies_in_one_read_come_in_order) {
    ReplyReader reader(ReplyLimits{});
    std::string bytes;
    for (int i = 0; i < 10'000; ++i) bytes += ":" + std::to_string(i) + "\r\n";
    reader.feed(bytes);
    for (int i = 0; i < 10'000; ++i) BOOST_REQUIRE(**reader.next() == Reply::of(i));
    BOOST_TEST(!reader.next()->has_value());
}

BOOST_AUTO_TEST_CASE(foreign_bytes_are_an_error_and_stay_one) {
    for (auto const* bytes :
         {"HTTP/1.1 400 Bad Request\r\n", "\xff\xfe", ":twelve\r\n", "$x\r\n", "*x\r\n", "$-2\r\n",
          "*-2\r\n", "*99999999999999999999\r\n", "*4294967296\r\n", "%1\r\n", "_\r\n",
          "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "*1\r\n!\r\n"})
        BOOST_TEST(!complaint(bytes).empty(), bytes);
}

BOOST_AUTO_TEST_CASE(a_claimed_size_reserves_no_memory_beyond_the_limits) {
    ReplyLimits limits;
    limits.elements_max = 10;
    limits.bytes_max = 1'000;
    BOOST_TEST(complaint("*11\r\n", limits) == "a reply has too many elements");
    BOOST_TEST(complaint("*2\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n*5\r\n", limits) ==
               "a reply has too many elements");
    BOOST_TEST(complaint("*10\r\n", limits).empty());
    BOOST_TEST(complaint("$5000\r\n" + std::string(900, 'x'), limits).empty());
    BOOST_TEST(complaint("$5000\r\n" + std::string(1'100, 'x'), limits) == "a reply is too long");
    // The limit is that of one reply, not of a conversation.
    BOOST_TEST(complaint("*10\r\n" +
                             std::string(40, ' ').replace(0, 40,
                                                          [] {
                                                              std::string ones;
                                                              for (int i = 0; i < 10; ++i)
                                                                  ones += ":1\r\n";
                                                              return ones;
                                                          }()) +
                             "*10\r\n",
                         limits)
                   .empty());
}

BOOST_AUTO_TEST_CASE(replies_show_themselves) {
    auto const reply = Reply::array({Reply::of(1), Reply::string("x"), Reply::nil(),
                                     Reply::error("ERR no"), Reply::status("OK")});
    BOOST_TEST(shown(reply) == "[(integer) 1, \"x\", (nil), (error) ERR no, OK]");
    BOOST_TEST(shown(Reply::string(std::string(200, 'x'))).ends_with("… (200 bytes)\""));
}

BOOST_AUTO_TEST_CASE(a_command_is_binary_safe_on_the_wire) {
    std::string wire;
    Command("SET", "k\r\n", std::string("\0v", 2), "PX", 5'000).encode(wire);
    BOOST_TEST(wire == std::string("*5\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$2\r\n\0v\r\n$2\r\nPX\r\n"
                                   "$4\r\n5000\r\n",
                                   48));
}

BOOST_AUTO_TEST_CASE(commands_that_change_the_conversation_are_known) {
    for (auto const* name : {"SUBSCRIBE", "psubscribe", "Monitor", "HELLO", "quit", "RESET"})
        BOOST_TEST(!Command(name).gets_one_reply(), name);
    BOOST_TEST(!Command("CLIENT", "REPLY", "OFF").gets_one_reply());
    BOOST_TEST(Command("CLIENT", "ID").gets_one_reply());
    BOOST_TEST(Command("GET", "subscribe").gets_one_reply());
    BOOST_TEST(Command("SET", "reply", "reply").gets_one_reply());
}

BOOST_AUTO_TEST_SUITE_END()
