# cmake --install gives a relocatable tree: bin/ and, in lib/tradewind, the libraries the worker needs, laid out as their
# own run paths expect.
include(GNUInstallDirs)
set(TRADEWIND_LIBRARY_DIR "${CMAKE_INSTALL_LIBDIR}/tradewind")

# tradewind_install_worker(TARGET): the executable that links LibTorch and ecCodes, with their libraries.
function(tradewind_install_worker target)
  set(libraries "$ORIGIN/../${TRADEWIND_LIBRARY_DIR}")
  set_target_properties(${target} PROPERTIES INSTALL_RPATH
    "${libraries}/torch/lib;${libraries}/nvidia/cu13/lib;${libraries}/eccodeslib/lib64;${libraries}/eckitlib/lib64")
  install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  foreach(library libtorch_cpu.so libc10.so libgomp.so.1)
    if(EXISTS "${Torch_ROOT}/lib/${library}")
      install(FILES "${Torch_ROOT}/lib/${library}" DESTINATION "${TRADEWIND_LIBRARY_DIR}/torch/lib")
    endif()
  endforeach()
  if(TRADEWIND_SYSTEM_ECCODES)
    set(folders nvidia/cu13/lib)
  else()
    set(folders nvidia/cu13/lib eccodeslib/lib64 eckitlib/lib64 eckitlib.libs)
  endif()
  foreach(folder IN LISTS folders)
    if(IS_DIRECTORY "${TRADEWIND_DEPS_DIR}/${folder}")
      install(DIRECTORY "${TRADEWIND_DEPS_DIR}/${folder}/" DESTINATION "${TRADEWIND_LIBRARY_DIR}/${folder}"
              FILES_MATCHING PATTERN "*.so*" PATTERN "cmake" EXCLUDE PATTERN "pkgconfig" EXCLUDE)
    endif()
  endforeach()
endfunction()
