// A part of a page that lies beside the sources as a file of its own.
#pragma once

#include <string_view>

namespace penstock::server {

struct PageText {
    std::string_view name;
    std::string_view text;
};

}  // namespace penstock::server
