#include "cache/local_limiter.hpp"

#include <algorithm>

#include "domain/assert.hpp"

namespace penstock::cache {
namespace {

microseconds ahead(SteadyTime schedule, SteadyTime now) {
    return std::chrono::duration_cast<microseconds>(schedule - now);
}

}  // namespace

Admission LocalLimiter::admit(std::string_view name, RateLimit const& limit, SteadyTime now) {
    auto& subject = remember(name, now);
    auto const admission = judge(limit, ahead(subject.whole_at, now));
    subject.whole_at = now + admission.backlog;
    return admission;
}

Admission LocalLimiter::foresee(std::string_view name, RateLimit const& limit,
                                SteadyTime now) const {
    auto const known = by_name_.find(name);
    if (known == by_name_.end()) return judge(limit, microseconds{0});
    return judge(limit, ahead(known->second->whole_at, now));
}

void LocalLimiter::learn(std::string_view name, microseconds backlog, SteadyTime now) {
    auto& subject = remember(name, now);
    subject.whole_at = std::max(subject.whole_at, now + backlog);
}

LocalLimiter::Subject& LocalLimiter::remember(std::string_view name, SteadyTime now) {
    auto const known = by_name_.find(name);
    if (known != by_name_.end()) {
        recent_first_.splice(recent_first_.begin(), recent_first_, known->second);
        return recent_first_.front();
    }
    // Whoever has a whole quota again need not be remembered.
    while (!recent_first_.empty() && recent_first_.back().whole_at <= now) forget_last();
    if (by_name_.size() >= subjects_max_) forget_last();
    recent_first_.push_front({std::string(name), now});
    by_name_.emplace(recent_first_.front().name, recent_first_.begin());
    return recent_first_.front();
}

void LocalLimiter::forget_last() {
    PENSTOCK_ASSERT(!recent_first_.empty());
    by_name_.erase(recent_first_.back().name);
    recent_first_.pop_back();
}

}  // namespace penstock::cache
