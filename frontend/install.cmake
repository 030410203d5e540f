# What `cmake --install` puts where; CPack makes a Debian package of it.  Included last, from the top.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sinew)

# The runtime for programs of one's own, and what `sinew build` puts into libraries: found beside the program (frontend/library.c).
set_target_properties(sinew_rt PROPERTIES EXPORT_NAME rt)
install(TARGETS sinew_rt EXPORT sinew ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES runtime/sinew_rt.h runtime/abi.h runtime/status.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sinew)
install(EXPORT sinew NAMESPACE sinew:: FILE targets.cmake DESTINATION ${package_dir})
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/sinew/models FILES_MATCHING PATTERN "*.json" PATTERN "README.md")
if(SINEW_LLVM)
  install(DIRECTORY ${CMAKE_BINARY_DIR}/aot/ DESTINATION lib/sinew)
endif()

# The program; its manual page lists the verbs that it has.
install(TARGETS sinew RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/sinew.1 DEPENDS sinew frontend/sinew.1.in frontend/manual.cmake VERBATIM
  COMMAND ${CMAKE_COMMAND} -DSINEW=$<TARGET_FILE:sinew> -DTEXT=${CMAKE_SOURCE_DIR}/frontend/sinew.1.in -DVERSION=${PROJECT_VERSION}
          -DOUT=${CMAKE_BINARY_DIR}/sinew.1 -P ${CMAKE_SOURCE_DIR}/frontend/manual.cmake)
add_custom_target(manual ALL DEPENDS ${CMAKE_BINARY_DIR}/sinew.1)
install(FILES ${CMAKE_BINARY_DIR}/sinew.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES frontend/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME sinew)
install(FILES README.md LICENSE frontend/LANGUAGE.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# find_package(sinew)
configure_package_config_file(frontend/package.cmake.in ${CMAKE_BINARY_DIR}/sinew-config.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sinew-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/sinew-config.cmake ${CMAKE_BINARY_DIR}/sinew-config-version.cmake DESTINATION ${package_dir})

# cpack -G DEB
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sinew)
set(CPACK_PACKAGE_CONTACT "the authors of sinew")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "dataflow graph compiler and runtime for skeleton models")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gcc, libc6-dev") # the linker of shared libraries and executables
include(CPack)
