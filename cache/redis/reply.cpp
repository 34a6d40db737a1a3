#include "cache/redis/reply.hpp"

#include <ostream>
#include <utility>

namespace penstock::cache {
namespace {

constexpr std::size_t shown_max = 128;  // characters of a text, and elements of an array

Reply with_text(Reply::Kind kind, std::string text) {
    Reply reply;
    reply.kind = kind;
    reply.text = std::move(text);
    return reply;
}

void show_text(std::ostream& out, std::string const& text) {
    out << text.substr(0, shown_max);
    if (text.size() > shown_max) out << "… (" << text.size() << " bytes)";
}

}  // namespace

Reply Reply::of(std::int64_t number) {
    Reply reply;
    reply.kind = Kind::integer;
    reply.number = number;
    return reply;
}

Reply Reply::string(std::string text) { return with_text(Kind::string, std::move(text)); }
Reply Reply::status(std::string text) { return with_text(Kind::status, std::move(text)); }
Reply Reply::error(std::string text) { return with_text(Kind::error, std::move(text)); }

Reply Reply::array(std::vector<Reply> elements) {
    Reply reply;
    reply.kind = Kind::array;
    reply.elements = std::move(elements);
    return reply;
}

std::ostream& operator<<(std::ostream& out, Reply const& reply) {
    switch (reply.kind) {
        case Reply::Kind::nil:
            return out << "(nil)";
        case Reply::Kind::integer:
            return out << "(integer) " << reply.number;
        case Reply::Kind::string:
            out << '"';
            show_text(out, reply.text);
            return out << '"';
        case Reply::Kind::status:
            show_text(out, reply.text);
            return out;
        case Reply::Kind::error:
            out << "(error) ";
            show_text(out, reply.text);
            return out;
        case Reply::Kind::array:
            break;
    }
    out << '[';
    for (std::size_t i = 0; i < reply.elements.size() && i < shown_max; ++i)
        out << (i == 0 ? "" : ", ") << reply.elements[i];
    if (reply.elements.size() > shown_max) out << ", … (" << reply.elements.size() << " elements)";
    return out << ']';
}

}  // namespace penstock::cache
