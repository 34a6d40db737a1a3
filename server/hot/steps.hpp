// HOW a worker lives: one step after the other, none of them cut short.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <optional>

#include "reactor/pulse.hpp"
#include "reactor/result.hpp"

namespace penstock::server {

/// A step that is cut short by cancellation leaves behind what nobody knows of: a claim whose
/// reply was on its way, a commit without its outcome. So a step that has begun goes on until its
/// own deadlines; only the pauses between steps end at once.
class Steps {
public:
    /// When the next one is due; nothing: it was the last.
    using Step = std::function<asio::awaitable<std::optional<SteadyTime>>()>;

    explicit Steps(asio::any_io_executor executor) : executor_(executor), stop_(executor) {}
    Steps(Steps&&) = delete;

    /// Until the last step, or until the caller is cancelled. From there on the caller hears of no
    /// cancellation. `step` outlives it.
    asio::awaitable<void> run(Step step);

    /// The caller was cancelled: a step that takes several should be the last of them.
    bool stopping() const { return is_stopping_; }

private:
    asio::awaitable<void> go(Step step);

    asio::any_io_executor executor_;
    reactor::Pulse stop_;
    bool is_stopping_ = false;
};

}  // namespace penstock::server
