#include "domain/assert.hpp"

#include <execinfo.h>

#include <cstdio>
#include <cstdlib>

namespace penstock {

void assertion_failed(char const* expression, char const* file, int line) noexcept {
    std::fprintf(stderr, "%s:%d: broken belief: %s\n", file, line, expression);
    void* frames[64];
    backtrace_symbols_fd(frames, backtrace(frames, 64), 2);
    std::abort();
}

}  // namespace penstock
