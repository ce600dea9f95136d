# vprov_embed_templates(MODULE): compiles templates/*.mustache into the module, as the table that its templates.h
# declares. Configure runs again when a template changes; one that is added needs a new configure.
function(vprov_embed_templates path)
  string(REPLACE "/" "_" target "vprov_${path}")
  file(GLOB templates CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/templates/*.mustache)
  set(entries)
  foreach(template ${templates})
    get_filename_component(name ${template} NAME)
    string(REGEX REPLACE "\\.mustache$" "" name ${name})
    file(READ ${template} text)
    string(APPEND entries "    {\"${name}\", R\"mustache(${text})mustache\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${template})
  endforeach()
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${path}/template_table.cc)
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
"// Made by cmake/embed.cmake from templates/*.mustache.
#include \"${path}/templates.h\"

namespace vprov::render {

std::span<const Template> template_table() {
    static constexpr Template kTable[] = {
@entries@    };
    return kTable;
}

}  // namespace vprov::render
")
  target_sources(${target} PRIVATE ${generated})
endfunction()
