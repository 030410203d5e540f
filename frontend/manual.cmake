# sinew.1 from sinew.1.in: @verbs@ is what the program's --help lists, "  VERB  ARGUMENTS  TEXT" a line.
execute_process(COMMAND ${SINEW} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "^.*Verbs:\n" "" help "${help}")
string(REGEX REPLACE "\n\n.*$" "\n" help "${help}")
string(REPLACE "-" "\\-" help "${help}")
string(REGEX REPLACE "  ([a-z]+) +([^\n]*[^ \n]|)  +([^ \n][^\n]*)\n" ".TP\n.B sinew \\1\n\\2\n.br\n\\3\n" verbs "${help}")
configure_file(${TEXT} ${OUT} @ONLY)
