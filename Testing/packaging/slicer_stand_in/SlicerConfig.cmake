# Stands in for Slicer's own SlicerConfig.cmake: enough to configure and install the extension
# without a Slicer build. Like Slicer's macro, it refuses files that do not exist and installs
# scripts and resources with their folders.

set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/Nothing.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/Nothing.cmake")
