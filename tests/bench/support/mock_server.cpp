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

#include "reactor/result.hpp"

namespace penstock::tests {
namespace {

namespace json = boost::json;
using asio::ip::tcp;

struct Account {
    std::int64_t balance = 0;
};

struct MockLedger {
    std::map<std::string, Account> accounts{{"@world", {}}, {"@platform", {}}};
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> totals;
    std::vector<json::object> transfers;
};

struct MockRequest {
    std::string method;
    std::string path;
    std::string query;
    std::string key;
    std::string body;
};

struct MockAnswer {
    int status = 200;
    std::string body;
    bool send = true;
    bool hang = false;
};

MockAnswer problem(int status, std::string code) {
    return {status, json::serialize(json::object{{"status", status}, {"code", code}})};
}

std::string parameter(std::string const& query, std::string const& name) {
    auto const at = ("&" + query).find("&" + name + "=");
    if (at == std::string::npos) return {};
    auto const begin = at + name.size() + 1;
    return query.substr(begin, query.find('&', begin) - begin);
}

}  // namespace

struct MockServer::State {
    explicit State(Mischief m) : mischief(m) {}

    asio::io_context context{1};
    tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    Mischief mischief;
    std::map<std::string, MockLedger> ledgers;
    std::map<std::string, MockAnswer> answers;  ///< by idempotency key
    std::uint64_t writes = 0;
    std::uint64_t sent = 0;

    bool turn(unsigned every) const { return every != 0 && writes % every == 0; }

    asio::awaitable<void> listen();
    asio::awaitable<void> serve(tcp::socket socket);
    MockAnswer handle(MockRequest const& request);
    MockAnswer write(MockRequest const& request);
    MockAnswer post(std::string const& path, json::object const& body, bool apply);
    MockAnswer read(MockRequest const& request);
    MockAnswer page(MockLedger const& ledger, MockRequest const& request);
    json::object move(MockLedger& ledger, std::string kind, std::string from, std::string to,
                      std::int64_t amount, bool apply);
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
    if (known != answers.end()) return known->second;
    auto const body = json::parse(request.body).as_object();
    // What the set-up needs is left in peace: only plain and bulk transfers of the load suffer.
    bool const load = request.path.ends_with("/transfers");
    if (load) ++writes;
    if (load && turn(mischief.drop_request_every)) return {0, {}, false};
    if (load && turn(mischief.overload_every)) return problem(503, "overloaded");
    if (load && turn(mischief.refuse_every)) return problem(402, "insufficient_funds");
    auto answer = post(request.path, body, !(load && turn(mischief.forget_every)));
    if (answer.status < 300) answers[request.key] = answer;
    if (!load) return answer;
    if (turn(mischief.unavailable_every)) return problem(503, "unavailable");
    if (turn(mischief.wrong_amount_every))
        answer.body.replace(answer.body.find("\"amount\":"), 9, "\"amount\":1");
    if (turn(mischief.lose_answer_every)) answer.send = false;
    if (turn(mischief.silent_every)) answer.hang = true;
    return answer;
}

MockAnswer MockServer::State::post(std::string const& path, json::object const& body, bool apply) {
    auto const text = [&body](char const* name) { return std::string(body.at(name).as_string()); };
    if (path == "/v1/ledgers") {
        auto const [at, made] = ledgers.try_emplace(text("name"));
        return made ? MockAnswer{201, "{}"} : problem(409, "ledger_exists");
    }
    auto const name_end = path.find('/', 12);
    auto const found = ledgers.find(path.substr(12, name_end - 12));
    if (found == ledgers.end()) return problem(404, "ledger_not_found");
    auto& ledger = found->second;
    auto const route = path.substr(name_end);
    if (route == "/deposits") {
        auto const amount = body.at("amount").as_int64();
        auto const made = move(ledger, "deposit", "@world", text("account"), amount, apply);
        return {201, json::serialize(made)};
    }
    if (route == "/transfers") {
        auto const amount = body.at("amount").as_int64();
        auto const made = move(ledger, "transfer", text("from"), text("to"), amount, apply);
        return {201, json::serialize(made)};
    }
    json::array results;
    for (auto const& item : body.at("transfers").as_array()) {
        auto const made =
            move(ledger, "transfer", std::string(item.at("from").as_string()),
                 std::string(item.at("to").as_string()), item.at("amount").as_int64(), apply);
        results.push_back({{"status", 201}, {"transfer", made}});
    }
    auto const count = results.size();
    return {200, json::serialize(json::object{
                     {"results", std::move(results)}, {"accepted", count}, {"rejected", 0}})};
}

json::object MockServer::State::move(MockLedger& ledger, std::string kind, std::string from,
                                     std::string to, std::int64_t amount, bool apply) {
    json::object made{{"id", std::to_string(ledger.transfers.size())},
                      {"kind", kind},
                      {"from", from},
                      {"to", to},
                      {"amount", amount}};
    if (!apply) return made;
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
    auto const name_end = request.path.find('/', 12);
    auto const found = ledgers.find(request.path.substr(12, name_end - 12));
    if (found == ledgers.end()) return problem(404, "ledger_not_found");
    auto const& ledger = found->second;
    auto const route = request.path.substr(name_end);
    if (route == "/totals") {
        json::object totals;
        for (auto const& [kind, total] : ledger.totals) {
            totals[kind] = {{"count", total.first}, {"amount", total.second}};
        }
        return {200, json::serialize(totals)};
    }
    if (route == "/verify") return {200, R"({"ok":true,"checks":[]})"};
    if (route == "/accounts" || route == "/transfers" || route.ends_with("/entries")) {
        return page(ledger, request);
    }
    auto const account = ledger.accounts.find(route.substr(10));
    if (account == ledger.accounts.end()) return problem(404, "account_not_found");
    return {200, json::serialize(json::object{{"address", account->first},
                                              {"balance", account->second.balance}})};
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
            data.push_back({{"address", address}, {"balance", account.balance}});
        }
    } else {
        std::size_t at = cursor.empty() ? 0 : std::stoul(cursor);
        for (; at < ledger.transfers.size() && data.size() < limit; ++at) {
            data.push_back(ledger.transfers[at]);
        }
        if (at < ledger.transfers.size()) next = std::to_string(at);
    }
    return {200, json::serialize(json::object{{"data", std::move(data)}, {"next_cursor", next}})};
}

}  // namespace penstock::tests
