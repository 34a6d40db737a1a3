// What a buyer sees of a sale: one page that the server itself serves, script and style included.
#pragma once

#include <string>

namespace penstock::server {

struct Storefront {
    std::string html;
    /// Only this page's own script and style run, by their digests, and it talks to nobody else.
    std::string content_security_policy;
};

Storefront const& storefront();

}  // namespace penstock::server
