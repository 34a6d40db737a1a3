#include "server/hot/workers.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "cache/redis_client.hpp"
#include "reactor/then_notify.hpp"

namespace penstock::server {
DrainOptions drain_options(HotOptions const& options) {
    DrainOptions drain;
    drain.batch.items_max = options.drain_items;
    drain.batch.delay_max = options.drain_delay;
    drain.idle = options.idle;
    drain.rests_up_to = options.undrained_max / 2;
    return drain;
}

SyncOptions sync_options(HotOptions const& options) {
    SyncOptions sync;
    sync.batch.items_max = options.sync_items;
    sync.batch.queue_max = options.sync_items;
    sync.batch.delay_max = options.sync_age;
    sync.delay = options.sync_delay;
    sync.lease = options.lease;
    return sync;
}

void log_configuration(Log& log, HotOptions const& options) {
    auto const drain = drain_options(options);
    auto const sync = sync_options(options);
    log.info("hot_ledgers_configured", {{"undrained_max", options.undrained_max},
                                        {"memory_percent", options.memory_percent},
                                        {"drain_items", drain.batch.items_max},
                                        {"drain_delay_ms", drain.batch.delay_max.count()},
                                        {"idle_ms", drain.idle.count()},
                                        {"sync_items", sync.batch.items_max},
                                        {"sync_delay_ms", sync.delay.count()},
                                        {"sync_age_ms", sync.batch.delay_max.count()},
                                        {"lease_ms", sync.lease.count()},
                                        {"look_ms", options.look_interval.count()},
                                        {"wait_ms", options.wait.count()},
                                        {"open_wait_ms", options.open_wait.count()}});
}

HotWorkers::HotWorkers(asio::any_io_executor executor, cache::RedisClient& redis,
                       db::HotStore& store, HotSubmit submit, Clock& clock, IdSource& ids, Log& log,
                       HotOptions const& options)
    : executor_(executor),
      store_(store),
      submit_(std::move(submit)),
      clock_(clock),
      ids_(ids),
      log_(log),
      name_(ids.request_id()),
      drain_(drain_options(options)),
      sync_(sync_options(options)),
      journal_(redis, options.database),
      schedule_(redis, options.database) {}

HotLedgerParts HotWorkers::parts_of(domain::LedgerId ledger, std::int64_t epoch) {
    return {executor_,      ledger,        epoch,
            name_,          journal_,      schedule_,
            clock_,         ids_,          submit_,
            drain_metrics_, sync_metrics_, [this](HotNotice const& notice) { tell(notice); }};
}

asio::awaitable<void> HotWorkers::run(domain::LedgerId ledger, std::int64_t epoch, HotTasks tasks) {
    co_await asio::this_coro::throw_if_cancelled(false);
    Drain drain(parts_of(ledger, epoch), drain_);
    Sync sync(parts_of(ledger, epoch), sync_);
    Mend mend(parts_of(ledger, epoch), store_);
    reactor::Pulse ended(executor_);
    reactor::TaskGroup lives(executor_);
    lives.spawn(reactor::then_notify(drain.run(), ended));
    if (tasks == HotTasks::all) {
        lives.spawn(reactor::then_notify(sync.run(), ended));
        lives.spawn(mend.run());
    }
    bool const undisturbed = co_await ended.wait();
    lives.cancel();
    if (undisturbed) co_await lives.join();
    // What is left was cancelled with us, and lives in our frame: it is waited for, by its own
    // deadlines.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await lives.join();
}

void HotWorkers::tell(HotNotice const& notice) {
    auto const ledger = notice.ledger.to_string();
    switch (notice.what) {
        case HotNotice::What::failure:
            log_.limited(failures_, LogLevel::warning, "hot_worker_failed",
                         {{"ledger_id", ledger}, {"step", notice.member}, {"error", notice.why}});
            break;
        case HotNotice::What::dead_letter:
            log_.limited(dead_letters_, LogLevel::error, "hot_dead_letter",
                         {{"ledger_id", ledger}, {"member", notice.member}, {"why", notice.why}});
            break;
        case HotNotice::What::lost:
            log_.error("hot_entries_lost",
                       {{"ledger_id", ledger}, {"items", notice.items}, {"before", notice.member}});
            break;
    }
}

}  // namespace penstock::server
