// WHERE decisions read what they rest on.
#pragma once

namespace penstock::db {

class Store;

/// The store that is written to: a store that may answer reads from elsewhere has one behind it.
Store& primary_of(Store& store);

}  // namespace penstock::db
