// WHAT a request body says, read strictly: every fault at once, each with its JSON pointer.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/json_document.hpp"
#include "server/http/problem.hpp"

namespace penstock::server {

inline constexpr std::size_t metadata_bytes_max = 16'384;

/// A member that may be absent, null or a value: absent is nullopt, null an empty inner optional.
template <class T>
using Nullable = std::optional<std::optional<T>>;

/// True for text that may stand in a member, e.g. an address or a name.
using TextRule = bool (*)(std::string_view text);

/// One JSON object of the body. Reading a member marks it as known; a fault is noted in the
/// document and a harmless value (0, "", false) returned, so a handler reads everything first and
/// asks JsonReader::finish() once. Null is a wrong type except for `nullable_…`. Sizes of texts
/// are bytes of UTF-8. A handle: copy it, but the JsonReader must live.
class JsonObject {
public:
    bool has(std::string_view name) const;

    // Integers come from integer syntax only: 1.0 and 1e3 are refused, -0 is 0.
    std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
    std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min,
                                                 std::int64_t max);
    Nullable<std::int64_t> nullable_integer(std::string_view name, std::int64_t min,
                                            std::int64_t max);

    /// `rule`, when given, must hold; `expected` says it in words ("must be …").
    std::string text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max,
                     TextRule rule = nullptr, std::string_view expected = {});
    std::optional<std::string> optional_text(std::string_view name, std::size_t bytes_min,
                                             std::size_t bytes_max, TextRule rule = nullptr,
                                             std::string_view expected = {});
    Nullable<std::string> nullable_text(std::string_view name, std::size_t bytes_min,
                                        std::size_t bytes_max, TextRule rule = nullptr,
                                        std::string_view expected = {});

    bool boolean(std::string_view name);
    std::optional<bool> optional_boolean(std::string_view name);

    /// The index of the member's text among `names`; 0 after a fault.
    std::size_t choice(std::string_view name, std::initializer_list<std::string_view> names);
    std::optional<std::size_t> optional_choice(std::string_view name,
                                               std::initializer_list<std::string_view> names);

    /// RFC 3339, in milliseconds since 1970.
    std::int64_t instant(std::string_view name);
    std::optional<std::int64_t> optional_instant(std::string_view name);
    Nullable<std::int64_t> nullable_instant(std::string_view name);

    /// An object of any content, compact, members in the order sent; nothing when absent.
    std::optional<std::string> object_text(std::string_view name,
                                           std::size_t bytes_max = metadata_bytes_max);

    /// A nested object whose members are read and checked like these; an empty one after a fault.
    JsonObject object(std::string_view name);
    std::optional<JsonObject> optional_object(std::string_view name);

    /// Objects of an array, in order; empty after a fault.
    std::vector<JsonObject> array(std::string_view name, std::size_t items_min,
                                  std::size_t items_max);
    /// Texts of an array, in order.
    std::vector<std::string> texts(std::string_view name, std::size_t items_min,
                                   std::size_t items_max, std::size_t bytes_min,
                                   std::size_t bytes_max, TextRule rule = nullptr,
                                   std::string_view expected = {});
    std::optional<std::vector<std::string>> optional_texts(
        std::string_view name, std::size_t items_min, std::size_t items_max, std::size_t bytes_min,
        std::size_t bytes_max, TextRule rule = nullptr, std::string_view expected = {});

    /// A fault that only the handler can see, at a member of this object ("" : the object).
    void fault(std::string_view name, std::string detail);

    /// The pointer of this object: "" for the body, "/transfers/3" for an item.
    std::string pointer() const;

protected:
    JsonObject(detail::JsonDocument* document, std::uint32_t node)
        : document_(document), node_(node) {}

    detail::JsonDocument* document_;
    std::uint32_t node_;  ///< no_node: stands for an object that was not there

private:
    friend class JsonReader;
    enum class Presence { required, optional };
    std::uint32_t find(std::string_view name);
    std::uint32_t require(std::string_view name, Presence presence);
    std::optional<std::int64_t> integer_at(std::uint32_t node, std::int64_t min, std::int64_t max);
    std::optional<std::string> text_at(std::uint32_t node, std::size_t bytes_min,
                                       std::size_t bytes_max, TextRule rule,
                                       std::string_view expected);
    std::optional<std::int64_t> instant_at(std::uint32_t node);
    std::optional<std::size_t> choice_at(std::uint32_t node,
                                         std::initializer_list<std::string_view> names);
    std::optional<JsonObject> object_at(std::uint32_t node);
};

/// The body of a request. Refuses what is not exactly one JSON object: syntax, invalid UTF-8, a
/// byte order mark, trailing bytes, depth, U+0000 in a text, a member twice. `body` must outlive
/// the reader.
class JsonReader : public JsonObject {
public:
    explicit JsonReader(std::string_view body);
    JsonReader(JsonReader const&) = delete;
    ~JsonReader();

    /// Notes every member that nobody asked for; true when there is no fault at all.
    bool finish();

    std::vector<Fault> const& faults() const;

    /// 400 invalid_request with the faults.
    Problem problem() const;

    /// The whole body with members sorted by bytes and no white space, for fingerprints. Integers
    /// are normal (-0 is 0), other numbers stay as sent. "" when the body is not valid JSON.
    std::string canonical() const;

private:
    std::unique_ptr<detail::JsonDocument> owned_;
};

/// The same for a body that is not read otherwise; nothing when it is not one valid object.
std::optional<std::string> canonical(std::string_view body);

}  // namespace penstock::server
