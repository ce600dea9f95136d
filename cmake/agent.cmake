# vprov_embed_agent(MODULE): src/agent, the agent in guests that are cloned while they run, as the bytes that the module's
# agent_files.h declares. Static, so that it runs in any guest of the host's architecture.
function(vprov_embed_agent path)
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/agent)
  set(agent ${CMAKE_CURRENT_BINARY_DIR}/vprov-agent)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
  add_custom_command(OUTPUT ${agent} DEPENDS ${sources} ${folder}/agent.h VERBATIM
    COMMAND ${CMAKE_C_COMPILER} -std=gnu11 -D_GNU_SOURCE -Os -Wall -Wextra -static -s ${sources} -o ${agent})
  vprov_embed_bytes(${path} agent_files.h vprov::render agent_program ${agent})
endfunction()
