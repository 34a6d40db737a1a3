#include "server/key_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>

#include "db/memory_store.hpp"
#include "db/pg/error.hpp"
#include "reactor/task_group.hpp"
#include "reactor/turn.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::server;

namespace {

using Nothing = asio::awaitable<void>;
using domain::ApiKey;
using domain::SecretDigest;

SteadyTime soon() { return steady_now() + std::chrono::seconds{10}; }

SecretDigest secret(int number) {
    SecretDigest digest{};
    for (int i = 0; i < 4; ++i)
        digest[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (8 * i));
    return digest;
}

/// Has the keys that the test gives it, and counts what it is asked.
class KeyStore final : public db::MemoryStore {
public:
    Listed<ApiKey> find_api_keys(std::vector<SecretDigest> digests, SteadyTime) override {
        ++asked;
        most_at_once = std::max(most_at_once, digests.size());
        if (error) co_return error;
        std::vector<ApiKey> found;
        for (auto const& key : keys)
            if (std::count(digests.begin(), digests.end(), key.digest) > 0) found.push_back(key);
        co_return found;
    }
    void add(int number) {
        ApiKey key;
        key.name = std::to_string(number);
        key.digest = secret(number);
        keys.push_back(key);
    }
    std::vector<ApiKey> keys;
    error_code error;
    int asked = 0;
    std::size_t most_at_once = 0;
};

struct Scene {
    explicit Scene(asio::any_io_executor executor, KeyDirectoryOptions options)
        : directory(executor, store, options), tasks(executor), crowd(executor) {
        tasks.spawn(directory.run());
    }
    Nothing end() {
        tasks.cancel();
        co_await tasks.join(soon());
    }
    /// The name of its key, "" for nobody's, or the error.
    asio::awaitable<std::string> name_of(int number) {
        auto const found = co_await directory.find(secret(number), soon());
        if (!found) co_return found.error().message();
        co_return *found ? (*found)->name : "";
    }
    void ask(int number) { crowd.spawn(one(number)); }
    Nothing one(int number) {
        auto const name = co_await name_of(number);
        if (!name.empty()) ++known;
    }

    KeyStore store;
    KeyDirectory directory;
    reactor::TaskGroup tasks;
    reactor::TaskGroup crowd;
    int known = 0;
};

void with_scene(KeyDirectoryOptions options, std::function<Nothing(Scene&)> body) {
    tests::run([&]() -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        Scene scene(executor, options);
        co_await body(scene);
        co_await scene.end();
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_directory)

BOOST_AUTO_TEST_CASE(a_key_and_a_secret_that_nobody_has_are_looked_up_once) {
    with_scene({}, [](Scene& scene) -> Nothing {
        scene.store.add(1);
        for (int i = 0; i < 50; ++i) {
            auto const known = co_await scene.name_of(1);
            BOOST_TEST(known == "1");
            auto const unknown = co_await scene.name_of(2);
            BOOST_TEST(unknown == "");
        }
        BOOST_TEST(scene.store.asked == 2);
        BOOST_TEST(scene.directory.metrics().unknown.get() == 50U);
    });
}

BOOST_AUTO_TEST_CASE(a_key_made_a_moment_ago_is_known_at_once) {
    with_scene({}, [](Scene& scene) -> Nothing {
        for (int number = 1; number <= 20; ++number) {
            auto const guessed = co_await scene.name_of(1'000 + number);
            BOOST_TEST(guessed == "");
            scene.store.add(number);
            auto const name = co_await scene.name_of(number);
            BOOST_TEST(name == std::to_string(number));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_flood_of_guesses_costs_few_reads_and_bounded_memory_and_keys_still_work) {
    KeyDirectoryOptions options;
    options.unknown_max = 500;
    with_scene(options, [](Scene& scene) -> Nothing {
        scene.store.add(1);
        auto const began = steady_now();
        constexpr int guesses = 5'000;
        for (int guess = 1; guess <= guesses; ++guess) {
            scene.ask(1'000 + guess);
            if (guess % 50 == 0) co_await reactor::whole_turn();
            // Among them, a key that is new here.
            if (guess == guesses / 2) scene.ask(1);
        }
        bool const all = co_await scene.crowd.join(soon());
        BOOST_TEST(all);
        BOOST_TEST(scene.known == 1);
        auto const ms = std::chrono::duration_cast<milliseconds>(steady_now() - began).count();
        // One at once, one per pause, and one that found a key and so made no pause.
        BOOST_TEST(scene.store.asked <= 3 + ms / 20);
        BOOST_TEST(scene.store.most_at_once <= 1'000U);
        BOOST_TEST(scene.directory.metrics().unknown_kept.get() == 500U);
        BOOST_TEST(scene.directory.metrics().known_kept.get() == 1U);
        // What the flood left alone.
        auto const asked = scene.store.asked;
        auto const name = co_await scene.name_of(1);
        BOOST_TEST(name == "1");
        BOOST_TEST(scene.store.asked == asked);
    });
}

BOOST_AUTO_TEST_CASE(a_key_is_looked_at_again_when_it_has_been_believed_for_long_enough) {
    KeyDirectoryOptions options;
    options.believed = milliseconds{0};
    options.unknown = milliseconds{0};
    options.pause = milliseconds{0};
    with_scene(options, [](Scene& scene) -> Nothing {
        scene.store.add(1);
        auto const first = co_await scene.directory.find(secret(1), soon());
        BOOST_TEST((first && *first && !(*first)->revoked_at));
        scene.store.keys.front().revoked_at = domain::Instant{5};
        auto const revoked = co_await scene.directory.find(secret(1), soon());
        BOOST_TEST((revoked && *revoked && (*revoked)->revoked_at.has_value()));
        auto const nobody = co_await scene.name_of(2);
        BOOST_TEST(nobody == "");
        scene.store.add(2);
        auto const somebody = co_await scene.name_of(2);
        BOOST_TEST(somebody == "2");
    });
}

BOOST_AUTO_TEST_CASE(without_its_store_a_known_key_is_believed_and_an_unknown_one_is_no_answer) {
    KeyDirectoryOptions options;
    options.believed = milliseconds{0};
    with_scene(options, [](Scene& scene) -> Nothing {
        scene.store.add(1);
        auto const before = co_await scene.name_of(1);
        BOOST_TEST(before == "1");
        scene.store.error = db::Errc::unavailable;
        auto const known = co_await scene.name_of(1);
        BOOST_TEST(known == "1");
        auto const unknown = co_await scene.name_of(2);
        BOOST_TEST(unknown == error_code(db::Errc::unavailable).message());
        scene.store.error = {};
        auto const nobody = co_await scene.name_of(2);
        BOOST_TEST(nobody == "");
    });
}

BOOST_AUTO_TEST_SUITE_END()
