include(GNUInstallDirs)
# Relocatable: an installed executable finds its libraries beside itself.
set(CMAKE_INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/tradewind")
