# libsinew_aot.a (threads by OpenMP), libsinew_aot1.a (one thread, nothing but libc) and libsinew_main.a (the executable's files and options),
# in a folder for this machine's architecture and, if there is a cross compiler, in one for aarch64.
set(library_sources aot/library.c aot/processor.c aot/stream.c tag/segments.c tag/tagger.c tag/windows.c)
set(aot_sources ${core} core/parallel.c ${library_sources})
set(aot1_sources ${core} core/single.c ${library_sources})
set(main_sources aot/main.c aot/localize.c aot/files.c data/array.c data/file.c data/npy.c
  data/recording.c data/motion.c data/bvh.c data/asf.c data/amc.c data/skeletons.c data/normalise.c data/rotation.c data/text.c
  data/grow.c data/bodies.c data/families.c data/family_denoised.c data/resize.c)
set(aot_options -std=gnu11 -Wall -Wextra -O2 -g0 -DNDEBUG -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections)
set(aot_folder ${CMAKE_BINARY_DIR}/aot)

foreach(library aot aot1 main)
  add_library(sinew_${library} STATIC ${${library}_sources})
  set_property(TARGET sinew_${library} PROPERTY COMPILE_OPTIONS ${aot_options})
  target_include_directories(sinew_${library} PRIVATE ${CMAKE_SOURCE_DIR})
  set_target_properties(sinew_${library} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${aot_folder}/${CMAKE_SYSTEM_PROCESSOR})
endforeach()
set_property(TARGET sinew_aot APPEND PROPERTY COMPILE_OPTIONS ${OpenMP_C_FLAGS})

find_program(SINEW_AARCH64_CC aarch64-linux-gnu-gcc DOC "makes the runtime of libraries for aarch64; none: no such libraries")
find_program(SINEW_AARCH64_AR aarch64-linux-gnu-ar)
if(SINEW_AARCH64_CC AND SINEW_AARCH64_AR AND NOT CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  file(GLOB aot_headers CONFIGURE_DEPENDS *.h core/*.h data/*.h aot/*.h tag/*.h)
  foreach(library aot aot1 main)
    set(out ${aot_folder}/aarch64/libsinew_${library}.a)
    set(objects ${CMAKE_CURRENT_BINARY_DIR}/aarch64-${library})
    list(TRANSFORM ${library}_sources PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
    list(TRANSFORM sources REPLACE "^.*/([^/]*)\\.c$" "${objects}/\\1.o" OUTPUT_VARIABLE parts)
    file(MAKE_DIRECTORY ${objects} ${aot_folder}/aarch64)
    add_custom_command(OUTPUT ${out} DEPENDS ${sources} ${aot_headers} WORKING_DIRECTORY ${objects} VERBATIM
      COMMAND ${SINEW_AARCH64_CC} ${aot_options} -D_GNU_SOURCE $<$<STREQUAL:${library},aot>:-fopenmp> -I${CMAKE_SOURCE_DIR} -c ${sources}
      COMMAND ${CMAKE_COMMAND} -E rm -f ${out}
      COMMAND ${SINEW_AARCH64_AR} rcs ${out} ${parts} COMMAND_EXPAND_LISTS)
    list(APPEND cross ${out})
  endforeach()
  add_custom_target(sinew_aarch64 ALL DEPENDS ${cross})
endif()
