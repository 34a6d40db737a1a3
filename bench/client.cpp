#include "bench/client.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "bench/retry.hpp"
#include "bench/verdict.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench {
namespace {

Reply decode(Response const& response, std::string const& what) {
    Reply reply;
    reply.status = response.status;
    if (response.body.empty()) return reply;
    error_code error;
    boost::json::string_view const text(response.body.data(), response.body.size());
    reply.body = boost::json::parse(text, error);
    if (error) throw Unusable(what + ": the answer is not JSON: " + error.message());
    return reply;
}

std::string unexpected(std::string const& what, Reply const& reply) {
    return what + ": answered " + std::to_string(reply.status) + " " +
           boost::json::serialize(reply.body).substr(0, 500);
}

}  // namespace

std::string Reply::code() const {
    auto const* const object = body.if_object();
    auto const* const member = object ? object->if_contains("code") : nullptr;
    if (!member || !member->is_string()) return {};
    return std::string(member->get_string());
}

Client::Client(asio::any_io_executor executor, Sweeper& sweeper, asio::ip::tcp::endpoint endpoint,
               Target target, std::uint64_t seed)
    : connection_(std::move(executor), sweeper, std::move(endpoint)),
      target_(std::move(target)),
      random_(seed) {}

asio::awaitable<Reply> Client::get(std::string path) {
    std::string request;
    write_get(request, target_, path);
    return send(std::move(request), "GET " + path);
}

asio::awaitable<Reply> Client::post(std::string path, std::string body) {
    std::string request;
    PostRoute const route(target_, path);
    route.write(request, body, random_);
    return send(std::move(request), "POST " + path);
}

asio::awaitable<boost::json::value> Client::get_ok(std::string path) {
    auto reply = co_await get(path);
    if (reply.status != 200) throw Unusable(unexpected("GET " + path, reply));
    co_return std::move(reply.body);
}

asio::awaitable<boost::json::value> Client::post_ok(std::string path, std::string body,
                                                    int status) {
    auto reply = co_await post(path, std::move(body));
    if (reply.status != status) throw Unusable(unexpected("POST " + path, reply));
    co_return std::move(reply.body);
}

asio::awaitable<Reply> Client::send(std::string request, std::string what) {
    auto const give_up = steady_now() + patience;
    for (unsigned attempt = 1;; ++attempt) {
        auto const deadline = std::min(give_up, steady_now() + attempt_limit);
        auto const end = co_await connection_.exchange(request, deadline);
        if (end == End::malformed) throw Unusable(what + ": the answer is not HTTP/1.1");
        if (!worth_another_try(end)) co_return decode(connection_.response(), what);
        auto const asked =
            end == End::answered ? connection_.response().retry_after_s : std::optional<unsigned>{};
        auto const again = steady_now() + retry_delay(attempt, asked, random_);
        if (again >= give_up) throw Unusable(what + ": no usable answer in time");
        co_await reactor::sleep_until(again);
    }
}

bool Client::worth_another_try(End end) const {
    if (end != End::answered) return true;
    auto const verdict = judge(connection_.response(), connection_.response().status);
    return verdict == Verdict::refused || verdict == Verdict::unclear;
}

}  // namespace penstock::bench
