#include "tests/domain/scene.hpp"

#include "domain/ledger.hpp"

namespace penstock::tests {

std::string refusal_of(Outcome const& outcome) {
    auto const* refusal = std::get_if<Refusal>(&outcome);
    if (!refusal) return "";
    std::string text = name_of(refusal->code);
    if (!refusal->pointer.empty()) text += " " + refusal->pointer;
    return text;
}

}  // namespace penstock::tests
