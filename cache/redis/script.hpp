// A Lua script with the name Redis knows it by. The constants are generated: cache/scripts.hpp.
#pragma once

#include <string_view>

namespace penstock::cache {

class Script {
public:
    /// `sha1`: of the text, in 40 lower-case hexadecimal digits.
    constexpr Script(std::string_view name, std::string_view text, std::string_view sha1)
        : name_(name), text_(text), sha1_(sha1) {}

    constexpr std::string_view name() const { return name_; }
    constexpr std::string_view text() const { return text_; }
    constexpr std::string_view sha1() const { return sha1_; }

private:
    std::string_view name_;
    std::string_view text_;
    std::string_view sha1_;
};

}  // namespace penstock::cache
