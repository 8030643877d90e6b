# cmake --install gives a relocatable tree: bin/ and, in lib/tradewind, the libraries the worker needs, laid out as their
# own run paths expect.
include(GNUInstallDirs)
set(TRADEWIND_LIBRARY_DIR "${CMAKE_INSTALL_LIBDIR}/tradewind")

# Shared libraries of FOLDER whose names match the patterns, into FOLDER_IN_TREE below lib/tradewind.
function(_tradewind_install_libraries folder folder_in_tree)
  set(patterns "")
  foreach(pattern IN LISTS ARGN)
    list(APPEND patterns PATTERN "${pattern}")
  endforeach()
  install(DIRECTORY "${folder}/" DESTINATION "${TRADEWIND_LIBRARY_DIR}/${folder_in_tree}"
          FILES_MATCHING ${patterns} PATTERN "cmake" EXCLUDE PATTERN "pkgconfig" EXCLUDE)
endfunction()

# tradewind_lay_out(): links in the build tree's lib/tradewind, so that the one run path below serves in both trees. A run
# path that cmake --install had to write anew would be padded with empty elements before, which mean the current folder.
function(tradewind_lay_out)
  set(tree "${PROJECT_BINARY_DIR}/${TRADEWIND_LIBRARY_DIR}")
  set(folders "torch/lib=${Torch_ROOT}/lib" "nvidia/cu13/lib=${TRADEWIND_CUDA_LIBRARY_DIR}")
  foreach(part nccl cudnn nvshmem cusparselt)
    get_filename_component(folder "${Torch_ROOT}/../nvidia/${part}/lib" ABSOLUTE)
    if(IS_DIRECTORY "${folder}")
      list(APPEND folders "nvidia/${part}/lib=${folder}")
    endif()
  endforeach()
  if(NOT TRADEWIND_SYSTEM_ECCODES)
    foreach(folder eccodeslib/lib64 eckitlib/lib64 eckitlib.libs)
      list(APPEND folders "${folder}=${TRADEWIND_DEPS_DIR}/${folder}")
    endforeach()
  endif()
  foreach(pair IN LISTS folders)
    string(REGEX MATCH "^([^=]+)=(.*)$" _ "${pair}")
    set(link "${tree}/${CMAKE_MATCH_1}")
    get_filename_component(target "${CMAKE_MATCH_2}" ABSOLUTE)
    get_filename_component(parent "${link}" DIRECTORY)
    file(MAKE_DIRECTORY "${parent}")
    file(REMOVE "${link}")
    file(CREATE_LINK "${target}" "${link}" SYMBOLIC)
  endforeach()
endfunction()

# The run path of an executable that links LibTorch and ecCodes, in the build tree and installed. An ecCodes of the system
# stays where it is.
function(tradewind_set_worker_run_path target)
  set(tree "$ORIGIN/../${TRADEWIND_LIBRARY_DIR}")
  set(run_path "${tree}/torch/lib" "${tree}/nvidia/cu13/lib")
  if(TRADEWIND_SYSTEM_ECCODES)
    list(APPEND run_path ${TRADEWIND_SYSTEM_ECCODES_DIRS})
  else()
    list(APPEND run_path "${tree}/eccodeslib/lib64" "${tree}/eckitlib/lib64")
  endif()
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${run_path}" BUILD_WITH_INSTALL_RPATH ON)
endfunction()

# tradewind_install_worker(TARGET): the executable with its libraries.
function(tradewind_install_worker target)
  file(GLOB libraries "${Torch_ROOT}/lib/libtorch_cpu.so" "${Torch_ROOT}/lib/libc10.so" "${Torch_ROOT}/lib/libgomp*.so*")
  install(FILES ${libraries} DESTINATION "${TRADEWIND_LIBRARY_DIR}/torch/lib")
  if(IS_DIRECTORY "${TRADEWIND_CUDA_LIBRARY_DIR}")
    _tradewind_install_libraries("${TRADEWIND_CUDA_LIBRARY_DIR}" nvidia/cu13/lib "libcudart.so*" "libcupti.so*")
  endif()
  if(NOT TRADEWIND_SYSTEM_ECCODES)
    foreach(folder eccodeslib/lib64 eckitlib/lib64 eckitlib.libs)
      _tradewind_install_libraries("${TRADEWIND_DEPS_DIR}/${folder}" ${folder} "*.so*")
    endforeach()
  endif()
  tradewind_lay_out()
  tradewind_set_worker_run_path(${target})
  install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# tradewind_install_cuda(TARGET): worker_cuda.so, when it has been built, with the CUDA half of LibTorch and those of its
# libraries that stand beside it as pip leaves them. Others are the system's.
function(tradewind_install_cuda target)
  # Installed it lies in lib/tradewind, in the build tree beside the worker. The toolkit's own folder is not among these:
  # its libraries may be older than LibTorch wants.
  set(run_path "$ORIGIN/torch/lib" "$ORIGIN/../${TRADEWIND_LIBRARY_DIR}/torch/lib")
  foreach(part cu13 nccl cudnn nvshmem cusparselt)
    list(APPEND run_path "$ORIGIN/nvidia/${part}/lib" "$ORIGIN/../${TRADEWIND_LIBRARY_DIR}/nvidia/${part}/lib")
    get_filename_component(folder "${Torch_ROOT}/../nvidia/${part}/lib" ABSOLUTE)
    if(IS_DIRECTORY "${folder}")
      _tradewind_install_libraries("${folder}" "nvidia/${part}/lib" "*.so*")
    endif()
  endforeach()
  file(GLOB libraries "${Torch_ROOT}/lib/libtorch_cuda*.so" "${Torch_ROOT}/lib/libc10_cuda.so"
       "${Torch_ROOT}/lib/libtorch_nvshmem.so" "${Torch_ROOT}/lib/libcaffe2_nvrtc.so")
  install(FILES ${libraries} DESTINATION "${TRADEWIND_LIBRARY_DIR}/torch/lib")
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${run_path}" BUILD_WITH_INSTALL_RPATH ON)
  install(TARGETS ${target} LIBRARY DESTINATION "${TRADEWIND_LIBRARY_DIR}" OPTIONAL)
endfunction()

# tradewind_install_netcdf(TARGET): worker_netcdf.so. Its run path names the folder of a netCDF that is not the system's.
function(tradewind_install_netcdf target)
  get_filename_component(folder "${TRADEWIND_NETCDF_LIBRARY}" DIRECTORY)
  if(folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES OR folder IN_LIST CMAKE_PLATFORM_IMPLICIT_LINK_DIRECTORIES)
    set(folder "")
  endif()
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${folder}" BUILD_WITH_INSTALL_RPATH ON)
  install(TARGETS ${target} LIBRARY DESTINATION "${TRADEWIND_LIBRARY_DIR}")
endfunction()
