# Warnings, sanitizers and the definitions that every target shares.
set(PENSTOCK_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined or thread")

add_library(penstock_compiler INTERFACE)
target_include_directories(penstock_compiler INTERFACE
    ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(penstock_compiler INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Werror
    # g++ 12 warns inside its own coroutine frames and Boost's optional; both are false positives.
    -Wno-maybe-uninitialized)

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_program(MOLD mold)
if(MOLD)
    add_link_options(-fuse-ld=mold)
endif()

# Sanitized code is optimised a little: -O0 coroutines make the suite several times slower.
if(PENSTOCK_SANITIZE)
    add_compile_options(-fsanitize=${PENSTOCK_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer -O1 -g1)
    add_link_options(-fsanitize=${PENSTOCK_SANITIZE})
endif()
