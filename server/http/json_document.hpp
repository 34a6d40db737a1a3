// WHAT a request body holds: its values as a flat list, and the faults that were found in it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/problem.hpp"

namespace penstock::server {

inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::size_t json_values_max = 500'000;
inline constexpr std::size_t json_faults_max = 100;
inline constexpr std::size_t json_member_name_max = 256;

namespace detail {

inline constexpr std::uint32_t no_node = std::numeric_limits<std::uint32_t>::max();

enum class Kind : std::uint8_t { null, boolean, integer, number, text, array, object };

/// One value. Children are a list of siblings in the order sent.
struct Node {
    Kind kind = Kind::null;
    bool seen = false;    ///< a handler asked for this member
    bool opened = false;  ///< a handler reads the members of this object
    std::uint32_t parent = no_node;
    std::uint32_t first = no_node;
    std::uint32_t next = no_node;
    std::uint32_t children = 0;
    std::string_view key;
    std::string_view text;     ///< the text, or a number as it was sent
    std::int64_t integer = 0;  ///< an integer, or a boolean
};

struct JsonDocument {
    std::vector<Node> nodes;
    std::string decoded;  ///< texts that had escapes; reserved once, so views into it hold
    std::vector<Fault> faults;

    bool has_root() const { return !nodes.empty(); }
    void add_fault(std::uint32_t node, std::string detail);
    void add_member_fault(std::uint32_t object, std::string_view name, std::string detail);
    std::string pointer_of(std::uint32_t node) const;
    std::uint32_t index_in_array(std::uint32_t node) const;
};

/// Fills the document, or leaves it without nodes and with the one fault that explains it: the
/// body is not one JSON object. Views into `body` stay in it.
void parse(std::string_view body, JsonDocument& document);

enum class Order { as_sent, sorted };

/// The value at `node` and all below it as compact JSON.
std::string serialise(JsonDocument const& document, std::uint32_t node, Order order);

}  // namespace detail
}  // namespace penstock::server
