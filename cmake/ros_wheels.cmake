# Given as CMAKE_PROJECT_INCLUDE when ROS comes from PyPI's wheels. Mends two kinds of include directories that CMake refuses:
# - the wheels' imported targets name those of the machine that built the wheels, /opt/python/..., which do not exist here;
# - our targets would export those of a virtual environment that lies in the source tree.

function(mend_include_directories)
  get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
  get_property(own DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS imported own)
    get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT directories)
      continue()
    endif()
    list(FILTER directories EXCLUDE REGEX "^/opt/python/")
    set(mended)
    foreach(directory IN LISTS directories)
      cmake_path(IS_PREFIX CMAKE_SOURCE_DIR "${directory}" in_source_tree)
      if(in_source_tree AND target IN_LIST own)
        set(directory "$<BUILD_INTERFACE:${directory}>")
      endif()
      list(APPEND mended "${directory}")
    endforeach()
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${mended}")
  endforeach()
endfunction()

# Targets come after project(), so wait for the end of the directory.
cmake_language(DEFER CALL mend_include_directories)
