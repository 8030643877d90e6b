# torch::cpu: imported targets over an unpacked wheel (or a LibTorch given by Torch_ROOT); find_package(Torch) would
# ask for a CUDA toolkit that a CPU build does not need.
set(Torch_ROOT "${TRADEWIND_DEPS_DIR}/torch" CACHE PATH "LibTorch: the folder that holds include and lib")
if(NOT EXISTS "${Torch_ROOT}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch not found in ${Torch_ROOT}. Remedy: run cmake/setup.sh, or give -DTorch_ROOT=...")
endif()
file(READ "${Torch_ROOT}/include/torch/headeronly/version.h" _torch_version)
set(TRADEWIND_TORCH_FOUND "")
foreach(_part MAJOR MINOR PATCH)
  string(REGEX MATCH "define TORCH_VERSION_${_part} ([0-9]+)" _ "${_torch_version}")
  list(APPEND TRADEWIND_TORCH_FOUND "${CMAKE_MATCH_1}")
endforeach()
list(JOIN TRADEWIND_TORCH_FOUND "." TRADEWIND_TORCH_FOUND)
if(TRADEWIND_TORCH_FOUND VERSION_LESS TRADEWIND_TORCH_MINIMUM)
  message(FATAL_ERROR "LibTorch ${TRADEWIND_TORCH_FOUND} in ${Torch_ROOT} is older than ${TRADEWIND_TORCH_MINIMUM}. "
                      "Remedy: run cmake/setup.sh, or give a newer one with -DTorch_ROOT=...")
endif()
function(_torch_import name file)
  add_library(torch::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(torch::${name} PROPERTIES IMPORTED_LOCATION "${Torch_ROOT}/lib/${file}"
    INTERFACE_INCLUDE_DIRECTORIES "${Torch_ROOT}/include;${Torch_ROOT}/include/torch/csrc/api/include")
endfunction()
_torch_import(c10 libc10.so)
_torch_import(cpu libtorch_cpu.so)
target_link_libraries(torch::cpu INTERFACE torch::c10)
# libtorch_cpu of the CUDA wheel asks for libcudart and libcupti; its own run path finds them, beside it, when it loads.
target_link_options(torch::cpu INTERFACE LINKER:--allow-shlib-undefined)
get_filename_component(TRADEWIND_CUDA_LIBRARY_DIR "${Torch_ROOT}/../nvidia/cu13/lib" ABSOLUTE)
list(APPEND CMAKE_BUILD_RPATH "${TRADEWIND_CUDA_LIBRARY_DIR}")

# The wheel exports c10d's Gloo classes but ships no gloo headers: declarations are enough.
add_library(torch_gloo INTERFACE)
target_include_directories(torch_gloo SYSTEM INTERFACE "${PROJECT_SOURCE_DIR}/cmake/gloo_declarations")
target_compile_definitions(torch_gloo INTERFACE USE_C10D_GLOO USE_DISTRIBUTED)
target_link_libraries(torch_gloo INTERFACE torch::cpu)

# ATen is slow to parse: one precompiled header serves every target that links tradewind_aten.
add_library(tradewind_aten_pch STATIC "${PROJECT_SOURCE_DIR}/cmake/aten_pch.cpp")
target_link_libraries(tradewind_aten_pch PUBLIC tradewind_options torch_gloo Threads::Threads)
target_precompile_headers(tradewind_aten_pch PRIVATE "${PROJECT_SOURCE_DIR}/cmake/aten_pch.h")
# The compiled header holds paths of this folder. What it is made from is what ccache shall compare, so that another
# clone on this machine hits.
file(SHA256 "${PROJECT_SOURCE_DIR}/cmake/aten_pch.h" _pch_source)
file(WRITE "${CMAKE_BINARY_DIR}/CMakeFiles/tradewind_aten_pch.dir/cmake_pch.hxx.gch.sum"
     "${_pch_source} ${TRADEWIND_TORCH_FOUND} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${TRADEWIND_SANITIZE}")
function(tradewind_use_aten name)
  target_link_libraries(${name} PUBLIC torch_gloo Threads::Threads)
  target_precompile_headers(${name} REUSE_FROM tradewind_aten_pch)
  # An executable would be compiled with -fPIE, for which the precompiled header does not serve.
  target_compile_options(${name} PRIVATE -fPIC)
endfunction()

# tradewind_use_threads(TARGET FILE...): at::parallel_for shares its work among threads only in files compiled for OpenMP;
# in any other it is a plain loop. The runtime has to be LibTorch's own, or two would each keep their threads. The
# precompiled header is not made for it.
file(GLOB TRADEWIND_OPENMP_LIBRARY "${Torch_ROOT}/lib/libgomp*.so*")
list(APPEND TRADEWIND_OPENMP_LIBRARY gomp)  # LibTorch without a copy uses the system's
list(GET TRADEWIND_OPENMP_LIBRARY 0 TRADEWIND_OPENMP_LIBRARY)
function(tradewind_use_threads target)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS -fopenmp)
  target_link_libraries(${target} PRIVATE "${TRADEWIND_OPENMP_LIBRARY}")
endfunction()
