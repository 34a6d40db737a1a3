# Warnings, sanitizers and the definitions that every target shares.
option(PENSTOCK_FUZZ "Build the fuzz targets of tests/fuzz instead of the tests; wants clang" OFF)
set(PENSTOCK_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined or thread")

add_library(penstock_compiler INTERFACE)
target_include_directories(penstock_compiler INTERFACE
    ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
# g++ is what everybody builds with and its warnings are errors; clang serves the fuzzers alone.
# g++ 12 warns of uninitialised values inside its own coroutine frames and Boost's optional, and
# takes the frames' own new and delete for a mismatched pair when it inlines one of them.
target_compile_options(penstock_compiler INTERFACE
    -Wall -Wextra -Wconversion -Wshadow
    $<$<CXX_COMPILER_ID:GNU>:-Werror;-Wno-maybe-uninitialized;-Wno-mismatched-new-delete>)

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
    # ThreadSanitizer does not understand bare fences, and Asio's are not what orders our data:
    # its queues' mutexes are.
    if(PENSTOCK_SANITIZE MATCHES thread)
        add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    endif()
    add_link_options(-fsanitize=${PENSTOCK_SANITIZE})
endif()

# Every object reports its coverage to libFuzzer; only the fuzz targets link its main().
if(PENSTOCK_FUZZ)
    # clang 14 cannot emit the function sanitizer's prologue for a coroutine that it split.
    add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize=function)
endif()
