# Writes OUT with the digest of the files that decide what code is generated: objects made by other sources are never loaded.
# Called at build time: cmake -DSOURCES=a;b -DOUT=header -P digest.cmake
set(all "")
foreach(file ${SOURCES})
  file(SHA256 ${file} one)
  string(APPEND all ${one})
endforeach()
string(SHA256 digest "${all}")
string(SUBSTRING ${digest} 0 16 digest)
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define SN_CODEGEN_DIGEST \"${digest}\"\n")
