// WHERE reads come from, of two databases that hold the same.
#pragma once

#include <cstdint>

namespace penstock::db {

enum class ReadFrom : std::uint8_t { primary, shadow };

}  // namespace penstock::db
