# Debian's GCC 12 against glibc 2.28 (TRADEWIND_SYSROOT, made by sysroot.sh): what it makes runs on RHEL 8, SLES 15 and
# Debian 10 and later. libstdc++ is linked statically with its symbols kept local, so that LibTorch's own, whichever it
# finds, stays apart.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TRADEWIND_SYSROOT)
set(CMAKE_C_COMPILER gcc-12)
set(CMAKE_CXX_COMPILER g++-12)

set(_gcc /usr/lib/gcc/x86_64-linux-gnu/12/include)
set(_c "-isystem ${_gcc}")
foreach(_number RANGE 1 4)
  string(APPEND _c " -isystem ${TRADEWIND_SYSROOT}/include/${_number}")
endforeach()
# Last the system's folder, for the headers of libraries: whatever is of the C library has been found by then.
string(APPEND _c " -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu")
set(_minor "-nostdinc -D__GLIBC_MINOR__=28")
set(CMAKE_C_FLAGS_INIT "${_minor} ${_c}")
set(CMAKE_CXX_FLAGS_INIT
    "${_minor} -isystem /usr/include/c++/12 -isystem /usr/include/x86_64-linux-gnu/c++/12 -isystem /usr/include/c++/12/backward ${_c}")
# Found in the folders above; as -isystem of a library it would come before them.
set(CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES /usr/include /usr/include/x86_64-linux-gnu)
set(CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES ${CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES})

set(_link "-fuse-ld=gold -B${TRADEWIND_SYSROOT}/lib -L${TRADEWIND_SYSROOT}/lib -static-libstdc++")
string(APPEND _link " -Wl,--allow-shlib-undefined -Wl,--exclude-libs,libstdc++.a ${TRADEWIND_SYSROOT}/lib/shim.o")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${_link}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${_link}")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "${_link}")
