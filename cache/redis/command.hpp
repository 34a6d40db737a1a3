// What is asked of Redis: words, as they go over the wire.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::cache {

/// A command and its arguments, binary safe. `Command("SET", key, value, "PX", 5000)`.
class Command {
public:
    template <class... Words>
    explicit Command(std::string_view name, Words const&... words) {
        body_.reserve(overhead_ + name.size() + (std::size_t{0} + ... + room_for(words)));
        add(name);
        (add(words), ...);
    }

    Command& add(std::string_view word);
    template <std::integral Number>
    Command& add(Number number) {
        return add(std::string_view(std::to_string(number)));
    }

    /// Bytes that encode() will append, at most.
    std::size_t size() const { return body_.size() + 24; }
    void encode(std::string& out) const;

    /// False for what changes the conversation itself (SUBSCRIBE, MONITOR, HELLO, CLIENT REPLY …):
    /// such commands get no reply, or more than one, and on a shared connection everyone
    /// behind them would get somebody else's.
    bool gets_one_reply() const { return one_reply_; }

private:
    static constexpr std::size_t overhead_ = 16;  ///< of one word: its length and two line ends
    template <class Word>
    static std::size_t room_for(Word const& word) {
        if constexpr (std::integral<Word>) {
            return overhead_ + 20;
        } else {
            return overhead_ + std::string_view(word).size();
        }
    }

    std::string body_;
    std::size_t words_ = 0;
    bool one_reply_ = true;
};

}  // namespace penstock::cache
