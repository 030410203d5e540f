# From the schema: graph_schema.h, its text for the JSON parser; graph.schema.json, what editors read.
# flatc describes a (flexbuffer) field as a list of bytes; in text it is any value of the kind its comment opens with.
file(READ ${SCHEMA} text)
file(WRITE ${OUT}/graph_schema.h "// generated from graph.fbs\nstatic const char kGraphSchema[] = R\"fbs(${text})fbs\";\n")

file(READ ${OUT}/graph.schema.json json)
set(bytes "\"type\" : \"array\", \"items\" : {\"type\" : \"integer\", \"minimum\" : 0, \"maximum\" :255},")
set(expression "\"type\" : [\"number\", \"string\", \"boolean\"],")
set(shape "\"type\" : \"array\", \"items\" : {\"type\" : [\"number\", \"string\"]},")
set(list "\"type\" : \"array\",")
string(REGEX REPLACE "\n +\"description\"" "\n\"description\"" json "${json}")
string(REPLACE "${bytes}\n\"description\" : \"EXPRESSION" "${expression}\n\"description\" : \"EXPRESSION" json "${json}")
string(REPLACE "${bytes}\n\"description\" : \"SHAPE" "${shape}\n\"description\" : \"SHAPE" json "${json}")
string(REPLACE "${bytes}\n\"description\" : \"List" "${list}\n\"description\" : \"List" json "${json}")
string(REPLACE "${bytes}" "\"type\" : \"object\"," json "${json}")
string(REPLACE "\n\"description\"" "\n                \"description\"" json "${json}")
file(WRITE ${OUT}/graph.schema.json "${json}")
