// WHICH rows a batch has written, by the columns of their keys.
#pragma once

#include <functional>
#include <string_view>

#include "db/mirror.hpp"
#include "domain/working_set.hpp"

namespace penstock::db {

using AddRow = std::function<void(std::string_view table, mirror::Fields row)>;

/// Rows that may change again, or that a batch says only a part of: the primary has to be asked.
void add_changed_rows(domain::Changes const& changes, AddRow const& add);

/// Rows that a batch says everything about.
void add_made_rows(domain::Changes const& changes, AddRow const& add);

}  // namespace penstock::db
