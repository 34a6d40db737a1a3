// Clients of two servers who insist on an answer to every request.
#include "tests/move/load.hpp"

#include "tests/e2e/points.hpp"

namespace penstock::tests {

using namespace std::chrono_literals;

namespace {

constexpr auto a_moment = 20ms;
constexpr auto patience = 120s;
constexpr long streamed_each = 60'000;

std::string text_of(json::object const& document, char const* member) {
    return std::string(document.at(member).as_string());
}

bool is_refusal(HttpAnswer const& answer) {
    return answer.status == 402 || answer.code() == "nothing_to_withdraw";
}

}  // namespace

void Ports::set(std::size_t server, std::uint16_t port) {
    std::lock_guard const lock(mutex_);
    ports_[server] = port;
    changed_.notify_all();
}

std::uint16_t Ports::find(std::size_t server) {
    std::unique_lock lock(mutex_);
    auto const there = [&] { return ports_[0] != 0 || ports_[1] != 0; };
    if (!changed_.wait_for(lock, a_moment, there)) return 0;
    auto const wanted = ports_[server % 2];
    return wanted != 0 ? wanted : ports_[(server + 1) % 2];
}

Load::Load(Places places, Ports& ports) : places_(std::move(places)), ports_(ports) {
    int number = 0;
    for (auto const business :
         {&Load::pay, &Load::pay, &Load::hold, &Load::order, &Load::grant_or_spend, &Load::stream})
        clients_.emplace_back(
            [this, business, client = Client{number++}] { live(client, business); });
}

void Load::live(Client client, Business business) {
    for (client.round = client.number; !stopping_; client.round += 7) (this->*business)(client);
}

void Load::stop() {
    stopping_ = true;
    clients_.clear();
}

Load::Passed Load::let_pass(std::size_t more) {
    std::unique_lock lock(mutex_);
    auto const wanted = answers_ + more;
    auto const enough = [&] { return answers_ >= wanted || !complaints_.empty(); };
    if (!answered_.wait_for(lock, 2 * patience, enough))
        complaints_.emplace_back("the clients get no answers");
    return std::exchange(passed_, Passed());
}

void Load::complain(std::string what) {
    std::lock_guard const lock(mutex_);
    complaints_.push_back(std::move(what));
    answered_.notify_all();
    stopping_ = true;
}

void Load::note(Accepted request, std::chrono::steady_clock::duration took) {
    std::lock_guard const lock(mutex_);
    ++answers_;
    ++passed_.answers;
    passed_.slowest =
        std::max(passed_.slowest, std::chrono::duration_cast<std::chrono::milliseconds>(took));
    if (request.status != 0) tally_.accepted.push_back(std::move(request));
    answered_.notify_all();
}

/// One attempt; nothing: nobody was there, or could say what became of it.
std::optional<HttpAnswer> Load::send(Client& client, std::string const& method,
                                     Accepted const& request) {
    auto const port = ports_.find(client.server++);
    if (port == 0) return std::nullopt;
    try {
        HttpClient http(port);
        if (method == "GET") return http.request(method, request.path, std::nullopt, {});
        return http.request(
            method, request.path, request.body,
            {{"Content-Type", "application/json"}, {"Idempotency-Key", request.key}});
    } catch (ConnectionEnded const&) {
        return std::nullopt;
    }
}

Load::Document Load::ask(Client& client, std::string path, std::string body, bool may_be_refused) {
    return insist(client, {std::move(path), std::move(body), fresh("move"), {}}, may_be_refused);
}

Load::Document Load::insist(Client& client, Accepted request, bool may_be_refused) {
    auto const since = std::chrono::steady_clock::now();
    for (;;) {
        auto const answer = send(client, "POST", request);
        auto const took = std::chrono::steady_clock::now() - since;
        if (answer && answer->status < 300) {
            auto document = answer->document().as_object();
            request.status = answer->status;
            request.answer = answer->body;
            note(std::move(request), took);
            return document;
        }
        if (answer && may_be_refused && is_refusal(*answer)) {
            note({}, took);
            return std::nullopt;
        }
        if (answer && answer->status < 500 && answer->status != 429) {
            complain(request.path + ": " + answer->body);
            return std::nullopt;
        }
        if (took > patience) {
            complain(request.path + " was never answered");
            return std::nullopt;
        }
    }
}

/// What was acknowledged is there for everybody: whoever answers.
void Load::must_show(Client& client, std::string const& path) {
    Accepted request;
    request.path = path;
    auto const since = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - since < patience) {
        auto const answer = send(client, "GET", request);
        if (!answer || answer->status >= 500 || answer->status == 429) continue;
        if (answer->status != 200) complain(path + " is not shown: " + answer->body);
        return note({}, std::chrono::steady_clock::now() - since);
    }
    complain(path + " was never shown");
}

void Load::pay(Client& client) {
    auto const from = payer(client.round), to = payer(client.round + 1);
    long const amount = 1 + client.round % 5;
    auto const made =
        ask(client, places_.money + "/transfers", Api::movement(from, to, amount), true);
    if (!made) return;
    book([&](Tally& tally) {
        tally.balances[from] -= amount;
        tally.balances[to] += amount;
        ++tally.transfers;
    });
    must_show(client, places_.money + "/transfers/" + text_of(*made, "id"));
}

void Load::hold(Client& client) {
    auto const from = payer(client.round), to = payer(client.round + 2);
    long const amount = 1 + client.round % 3;
    auto const made = ask(client, places_.money + "/holds", Api::movement(from, to, amount), true);
    if (!made) return;
    auto const path = places_.money + "/holds/" + text_of(*made, "id");
    bool const captured = client.round % 2 == 0;
    if (!ask(client, path + (captured ? "/capture" : "/void"), "{}") || !captured) return;
    book([&](Tally& tally) {
        tally.balances[from] -= amount;
        tally.balances[to] += amount;
    });
}

void Load::order(Client& client) {
    auto const user = "u" + std::to_string(client.round);
    auto const made = ask(client, places_.sale + "/orders", R"({"user":")" + user + R"("})");
    if (!made) return;
    book([](Tally& tally) { ++tally.sold; });
    auto const path = places_.sale + "/orders/" + text_of(*made, "id");
    must_show(client, path);
    if (client.round % 3 != 0 || !ask(client, path + "/cancel", "{}")) return;
    book([](Tally& tally) { --tally.sold; });
}

void Load::grant_or_spend(Client& client) {
    bool const grants = client.round % 3 == 0;
    auto const address = payer(client.round);
    long const amount = grants ? 9 : 1 + client.round % 4;
    auto const body = R"({"reference":")" + fresh("ref") + R"(","entries":[)" +
                      entry(address, amount, grants ? far_away : "") + "]}";
    auto const path = places_.credits + (grants ? "/credits/grants" : "/credits/expenses");
    auto const made = ask(client, path, body, !grants);
    if (!made) return;
    book([&](Tally& tally) { tally.credits[address] += grants ? amount : -amount; });
    must_show(client, places_.credits + "/credits/balances/" + address);
}

void Load::stream(Client& client) {
    auto const drawn = ask(client, places_.streams + "/streams",
                           R"({"sender":"ann","recipient":"bob","duration_s":1,"total":)" +
                               std::to_string(streamed_each) + "}");
    if (!drawn) return;
    auto const path = places_.streams + "/streams/" + text_of(*drawn, "id");
    if (!ask(client, path + "/start", "{}")) return;
    book([](Tally& tally) { tally.streamed += streamed_each; });
    auto const paid = ask(client, path + "/withdraw", "{}", true);
    if (!paid) return;
    auto const amount = paid->at("paid").as_int64();
    book([&](Tally& tally) { tally.withdrawn += amount; });
}

}  // namespace penstock::tests
