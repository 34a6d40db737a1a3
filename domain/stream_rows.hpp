// The row of a payment stream.
#pragma once

#include <boost/describe/enum.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "domain/model.hpp"

namespace penstock::domain {

/// The number is what the store keeps: append, never renumber. `deleted`: a draft that is gone for
/// everybody but the activity feed.
BOOST_DEFINE_FIXED_ENUM_CLASS(StreamStatus, std::int16_t, draft, active, paused, ended, withdrawn,
                              cancelled, deleted)

/// `total` vests linearly from sender to recipient over `duration`. A stream has an account of its
/// own, `@stream:<id>`: from the first start on the total lies there and leaves by ordinary
/// transfers, so that its balance is total − released − refunded.
///
/// What has vested follows from `ends_at` and the moment at which vesting stands still, so that a
/// pause is nothing but a later end.
struct Stream {
    StreamId id;  ///< UUIDv7 of created_at
    LedgerId ledger;
    Party sender;
    Party recipient;
    Amount total = 0;
    std::chrono::seconds duration{};
    std::optional<std::string> label = {};
    std::string metadata = "{}";
    StreamStatus status = StreamStatus::draft;
    Amount released = 0;                     ///< paid to the recipient
    Amount refunded = 0;                     ///< given back to the sender
    std::optional<Instant> started_at = {};  ///< the first start; never changes
    std::optional<Instant> ends_at = {};     ///< when all has vested; moves when a pause ends
    std::optional<Instant> paused_at = {};   ///< only while paused
    std::optional<Instant> ended_at = {};    ///< vesting is frozen for good
    std::optional<Instant> settled_at = {};  ///< what had not vested by then was given back
    Instant updated_at;

    Instant created_at() const { return instant_of(id.value); }
    bool operator==(Stream const&) const = default;
};

/// A stream at the instant of the batch, and what a withdrawal paid.
struct Streamed {
    Stream stream;
    Instant at;
    std::optional<Amount> paid = {};

    bool operator==(Streamed const&) const = default;
};

}  // namespace penstock::domain
