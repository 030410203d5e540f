# header.h.in as the text that library_header.c fills in.
file(READ ${TEXT} text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
file(WRITE ${OUT} "/* generated from header.h.in */\nstatic const char header_text[] =\n    \"${text}\";\n")
