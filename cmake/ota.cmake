# SPDX-License-Identifier: Apache-2.0
# The four build functions that the folders use, and the flags of our own code.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

find_program(OTA_CCACHE ccache)
if(OTA_CCACHE)
  # What one clone compiled serves every other: nothing that is hashed holds the clone's own path.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 ${OTA_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# Flags of our own code; third-party code is built without them.
add_library(ota_flags INTERFACE)
target_include_directories(ota_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(ota_flags INTERFACE -Wall -Wextra -Wconversion -Werror -fno-strict-aliasing)

# The device library is built without exceptions and RTTI on the host too, so that a throw never creeps in.
add_library(ota_device_flags INTERFACE)
target_compile_options(ota_device_flags INTERFACE -fno-exceptions -fno-rtti -fno-threadsafe-statics
                       -Wdouble-promotion)

if(OTA_SANITIZE)
  # No vptr: the device library has no RTTI for it to look at.
  add_compile_options(-fsanitize=${OTA_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${OTA_SANITIZE})
endif()
if(OTA_SANITIZE MATCHES thread)
  # The sanitizer does not know fences; Asio's stand beside locks that order the same.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
if(OTA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# ota_device_library(NAME SOURCES … DEPS …): a part of the device library.
function(ota_device_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE ota_flags ota_device_flags)
  set_property(GLOBAL APPEND PROPERTY OTA_DEVICE_LIBRARIES ${name})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

# ota_optimize_at_link(SOURCES …): on boards the linker sees what these sources do, and leaves out what an image does
# not need of them. Objects hold code too, for images that are linked with -fno-lto.
function(ota_optimize_at_link)
  if(NOT OTA_HOST)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -flto -ffat-lto-objects)
  endif()
endfunction()

# ota_host_library(NAME SOURCES … DEPS …): a part that only runs on a host.
function(ota_host_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE ota_flags)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

# ota_test(NAME SOURCES … DEPS … [LABELS …]): a GoogleTest program, which runs in the root of the
# repository; each TEST becomes one ctest case.
# Label `threads` puts it into the thread sanitizer's run.
function(ota_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT OTA_HOST OR OTA_FUZZ)
    return()
  endif()
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} ota_flags GTest::gmock GTest::gtest_main)
  # Half the time to compile; what is tested keeps its own optimisation.
  target_compile_options(${name} PRIVATE -O0)
  target_compile_definitions(${name} PRIVATE OTA_SOURCE_DIR="." OTA_SHARED_DIR="../shared")
  set(properties TIMEOUT 300)
  if(arg_LABELS)
    list(APPEND properties LABELS "${arg_LABELS}")
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                       PROPERTIES ${properties})
  if("threads" IN_LIST arg_LABELS)
    set_property(GLOBAL APPEND PROPERTY OTA_THREAD_TESTS ${name})
  endif()
endfunction()

# ota_fuzz(NAME SOURCE file DEPS … [CORPUS dir]): a libFuzzer target, run for a short slice by ctest.
# The committed corpus is read only; what a run finds goes to the build tree.
function(ota_fuzz name)
  cmake_parse_arguments(arg "" "SOURCE;CORPUS" "DEPS" ${ARGN})
  if(NOT OTA_FUZZ)
    return()
  endif()
  add_executable(${name} ${arg_SOURCE})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} ota_flags -fsanitize=fuzzer)
  set_property(GLOBAL APPEND PROPERTY OTA_FUZZERS ${name})
  set(found ${CMAKE_CURRENT_BINARY_DIR}/${name}_found)
  file(MAKE_DIRECTORY ${found})
  set(corpus "")
  if(arg_CORPUS)
    set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
  endif()
  add_test(NAME ${name} COMMAND ${name} -max_total_time=10 -timeout=5 -rss_limit_mb=2048 -max_len=65536
           -print_final_stats=1 ${found} ${corpus})
endfunction()
