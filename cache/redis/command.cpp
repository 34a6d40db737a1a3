#include "cache/redis/command.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace penstock::cache {
namespace {

constexpr std::array<std::string_view, 11> conversation{
    "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe",
    "monitor",   "hello",      "quit",       "reset",       "psync"};

std::string lower(std::string_view word) {
    std::string result(word);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

}  // namespace

Command& Command::add(std::string_view word) {
    if (words_ == 0) one_reply_ = std::ranges::count(conversation, lower(word)) == 0;
    if (words_ == 1 && word.size() == 5 && lower(word) == "reply" &&
        lower(body_).ends_with("client\r\n"))
        one_reply_ = false;
    ++words_;
    body_ += '$';
    body_ += std::to_string(word.size());
    body_ += "\r\n";
    body_ += word;
    body_ += "\r\n";
    return *this;
}

void Command::encode(std::string& out) const {
    out += '*';
    out += std::to_string(words_);
    out += "\r\n";
    out += body_;
}

}  // namespace penstock::cache
