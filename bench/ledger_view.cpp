#include "bench/ledger_view.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "bench/pages.hpp"
#include "bench/target.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

namespace json = boost::json;

constexpr std::size_t bulk_items_max = 5000;

asio::awaitable<void> list_accounts(Client& client, std::string path, Observed& observed) {
    VisitRow const add = [&observed](json::value const& account) {
        std::string const address(account.at("address").as_string());
        observed.balances.emplace_back(address, account.at("balance").as_int64());
        auto const* const fraction = account.as_object().if_contains("fraction");
        if (fraction && *fraction != 0) observed.fractions[address] = fraction->as_int64();
    };
    co_await each_row(client, path, add);
}

void read_verdict(json::value const& verified, Observed& observed) {
    observed.verified = verified.at("ok").as_bool() ? Verified::yes : Verified::no;
    for (auto const& check : verified.at("checks").as_array()) {
        if (check.at("ok").as_bool()) continue;
        observed.failed_checks.push_back(json::serialize(check));
    }
}

}  // namespace

std::string ledger_path(std::string const& ledger) { return "/v1/ledgers/" + ledger; }

std::string numbered_account(unsigned number) {
    auto const digits = std::to_string(number);
    return "account:" + std::string(7 - std::min<std::size_t>(7, digits.size()), '0') + digits;
}

std::map<std::string, Total> totals_of(json::value const& answer) {
    std::map<std::string, Total> totals;
    for (auto const& [kind, total] : answer.as_object()) {
        auto const count = static_cast<std::uint64_t>(total.at("count").as_int64());
        totals[std::string(kind)] = {count, total.at("amount").as_int64()};
    }
    return totals;
}

asio::awaitable<void> verify(Client& client, std::string ledger, Observed& observed) {
    std::string const path = ledger_path(ledger) + "/verify";
    auto const verified = co_await client.get_ok(path);
    read_answer(path, [&] { read_verdict(verified, observed); });
}

asio::awaitable<bool> create_ledger(Client& client, std::string name, Accounts accounts,
                                    Posted posted) {
    std::string const policy = accounts == Accounts::implicit ? "implicit" : "explicit";
    // Said only where it matters: a server older than hot ledgers does not know the member.
    std::string const posting = posted == Posted::hot ? R"(,"posting":"hot")" : "";
    std::string const body = R"({"name":")" + name +
                             R"(","asset":{"code":"GBP","scale":2},"accounts":")" + policy + '"' +
                             posting + "}";
    auto const reply = co_await client.post("/v1/ledgers", body);
    if (reply.status == 201) co_return true;
    if (reply.code() == "ledger_exists") co_return false;
    throw Unusable("POST /v1/ledgers: answered " + std::to_string(reply.status) + " " +
                   reply.code());
}

asio::awaitable<void> create_account(Client& client, Books const& books, AccountIndex account) {
    std::string const path = ledger_path(books.ledger()) + "/accounts";
    auto const reply =
        co_await client.post(path, R"({"address":")" + books.address(account) + "\"}");
    if (reply.status == 201 || reply.code() == "account_exists") co_return;
    throw Unusable("POST " + path + ": answered " + std::to_string(reply.status) + " " +
                   reply.code());
}

asio::awaitable<Observed> observe(Client& client, std::string ledger, Ask ask) {
    Observed observed;
    observed.verified = Verified::not_asked;
    std::string const path = ledger_path(ledger);
    try {
        auto const terms = co_await client.get_ok(path);
        auto const* const percent = terms.as_object().if_contains("royalty_percent");
        if (percent) observed.royalty_percent = percent->as_int64();
        auto const totals = co_await client.get_ok(path + "/totals");
        observed.totals = totals_of(totals);
        co_await list_accounts(client, path + "/accounts?limit=200", observed);
        co_await list_accounts(client, path + "/accounts?limit=200&prefix=@", observed);
        if (ask == Ask::verify) co_await verify(client, ledger, observed);
    } catch (...) {
        rethrow_as_unusable("ledger " + ledger);
    }
    co_return observed;
}

asio::awaitable<void> deposit(Client& client, Books& books, Posting posting) {
    std::string body = R"({"account":")" + books.address(posting.to) + R"(","amount":)";
    append_number(body, posting.amount);
    body += '}';
    std::string const path = ledger_path(books.ledger()) + "/deposits";
    co_await client.post_ok(path, std::move(body), 201);
    books.acknowledge(posting);
}

asio::awaitable<void> transfer_all(Client& client, Books& books, std::vector<Posting> postings) {
    std::string const path = ledger_path(books.ledger()) + "/transfers/bulk";
    for (std::size_t first = 0; first < postings.size(); first += bulk_items_max) {
        auto const end = std::min(postings.size(), first + bulk_items_max);
        std::string body = R"({"transfers":[)";
        for (std::size_t i = first; i < end; ++i) {
            if (i != first) body += ',';
            append_transfer(body, books, postings[i]);
        }
        body += "]}";
        auto const answer = co_await client.post_ok(path, std::move(body), 200);
        auto const* const accepted = answer.as_object().if_contains("accepted");
        if (!accepted || *accepted != static_cast<std::int64_t>(end - first)) {
            throw Unusable("POST " + path + ": not every transfer was accepted");
        }
        for (std::size_t i = first; i < end; ++i) books.acknowledge(postings[i]);
    }
}

void append_transfer(std::string& out, Books const& books, Posting const& posting) {
    out += R"({"from":")";
    out += books.address(posting.from);
    out += R"(","to":")";
    out += books.address(posting.to);
    out += R"(","amount":)";
    append_number(out, posting.amount);
    out += '}';
}

void append_purchase(std::string& out, Books const& books, Posting const& posting) {
    out += R"({"buyer":")";
    out += books.address(posting.from);
    out += R"(","author":")";
    out += books.address(posting.to);
    out += R"(","price":)";
    append_number(out, posting.amount);
    out += '}';
}

std::optional<std::string> acknowledge_purchase(Books& books, Posting const& posting,
                                                Response const& response) {
    books.acknowledge(posting);
    auto const body = response.body;
    auto const author = integer_member(body, "author_amount");
    auto const platform = integer_member(body, "platform_amount");
    if (!author || !platform) return "a purchase without its amounts: " + std::string(body);
    books.acknowledge_legs(*author, *platform);
    Amount const least = posting.amount * books.royalty_percent() / 100;
    bool const divided = *author + *platform == posting.amount &&
                         (*author == least || *author == least + 1) && *platform >= 0;
    bool const same = has_integer(body, "price", posting.amount) &&
                      has_text(body, "buyer", books.address(posting.from)) &&
                      has_text(body, "author", books.address(posting.to)) &&
                      has_text(body, "status", "completed");
    if (divided && same) return std::nullopt;
    return "a purchase other than the one asked for: " + std::string(body);
}

}  // namespace penstock::bench
