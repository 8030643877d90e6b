find_package(ZLIB QUIET)
if(NOT ZLIB_FOUND)
  message(FATAL_ERROR "zlib not found. Remedy: apt-get install zlib1g-dev, or run cmake/setup.sh")
endif()
