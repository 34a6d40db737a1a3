// What every list shares: limit and cursor in, {"data": […], "next_cursor": …} out.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/context.hpp"
#include "server/http/cursor.hpp"
#include "server/http/instant_text.hpp"
#include "server/http/json_writer.hpp"

namespace penstock::server::routes {

inline constexpr std::size_t page_default = 50;
inline constexpr std::size_t page_max = 200;

/// All of the text is one decimal number; nullopt: it is not, or not in range.
template <class Number>
std::optional<Number> whole_number(std::string_view text) {
    Number number = 0;
    auto const* const last = text.data() + text.size();
    auto const [end, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc() || end != last) return std::nullopt;
    return number;
}

/// `limit` (1…200); nullopt when it is malformed.
inline std::optional<std::size_t> page_limit(RequestContext const& context) {
    auto const text = context.query("limit");
    if (!text) return page_default;
    auto const limit = whole_number<std::size_t>(*text);
    if (!limit || *limit < 1 || *limit > page_max) return std::nullopt;
    return limit;
}

inline Response bad_limit(RequestContext const& context) {
    return context.bad_parameter("limit", "must be an integer from 1 to 200");
}

/// The period of a list, `from` and `to`; the name of the one that is no instant.
template <class Page>
std::optional<std::string_view> read_period(RequestContext const& context, Page& wanted) {
    for (auto [name, member] : {std::pair{"from", &wanted.from}, std::pair{"to", &wanted.to}}) {
        auto const text = context.query(name);
        if (!text) continue;
        auto const ms = parse_instant(*text);
        if (!ms) return name;
        *member = domain::Instant{*ms};
    }
    return std::nullopt;
}

inline std::string cursor_at(CursorKind kind, db::Booking const& place) {
    return CursorWriter(kind).integer(place.at.ms).integer(place.version).text();
}

inline db::Booking read_booking(CursorReader& in) {
    db::Booking place;
    place.at.ms = in.integer();
    place.version = in.integer();
    return place;
}

/// One more item than the page holds was asked for: `items` longer than `limit` means that there
/// is a next page, whose cursor is made from the last item shown. `rest`: where the list goes on
/// although these are all items that were found so far.
template <class Item, class Write, class Cursor>
Response page(std::vector<Item> const& items, std::size_t limit, Write write_item, Cursor cursor_of,
              std::optional<std::string> const& rest = std::nullopt) {
    std::string body;
    JsonWriter json(body);
    json.begin_object().begin_array("data");
    auto const shown = std::min(limit, items.size());
    for (std::size_t i = 0; i < shown; ++i) write_item(json, items[i]);
    json.end_array();
    if (items.size() > limit) {
        json.member("next_cursor", cursor_of(items[limit - 1]));
    } else if (rest) {
        json.member("next_cursor", *rest);
    } else {
        json.member("next_cursor", nullptr);
    }
    json.end_object();
    return Response(200, std::move(body));
}

/// Where a list by id goes on; false when the cursor is not one of this list.
template <class Id>
bool read_id_cursor(RequestContext const& context, CursorKind list, std::optional<Id>& before) {
    auto const cursor = context.query("cursor");
    if (!cursor) return true;
    CursorReader in(list, *cursor);
    Id id;
    id.value.bytes = in.id();
    before = id;
    return in.complete();
}

/// A page of a ledger's rows that are listed by id.
template <class Item>
Response page_by_id(std::vector<Item> const& items, std::size_t limit, std::string_view ledger,
                    CursorKind list) {
    auto const write_item = [ledger](JsonWriter& json, Item const& one) {
        write(json, one, ledger);
    };
    return page(items, limit, write_item, [list](Item const& last) {
        return CursorWriter(list).id(last.id.value.bytes).text();
    });
}

}  // namespace penstock::server::routes
