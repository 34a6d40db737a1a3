// How the mock keeps its promises, and how it breaks them.
#include "mock_server.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <map>
#include <vector>

#include "mock_credits.hpp"
#include "mock_exports.hpp"
#include "mock_sales.hpp"
#include "mock_streams.hpp"
#include "reactor/result.hpp"

namespace penstock::tests {
namespace {

namespace json = boost::json;
using asio::ip::tcp;

struct Account {
    std::int64_t balance = 0;
    std::int64_t fraction = 0;
    std::int64_t version = 0;
};

struct MockLedger {
    std::map<std::string, Account> accounts{{"@world", {}}, {"@platform", {}}};
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> totals;
    std::vector<json::object> transfers;
    std::vector<json::object> purchases;
    std::vector<json::object> holds;
    std::vector<SteadyTime> holds_expire;  ///< or never

    void expire_holds() {
        for (std::size_t i = 0; i < holds.size(); ++i)
            if (holds[i].at("status") == "pending" && steady_now() >= holds_expire[i])
                holds[i]["status"] = "expired";
    }
};

constexpr std::int64_t royalty_percent = 70;
constexpr char const* an_instant = "2026-11-21T09:00:00.000Z";

/// In front of the amount that the answer is about.
void add_a_digit(std::string& body) {
    for (std::string_view const name : {"amount\":", "paid\":", "refunded\":"}) {
        auto const at = body.find(name);
        if (at == std::string::npos) continue;
        body.insert(at + name.size(), "1");
        return;
    }
}

}  // namespace

struct MockServer::State {
    explicit State(Mischief m)
        : mischief(m),
          sales(
              m.sales,
              [this](std::string const& ledger, json::object const& sale) {
                  auto const made = purchase(ledgers.at(ledger), sale, true);
                  return made.status == 201 ? text(json::parse(made.body).as_object(), "id") : "";
              },
              [this](std::string const& ledger, std::string const& purchase_id) {
                  refund(ledgers.at(ledger), purchase_id, true);
              }),
          credits(m.credits),
          exports(m.exports),
          streams(
              m.streams, [this](std::string const& name, MockStreams::Movement const& movement) {
                  auto& ledger = ledgers.at(name);
                  if (cannot_pay(ledger, movement.from, movement.amount)) return false;
                  move(ledger, movement.kind, movement.from, movement.to, movement.amount, true);
                  return true;
              }) {}

    asio::io_context context{1};
    tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    Mischief mischief;
    std::map<std::string, MockLedger> ledgers;
    std::map<std::string, MockLedger> homes;  ///< of hot ledgers: what lists and sums show
    MockSales sales;
    MockCredits credits;
    MockExports exports;
    MockStreams streams;
    std::map<std::string, MockAnswer> answers;  ///< by idempotency key
    std::uint64_t writes = 0;
    std::uint64_t sent = 0;

    bool cannot_pay(MockLedger& ledger, std::string const& payer, std::int64_t amount) const {
        return !mischief.unlimited_credit && ledger.accounts[payer].balance < amount;
    }
    bool turn(unsigned every) const { return every != 0 && writes % every == 0; }

    asio::awaitable<void> listen();
    asio::awaitable<void> serve(tcp::socket socket);
    MockAnswer handle(MockRequest const& request);
    MockAnswer write(MockRequest const& request);
    MockAnswer post(std::string const& path, json::object const& body, bool apply);
    MockAnswer bulk(MockLedger& ledger, json::object const& body, bool apply);
    MockAnswer purchase(MockLedger& ledger, json::object const& body, bool apply);
    MockAnswer refund(MockLedger& ledger, std::string const& id, bool apply);
    MockAnswer hold(MockLedger& ledger, json::object const& body, bool apply);
    MockAnswer end_hold(MockLedger& ledger, std::string const& route, json::object const& body,
                        bool apply);
    MockAnswer read(MockRequest const& request);
    MockAnswer come_home(std::string const& name, MockLedger const& ledger);
    MockAnswer page(MockLedger const& ledger, MockRequest const& request);
    json::object move(MockLedger& ledger, std::string kind, std::string from, std::string to,
                      std::int64_t amount, bool apply, json::object const& body = {});
    std::string render(MockAnswer const& answer);
};

MockServer::MockServer(Mischief mischief) : state_(std::make_unique<State>(mischief)) {
    asio::co_spawn(state_->context, state_->listen(), asio::detached);
    thread_ = std::thread([this] { state_->context.run(); });
}

MockServer::~MockServer() {
    state_->context.stop();
    thread_.join();
}

std::string MockServer::url() const {
    return "http://127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port());
}

asio::awaitable<void> MockServer::State::listen() {
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(reactor::as_result);
        if (error) co_return;
        asio::co_spawn(context, serve(std::move(socket)), asio::detached);
    }
}

asio::awaitable<void> MockServer::State::serve(tcp::socket socket) {
    std::string input;
    std::vector<char> space(1 << 16);
    for (;;) {
        auto const head_end = input.find("\r\n\r\n");
        std::size_t length = 0;
        auto const length_at = input.find("Content-Length: ");
        if (length_at < head_end) length = std::stoul(input.substr(length_at + 16, 12));
        if (head_end == std::string::npos || input.size() < head_end + 4 + length) {
            auto const buffer = asio::buffer(space);
            auto const [error, got] = co_await socket.async_read_some(buffer, reactor::as_result);
            if (error) co_return;
            input.append(space.data(), got);
            continue;
        }
        MockRequest request;
        auto const target = input.substr(0, input.find(" HTTP/1.1"));
        request.method = target.substr(0, target.find(' '));
        request.path = target.substr(request.method.size() + 1);
        auto const mark = request.path.find('?');
        if (mark != std::string::npos) request.query = request.path.substr(mark + 1);
        request.path = request.path.substr(0, mark);
        auto const key_at = input.find("Idempotency-Key: ");
        if (key_at < head_end) request.key = input.substr(key_at + 17, 36);
        auto const range_at = input.find("\r\nRange: ");
        if (range_at < head_end)
            request.range =
                input.substr(range_at + 9, input.find("\r\n", range_at + 9) - range_at - 9);
        request.body = input.substr(head_end + 4, length);
        input.erase(0, head_end + 4 + length);
        auto const answer = handle(request);
        if (answer.hang) {
            asio::steady_timer for_ever(context, asio::steady_timer::time_point::max());
            co_await for_ever.async_wait(reactor::as_result);
        }
        if (!answer.send) co_return;
        auto const bytes = render(answer);
        auto const buffer = asio::buffer(bytes);
        auto const [error, put] = co_await asio::async_write(socket, buffer, reactor::as_result);
        if (error) co_return;
    }
}

std::string MockServer::State::render(MockAnswer const& answer) {
    std::string out = "HTTP/1.1 " + std::to_string(answer.status) + " Whatever\r\n";
    if (answer.replayed) out += "Idempotent-Replayed: true\r\n";
    if (++sent % 2 == 0) {
        out += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
        return out;
    }
    auto const half = answer.body.size() / 2;
    char size[24];
    out += "Transfer-Encoding: chunked\r\n\r\n";
    for (auto const& part : {answer.body.substr(0, half), answer.body.substr(half)}) {
        if (part.empty()) continue;
        std::snprintf(size, sizeof size, "%zx\r\n", part.size());
        out += size + part + "\r\n";
    }
    return out + "0\r\n\r\n";
}

MockAnswer MockServer::State::handle(MockRequest const& request) {
    return request.method == "POST" ? write(request) : read(request);
}

MockAnswer MockServer::State::write(MockRequest const& request) {
    auto const known = answers.find(request.key);
    if (known != answers.end()) {
        auto replay = known->second;
        replay.replayed = true;
        if (mischief.garble_replays) replay.body += ' ';
        return replay;
    }
    auto const body = json::parse(request.body).as_object();
    // What the set-up needs is left in peace: only the load suffers.
    bool const load =
        request.path.ends_with("/transfers") || request.path.ends_with("/purchases") ||
        request.path.ends_with("/refund") || request.path.ends_with("/orders") ||
        request.path.ends_with("/cancel") || request.path.ends_with("/restock") ||
        request.path.find("/holds") != std::string::npos || streams.is_load(request.path) ||
        (request.path.ends_with("/deposits") && body.contains("reference")) ||
        (body.contains("entries") && body.at("entries").as_array().size() == 1);
    if (load) ++writes;
    if (load && turn(mischief.drop_request_every)) return {0, {}, false};
    if (load && turn(mischief.overload_every)) return problem(503, "overloaded");
    if (load && turn(mischief.refuse_every)) return problem(402, "insufficient_funds");
    auto answer = post(request.path, body, !(load && turn(mischief.forget_every)));
    if (load && turn(mischief.double_every)) answer = post(request.path, body, true);
    if (answer.status < 300) answers[request.key] = answer;
    if (!load) return answer;
    if (turn(mischief.unavailable_every)) return problem(503, "unavailable");
    if (turn(mischief.wrong_amount_every)) add_a_digit(answer.body);
    if (turn(mischief.lose_answer_every)) answer.send = false;
    if (turn(mischief.silent_every)) answer.hang = true;
    return answer;
}

MockAnswer MockServer::State::post(std::string const& path, json::object const& body, bool apply) {
    if (auto sale = sales.post(path, body, apply)) return std::move(*sale);
    if (auto moved = credits.post(path, body, apply)) return std::move(*moved);
    if (auto asked = exports.post(path, body)) return std::move(*asked);
    if (path == "/v1/ledgers") {
        auto const [at, made] = ledgers.try_emplace(text(body, "name"));
        if (made && body.contains("posting") && text(body, "posting") == "hot")
            homes.try_emplace(at->first);
        return made ? MockAnswer{201, "{}"} : problem(409, "ledger_exists");
    }
    auto const name_end = path.find('/', 12);
    auto const found = ledgers.find(path.substr(12, name_end - 12));
    if (found == ledgers.end()) return problem(404, "ledger_not_found");
    auto& ledger = found->second;
    auto const route = path.substr(name_end);
    if (route == "/accounts") {
        bool const made = ledger.accounts.try_emplace(text(body, "address")).second;
        return made ? MockAnswer{201, "{}"} : problem(409, "account_exists");
    }
    if (route == "/deposits") {
        auto const made = move(ledger, "deposit", "@world", text(body, "account"),
                               integer(body, "amount"), apply, body);
        return {201, json::serialize(made)};
    }
    if (route == "/transfers") {
        auto const from = text(body, "from");
        auto const amount = integer(body, "amount");
        if (cannot_pay(ledger, from, amount)) return problem(402, "insufficient_funds");
        auto const made = move(ledger, "transfer", from, text(body, "to"), amount, apply, body);
        return {201, json::serialize(made)};
    }
    if (MockStreams::is_route(route)) return streams.post(found->first, route, body, apply);
    if (route == "/purchases") return purchase(ledger, body, apply);
    if (route == "/holds") return hold(ledger, body, apply);
    if (route.starts_with("/holds/")) return end_hold(ledger, route, body, apply);
    if (route.ends_with("/refund"))
        return refund(ledger, route.substr(11, route.size() - 18), apply);
    return bulk(ledger, body, apply);
}

MockAnswer MockServer::State::bulk(MockLedger& ledger, json::object const& body, bool apply) {
    json::array results;
    for (auto const& item : body.at("transfers").as_array()) {
        auto const& object = item.as_object();
        auto const made = move(ledger, "transfer", text(object, "from"), text(object, "to"),
                               integer(object, "amount"), apply);
        results.push_back({{"status", 201}, {"transfer", made}});
    }
    auto const count = results.size();
    return {200, json::serialize(json::object{
                     {"results", std::move(results)}, {"accepted", count}, {"rejected", 0}})};
}

MockAnswer MockServer::State::purchase(MockLedger& ledger, json::object const& body, bool apply) {
    auto const buyer = text(body, "buyer");
    auto const author = text(body, "author");
    auto const price = integer(body, "price");
    if (cannot_pay(ledger, buyer, price)) return problem(402, "insufficient_funds");
    auto const points = ledger.accounts[author].fraction + price * royalty_percent;
    auto const paid = points / 100;
    json::object made{{"id", std::to_string(ledger.purchases.size())},
                      {"buyer", buyer},
                      {"author", author},
                      {"price", price},
                      {"author_amount", paid},
                      {"platform_amount", price - paid},
                      {"status", "completed"},
                      {"reference", body.contains("reference") ? body.at("reference") : nullptr}};
    if (!apply) return {201, json::serialize(made)};
    if (paid > 0) move(ledger, "royalty_author", buyer, author, paid, true);
    if (price > paid) move(ledger, "royalty_platform", buyer, "@platform", price - paid, true);
    ledger.accounts[author].fraction = points % 100;
    ledger.totals["purchase"].first += 1;
    ledger.totals["purchase"].second += price;
    ledger.purchases.push_back(made);
    return {201, json::serialize(made)};
}

MockAnswer MockServer::State::refund(MockLedger& ledger, std::string const& id, bool apply) {
    auto const index = id.empty() ? ledger.purchases.size() : std::stoul(id);
    if (index >= ledger.purchases.size()) return problem(404, "purchase_not_found");
    auto& sold = ledger.purchases[index];
    if (sold.at("status") == "refunded") return problem(409, "already_refunded");
    auto answer = sold;
    answer["status"] = "refunded";
    if (!apply) return {200, json::serialize(answer)};
    sold = answer;
    auto const author = text(sold, "author");
    auto const price = integer(sold, "price");
    auto const points = ledger.accounts[author].fraction - price * royalty_percent;
    auto const fraction = (points % 100 + 100) % 100;
    auto const taken = (fraction - points) / 100;
    if (taken > 0) move(ledger, "refund", author, text(sold, "buyer"), taken, true);
    if (price > taken) {
        move(ledger, "refund", "@platform", text(sold, "buyer"), price - taken, true);
    }
    ledger.accounts[author].fraction = fraction;
    return {200, json::serialize(answer)};
}

MockAnswer MockServer::State::hold(MockLedger& ledger, json::object const& body, bool apply) {
    json::object made{{"id", std::to_string(ledger.holds.size())},
                      {"status", "pending"},
                      {"from", text(body, "from")},
                      {"to", text(body, "to")},
                      {"amount", integer(body, "amount")},
                      {"expires_at", nullptr}};
    auto expires = never;
    if (body.contains("expires_in_s")) {
        expires = steady_now() + std::chrono::seconds(integer(body, "expires_in_s"));
        made["expires_at"] = an_instant;
    }
    if (apply) {
        ledger.accounts.try_emplace(text(body, "to"));
        ledger.holds.push_back(made);
        ledger.holds_expire.push_back(expires);
    }
    return {201, json::serialize(made)};
}

/// `/holds/{id}/capture` or `/holds/{id}/void`.
MockAnswer MockServer::State::end_hold(MockLedger& ledger, std::string const& route,
                                       json::object const& body, bool apply) {
    ledger.expire_holds();
    auto const end = route.rfind('/');
    auto const id = route.substr(7, end - 7);
    auto const index = id.empty() ? ledger.holds.size() : std::stoul(id);
    if (index >= ledger.holds.size()) return problem(404, "hold_not_found");
    auto& known = ledger.holds[index];
    if (known.at("status") != "pending") return problem(409, "illegal_transition");
    auto answer = known;
    bool const captured = route.substr(end) == "/capture";
    answer["status"] = captured ? "captured" : "voided";
    if (apply) known = answer;
    if (captured) {
        auto const amount = integer(body.contains("amount") ? body : answer, "amount");
        answer["transfer"] =
            move(ledger, "capture", text(known, "from"), text(known, "to"), amount, apply);
    }
    return {200, json::serialize(answer)};
}

json::object MockServer::State::move(MockLedger& ledger, std::string kind, std::string from,
                                     std::string to, std::int64_t amount, bool apply,
                                     json::object const& body) {
    json::object made{{"id", std::to_string(ledger.transfers.size())},
                      {"kind", kind},
                      {"from", from},
                      {"to", to},
                      {"amount", amount},
                      {"reference", body.contains("reference") ? body.at("reference") : nullptr},
                      {"version", ledger.accounts[to].version + 1},
                      {"created_at", an_instant}};
    if (!apply) return made;
    for (auto const& address : {from, to}) ledger.accounts[address].version += 1;
    ledger.accounts[from].balance -= amount;
    ledger.accounts[to].balance += amount;
    ledger.totals[kind].first += 1;
    ledger.totals[kind].second += amount;
    ledger.transfers.push_back(made);
    return made;
}

MockAnswer MockServer::State::read(MockRequest const& request) {
    if (request.path == "/healthz") return {200, "{}"};
    if (request.path == "/metrics") return {200, "# HELP x\nprocess_resident_memory_bytes 5e6\n"};
    if (request.path == "/version") return {200, R"({"version":"mock"})"};
    if (request.path == "/readyz") return {200, R"({"status":"ready"})"};
    if (auto sale = sales.get(request)) return std::move(*sale);
    if (auto shown = credits.get(request)) return std::move(*shown);
    if (auto written = exports.get(request)) return std::move(*written);
    auto const name_end = request.path.find('/', 12);
    auto const found = ledgers.find(request.path.substr(12, name_end - 12));
    if (found == ledgers.end()) return problem(404, "ledger_not_found");
    found->second.expire_holds();
    auto const home = homes.find(found->first);
    bool const hot = home != homes.end();
    if (hot && request.path.ends_with("/sync")) return come_home(found->first, found->second);
    // A hold that expires comes home by itself.
    if (hot && home->second.transfers.size() == found->second.transfers.size())
        home->second.holds = found->second.holds;
    bool const one_account = request.path.find("/accounts/") != std::string::npos;
    auto const& ledger = hot && !one_account ? home->second : found->second;
    if (name_end == std::string::npos) {
        return {200, json::serialize(json::object{{"royalty_percent", royalty_percent},
                                                  {"created_at", an_instant}})};
    }
    auto const route = request.path.substr(name_end);
    if (route == "/totals") {
        json::object totals;
        for (auto const& [kind, total] : ledger.totals) {
            totals[kind] = {{"count", total.first}, {"amount", total.second}};
        }
        return {200, json::serialize(totals)};
    }
    if (route == "/verify") return {200, R"({"ok":true,"checks":[]})"};
    if (route == "/accounts" || route == "/transfers" || route == "/purchases" ||
        route == "/holds" || route.ends_with("/entries")) {
        return page(ledger, request);
    }
    auto const account = ledger.accounts.find(route.substr(10));
    if (account == ledger.accounts.end()) return problem(404, "account_not_found");
    auto const balance = hot && mischief.hot.forget_posts ? 0 : account->second.balance;
    return {200, json::serialize(json::object{{"address", account->first},
                                              {"balance", balance},
                                              {"version", account->second.version}})};
}

/// Half of what is on its way has come home by the next question, all of it by the one after.
MockAnswer MockServer::State::come_home(std::string const& name, MockLedger const& ledger) {
    auto const& how = mischief.hot;
    if (how.silent) return problem(404, "not_found");
    auto& home = homes.at(name);
    auto lag = static_cast<std::int64_t>(ledger.transfers.size() - home.transfers.size());
    if (lag > 1 || !how.never_home) {
        // Only what is new: a look is not to cost more the longer the load has lasted.
        auto const first = ledger.transfers.begin() + std::ssize(home.transfers);
        home.transfers.insert(home.transfers.end(), first, ledger.transfers.end());
        if (lag > 1) home.transfers.pop_back();
        home.accounts = ledger.accounts;
        home.totals = ledger.totals;
        home.holds = ledger.holds;
        if (how.lose_one) home.totals["transfer"].first -= 1;
    }
    return {200, json::serialize(json::object{{"journal_lag", lag},
                                              {"journal_oldest_ms", lag > 0 ? 7 : 0},
                                              {"schedule_depth", 2 * lag},
                                              {"schedule_oldest_ms", nullptr},
                                              {"claimed", 0},
                                              {"last_flush_at", nullptr},
                                              {"dead_letters", how.dead_letters}})};
}

MockAnswer MockServer::State::page(MockLedger const& ledger, MockRequest const& request) {
    auto const cursor = parameter(request.query, "cursor");
    auto const limit = std::stoul(parameter(request.query, "limit"));
    json::array data;
    json::value next;
    if (request.path.ends_with("/accounts")) {
        bool const system = parameter(request.query, "prefix") == "@";
        for (auto const& [address, account] : ledger.accounts) {
            if (address.starts_with('@') != system || address <= cursor) continue;
            if (data.size() == limit) next = data.back().at("address");
            if (data.size() == limit) break;
            data.push_back({{"address", address},
                            {"balance", account.balance},
                            {"fraction", account.fraction}});
        }
    } else {
        bool const bought = request.path.ends_with("/purchases");
        bool const holds = request.path.ends_with("/holds");
        auto const& rows = bought ? ledger.purchases : holds ? ledger.holds : ledger.transfers;
        std::string const filter = holds ? "status" : "kind";
        auto const wanted = bought ? std::string() : parameter(request.query, filter);
        std::size_t at = cursor.empty() ? 0 : std::stoul(cursor);
        for (; at < rows.size() && data.size() < limit; ++at)
            if (wanted.empty() || text(rows[at], filter.c_str()) == wanted)
                data.push_back(rows[at]);
        if (at < rows.size()) next = std::to_string(at);
    }
    return {200, json::serialize(json::object{{"data", std::move(data)}, {"next_cursor", next}})};
}

}  // namespace penstock::tests
