// MAY this subject make one more request: as far as this process knows. Pure: `now` is an argument.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cache/gcra.hpp"
#include "reactor/result.hpp"

namespace penstock::cache {

/// Schedules of the subjects seen last, at most so many: beyond that the one that was silent
/// longest is forgotten and begins with a whole quota.
class LocalLimiter {
public:
    explicit LocalLimiter(std::size_t subjects_max) : subjects_max_(subjects_max) {}
    LocalLimiter(LocalLimiter&&) = delete;

    /// Counts one request.
    Admission admit(std::string_view subject, RateLimit const& limit, SteadyTime now);

    /// The same without counting it.
    Admission foresee(std::string_view subject, RateLimit const& limit, SteadyTime now) const;

    /// Somebody who counts for all says: at `now` the subject's schedule was at least so far ahead.
    void learn(std::string_view subject, microseconds backlog, SteadyTime now);

    std::size_t subjects() const { return by_name_.size(); }

private:
    struct Subject {
        std::string name;
        SteadyTime whole_at;  ///< its schedule
    };
    using Subjects = std::list<Subject>;

    Subject& remember(std::string_view name, SteadyTime now);
    void forget_last();

    std::size_t subjects_max_;
    Subjects recent_first_;
    std::unordered_map<std::string_view, Subjects::iterator> by_name_;  ///< views into the list
};

}  // namespace penstock::cache
