#include "cache/redis/error.hpp"

#include <algorithm>
#include <array>
#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>
#include <ostream>

namespace penstock::cache {
namespace {

class Category final : public boost::system::error_category {
public:
    char const* name() const noexcept override { return "penstock.cache"; }
    std::string message(int value) const override {
        switch (static_cast<Errc>(value)) {
            case Errc::connection_lost:
                return "connection_lost";
            case Errc::unavailable:
                return "unavailable";
            case Errc::refused_by_redis:
                return "refused_by_redis";
            case Errc::key_in_flight:
                return "key_in_flight";
        }
        return "unknown";
    }
};

// States of a server that pass: loading its data, running a script for too long, resharding,
// a replica without its master or that was a master until a moment ago.
constexpr std::array passing{
    std::string_view{"LOADING"},     std::string_view{"BUSY"},     std::string_view{"TRYAGAIN"},
    std::string_view{"CLUSTERDOWN"}, std::string_view{"READONLY"}, std::string_view{"MASTERDOWN"},
    std::string_view{"NOREPLICAS"},  std::string_view{"NOAUTH"},
};

// Of these, the ones that end with the connection.
constexpr std::array stale{std::string_view{"READONLY"}, std::string_view{"NOAUTH"}};

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

}  // namespace

error_code make_error_code(Errc value) {
    static Category const category;
    return {static_cast<int>(value), category};
}

std::ostream& operator<<(std::ostream& out, Failure const& failure) {
    out << failure.code.message();
    if (!failure.text.empty()) out << ": " << failure.text;
    return out;
}

Failure failure_of(error_code code) { return {code, {}}; }

Errc reaction_to(std::string_view error_reply) {
    bool const passes = std::ranges::count(passing, first_word(error_reply)) > 0;
    return passes ? Errc::unavailable : Errc::refused_by_redis;
}

bool wants_new_connection(std::string_view error_reply) {
    return std::ranges::count(stale, first_word(error_reply)) > 0;
}

void throw_exception_from_error(Failure const& failure, boost::source_location const& where) {
    boost::throw_exception(boost::system::system_error(failure.code, failure.text), where);
}

}  // namespace penstock::cache
