# embed_text(TARGET target HEADER path NAMESPACE ns TYPE type [DIGEST SHA1] FILES a.sql b.sql …)
#
# Makes one header in which each file is a constant named after it:
#   inline constexpr TYPE lock_accounts{"lock_accounts", R"…(text)…"};
# With DIGEST SHA1, or another of CMake's, the text's digest in hexadecimal digits comes third.
# TYPE is declared by the includer of the header (db/statement.hpp, cache/script.hpp).
# The target `embedded` makes all of them: what a tool needs that reads the sources, but no object.
add_custom_target(embedded)
function(embed_text)
    cmake_parse_arguments(ARG "" "TARGET;HEADER;NAMESPACE;TYPE;INCLUDE;DIGEST" "FILES" ${ARGN})
    set(output ${CMAKE_BINARY_DIR}/generated/${ARG_HEADER})
    add_custom_command(
        OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${output}" "-DNAMESPACE=${ARG_NAMESPACE}"
            "-DTYPE=${ARG_TYPE}" "-DINCLUDE=${ARG_INCLUDE}" "-DFILES=${ARG_FILES}"
            "-DDIGEST=${ARG_DIGEST}"
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedTextScript.cmake
        DEPENDS ${ARG_FILES} ${CMAKE_SOURCE_DIR}/cmake/EmbedTextScript.cmake
        VERBATIM)
    target_sources(${ARG_TARGET} PRIVATE ${output})
    string(MAKE_C_IDENTIFIER "embed_${ARG_HEADER}" name)
    add_custom_target(${name} DEPENDS ${output})
    add_dependencies(embedded ${name})
    # Without this both targets might write the file at the same time.
    add_dependencies(${ARG_TARGET} ${name})
endfunction()
