# Texts of the program, kept as files that editors and browsers know: sinew_text(NAME FILE) makes NAME.h of frontend/FILE, which defines
# `static const char NAME[]`, for the one C file that includes it.  Run as a script (-DNAME -DTEXT -DOUT) it writes that header.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${TEXT} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "?" "\\?" text "${text}") # no trigraphs
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  get_filename_component(file ${TEXT} NAME)
  file(WRITE ${OUT} "/* generated from ${file} */\nstatic const char ${NAME}[] =\n    \"${text}\";\n")
  return()
endif()

function(sinew_text NAME FILE)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated/${NAME}.h)
  add_custom_command(OUTPUT ${out} DEPENDS ${FILE} text.cmake VERBATIM
    COMMAND ${CMAKE_COMMAND} -DNAME=${NAME} -DTEXT=${CMAKE_CURRENT_SOURCE_DIR}/${FILE} -DOUT=${out} -P ${CMAKE_CURRENT_SOURCE_DIR}/text.cmake)
  target_sources(sinew PRIVATE ${out})
endfunction()
