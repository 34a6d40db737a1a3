// WHAT leaves a window as a batch, counted.
#pragma once

#include <vector>

#include "reactor/collector.hpp"

namespace penstock::reactor {

/// The batch that is due, and why it is.
template <class Item>
std::vector<Item> take_batch(BatchWindow<Item>& window, CollectorMetrics& metrics, SteadyTime now) {
    switch (window.trigger(now)) {
        case Trigger::size:
            metrics.batches_by_size.add();
            break;
        case Trigger::age:
            metrics.batches_by_age.add();
            break;
        case Trigger::idle:
            metrics.batches_by_idle.add();
            break;
    }
    metrics.age.record(window.age(now));
    auto items = window.take();
    metrics.items.add(items.size());
    metrics.batch_items.record(items.size());
    metrics.queue_weight.set(window.weight());
    return items;
}

}  // namespace penstock::reactor
