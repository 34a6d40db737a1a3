// WHO holds a product that was read: everybody who asked for it.
#pragma once

#include <memory>

#include "domain/model.hpp"

namespace penstock::server {

/// Shared, so that an attempt to order copies none of it. Null: there is none.
using ProductPtr = std::shared_ptr<domain::Product const>;

}  // namespace penstock::server
