// WHAT a request body says: the strict questions that handlers ask it.
#include "server/http/json_reader.hpp"

#include <algorithm>

#include "server/http/instant_text.hpp"

namespace penstock::server {
namespace {

std::string between(std::int64_t min, std::int64_t max) {
    return "must be an integer from " + std::to_string(min) + " to " + std::to_string(max);
}

std::string sized(std::size_t min, std::size_t max, std::string_view unit) {
    return "must have " + std::to_string(min) + " to " + std::to_string(max) + " " +
           std::string(unit);
}

bool looks_fractional(std::string_view number) {
    return number.find_first_of(".eE") != std::string_view::npos;
}

}  // namespace

using detail::Kind;
using detail::no_node;
using detail::Order;

std::uint32_t JsonObject::find(std::string_view name) {
    if (node_ == no_node) return no_node;
    auto& nodes = document_->nodes;
    nodes[node_].opened = true;
    for (auto i = nodes[node_].first; i != no_node; i = nodes[i].next) {
        if (nodes[i].key != name) continue;
        nodes[i].seen = true;
        return i;
    }
    return no_node;
}

/// The member; a missing one that is required is a fault, unless the object itself is missing.
std::uint32_t JsonObject::require(std::string_view name, Presence presence) {
    auto const node = find(name);
    bool const missing = node == no_node && node_ != no_node;
    if (missing && presence == Presence::required)
        document_->add_member_fault(node_, name, "is required");
    return node;
}

bool JsonObject::has(std::string_view name) const {
    if (node_ == no_node) return false;
    auto const& nodes = document_->nodes;
    for (auto i = nodes[node_].first; i != no_node; i = nodes[i].next)
        if (nodes[i].key == name) return true;
    return false;
}

std::optional<std::int64_t> JsonObject::integer_at(std::uint32_t node, std::int64_t min,
                                                   std::int64_t max) {
    if (node == no_node) return std::nullopt;
    auto const& value = document_->nodes[node];
    if (value.kind == Kind::number && looks_fractional(value.text)) {
        document_->add_fault(node, "must be an integer without fraction or exponent");
        return std::nullopt;
    }
    bool const fits = value.kind == Kind::integer && value.integer >= min && value.integer <= max;
    if (fits) return value.integer;
    document_->add_fault(node, between(min, max));
    return std::nullopt;
}

std::int64_t JsonObject::integer(std::string_view name, std::int64_t min, std::int64_t max) {
    return integer_at(require(name, Presence::required), min, max).value_or(0);
}

std::optional<std::int64_t> JsonObject::optional_integer(std::string_view name, std::int64_t min,
                                                         std::int64_t max) {
    return integer_at(find(name), min, max);
}

Nullable<std::int64_t> JsonObject::nullable_integer(std::string_view name, std::int64_t min,
                                                    std::int64_t max) {
    auto const node = find(name);
    if (node == no_node) return std::nullopt;
    if (document_->nodes[node].kind == Kind::null) return std::optional<std::int64_t>();
    return integer_at(node, min, max);
}

std::optional<std::string> JsonObject::text_at(std::uint32_t node, std::size_t bytes_min,
                                               std::size_t bytes_max, TextRule rule,
                                               std::string_view expected) {
    if (node == no_node) return std::nullopt;
    auto const& value = document_->nodes[node];
    if (value.kind != Kind::text) {
        document_->add_fault(node, "must be a string");
        return std::nullopt;
    }
    if (value.text.size() < bytes_min || value.text.size() > bytes_max) {
        document_->add_fault(node, sized(bytes_min, bytes_max, "bytes of UTF-8"));
        return std::nullopt;
    }
    if (rule != nullptr && !rule(value.text)) {
        auto const detail = expected.empty() ? "is not valid" : expected;
        document_->add_fault(node, std::string(detail));
        return std::nullopt;
    }
    return std::string(value.text);
}

std::string JsonObject::text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max,
                             TextRule rule, std::string_view expected) {
    auto const node = require(name, Presence::required);
    return text_at(node, bytes_min, bytes_max, rule, expected).value_or(std::string());
}

std::optional<std::string> JsonObject::optional_text(std::string_view name, std::size_t bytes_min,
                                                     std::size_t bytes_max, TextRule rule,
                                                     std::string_view expected) {
    return text_at(find(name), bytes_min, bytes_max, rule, expected);
}

Nullable<std::string> JsonObject::nullable_text(std::string_view name, std::size_t bytes_min,
                                                std::size_t bytes_max, TextRule rule,
                                                std::string_view expected) {
    auto const node = find(name);
    if (node == no_node) return std::nullopt;
    if (document_->nodes[node].kind == Kind::null) return std::optional<std::string>();
    return text_at(node, bytes_min, bytes_max, rule, expected);
}

std::optional<bool> JsonObject::optional_boolean(std::string_view name) {
    auto const node = find(name);
    if (node == no_node) return std::nullopt;
    if (document_->nodes[node].kind == Kind::boolean) return document_->nodes[node].integer != 0;
    document_->add_fault(node, "must be true or false");
    return std::nullopt;
}

bool JsonObject::boolean(std::string_view name) {
    if (require(name, Presence::required) == no_node) return false;
    return optional_boolean(name).value_or(false);
}

std::optional<std::size_t> JsonObject::choice_at(std::uint32_t node,
                                                 std::initializer_list<std::string_view> names) {
    if (node == no_node) return std::nullopt;
    auto const& value = document_->nodes[node];
    auto const found = std::find(names.begin(), names.end(), value.text);
    if (value.kind == Kind::text && found != names.end())
        return static_cast<std::size_t>(found - names.begin());
    std::string detail = "must be one of ";
    char const* separator = "\"";
    for (auto const name : names) {
        detail += separator;
        detail += name;
        separator = "\", \"";
    }
    detail += '"';
    document_->add_fault(node, std::move(detail));
    return std::nullopt;
}

std::size_t JsonObject::choice(std::string_view name,
                               std::initializer_list<std::string_view> names) {
    return choice_at(require(name, Presence::required), names).value_or(0);
}

std::optional<std::size_t> JsonObject::optional_choice(
    std::string_view name, std::initializer_list<std::string_view> names) {
    return choice_at(find(name), names);
}

std::optional<std::int64_t> JsonObject::instant_at(std::uint32_t node) {
    if (node == no_node) return std::nullopt;
    auto const& value = document_->nodes[node];
    auto const instant = value.kind == Kind::text ? parse_instant(value.text) : std::nullopt;
    if (!instant)
        document_->add_fault(node, "must be an RFC 3339 time such as 2026-11-21T09:00:00.000Z");
    return instant;
}

std::int64_t JsonObject::instant(std::string_view name) {
    return instant_at(require(name, Presence::required)).value_or(0);
}

std::optional<std::int64_t> JsonObject::optional_instant(std::string_view name) {
    return instant_at(find(name));
}

Nullable<std::int64_t> JsonObject::nullable_instant(std::string_view name) {
    auto const node = find(name);
    if (node == no_node) return std::nullopt;
    if (document_->nodes[node].kind == Kind::null) return std::optional<std::int64_t>();
    return instant_at(node);
}

std::optional<std::string> JsonObject::object_text(std::string_view name, std::size_t bytes_max) {
    auto const node = find(name);
    if (node == no_node) return std::nullopt;
    if (document_->nodes[node].kind != Kind::object) {
        document_->add_fault(node, "must be an object");
        return std::nullopt;
    }
    auto text = detail::serialise(*document_, node, Order::as_sent);
    if (text.size() <= bytes_max) return text;
    document_->add_fault(
        node, "must have at most " + std::to_string(bytes_max) + " bytes as compact JSON");
    return std::nullopt;
}

std::optional<JsonObject> JsonObject::object_at(std::uint32_t node) {
    if (node == no_node) return std::nullopt;
    if (document_->nodes[node].kind != Kind::object) {
        document_->add_fault(node, "must be an object");
        return std::nullopt;
    }
    document_->nodes[node].opened = true;
    return JsonObject(document_, node);
}

JsonObject JsonObject::object(std::string_view name) {
    auto const found = object_at(require(name, Presence::required));
    return found ? *found : JsonObject(document_, no_node);
}

std::optional<JsonObject> JsonObject::optional_object(std::string_view name) {
    return object_at(find(name));
}

std::vector<JsonObject> JsonObject::array(std::string_view name, std::size_t items_min,
                                          std::size_t items_max) {
    std::vector<JsonObject> items;
    auto const node = require(name, Presence::required);
    if (node == no_node) return items;
    auto const& value = document_->nodes[node];
    if (value.kind != Kind::array) {
        document_->add_fault(node, "must be an array");
        return items;
    }
    if (value.children < items_min || value.children > items_max) {
        document_->add_fault(node, sized(items_min, items_max, "items"));
        return items;
    }
    items.reserve(value.children);
    for (auto i = value.first; i != no_node; i = document_->nodes[i].next) {
        auto const item = object_at(i);
        items.push_back(item ? *item : JsonObject(document_, no_node));
    }
    return items;
}

std::vector<std::string> JsonObject::texts(std::string_view name, std::size_t items_min,
                                           std::size_t items_max, std::size_t bytes_min,
                                           std::size_t bytes_max, TextRule rule,
                                           std::string_view expected) {
    if (require(name, Presence::required) == no_node) return {};
    auto found = optional_texts(name, items_min, items_max, bytes_min, bytes_max, rule, expected);
    return found ? std::move(*found) : std::vector<std::string>();
}

std::optional<std::vector<std::string>> JsonObject::optional_texts(
    std::string_view name, std::size_t items_min, std::size_t items_max, std::size_t bytes_min,
    std::size_t bytes_max, TextRule rule, std::string_view expected) {
    auto const node = find(name);
    if (node == no_node) return std::nullopt;
    auto const& value = document_->nodes[node];
    if (value.kind != Kind::array) {
        document_->add_fault(node, "must be an array of strings");
        return std::nullopt;
    }
    if (value.children < items_min || value.children > items_max) {
        document_->add_fault(node, sized(items_min, items_max, "items"));
        return std::nullopt;
    }
    std::vector<std::string> items;
    items.reserve(value.children);
    for (auto i = value.first; i != no_node; i = document_->nodes[i].next) {
        auto text = text_at(i, bytes_min, bytes_max, rule, expected);
        items.push_back(text ? std::move(*text) : std::string());
    }
    return items;
}

void JsonObject::fault(std::string_view name, std::string detail) {
    if (node_ == no_node) return;
    document_->add_member_fault(node_, name, std::move(detail));
}

std::string JsonObject::pointer() const {
    return node_ == no_node ? std::string() : document_->pointer_of(node_);
}

JsonReader::JsonReader(std::string_view body)
    : JsonObject(nullptr, no_node), owned_(std::make_unique<detail::JsonDocument>()) {
    document_ = owned_.get();
    detail::parse(body, *owned_);
    if (!owned_->has_root()) return;
    node_ = 0;
    owned_->nodes.front().opened = true;
}

JsonReader::~JsonReader() = default;

bool JsonReader::finish() {
    auto& nodes = owned_->nodes;
    for (std::uint32_t i = 1; i < nodes.size(); ++i) {
        if (owned_->faults.size() >= json_faults_max) break;
        auto const& parent = nodes[nodes[i].parent];
        bool const member = parent.kind == Kind::object && parent.opened;
        if (!member || nodes[i].seen) continue;
        nodes[i].seen = true;
        owned_->add_fault(i, "is not a known member");
    }
    return owned_->faults.empty();
}

std::vector<Fault> const& JsonReader::faults() const { return owned_->faults; }

Problem JsonReader::problem() const {
    auto const count = owned_->faults.size();
    auto detail = count == 1 ? std::string("The body has one fault")
                             : "The body has " + std::to_string(count) + " faults";
    if (count == json_faults_max) detail += " or more";
    return Problem(Code::invalid_request, std::move(detail), owned_->faults);
}

std::string JsonReader::canonical() const {
    if (!owned_->has_root()) return {};
    return detail::serialise(*owned_, 0, Order::sorted);
}

std::optional<std::string> canonical(std::string_view body) {
    JsonReader const reader(body);
    if (!reader.faults().empty()) return std::nullopt;
    return reader.canonical();
}

}  // namespace penstock::server
