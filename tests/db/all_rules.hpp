// Every rule of a store, whatever it is about.
#pragma once

#include <array>
#include <span>

#include "tests/db/conformance.hpp"
#include "tests/db/credit_rules.hpp"
#include "tests/db/export_rules.hpp"
#include "tests/db/hot_rules.hpp"
#include "tests/db/job_rules.hpp"
#include "tests/db/sale_rules.hpp"
#include "tests/db/stream_rules.hpp"

namespace penstock::tests {

inline std::array<std::span<ConformanceRule const>, 7> all_rules() {
    return {conformance_rules(), sale_rules(),   credit_rules(), job_rules(),
            stream_rules(),      export_rules(), hot_rules()};
}

}  // namespace penstock::tests
