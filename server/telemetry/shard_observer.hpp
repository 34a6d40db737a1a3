// What the HTTP sessions of one event loop tell, counted and logged.
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "server/http/app.hpp"
#include "server/http/router.hpp"
#include "server/telemetry/log.hpp"
#include "server/telemetry/metrics.hpp"

namespace penstock::server {

/// Latency per route, an access line at level debug, faults always.
class ShardObserver final : public Observer {
public:
    ShardObserver(Log& log, std::span<Route const> routes) : routes_(routes), log_(log) {}

    void answered(Access const& access) override {
        routes_.record(access);
        bool const fault = access.status >= 500;
        if (!fault && !log_.enabled(LogLevel::debug)) return;
        auto const us = std::chrono::duration_cast<std::chrono::microseconds>(access.duration);
        auto& limit = fault ? faults_ : everything_;
        log_.limited(limit, fault ? LogLevel::warning : LogLevel::debug, "request_answered",
                     {{"method", to_string(access.method)},
                      {"path", access.path},
                      {"route", access.route},
                      {"status", access.status},
                      {"duration_us", us.count()},
                      {"request_id", access.request_id},
                      {"trace_id", access.trace_id},
                      {"peer", access.peer_ip}});
    }
    void handler_failed(std::string_view request_id, std::string_view what) override {
        log_.error("handler_failed", {{"request_id", request_id}, {"what", what}});
    }
    void accept_failed(std::string_view what) override {
        log_.limited(accepts_, LogLevel::error, "accept_failed", {{"what", what}});
    }
    RouteMetrics const& routes() const { return routes_; }

private:
    RouteMetrics routes_;
    Log& log_;
    LogLimit faults_{milliseconds{100}};
    LogLimit everything_{milliseconds{0}};
    LogLimit accepts_;
};

}  // namespace penstock::server
