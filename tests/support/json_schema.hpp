// Does a JSON value satisfy a schema of the OpenAPI document? As much of JSON Schema as the
// document uses; a keyword that is not known here is a complaint, not a pass.
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <regex>
#include <string>
#include <vector>

namespace penstock::tests {

namespace json = boost::json;

class SchemaCheck {
public:
    explicit SchemaCheck(json::value const& document) : document_(document) {}

    /// What is wrong, each with its place; empty: nothing. A member that the schema does not name
    /// is wrong, unless the schema names none.
    std::vector<std::string> operator()(json::value const& schema, json::value const& value) {
        complaints_.clear();
        check(schema.as_object(), value, "");
        return complaints_;
    }

private:
    void complain(std::string const& place, std::string const& what) {
        complaints_.push_back((place.empty() ? "/" : place) + ' ' + what);
    }

    void check(json::object const& schema, json::value const& value, std::string const& place) {
        for (auto const& member : schema) check_keyword(member.key(), member.value(), value, place);
        if (auto const* object = value.if_object()) check_members(schema, *object, place);
    }

    void check_keyword(std::string_view keyword, json::value const& wanted,
                       json::value const& value, std::string const& place) {
        if (keyword == "$ref") {
            auto const name = std::string(wanted.as_string()).substr(1);
            check(document_.at_pointer(name).as_object(), value, place);
        } else if (keyword == "type") {
            if (!has_type(wanted, value)) complain(place, "is no " + json::serialize(wanted));
        } else if (keyword == "const") {
            if (value != wanted) complain(place, "is not " + json::serialize(wanted));
        } else if (keyword == "enum") {
            auto const& all = wanted.as_array();
            if (std::find(all.begin(), all.end(), value) == all.end())
                complain(place, json::serialize(value) + " is none of " + json::serialize(wanted));
        } else if (keyword == "oneOf") {
            check_one_of(wanted.as_array(), value, place);
        } else if (keyword == "items") {
            if (value.is_array())
                for (std::size_t i = 0; i < value.as_array().size(); ++i)
                    check(wanted.as_object(), value.at(i), place + '/' + std::to_string(i));
        } else if (!check_bound(keyword, wanted, value, place) && !is_note(keyword)) {
            complain(place, "cannot be checked: " + std::string(keyword));
        }
    }

    /// False: the keyword is no bound.
    bool check_bound(std::string_view keyword, json::value const& wanted, json::value const& value,
                     std::string const& place) {
        bool right = true;
        if (keyword == "pattern") {
            std::regex const pattern(std::string(wanted.as_string()));
            right = !value.is_string() || std::regex_search(text(value), pattern);
        } else if (keyword == "minimum" || keyword == "maximum") {
            if (value.is_int64())
                right = keyword == "minimum" ? value.as_int64() >= wanted.as_int64()
                                             : value.as_int64() <= wanted.as_int64();
        } else if (keyword == "minLength" || keyword == "maxLength") {
            if (value.is_string()) right = within(keyword, wanted, value.as_string().size());
        } else if (keyword == "minItems" || keyword == "maxItems") {
            if (value.is_array()) right = within(keyword, wanted, value.as_array().size());
        } else {
            return false;
        }
        if (!right)
            complain(place, json::serialize(value) + " breaks " + std::string(keyword) + ' ' +
                                json::serialize(wanted));
        return true;
    }

    static bool within(std::string_view keyword, json::value const& wanted, std::size_t size) {
        auto const bound = static_cast<std::size_t>(wanted.as_int64());
        return keyword.starts_with("min") ? size >= bound : size <= bound;
    }

    static bool is_note(std::string_view keyword) {
        return keyword == "description" || keyword == "format" || keyword == "default" ||
               keyword == "properties" || keyword == "required" ||
               keyword == "additionalProperties";
    }

    void check_members(json::object const& schema, json::object const& object,
                       std::string const& place) {
        if (auto const* required = schema.if_contains("required"))
            for (auto const& name : required->as_array())
                if (!object.contains(name.as_string()))
                    complain(place, "lacks " + json::serialize(name));
        auto const* named = schema.if_contains("properties");
        if (named == nullptr) return;
        for (auto const& member : object) {
            auto const* known = named->as_object().if_contains(member.key());
            if (known == nullptr)
                complain(place, "has a member more: " + std::string(member.key()));
            if (known != nullptr)
                check(known->as_object(), member.value(), place + '/' + std::string(member.key()));
        }
    }

    void check_one_of(json::array const& schemas, json::value const& value,
                      std::string const& place) {
        std::size_t fitting = 0;
        for (auto const& schema : schemas) fitting += SchemaCheck(document_)(schema, value).empty();
        if (fitting != 1) complain(place, "fits " + std::to_string(fitting) + " of oneOf");
    }

    static bool has_type(json::value const& wanted, json::value const& value) {
        if (auto const* any = wanted.if_array())
            return std::any_of(any->begin(), any->end(),
                               [&](auto const& one) { return has_type(one, value); });
        auto const& name = wanted.as_string();
        if (name == "object") return value.is_object();
        if (name == "array") return value.is_array();
        if (name == "string") return value.is_string();
        if (name == "boolean") return value.is_bool();
        if (name == "null") return value.is_null();
        if (name == "integer") return value.is_int64() || value.is_uint64();
        return false;
    }

    static std::string text(json::value const& value) { return std::string(value.as_string()); }

    json::value const& document_;
    std::vector<std::string> complaints_;
};

}  // namespace penstock::tests
