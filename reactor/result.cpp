#include "reactor/result.hpp"

#include <string>

namespace penstock::reactor {
namespace {

class Category final : public boost::system::error_category {
public:
    char const* name() const noexcept override { return "penstock.reactor"; }
    std::string message(int value) const override {
        switch (static_cast<Errc>(value)) {
            case Errc::overloaded:
                return "overloaded";
            case Errc::deadline_exceeded:
                return "deadline_exceeded";
            case Errc::shutting_down:
                return "shutting_down";
        }
        return "unknown";
    }
};

}  // namespace

error_code make_error_code(Errc value) {
    static Category const category;
    return {static_cast<int>(value), category};
}

}  // namespace penstock::reactor
