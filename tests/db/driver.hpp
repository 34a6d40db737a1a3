// Commands run through a Store as a lane does it: load, decide, render, commit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "db/store.hpp"
#include "domain/decide.hpp"
#include "reactor/task_group.hpp"

namespace penstock::tests {

/// The tests' own deadline for whatever a store does.
SteadyTime in_time();

/// Answers' bodies in tests: something that tells one answer from another.
std::string body_of(domain::Answer const& answer);

/// One writer on a store, with the clock in the test's hand. End it by finish().
class Driver {
public:
    Driver(asio::any_io_executor executor, db::Store& store);

    domain::Instant at;          ///< of the next batch
    domain::Instant keys_since;  ///< keys used before are free
    domain::OrganizationId organization = domain::default_organization;

    /// An envelope of `organization`; every one has a nonce and a request id of its own.
    domain::Envelope envelope(domain::Command command, std::optional<domain::KeyUse> use = {});

    asio::awaitable<std::vector<domain::Outcome>> batch(std::vector<domain::Envelope> envelopes);
    asio::awaitable<domain::Outcome> one(domain::Command command);
    asio::awaitable<domain::Outcome> one(domain::Command command, domain::KeyUse use);
    /// Decides, then abandons instead of committing.
    asio::awaitable<std::vector<domain::Outcome>> abandoned(
        std::vector<domain::Envelope> envelopes);
    asio::awaitable<void> finish();

    /// A batch that is decided and not yet committed.
    struct Prepared {
        std::vector<domain::Outcome> outcomes;
        domain::Changes changes;
        domain::Instant at;  ///< of the decision
    };

    /// The two halves of batch(); abandon() in place of the second one.
    asio::awaitable<Prepared> prepare(std::vector<domain::Envelope> envelopes);
    asio::awaitable<error_code> commit(Prepared const& prepared);
    asio::awaitable<void> abandon();

private:
    reactor::TaskGroup tasks_;
    std::unique_ptr<db::Writer> writer_;
    domain::Stamp stamp_;
};

}  // namespace penstock::tests
