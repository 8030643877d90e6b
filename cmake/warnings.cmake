# tradewind_options: what every target of ours compiles and links with.
add_library(tradewind_options INTERFACE)
target_compile_options(tradewind_options INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers)
target_include_directories(tradewind_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_link_options(tradewind_options INTERFACE LINKER:--as-needed LINKER:--disable-new-dtags)
if(TRADEWIND_SANITIZE)
  target_compile_options(tradewind_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                                                     -fno-omit-frame-pointer)
  target_link_options(tradewind_options INTERFACE -fsanitize=address,undefined)
endif()
if(TRADEWIND_FUZZ)
  target_compile_options(tradewind_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined -g)
  target_link_options(tradewind_options INTERFACE -fsanitize=address,undefined)
endif()

# Addresses of functions are settled when a program starts, and their table is read-only from then on.
target_link_options(tradewind_options INTERFACE LINKER:-z,relro LINKER:-z,now)

# For what reads files and sockets of others: canaries on the stack, checked copies, checked indices of the standard library.
# Not for layers and kernels, whose loops would pay for it. The precompiled header is made without them.
set(TRADEWIND_HARDENED -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS)
if(TRADEWIND_SANITIZE OR TRADEWIND_FUZZ OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(TRADEWIND_HARDENED "")  # sanitizers watch more closely, and checked copies need optimisation
endif()
# tradewind_harden_files(FILE...): the same for single files of a library.
function(tradewind_harden_files)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${TRADEWIND_HARDENED}")
endfunction()

# tradewind_library(NAME [HARDENED] [SOURCES ...] [LIBS ...]): a static library of the folder: of all its sources but
# main.cpp, unless they are given.
function(tradewind_library name)
  cmake_parse_arguments(ARG "HARDENED" "" "SOURCES;LIBS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
    list(FILTER ARG_SOURCES EXCLUDE REGEX "/main\\.cpp$")
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC tradewind_options ${ARG_LIBS})
  if(ARG_HARDENED)
    target_compile_options(${name} PRIVATE ${TRADEWIND_HARDENED})
    set_target_properties(${name} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
