#include "server/database_digest.hpp"

#include <algorithm>

#include "server/context.hpp"

namespace penstock::server {

domain::Uuid digest_of(std::string const& database_identity) {
    domain::Uuid id;
    auto const digest = sha256(database_identity);
    std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
    return id;
}

}  // namespace penstock::server
