#include "server/http/json_reader.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

/// "pointer: detail" lines, so that a failing table shows itself.
std::string lines(JsonReader const& in) {
    std::string text;
    for (auto const& fault : in.faults()) text += fault.name + ": " + fault.detail + "\n";
    return text;
}

bool is_lower(std::string_view text) {
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
}

/// What reading one integer member `n` of 1…100 says.
std::string integer_fault(std::string_view body) {
    JsonReader in(body);
    in.integer("n", 1, 100);
    in.finish();
    return lines(in);
}

BOOST_AUTO_TEST_SUITE(http_json_reader)

BOOST_AUTO_TEST_CASE(a_good_body_is_read_member_by_member) {
    JsonReader in(R"( {"from":"a","n":7,"neg":-3,"yes":true,"kind":"money",
        "at":"1970-01-01T00:00:01Z","metadata":{"k": [1, 2.50 ,"\u00e9"]},
        "asset":{"code":"EUR","scale":2},"tags":["x","y"]} )");
    BOOST_TEST(in.text("from", 1, 128) == "a");
    BOOST_TEST(in.integer("n", 1, 10) == 7);
    BOOST_TEST(in.integer("neg", -10, 10) == -3);
    BOOST_TEST(in.boolean("yes"));
    BOOST_TEST(in.choice("kind", {"credits", "money"}) == 1U);
    BOOST_TEST(in.optional_instant("at").value() == 1000);
    BOOST_TEST(in.object_text("metadata").value() == "{\"k\":[1,2.50,\"\xC3\xA9\"]}");
    auto asset = in.object("asset");
    BOOST_TEST(asset.text("code", 1, 8) == "EUR");
    BOOST_TEST(asset.integer("scale", 0, 18) == 2);
    auto const tags = in.texts("tags", 0, 5, 1, 9);
    BOOST_TEST(tags.size() == 2U);
    BOOST_TEST(!in.optional_text("reference", 1, 9));
    BOOST_TEST(!in.has("reference"));
    BOOST_TEST(in.finish(), lines(in));
}

BOOST_AUTO_TEST_CASE(integers_come_from_integer_syntax_only) {
    auto const range = "/n: must be an integer from 1 to 100\n";
    auto const shape = "/n: must be an integer without fraction or exponent\n";
    BOOST_TEST(integer_fault(R"({"n":1})") == "");
    BOOST_TEST(integer_fault(R"({"n":100})") == "");
    BOOST_TEST(integer_fault(R"({})") == "/n: is required\n");
    BOOST_TEST(integer_fault(R"({"n":0})") == range);
    BOOST_TEST(integer_fault(R"({"n":-0})") == range);
    BOOST_TEST(integer_fault(R"({"n":101})") == range);
    BOOST_TEST(integer_fault(R"({"n":9223372036854775808})") == range);
    BOOST_TEST(integer_fault(R"({"n":-9223372036854775809})") == range);
    BOOST_TEST(integer_fault(R"({"n":99999999999999999999999999999})") == range);
    BOOST_TEST(integer_fault(R"({"n":1.0})") == shape);
    BOOST_TEST(integer_fault(R"({"n":1e1})") == shape);
    BOOST_TEST(integer_fault(R"({"n":1E1})") == shape);
    for (auto const* body :
         {R"({"n":"1"})", R"({"n":true})", R"({"n":null})", R"({"n":[1]})", R"({"n":{}})"})
        BOOST_TEST(integer_fault(body) == range, body);
}

BOOST_AUTO_TEST_CASE(minus_zero_is_zero_and_the_ends_of_int64_are_exact) {
    JsonReader in(R"({"z":-0,"min":-9223372036854775808,"max":9223372036854775807})");
    auto const min = std::numeric_limits<std::int64_t>::min();
    auto const max = std::numeric_limits<std::int64_t>::max();
    BOOST_TEST(in.integer("z", 0, 0) == 0);
    BOOST_TEST(in.integer("min", min, max) == min);
    BOOST_TEST(in.integer("max", min, max) == max);
    BOOST_TEST(in.finish());
}

BOOST_AUTO_TEST_CASE(bodies_that_are_not_one_json_object_are_refused) {
    for (auto const* body : {"",
                             " ",
                             "nul",
                             "null",
                             "[]",
                             "1",
                             "\"a\"",
                             "{",
                             "{]",
                             "{}{}",
                             "{} x",
                             "{,}",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "{a:1}",
                             "{'a':1}",
                             "{\"a\":01}",
                             "{\"a\":+1}",
                             "{\"a\":.5}",
                             "{\"a\":1.}",
                             "{\"a\":NaN}",
                             "{\"a\":Infinity}",
                             "{\"a\":0x1}",
                             "{\"a\":tru}",
                             "{\"a\":\"\n\"}",
                             "{\"a\":\"\\x\"}",
                             "{\"a\":\"\\ud800\"}",
                             "{\"a\":\"\xFF\"}",
                             "{\"a\":\"\xC0\xAF\"}",
                             "{\"a\":\"\xED\xA0\x80\"}",
                             "{\"\xFF\":1}",
                             "\xEF\xBB\xBF{}",
                             "// c\n{}",
                             "{\"a\":1/*c*/}"}) {
        JsonReader in(body);
        BOOST_TEST(in.integer("a", 0, 9) == 0);
        BOOST_TEST(!in.finish(), body);
        BOOST_TEST(in.faults().size() == 1U, body);
        BOOST_TEST(in.faults().front().name == "", body);
        BOOST_TEST(in.canonical() == "");
    }
}

BOOST_AUTO_TEST_CASE(bytes_of_zero_are_refused_wherever_they_stand) {
    JsonReader raw(std::string_view("{\"a\":\"x\0y\"}", 11));
    BOOST_TEST(!raw.finish());
    JsonReader escaped(R"({"a":{"b":"x\u0000y"}})");
    escaped.object_text("a");
    BOOST_TEST(!escaped.finish());
    BOOST_TEST(lines(escaped) == "/a/b: must not contain U+0000\n");
}

BOOST_AUTO_TEST_CASE(depth_is_bounded) {
    auto nested = [](std::size_t depth) {
        std::string body = "{\"a\":";
        body += std::string(depth, '[') + std::string(depth, ']') + "}";
        JsonReader in(body);
        return lines(in);
    };
    BOOST_TEST(nested(json_depth_max - 1) == "");
    BOOST_TEST(nested(json_depth_max + 1).find("nested deeper than 32") != std::string::npos);
    BOOST_TEST(nested(100'000).find("nested deeper than 32") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_member_given_twice_is_a_fault_at_any_depth_and_size) {
    JsonReader small(R"({"a":1,"b":{"c":1,"d":2,"c":3},"\u0061":2})");
    small.integer("a", 0, 9);
    small.object_text("b");
    BOOST_TEST(!small.finish());
    BOOST_TEST(lines(small) == "/b/c: is given twice\n/a: is given twice\n");

    std::string body = "{";
    for (int i = 0; i < 50; ++i) body += "\"m" + std::to_string(i % 49) + "\":1,";
    body.back() = '}';
    JsonReader large(body);
    BOOST_TEST(lines(large) == "/m0: is given twice\n");
}

BOOST_AUTO_TEST_CASE(unknown_members_are_refused_where_an_object_is_read) {
    JsonReader in(R"({"a":1,"x":2,"m":{"free":1},"o":{"y":1},"l":[{"k":1,"z~/":2}]})");
    in.integer("a", 0, 9);
    in.object_text("m");
    in.object("o");
    for (auto& item : in.array("l", 1, 9)) item.integer("k", 0, 9);
    BOOST_TEST(!in.finish());
    BOOST_TEST(lines(in) ==
               "/x: is not a known member\n/o/y: is not a known member\n"
               "/l/0/z~0~1: is not a known member\n");
}

BOOST_AUTO_TEST_CASE(every_fault_is_reported_at_once_with_its_pointer) {
    JsonReader in(R"({"transfers":[{"amount":0},{"amount":5,"note":1},7],"mode":"odd"})");
    in.choice("mode", {"all", "each"});
    in.text("reference", 1, 9);
    for (auto& item : in.array("transfers", 1, 9)) item.integer("amount", 1, 9);
    BOOST_TEST(!in.finish());
    BOOST_TEST(lines(in) ==
               "/mode: must be one of \"all\", \"each\"\n"
               "/reference: is required\n"
               "/transfers/2: must be an object\n"
               "/transfers/0/amount: must be an integer from 1 to 9\n"
               "/transfers/1/note: is not a known member\n");
    auto const problem = in.problem();
    BOOST_TEST((problem.code == Code::invalid_request));
    BOOST_TEST(problem.errors.size() == 5U);
}

BOOST_AUTO_TEST_CASE(texts_have_bounds_in_bytes_and_rules) {
    JsonReader in("{\"a\":\"\",\"b\":\"abc\",\"c\":\"\xC3\xA9\xC3\xA9\",\"d\":\"ABC\",\"e\":1}");
    in.text("a", 1, 9);
    in.text("b", 1, 2);
    in.text("c", 1, 3);
    in.text("d", 1, 3, is_lower, "must be lower-case letters");
    in.text("e", 1, 3);
    BOOST_TEST(in.text("f", 0, 3) == "");
    in.finish();
    BOOST_TEST(lines(in) ==
               "/a: must have 1 to 9 bytes of UTF-8\n"
               "/b: must have 1 to 2 bytes of UTF-8\n"
               "/c: must have 1 to 3 bytes of UTF-8\n"
               "/d: must be lower-case letters\n"
               "/e: must be a string\n"
               "/f: is required\n");
}

BOOST_AUTO_TEST_CASE(null_is_a_value_only_where_it_is_allowed) {
    JsonReader in(R"({"a":null,"b":null,"c":"x","d":null,"e":null})");
    BOOST_TEST(!in.optional_text("a", 0, 9));
    auto const b = in.nullable_text("b", 0, 9);
    BOOST_TEST(b.has_value());
    BOOST_TEST(!b->has_value());
    BOOST_TEST(in.nullable_text("c", 0, 9).value().value() == "x");
    BOOST_TEST(in.nullable_integer("d", 0, 9).has_value());
    BOOST_TEST(in.nullable_instant("e").has_value());
    BOOST_TEST(!in.nullable_text("absent", 0, 9).has_value());
    in.finish();
    BOOST_TEST(lines(in) == "/a: must be a string\n");
}

BOOST_AUTO_TEST_CASE(metadata_is_an_object_of_bounded_size) {
    JsonReader in(R"({"a":[],"b":{"x":"123456789"},"c":{}})");
    in.object_text("a");
    in.object_text("b", 16);
    BOOST_TEST(in.object_text("c").value() == "{}");
    in.finish();
    BOOST_TEST(lines(in) ==
               "/a: must be an object\n/b: must have at most 16 bytes as compact JSON\n");
}

BOOST_AUTO_TEST_CASE(arrays_have_bounds_and_types) {
    JsonReader in(R"({"a":[],"b":[{},{}],"c":{},"d":["x",1,""]})");
    BOOST_TEST(in.array("a", 1, 2).empty());
    BOOST_TEST(in.array("b", 1, 1).empty());
    BOOST_TEST(in.array("c", 1, 1).empty());
    BOOST_TEST(in.array("missing", 1, 1).empty());
    in.optional_texts("d", 0, 9, 1, 9);
    BOOST_TEST(!in.optional_texts("absent", 0, 9, 1, 9));
    in.finish();
    BOOST_TEST(lines(in) ==
               "/a: must have 1 to 2 items\n/b: must have 1 to 1 items\n"
               "/c: must be an array\n/missing: is required\n"
               "/d/1: must be a string\n/d/2: must have 1 to 9 bytes of UTF-8\n");
}

BOOST_AUTO_TEST_CASE(a_missing_nested_object_is_one_fault) {
    JsonReader in(R"({"o":7})");
    auto asset = in.object("asset");
    asset.text("code", 1, 8);
    asset.fault("code", "is odd");
    auto other = in.object("o");
    other.integer("n", 0, 1);
    in.finish();
    BOOST_TEST(lines(in) == "/asset: is required\n/o: must be an object\n");
}

BOOST_AUTO_TEST_CASE(handlers_may_add_faults_of_their_own) {
    JsonReader in(R"({"l":[{},{}]})");
    auto items = in.array("l", 1, 9);
    items[1].fault("from", "must differ from to");
    in.fault("", "is odd as a whole");
    BOOST_TEST(items[1].pointer() == "/l/1");
    BOOST_TEST(!in.finish());
    BOOST_TEST(lines(in) == "/l/1/from: must differ from to\n: is odd as a whole\n");
}

BOOST_AUTO_TEST_CASE(faults_are_capped) {
    std::string body = "{\"l\":[";
    for (int i = 0; i < 5000; ++i) body += "{},";
    body.back() = ']';
    JsonReader in(body += "}");
    for (auto& item : in.array("l", 1, 9999)) item.integer("n", 0, 1);
    BOOST_TEST(!in.finish());
    BOOST_TEST(in.faults().size() == json_faults_max);
}

BOOST_AUTO_TEST_CASE(the_canonical_form_is_sorted_and_without_space) {
    BOOST_TEST(canonical(R"( { "b" : [ 1 , -0 , 2.50, 1e2, 18446744073709551615 ], "a" : null,
        "B":{"z":true,"a":"\u00e9\n\u001f\/"} } )")
                   .value() ==
               "{\"B\":{\"a\":\"\xC3\xA9\\n\\u001f/\",\"z\":true},\"a\":null,"
               "\"b\":[1,0,2.50,1e2,18446744073709551615]}");
    BOOST_TEST(canonical(R"({"a":1,"b":2})").value() == canonical(R"({"b":2,"a":1})").value());
    BOOST_TEST(canonical("{}").value() == "{}");
    BOOST_TEST(!canonical("[]"));
    BOOST_TEST(!canonical(R"({"a":1,"a":1})"));
}

BOOST_AUTO_TEST_CASE(values_are_bounded) {
    std::string body = "{\"a\":[";
    body.reserve(2 * json_values_max + 32);
    for (std::size_t i = 0; i < json_values_max; ++i) body += "0,";
    body.back() = ']';
    JsonReader in(body += "}");
    BOOST_TEST(lines(in).find("more than 500000 values") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_bulk_of_ten_thousand_items_is_read) {
    std::string body = "{\"transfers\":[";
    for (int i = 0; i < 10'000; ++i)
        body += R"({"from":"a","to":"b","amount":)" + std::to_string(i + 1) +
                R"(,"reference":"r\t","metadata":{"i":1}},)";
    body.back() = ']';
    JsonReader in(body += "}");
    std::int64_t sum = 0;
    for (auto& item : in.array("transfers", 1, 10'000)) {
        item.text("from", 1, 9);
        item.text("to", 1, 9);
        sum += item.integer("amount", 1, 10'000);
        BOOST_REQUIRE(item.optional_text("reference", 1, 9).value() == "r\t");
        item.object_text("metadata");
    }
    BOOST_TEST(in.finish(), lines(in));
    BOOST_TEST(sum == 50'005'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
