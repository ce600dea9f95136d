# vprov_embed_stand_ins(MODULE): compiles src/stand-ins as static programs, which run in any guest, and puts them into
# the module as the bytes that its stand_ins.h declares.
set(VPROV_STAND_IN_FLAGS -std=gnu11 -O2 -Wall -Wextra -static -s)
set(VPROV_FREESTANDING_FLAGS -ffreestanding -nostdlib -fno-stack-protector -fno-pie -no-pie -Wl,--build-id=none)
set(VPROV_REAL_PROGRAMS /run/vprov/programs)

function(vprov_embed_stand_ins path)
  string(REPLACE "/" "_" target "vprov_${path}")
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/stand-ins)
  set(gzip ${CMAKE_CURRENT_BINARY_DIR}/vprov-gzip)
  add_custom_command(OUTPUT ${gzip} DEPENDS ${folder}/gzip.c VERBATIM
    COMMAND ${CMAKE_C_COMPILER} ${VPROV_STAND_IN_FLAGS} "-DVPROV_REAL_PROGRAMS=\"${VPROV_REAL_PROGRAMS}\""
      ${folder}/gzip.c -o ${gzip} -ldeflate)
  set(small ${CMAKE_CURRENT_BINARY_DIR}/vprov-small)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|aarch64|arm64)$")
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/small/*.c)
    add_custom_command(OUTPUT ${small} DEPENDS ${sources} ${folder}/small/linux.h VERBATIM
      COMMAND ${CMAKE_C_COMPILER} ${VPROV_STAND_IN_FLAGS} ${VPROV_FREESTANDING_FLAGS}
        "-DVPROV_REAL_PROGRAMS=\"${VPROV_REAL_PROGRAMS}\"" ${sources} -o ${small})
  else()  # nothing stands in there
    add_custom_command(OUTPUT ${small} VERBATIM COMMAND ${CMAKE_COMMAND} -E touch ${small})
  endif()
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${path}/stand_in_images.cc)
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
"// Made by cmake/stand_ins.cmake.
#include \"${path}/stand_ins.h\"

asm(\".section .rodata\\nvprov_gzip_begin:\\n.incbin \\\"${gzip}\\\"\\nvprov_gzip_end:\\n\"
    \"vprov_small_begin:\\n.incbin \\\"${small}\\\"\\nvprov_small_end:\\n.previous\");
extern const char gzip_begin[] asm(\"vprov_gzip_begin\");
extern const char gzip_end[] asm(\"vprov_gzip_end\");
extern const char small_begin[] asm(\"vprov_small_begin\");
extern const char small_end[] asm(\"vprov_small_end\");

namespace vprov::configure {

const char* const kRealPrograms = \"${VPROV_REAL_PROGRAMS}\";

std::string_view gzip_program() {
    return {gzip_begin, gzip_end};
}

std::string_view small_programs() {
    return {small_begin, small_end};
}

}  // namespace vprov::configure
")
  set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS "${gzip};${small}" SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(${target} PRIVATE ${generated})
endfunction()

# vprov_embed_guest_init(MODULE): src/guest-init, the init of small initrds, as the bytes that the module's small_initrd.h
# declares.
function(vprov_embed_guest_init path)
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/guest-init)
  set(linux ${CMAKE_CURRENT_SOURCE_DIR}/stand-ins)
  set(init ${CMAKE_CURRENT_BINARY_DIR}/vprov-guest-init)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64)$")
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
    file(GLOB headers CONFIGURE_DEPENDS ${folder}/*.h)
    add_custom_command(OUTPUT ${init} DEPENDS ${sources} ${headers} ${linux}/small/linux.h VERBATIM
      COMMAND ${CMAKE_C_COMPILER} ${VPROV_STAND_IN_FLAGS} ${VPROV_FREESTANDING_FLAGS} -I${linux} ${sources} -o ${init})
  else()
    add_custom_command(OUTPUT ${init} VERBATIM COMMAND ${CMAKE_COMMAND} -E touch ${init})
  endif()
  vprov_embed_bytes(${path} small_initrd.h vprov::pipeline guest_init ${init})
endfunction()

# vprov_embed_preload(MODULE): the shared object that is preloaded into mkfs.btrfs, as the bytes that the module's
# same_bytes.h declares.
function(vprov_embed_preload path)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/stand-ins/same_bytes.c)
  set(library ${CMAKE_CURRENT_BINARY_DIR}/vprov-same-bytes.so)
  add_custom_command(OUTPUT ${library} DEPENDS ${source} VERBATIM
    COMMAND ${CMAKE_C_COMPILER} -std=gnu11 -O2 -Wall -Wextra -shared -fPIC -s ${source} -o ${library} -ldl)
  vprov_embed_bytes(${path} same_bytes.h vprov::partition same_bytes_library ${library})
endfunction()
