// WHAT a request body holds: one pass of Boost.JSON's parser into a flat list of nodes, and the way
// back to text.
#include "server/http/json_document.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>

#include "server/http/json_writer.hpp"

namespace penstock::server::detail {
namespace {

using boost::system::error_code;
using JsonText = boost::json::string_view;

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

}  // namespace

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

std::string serialise(JsonDocument const& document, std::uint32_t node, Order order) {
    std::string out;
    Serialiser(document, order, out).write(node);
    return out;
}

}  // namespace penstock::server::detail
