// What the script hot_open answers with.
#pragma once

#include "cache/hot_books.hpp"
#include "cache/hot_replies.hpp"

namespace penstock::cache {

inline Answer<HotOpened> opened_of(Reply const& reply) {
    auto const& parts = reply.elements;
    if (!are_strings(parts)) return unexpected_reply();
    HotOpened opened;
    auto const& word = parts[0].text;
    if (word == "superseded") {
        opened.how = HotOpened::How::superseded;
        return opened;
    }
    if (parts.size() < 2 || (word != "open" && word != "built" && word != "sealed"))
        return unexpected_reply();
    if (word == "built") opened.how = HotOpened::How::built;
    if (word == "sealed") opened.how = HotOpened::How::sealed;
    if (word == "built" && parts[1].text.empty()) return opened;
    auto const position = read_position(parts.back().text);
    if (!position) return unexpected_reply();
    opened.position = *position;
    return opened;
}

}  // namespace penstock::cache
