// What we believe, checked in release too: a broken belief stops the process before it is stored.
#pragma once

namespace penstock {

/// Prints the belief and where it was held, with a stack, and aborts.
[[noreturn]] void assertion_failed(char const* expression, char const* file, int line) noexcept;

}  // namespace penstock

#define PENSTOCK_ASSERT(expression) \
    ((expression) ? void() : ::penstock::assertion_failed(#expression, __FILE__, __LINE__))
