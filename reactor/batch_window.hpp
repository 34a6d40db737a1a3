// WHEN is a batch due. Pure: `now` is an argument, and no event loop is in sight.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "domain/assert.hpp"
#include "reactor/result.hpp"

namespace penstock::reactor {

/// Which of the three triggers closed a batch.
enum class Trigger { size, age, idle };

struct BatchLimits {
    std::size_t items_max = 256;   ///< weight at which a batch is full
    milliseconds delay_max{0};     ///< age of the oldest item at which a batch is due
    std::size_t queue_max = 8192;  ///< weight at which new items are refused
    bool flush_when_idle = true;   ///< an idle consumer takes what is there at once
};

/// FIFO of items that leave in batches. An item weighs what it costs the consumer (a bulk of 500
/// transfers weighs 500); a batch never exceeds items_max unless its only item does. The timer
/// starts with the first item of an empty window and later ones do not reset it.
template <class Item>
class BatchWindow {
public:
    explicit BatchWindow(BatchLimits limits) : limits_(limits) {
        PENSTOCK_ASSERT(limits.items_max > 0);
        PENSTOCK_ASSERT(limits.queue_max >= limits.items_max);
    }

    /// True when this item changes what a waiting consumer should do: it armed the timer, or it
    /// filled the batch.
    bool add(Item item, SteadyTime now, std::size_t weight = 1) {
        PENSTOCK_ASSERT(!saturated());
        bool const was_full = full();
        bool const was_empty = entries_.empty();
        entries_.push_back({std::move(item), now, weight});
        weight_ += weight;
        return was_empty || (!was_full && full());
    }

    bool empty() const { return entries_.empty(); }
    std::size_t weight() const { return weight_; }
    bool full() const { return weight_ >= limits_.items_max; }
    bool saturated() const { return weight_ >= limits_.queue_max; }

    /// When the oldest item becomes due by age; `never` when there is none.
    SteadyTime due_at() const {
        if (entries_.empty()) return never;
        return entries_.front().since + limits_.delay_max;
    }

    bool due(SteadyTime now) const {
        if (entries_.empty()) return false;
        return full() || limits_.flush_when_idle || now >= due_at();
    }

    /// Why a batch taken now would close; asked before take().
    Trigger trigger(SteadyTime now) const {
        if (full()) return Trigger::size;
        if (now >= due_at() && limits_.delay_max.count() > 0) return Trigger::age;
        return Trigger::idle;
    }

    /// How long the oldest item has waited.
    std::chrono::nanoseconds age(SteadyTime now) const {
        if (entries_.empty()) return std::chrono::nanoseconds{0};
        return now - entries_.front().since;
    }

    /// The oldest items up to items_max of weight, in order, and at least one; the rest stays.
    std::vector<Item> take() {
        std::vector<Item> batch;
        std::size_t taken = 0;
        while (!entries_.empty()) {
            auto& entry = entries_.front();
            if (!batch.empty() && taken + entry.weight > limits_.items_max) break;
            taken += entry.weight;
            weight_ -= entry.weight;
            batch.push_back(std::move(entry.item));
            entries_.pop_front();
        }
        return batch;
    }

private:
    struct Entry {
        Item item;
        SteadyTime since;
        std::size_t weight;
    };

    BatchLimits limits_;
    std::deque<Entry> entries_;
    std::size_t weight_ = 0;
};

}  // namespace penstock::reactor
