// A Lua script with the name Redis knows it by. The constants are generated: cache/scripts.hpp.
#pragma once

#include <string_view>

#include "cache/redis/sha1.hpp"

namespace penstock::cache {

class Script {
public:
    constexpr Script(std::string_view name, std::string_view text)
        : name_(name), text_(text), sha1_(Sha1::hex(text)) {}

    constexpr std::string_view name() const { return name_; }
    constexpr std::string_view text() const { return text_; }
    constexpr std::string_view sha1() const { return {sha1_.data(), sha1_.size()}; }

private:
    std::string_view name_;
    std::string_view text_;
    Sha1::Hex sha1_;
};

}  // namespace penstock::cache
