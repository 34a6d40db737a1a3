// What a verification says of one invariant.
#pragma once

#include <string>

namespace penstock::db {

struct Check {
    std::string name;
    bool ok = false;
    std::string detail;  ///< what was found when it is not ok; else what was counted

    bool operator==(Check const&) const = default;
};

}  // namespace penstock::db
