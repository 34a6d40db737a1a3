// WHAT a request body says: one pass of Boost.JSON's parser into a flat list of nodes, and the
// strict questions that handlers ask it.
#include "server/http/json_reader.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>

#include "server/http/instant_text.hpp"
#include "server/http/json_writer.hpp"

namespace penstock::server {
namespace detail {

using boost::system::error_code;
using JsonText = boost::json::string_view;

constexpr std::uint32_t no_node = std::numeric_limits<std::uint32_t>::max();

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

void append_pointer_token(std::string& out, std::string_view token) {
    out += '/';
    for (char const c : token) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
}

std::uint32_t JsonDocument::index_in_array(std::uint32_t node) const {
    std::uint32_t index = 0;
    for (auto i = nodes[nodes[node].parent].first; i != node; i = nodes[i].next) ++index;
    return index;
}

std::string JsonDocument::pointer_of(std::uint32_t node) const {
    std::vector<std::uint32_t> path;
    for (; nodes[node].parent != no_node; node = nodes[node].parent) path.push_back(node);
    std::string pointer;
    for (auto i = path.rbegin(); i != path.rend(); ++i) {
        if (nodes[nodes[*i].parent].kind == Kind::object) {
            append_pointer_token(pointer, nodes[*i].key);
        } else {
            append_pointer_token(pointer, std::to_string(index_in_array(*i)));
        }
    }
    return pointer;
}

void JsonDocument::add_fault(std::uint32_t node, std::string detail) {
    if (faults.size() >= json_faults_max) return;
    faults.push_back({Fault::Where::pointer, pointer_of(node), std::move(detail)});
}

void JsonDocument::add_member_fault(std::uint32_t object, std::string_view name,
                                    std::string detail) {
    if (faults.size() >= json_faults_max) return;
    auto pointer = pointer_of(object);
    if (!name.empty()) append_pointer_token(pointer, name);
    faults.push_back({Fault::Where::pointer, std::move(pointer), std::move(detail)});
}

/// What Boost.JSON's parser calls. The whole body is one buffer, so numbers arrive in one piece,
/// and texts without escapes too: those stay views into the body.
class Builder {
public:
    static constexpr std::size_t max_object_size = json_values_max;
    static constexpr std::size_t max_array_size = json_values_max;
    static constexpr std::size_t max_key_size = json_member_name_max;
    static constexpr std::size_t max_string_size = std::numeric_limits<std::uint32_t>::max();

    Builder(JsonDocument& document, std::string_view body) : document_(document), body_(body) {
        document.nodes.reserve(std::min<std::size_t>(body.size() / 8 + 4, 4096));
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& ec) { return open(Kind::object, ec); }
    bool on_object_end(std::size_t, error_code&) {
        find_twins(open_.back().node);
        open_.pop_back();
        return true;
    }
    bool on_array_begin(error_code& ec) { return open(Kind::array, ec); }
    bool on_array_end(std::size_t, error_code&) {
        open_.pop_back();
        return true;
    }

    bool on_key_part(JsonText part, std::size_t, error_code&) { return keep(part); }
    bool on_key(JsonText rest, std::size_t, error_code&) {
        key_ = whole(rest);
        return true;
    }
    bool on_string_part(JsonText part, std::size_t, error_code&) { return keep(part); }
    bool on_string(JsonText rest, std::size_t, error_code& ec) {
        bool const had_escapes = partial_;
        auto const text = whole(rest);
        auto* const node = add(Kind::text, ec);
        if (node == nullptr) return false;
        node->text = text;
        // Only an escape can spell U+0000, which PostgreSQL cannot store in a text.
        if (had_escapes && text.find('\0') != std::string_view::npos)
            document_.add_fault(last_, "must not contain U+0000");
        return true;
    }

    bool on_number_part(JsonText, error_code&) { return true; }
    bool on_int64(std::int64_t value, JsonText text, error_code& ec) {
        return number(Kind::integer, value, text, ec);
    }
    bool on_uint64(std::uint64_t, JsonText text, error_code& ec) {
        return number(Kind::number, 0, text, ec);
    }
    bool on_double(double, JsonText text, error_code& ec) {
        return number(Kind::number, 0, text, ec);
    }
    bool on_bool(bool value, error_code& ec) {
        return number(Kind::boolean, value ? 1 : 0, {}, ec);
    }
    bool on_null(error_code& ec) { return add(Kind::null, ec) != nullptr; }
    bool on_comment_part(JsonText, error_code&) { return true; }
    bool on_comment(JsonText, error_code&) { return true; }

private:
    struct Open {
        std::uint32_t node;
        std::uint32_t last_child;
    };

    Node* add(Kind kind, error_code& ec) {
        auto& nodes = document_.nodes;
        if (nodes.size() >= json_values_max) {
            ec = boost::json::error::array_too_large;
            return nullptr;
        }
        last_ = static_cast<std::uint32_t>(nodes.size());
        auto& node = nodes.emplace_back();
        node.kind = kind;
        if (open_.empty()) return &node;
        auto& parent = open_.back();
        node.parent = parent.node;
        node.key = key_;
        if (parent.last_child == no_node) {
            nodes[parent.node].first = last_;
        } else {
            nodes[parent.last_child].next = last_;
        }
        parent.last_child = last_;
        ++nodes[parent.node].children;
        return &node;
    }

    bool open(Kind kind, error_code& ec) {
        if (add(kind, ec) == nullptr) return false;
        open_.push_back({last_, no_node});
        key_ = {};
        return true;
    }

    bool number(Kind kind, std::int64_t value, JsonText text, error_code& ec) {
        auto* const node = add(kind, ec);
        if (node == nullptr) return false;
        node->text = {text.data(), text.size()};
        node->integer = value;
        return true;
    }

    /// A piece of a text with escapes. What is decoded is never longer than what was sent.
    bool keep(JsonText part) {
        if (document_.decoded.capacity() < body_.size()) document_.decoded.reserve(body_.size());
        if (!partial_) partial_start_ = document_.decoded.size();
        partial_ = true;
        document_.decoded.append(part.data(), part.size());
        return true;
    }

    std::string_view whole(JsonText rest) {
        bool const in_body =
            rest.data() >= body_.data() && rest.data() + rest.size() <= body_.data() + body_.size();
        if (!partial_ && in_body) return {rest.data(), rest.size()};
        keep(rest);
        partial_ = false;
        return std::string_view(document_.decoded).substr(partial_start_);
    }

    /// Members with one name: pairwise for the usual object, sorted for a large one.
    void find_twins(std::uint32_t object) {
        constexpr std::uint32_t pairwise_max = 16;
        auto const& nodes = document_.nodes;
        if (nodes[object].children <= pairwise_max) {
            for (auto a = nodes[object].first; a != no_node; a = nodes[a].next)
                for (auto b = nodes[object].first; b != a; b = nodes[b].next)
                    if (nodes[a].key == nodes[b].key) {
                        report_twin(a);
                        break;
                    }
            return;
        }
        scratch_.clear();
        for (auto a = nodes[object].first; a != no_node; a = nodes[a].next) scratch_.push_back(a);
        std::stable_sort(scratch_.begin(), scratch_.end(), [&](std::uint32_t a, std::uint32_t b) {
            return nodes[a].key < nodes[b].key;
        });
        for (std::size_t i = 1; i < scratch_.size(); ++i)
            if (nodes[scratch_[i - 1]].key == nodes[scratch_[i]].key) report_twin(scratch_[i]);
    }

    void report_twin(std::uint32_t node) {
        document_.nodes[node].seen = true;
        document_.add_fault(node, "is given twice");
    }

    JsonDocument& document_;
    std::string_view body_;
    std::vector<Open> open_;
    std::vector<std::uint32_t> scratch_;
    std::string_view key_;
    std::uint32_t last_ = no_node;
    std::size_t partial_start_ = 0;
    bool partial_ = false;
};

namespace {

std::string describe(error_code const& error, std::size_t at) {
    if (error == boost::json::error::too_deep)
        return "is nested deeper than " + std::to_string(json_depth_max) + " levels";
    if (error == boost::json::error::array_too_large ||
        error == boost::json::error::object_too_large)
        return "has more than " + std::to_string(json_values_max) + " values";
    if (error == boost::json::error::key_too_large)
        return "has a member name longer than " + std::to_string(json_member_name_max) + " bytes";
    if (error == boost::json::error::incomplete) return "is not complete JSON";
    if (error == boost::json::error::extra_data)
        return "has text after its end, at byte " + std::to_string(at);
    return "is not valid JSON (" + error.message() + ") at byte " + std::to_string(at);
}

/// Fills the document, or leaves it without nodes and with the one fault that explains it.
void parse(std::string_view body, JsonDocument& document) {
    boost::json::parse_options options;
    options.max_depth = json_depth_max;
    boost::json::basic_parser<Builder> parser(options, document, body);
    error_code error;
    auto const used = parser.write_some(false, body.data(), body.size(), error);
    if (!error && used < body.size()) error = boost::json::error::extra_data;
    if (error) {
        document.nodes.clear();
        document.faults.clear();
        document.faults.push_back({Fault::Where::pointer, "", describe(error, used)});
        return;
    }
    if (document.nodes.front().kind == Kind::object) return;
    document.nodes.clear();
    document.faults.clear();
    document.faults.push_back({Fault::Where::pointer, "", "must be a JSON object"});
}

enum class Order { as_sent, sorted };

class Serialiser {
public:
    Serialiser(JsonDocument const& document, Order order, std::string& out)
        : nodes_(document.nodes), order_(order), out_(out) {}

    void write(std::uint32_t index) {
        auto const& node = nodes_[index];
        switch (node.kind) {
            case Kind::null:
                out_ += "null";
                return;
            case Kind::boolean:
                out_ += node.integer != 0 ? "true" : "false";
                return;
            case Kind::integer:
                out_ += std::to_string(node.integer);
                return;
            case Kind::number:
                out_ += node.text;
                return;
            case Kind::text:
                append_json_string(out_, node.text);
                return;
            case Kind::array:
                write_array(node);
                return;
            case Kind::object:
                write_object(node);
                return;
        }
    }

private:
    void write_array(Node const& array) {
        out_ += '[';
        for (auto i = array.first; i != no_node; i = nodes_[i].next) {
            if (i != array.first) out_ += ',';
            write(i);
        }
        out_ += ']';
    }

    void write_object(Node const& object) {
        out_ += '{';
        if (order_ == Order::sorted) {
            write_sorted(object);
        } else {
            for (auto i = object.first; i != no_node; i = nodes_[i].next)
                write_member(i, i == object.first);
        }
        out_ += '}';
    }

    void write_sorted(Node const& object) {
        std::vector<std::uint32_t> members;
        members.reserve(object.children);
        for (auto i = object.first; i != no_node; i = nodes_[i].next) members.push_back(i);
        std::sort(members.begin(), members.end(),
                  [&](std::uint32_t a, std::uint32_t b) { return nodes_[a].key < nodes_[b].key; });
        for (auto const member : members) write_member(member, member == members.front());
    }

    void write_member(std::uint32_t index, bool first) {
        if (!first) out_ += ',';
        append_json_string(out_, nodes_[index].key);
        out_ += ':';
        write(index);
    }

    std::vector<Node> const& nodes_;
    Order order_;
    std::string& out_;
};

std::string serialise(JsonDocument const& document, std::uint32_t node, Order order) {
    std::string out;
    Serialiser(document, order, out).write(node);
    return out;
}

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
}  // namespace detail

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
    if (value.kind == Kind::number && detail::looks_fractional(value.text)) {
        document_->add_fault(node, "must be an integer without fraction or exponent");
        return std::nullopt;
    }
    bool const fits = value.kind == Kind::integer && value.integer >= min && value.integer <= max;
    if (fits) return value.integer;
    document_->add_fault(node, detail::between(min, max));
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
        document_->add_fault(node, detail::sized(bytes_min, bytes_max, "bytes of UTF-8"));
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
        document_->add_fault(node, detail::sized(items_min, items_max, "items"));
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
        document_->add_fault(node, detail::sized(items_min, items_max, "items"));
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
