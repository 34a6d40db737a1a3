// What is said of lots that were held against their history.
#include "db/lot_repair.hpp"

namespace penstock::db {

std::int64_t wrong_lots(LotRepair const& repair) {
    return repair.missing + repair.differing + repair.surplus + repair.misclosed;
}

bool is_clean(LotRepair const& repair) { return !repair.contradiction && wrong_lots(repair) == 0; }

std::string describe(LotRepair const& repair) {
    if (repair.contradiction)
        return "the history contradicts itself from operation " +
               repair.contradiction->to_string() + " on";
    auto read = std::to_string(repair.lots) + " lots, " + std::to_string(repair.entries) +
                " rows of history";
    if (is_clean(repair)) return read;
    auto text = std::to_string(repair.missing) + " missing, " + std::to_string(repair.differing) +
                " differing, " + std::to_string(repair.surplus) + " surplus, " +
                std::to_string(repair.misclosed) + " wrongly open or closed of " + read;
    if (repair.first) text += "; first of operation " + repair.first->operation.to_string();
    return text;
}

Check replay_check(LotRepair const& repair) {
    return {"credit_lots_equal_replay", is_clean(repair), describe(repair)};
}

}  // namespace penstock::db
