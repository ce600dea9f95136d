# vprov_embed_bytes(MODULE HEADER NAMESPACE FUNCTION FILE): the bytes of FILE, which the build makes, as what the function
# returns that HEADER of the module declares: std::string_view FUNCTION().
function(vprov_embed_bytes path header namespace function file)
  string(REPLACE "/" "_" target "vprov_${path}")
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${path}/${function}_bytes.cc)
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
"// Made by cmake/embed_bytes.cmake.
#include \"${path}/${header}\"

asm(\".section .rodata\\nvprov_${function}_begin:\\n.incbin \\\"${file}\\\"\\nvprov_${function}_end:\\n.previous\");
extern const char begin_of_bytes[] asm(\"vprov_${function}_begin\");
extern const char end_of_bytes[] asm(\"vprov_${function}_end\");

namespace ${namespace} {

std::string_view ${function}() {
    return {begin_of_bytes, end_of_bytes};
}

}  // namespace ${namespace}
")
  # a unity build would lose what it depends on
  set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS ${file} SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(${target} PRIVATE ${generated})
endfunction()
