# vprov_embed_agent(MODULE): src/agent, the agent in guests that are cloned while they run, as the bytes that the module's
# agent_files.h declares. Static, so that it runs in any guest of the host's architecture.
function(vprov_embed_agent path)
  string(REPLACE "/" "_" target "vprov_${path}")
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/agent)
  set(agent ${CMAKE_CURRENT_BINARY_DIR}/vprov-agent)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
  add_custom_command(OUTPUT ${agent} DEPENDS ${sources} ${folder}/agent.h VERBATIM
    COMMAND ${CMAKE_C_COMPILER} -std=gnu11 -D_GNU_SOURCE -Os -Wall -Wextra -static -s ${sources} -o ${agent})
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${path}/agent_image.cc)
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
"// Made by cmake/agent.cmake.
#include \"${path}/agent_files.h\"

asm(\".section .rodata\\nvprov_agent_begin:\\n.incbin \\\"${agent}\\\"\\nvprov_agent_end:\\n.previous\");
extern const char agent_begin[] asm(\"vprov_agent_begin\");
extern const char agent_end[] asm(\"vprov_agent_end\");

namespace vprov::render {

std::string_view agent_program() {
    return {agent_begin, agent_end};
}

}  // namespace vprov::render
")
  set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS ${agent})
  target_sources(${target} PRIVATE ${generated})
endfunction()
