# Reads versions.env: the one place where versions are pinned, shared with setup.sh.
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/versions.env" _lines REGEX "^[A-Z_]+=")
foreach(_line IN LISTS _lines)
  string(REGEX MATCH "^([A-Z_]+)=(.*)$" _ "${_line}")
  set(TRADEWIND_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/versions.env")
