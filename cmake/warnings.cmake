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

# tradewind_library(NAME [SOURCES ...] [LIBS ...]): a static library of the folder: of all its sources but main.cpp, unless
# they are given.
function(tradewind_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
    list(FILTER ARG_SOURCES EXCLUDE REGEX "/main\\.cpp$")
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC tradewind_options ${ARG_LIBS})
endfunction()
