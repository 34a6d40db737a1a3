#include "db/pg/address.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <cstdint>
#include <memory>
#include <utility>

#include "reactor/promise.hpp"

namespace penstock::db::pg {
namespace {

using Parsed =
    std::unique_ptr<PQconninfoOption,
                    decltype([](PQconninfoOption* options) { PQconninfoFree(options); })>;

Keywords keywords_of(PQconninfoOption const* options) {
    Keywords keywords;
    for (auto const* option = options; option != nullptr && option->keyword != nullptr; ++option)
        if (option->val != nullptr) keywords[option->keyword] = option->val;
    return keywords;
}

/// What the environment (PGHOST, …) and libpq's defaults say.
std::string default_of(std::string const& keyword) {
    Parsed const defaults(PQconndefaults());
    auto const keywords = keywords_of(defaults.get());
    auto const found = keywords.find(keyword);
    return found == keywords.end() ? std::string() : found->second;
}

std::vector<std::string> split(std::string const& list) {
    std::vector<std::string> items;
    std::size_t from = 0;
    for (;;) {
        auto const comma = list.find(',', from);
        items.push_back(list.substr(from, comma - from));
        if (comma == std::string::npos) return items;
        from = comma + 1;
    }
}

/// Item `i` of a list as libpq reads it: one item stands for all.
std::string item(std::vector<std::string> const& items, std::size_t i) {
    if (items.size() == 1) return items.front();
    return i < items.size() ? items[i] : std::string();
}

std::string taken(Keywords& keywords, std::string const& name) {
    auto const found = keywords.find(name);
    if (found == keywords.end()) return default_of(name);
    auto value = std::move(found->second);
    keywords.erase(found);
    return value;
}

bool is_path(std::string const& host) { return host.starts_with('/') || host.starts_with('@'); }

bool is_numeric(std::string const& host) {
    error_code error;
    asio::ip::make_address(host, error);
    return !error;
}

bool is_port(std::string const& text) {
    std::uint16_t port = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port > 0;
}

}  // namespace

Answer<Address> Address::parse(std::string const& url) {
    char* complaint = nullptr;
    Parsed const parsed(PQconninfoParse(url.c_str(), &complaint));
    PQfreemem(complaint);  // never shown: it quotes the URL
    if (!parsed) return failure_of(Errc::unavailable, "the database URL cannot be read");
    auto const host_count = split(keywords_of(parsed.get())["host"]).size();
    auto const port_count = split(keywords_of(parsed.get())["port"]).size();
    if (port_count != 1 && port_count != host_count)
        return failure_of(Errc::unavailable, "the database URL has not one port for each host");
    for (auto const& port : split(keywords_of(parsed.get())["port"]))
        if (!port.empty() && !is_port(port))
            return failure_of(Errc::unavailable, "the database URL has a port that is none");
    return Address(keywords_of(parsed.get()));
}

Address::Address(Keywords keywords) : common_(std::move(keywords)) {
    // connect_timeout is only obeyed by libpq's blocking functions; connect_max is ours.
    common_.erase("connect_timeout");
    auto const ports = split(taken(common_, "port"));
    auto const addresses = split(common_["hostaddr"]);
    common_.erase("hostaddr");
    auto const hosts = split(taken(common_, "host"));
    auto const count = std::max(hosts.size(), addresses.size());
    for (std::size_t i = 0; i < count; ++i) {
        Endpoint endpoint;
        endpoint.host = i < hosts.size() ? hosts[i] : std::string();
        endpoint.hostaddr = i < addresses.size() ? addresses[i] : std::string();
        endpoint.port = item(ports, i);
        endpoints_.push_back(std::move(endpoint));
    }
}

std::string Address::describe() const {
    std::string text;
    for (auto const& endpoint : endpoints_) {
        if (!text.empty()) text += ',';
        text += endpoint.host.empty() ? endpoint.hostaddr : endpoint.host;
        if (!endpoint.port.empty()) text += ':' + endpoint.port;
    }
    auto const database = common_.find("dbname");
    return text + '/' + (database == common_.end() ? std::string() : database->second);
}

Address Address::with_database(std::string_view name) const {
    Address other = *this;
    other.common_["dbname"] = std::string(name);
    return other;
}

asio::awaitable<Answer<std::vector<Keywords>>> Address::candidates(SteadyTime deadline) const {
    std::vector<Keywords> found;
    std::string complaint;
    for (auto const& endpoint : endpoints_) {
        std::vector<std::string> addresses{endpoint.hostaddr};
        bool const lookup =
            endpoint.hostaddr.empty() && !endpoint.host.empty() && !is_path(endpoint.host);
        if (lookup) {
            auto resolved = co_await resolve(endpoint.host, deadline);
            if (!resolved) {
                complaint = resolved.error().message;
                continue;
            }
            addresses = std::move(*resolved);
        }
        for (auto const& address : addresses) {
            Keywords keywords = common_;
            if (!endpoint.host.empty()) keywords["host"] = endpoint.host;
            if (!address.empty()) keywords["hostaddr"] = address;
            if (!endpoint.port.empty()) keywords["port"] = endpoint.port;
            found.push_back(std::move(keywords));
        }
    }
    if (found.empty()) co_return failure_of(Errc::unavailable, std::move(complaint));
    co_return found;
}

asio::awaitable<Answer<Address::Addresses>> Address::resolve(std::string host,
                                                             SteadyTime deadline) {
    Addresses addresses;
    if (is_numeric(host)) {
        addresses.push_back(std::move(host));
        co_return addresses;
    }
    // getaddrinfo runs on Asio's resolver thread and cannot be interrupted, so it answers into a
    // promise that nobody may be waiting for any more.
    auto const executor = co_await asio::this_coro::executor;
    using Resolver = asio::ip::tcp::resolver;
    auto const resolver = std::make_shared<Resolver>(executor);
    auto const promise = std::make_shared<reactor::Promise<Addresses>>(executor);
    auto deliver = [resolver, promise](error_code error, Resolver::results_type entries) {
        if (error) return promise->set(error);
        Addresses found;
        for (auto const& entry : entries) found.push_back(entry.endpoint().address().to_string());
        promise->set(std::move(found));
    };
    resolver->async_resolve(host, "", std::move(deliver));
    auto resolved = co_await promise->wait(deadline);
    if (!resolved) {
        auto const why = resolved.error().message();
        co_return failure_of(Errc::unavailable, "cannot resolve " + host + ": " + why);
    }
    co_return std::move(*resolved);
}

std::string Address::scrubbed(std::string text) const {
    auto const password = common_.find("password");
    if (password == common_.end() || password->second.empty()) return text;
    std::string_view const mask = "***";
    std::size_t from = 0;
    for (;;) {
        auto const at = text.find(password->second, from);
        if (at == std::string::npos) return text;
        text.replace(at, password->second.size(), mask);
        from = at + mask.size();
    }
}

}  // namespace penstock::db::pg
