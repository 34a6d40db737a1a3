// A database of the test's own, and the URL by which another process reaches it.
#pragma once

#include <string>

#include "tests/db/pg/database.hpp"

namespace penstock::tests {

/// The server's URL with the name of the database in its place.
inline std::string url_of(Database const& database) {
    auto url = Database::server_url();
    auto const host = url.find("://") + 3;
    auto const query = std::min(url.find('?', host), url.size());
    auto const slash = std::min(url.find('/', host), query);
    return url.substr(0, slash) + '/' + database.name() + url.substr(query);
}

}  // namespace penstock::tests
