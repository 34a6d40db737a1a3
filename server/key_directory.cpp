#include "server/key_directory.hpp"

#include <algorithm>
#include <cstring>

#include "reactor/deadline.hpp"

namespace penstock::server {
namespace {

/// Of one read of the store, whoever waits for it.
constexpr milliseconds lookup_max{5'000};

}  // namespace

std::size_t KeyDirectory::Hash::operator()(domain::SecretDigest const& secret) const {
    std::size_t hash = 0;
    std::memcpy(&hash, secret.data(), sizeof hash);
    return hash;
}

template <class Entry>
void KeyDirectory::Memory<Entry>::keep(domain::SecretDigest const& secret, Entry entry,
                                       std::size_t most) {
    auto const [place, is_new] = entries.insert_or_assign(secret, std::move(entry));
    if (!is_new) return;
    in_order.push_back(secret);
    if (in_order.size() <= most) return;
    entries.erase(in_order.front());
    in_order.pop_front();
}

KeyDirectory::KeyDirectory(asio::any_io_executor executor, db::Store& store,
                           KeyDirectoryOptions options)
    : store_(store),
      options_(options),
      lookups_(std::move(executor), options.lookups,
               [this](Secrets secrets) { return look_up(std::move(secrets)); }) {}

asio::awaitable<Result<std::optional<domain::ApiKey>>> KeyDirectory::find(
    domain::SecretDigest secret, SteadyTime deadline) {
    auto const now = steady_now();
    auto const known = known_.entries.find(secret);
    bool const is_known = known != known_.entries.end();
    if (is_known && now < known->second.until) co_return Key(known->second.key);
    auto const unknown = unknown_.entries.find(secret);
    if (unknown != unknown_.entries.end() && now < unknown->second) {
        metrics_.unknown.add();
        co_return Key();
    }
    bool const believed = is_known && now < known->second.at_most_until;
    auto const until = believed ? std::min(deadline, now + options_.renewal_max) : deadline;
    // The others believe it while this one asks, or waits for a store that does not answer.
    if (believed) known->second.until = now + options_.believed;
    auto found = co_await lookups_.submit(secret, until);
    if (!found && believed) {
        // What was known a moment ago may have been forgotten meanwhile, for others.
        auto const still = known_.entries.find(secret);
        if (still != known_.entries.end()) co_return Key(still->second.key);
    }
    if (found && !*found) metrics_.unknown.add();
    co_return found;
}

/// All that is asked at once, by one read.
asio::awaitable<std::vector<Result<KeyDirectory::Key>>> KeyDirectory::look_up(Secrets secrets) {
    if (steady_now() < next_lookup_at_) {
        bool const awake = co_await reactor::sleep_until(next_lookup_at_);
        Result<Key> const ended(make_error_code(reactor::Errc::shutting_down));
        if (!awake) co_return std::vector<Result<Key>>(secrets.size(), ended);
    }
    metrics_.lookups.add();
    auto const found = co_await store_.find_api_keys(secrets, steady_now() + lookup_max);
    std::vector<Result<Key>> replies;
    replies.reserve(secrets.size());
    for (auto const& secret : secrets) {
        if (!found) {
            replies.emplace_back(found.error());
            continue;
        }
        auto const one = std::find_if(found->begin(), found->end(),
                                      [&](auto const& key) { return key.digest == secret; });
        Key key;
        if (one != found->end()) key = *one;
        keep(secret, key);
        replies.emplace_back(std::move(key));
    }
    bool const fruitless = found && found->empty();
    next_lookup_at_ = fruitless ? steady_now() + options_.pause : SteadyTime{};
    co_return replies;
}

void KeyDirectory::keep(domain::SecretDigest const& secret, Key const& key) {
    auto const now = steady_now();
    if (key) {
        Known known{*key, now + options_.believed, now + options_.believed_at_most};
        known_.keep(secret, std::move(known), options_.known_max);
    } else {
        unknown_.keep(secret, now + options_.unknown, options_.unknown_max);
    }
    metrics_.known_kept.set(known_.entries.size());
    metrics_.unknown_kept.set(unknown_.entries.size());
}

}  // namespace penstock::server
