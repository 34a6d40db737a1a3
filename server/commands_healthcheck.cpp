// Does a server answer 200? For containers, which have no curl.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>

#include "reactor/deadline.hpp"
#include "server/commands.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"

namespace penstock::server {
namespace {

using asio::ip::tcp;
using reactor::as_result;

constexpr std::chrono::seconds patience{3};

struct Place {
    bool tls = false;
    std::string host;
    std::string port;
    std::string path = "/readyz";
};

Place parse_url(std::string const& url) {
    constexpr std::string_view plain = "http://";
    constexpr std::string_view secure = "https://";
    Place place;
    place.tls = url.starts_with(secure);
    if (!place.tls && !url.starts_with(plain))
        throw UnusableOptions("--url must begin with http:// or https://");
    auto const scheme = place.tls ? secure : plain;
    place.port = place.tls ? "443" : "80";
    auto const slash = url.find('/', scheme.size());
    if (slash != url.npos && slash + 1 < url.size()) place.path = url.substr(slash);
    place.host = url.substr(scheme.size(), slash - scheme.size());
    auto const colon = place.host.rfind(':');
    if (colon != place.host.npos && place.host.find(']', colon) == place.host.npos) {
        place.port = place.host.substr(colon + 1);
        place.host.resize(colon);
    }
    if (place.host.size() > 2 && place.host.front() == '[')
        place.host = place.host.substr(1, place.host.size() - 2);
    return place;
}

/// The status line of the answer on an open stream.
template <class Stream>
asio::awaitable<Result<std::string>> exchange(Stream& stream, std::string request) {
    auto const bytes = asio::buffer(request);
    auto [unwritten, written] = co_await asio::async_write(stream, bytes, as_result);
    if (unwritten) co_return unwritten;
    asio::streambuf answer(64 * 1024);
    auto [unread, size] = co_await asio::async_read_until(stream, answer, "\r\n", as_result);
    if (unread) co_return unread;
    auto const data = answer.data();
    std::string line(asio::buffers_begin(data),
                     asio::buffers_begin(data) + static_cast<std::ptrdiff_t>(size - 2));
    co_return line;
}

asio::awaitable<Result<std::string>> ask(Place place) {
    auto const executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    auto [unresolved, found] = co_await resolver.async_resolve(place.host, place.port, as_result);
    if (unresolved) co_return unresolved;
    tcp::socket socket(executor);
    // The first address is enough: a health check asks this machine.
    tcp::endpoint const endpoint = found.begin()->endpoint();
    auto [unreachable] = co_await socket.async_connect(endpoint, as_result);
    if (unreachable) co_return unreachable;
    std::string const request = "GET " + place.path + " HTTP/1.1\r\nHost: " + place.host +
                                "\r\nAccept: */*\r\nConnection: close\r\n\r\n";
    if (!place.tls) co_return co_await exchange(socket, request);
    // Nobody is trusted here: the question is whether the server is alive, and the name in its
    // certificate is not the loopback address.
    asio::ssl::context context(asio::ssl::context::tls_client);
    asio::ssl::stream<tcp::socket&> stream(socket, context);
    auto [refused] = co_await stream.async_handshake(stream.client, as_result);
    if (refused) co_return refused;
    co_return co_await exchange(stream, request);
}

}  // namespace

int healthcheck(Options const& options) {
    auto const place = parse_url(options.url);
    auto const line = run_to_end(reactor::with_deadline(ask(place), steady_now() + patience));
    if (!line) {
        std::printf("%s: %s\n", options.url.c_str(), line.error().message().c_str());
        return 1;
    }
    std::printf("%s\n", line->c_str());
    return line->find(" 200 ") == line->npos ? 1 : 0;
}

}  // namespace penstock::server
