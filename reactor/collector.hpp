// WHO waits for a batch: requests go in one by one, replies come out one by one, and between
// them a consumer sees batches. Used wherever this program batches.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "domain/assert.hpp"
#include "reactor/batch_window.hpp"
#include "reactor/counters.hpp"
#include "reactor/promise.hpp"
#include "reactor/pulse.hpp"
#include "reactor/result.hpp"

namespace penstock::reactor {

/// What a collector counts about itself, per instance.
struct CollectorMetrics {
    Count items;
    Count refused;  ///< submits that found the queue full
    Count batches_by_size;
    Count batches_by_age;
    Count batches_by_idle;
    Count queue_weight;     ///< a gauge: what waits now
    Histogram batch_items;  ///< unit 1
    Histogram age;          ///< of the oldest item at flush, Histogram::duration_unit
};

/// Dual-trigger batching with an idle flush, in the event loop of the request handlers. `run()`
/// takes one batch at a time, so what arrives while the consumer works is the next batch: alone
/// a request waits for nobody, in a crowd batches grow by themselves. In a crowd the next batch is
/// also on its way before the replies of the last one are handed out, a few in each turn of the
/// loop: the many handlers that they wake would keep the consumer waiting for as long as all of
/// them take.
template <class Request, class Reply>
class Collector {
public:
    using Replies = std::vector<Result<Reply>>;
    /// Same length and same order as the requests, asserted.
    using Execute = std::function<asio::awaitable<Replies>(std::vector<Request>)>;

    Collector(asio::any_io_executor executor, BatchLimits limits, Execute execute)
        : executor_(executor), window_(limits), changed_(executor), execute_(std::move(execute)) {}
    Collector(Collector&&) = delete;

    /// overloaded (nothing was queued), deadline_exceeded (it may still happen), or the reply.
    asio::awaitable<Result<Reply>> submit(Request request, SteadyTime deadline,
                                          std::size_t weight = 1) {
        if (closed_) co_return Errc::shutting_down;
        if (window_.saturated()) {
            metrics_.refused.add();
            co_return Errc::overloaded;
        }
        auto ticket = std::make_shared<Ticket>(executor_, std::move(request));
        if (window_.add(ticket, steady_now(), weight)) changed_.notify();
        metrics_.queue_weight.set(window_.weight());
        co_return co_await ticket->reply.wait(deadline);
    }

    /// The collector's one background life; ends on cancellation, or when closed and empty.
    asio::awaitable<void> run() {
        for (;;) {
            // Not `while (co_await …)`: g++ 12.2 miscompiles a co_await in a loop condition.
            bool const due = co_await next_batch_is_due();
            if (!due) break;
            auto tickets = take();
            auto replies = co_await execute_(requests_of(tickets));
            auto settlement = settle_soon(std::move(tickets), std::move(replies));
            auto const before = std::exchange(settling_, std::move(settlement));
            // A consumer that never waits for anything would let nobody else have a turn.
            while (before && !before->done()) co_await asio::post(executor_, asio::deferred);
        }
        refuse_the_rest();
    }

    /// No new requests; run() finishes what is queued and returns.
    void close() {
        closed_ = true;
        changed_.notify();
    }

    CollectorMetrics const& metrics() const { return metrics_; }

private:
    /// Few enough that the consumer is soon heard, enough that turns cost next to nothing.
    static constexpr std::size_t replies_per_turn = 16;

    struct Ticket {
        Ticket(asio::any_io_executor executor, Request r)
            : request(std::move(r)), reply(std::move(executor)) {}
        Request request;
        Promise<Reply> reply;
    };
    using Tickets = std::vector<std::shared_ptr<Ticket>>;

    asio::awaitable<bool> next_batch_is_due() {
        // Nobody waits: one turn of the loop first, so that requests whose bytes have already
        // arrived get in.
        if (!window_.due(steady_now())) co_await asio::post(executor_, asio::deferred);
        while (!window_.due(steady_now())) {
            if (closed_ && window_.empty()) co_return false;
            if (closed_) co_return true;
            bool const awake = co_await changed_.wait(window_.due_at());
            if (!awake) co_return false;
        }
        co_return true;
    }

    Tickets take() {
        auto const now = steady_now();
        switch (window_.trigger(now)) {
            case Trigger::size:
                metrics_.batches_by_size.add();
                break;
            case Trigger::age:
                metrics_.batches_by_age.add();
                break;
            case Trigger::idle:
                metrics_.batches_by_idle.add();
                break;
        }
        metrics_.age.record(window_.age(now));
        auto tickets = window_.take();
        metrics_.items.add(tickets.size());
        metrics_.batch_items.record(tickets.size());
        metrics_.queue_weight.set(window_.weight());
        return tickets;
    }

    static std::vector<Request> requests_of(Tickets& tickets) {
        std::vector<Request> requests;
        requests.reserve(tickets.size());
        for (auto& ticket : tickets) requests.push_back(std::move(ticket->request));
        return requests;
    }

    /// Replies on their way out. The turns of the loop keep it, and with it who waits.
    struct Settlement {
        Tickets tickets;
        Replies replies;
        std::size_t next = 0;

        bool done() const { return next == tickets.size(); }

        void settle_some() {
            auto const end = std::min(next + replies_per_turn, tickets.size());
            for (auto i = next; i < end; ++i) tickets[i]->reply.set(std::move(replies[i]));
            next = end;
        }
    };

    /// From the next turn of the loop on.
    std::shared_ptr<Settlement const> settle_soon(Tickets tickets, Replies replies) {
        PENSTOCK_ASSERT(replies.size() == tickets.size());
        auto settlement = std::make_shared<Settlement>();
        settlement->tickets = std::move(tickets);
        settlement->replies = std::move(replies);
        settle_in_turns(executor_, settlement);
        return settlement;
    }

    static void settle_in_turns(asio::any_io_executor executor,
                                std::shared_ptr<Settlement> settlement) {
        auto turn = [executor, settlement] {
            settlement->settle_some();
            if (!settlement->done()) settle_in_turns(executor, settlement);
        };
        asio::post(executor, std::move(turn));
    }

    void refuse_the_rest() {
        while (!window_.empty())
            for (auto& ticket : window_.take()) ticket->reply.set(Errc::shutting_down);
    }

    asio::any_io_executor executor_;
    BatchWindow<std::shared_ptr<Ticket>> window_;
    Pulse changed_;
    Execute execute_;
    CollectorMetrics metrics_;
    std::shared_ptr<Settlement const> settling_;  ///< the last one that began
    bool closed_ = false;
};

}  // namespace penstock::reactor
