# vprov_embed_gzip(MODULE): compiles src/gzip as a static program, which runs in any guest, and puts it into the module
# as the bytes that its gzip_program.h declares.
function(vprov_embed_gzip path)
  string(REPLACE "/" "_" target "vprov_${path}")
  set(program ${CMAKE_CURRENT_BINARY_DIR}/vprov-gzip)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/gzip/gzip.c)
  add_custom_command(OUTPUT ${program} DEPENDS ${source} VERBATIM
    COMMAND ${CMAKE_C_COMPILER} -std=gnu11 -O2 -Wall -Wextra -static -s "-DVPROV_REAL_GZIP=\"/run/vprov/gzip\""
      ${source} -o ${program} -ldeflate)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${path}/gzip_image.cc)
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
"// Made by cmake/gzip.cmake.
#include \"${path}/gzip_program.h\"

asm(\".section .rodata\\nvprov_gzip_begin:\\n.incbin \\\"${program}\\\"\\nvprov_gzip_end:\\n.previous\");
extern const char gzip_begin[] asm(\"vprov_gzip_begin\");
extern const char gzip_end[] asm(\"vprov_gzip_end\");

namespace vprov::configure {

std::string_view gzip_program() {
    return {gzip_begin, gzip_end};
}

}  // namespace vprov::configure
")
  set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS ${program})
  target_sources(${target} PRIVATE ${generated})
endfunction()
