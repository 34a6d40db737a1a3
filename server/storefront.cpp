// What a buyer sees of a sale: the parts of the page put together.
#include "server/storefront.hpp"

#include <openssl/evp.h>

#include "domain/assert.hpp"
#include "server/context.hpp"
#include "server/storefront_text.hpp"

namespace penstock::server {
namespace {

std::string base64(std::span<std::uint8_t const> bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3), '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                    static_cast<int>(bytes.size()));
    return text;
}

/// How a policy names an inline element: by the digest of what stands between its tags.
std::string source_of(std::string_view text) {
    auto const digest = sha256(text);
    return "'sha256-" + base64(digest) + "'";
}

void put(std::string& page, std::string_view place, std::string_view tag, std::string_view text) {
    auto const at = page.find(place);
    PENSTOCK_ASSERT(at != std::string::npos);
    std::string element = "<";
    element.append(tag).append(1, '>').append(text).append("</").append(tag).append(1, '>');
    page.replace(at, place.size(), element);
}

Storefront put_together() {
    namespace text = storefront_text;
    Storefront made;
    made.html = text::page.text;
    put(made.html, "<!-- style -->", "style", text::style.text);
    put(made.html, "<!-- script -->", "script", text::script.text);
    made.content_security_policy =
        "default-src 'none'; script-src " + source_of(text::script.text) + "; style-src " +
        source_of(text::style.text) +
        "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'";
    return made;
}

}  // namespace

Storefront const& storefront() {
    static Storefront const made = put_together();
    return made;
}

}  // namespace penstock::server
