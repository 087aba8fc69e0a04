# SPDX-License-Identifier: Apache-2.0
# Target `ota_mbedtls`: on the host Debian's library; for boards the same package's sources, built with
# crypto/mbedtls_config.h. OTA_MBEDTLS_FROM_SOURCE makes the host build what the boards run.

if(OTA_HOST)
  option(OTA_MBEDTLS_FROM_SOURCE "Build Mbed TLS from source with the boards' configuration" OFF)
else()
  set(OTA_MBEDTLS_FROM_SOURCE ON)
endif()

if(NOT OTA_MBEDTLS_FROM_SOURCE)
  find_library(OTA_MBEDTLS_LIBRARY mbedtls REQUIRED)
  find_library(OTA_MBEDX509_LIBRARY mbedx509 REQUIRED)
  find_library(OTA_MBEDCRYPTO_LIBRARY mbedcrypto REQUIRED)
  add_library(ota_mbedtls INTERFACE)
  target_link_libraries(ota_mbedtls INTERFACE ${OTA_MBEDTLS_LIBRARY} ${OTA_MBEDX509_LIBRARY} ${OTA_MBEDCRYPTO_LIBRARY})
  return()
endif()

set(mbedtls ${PROJECT_SOURCE_DIR}/build/third_party/mbedtls)
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/tools/fetch_mbedtls.sh ${mbedtls} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "The sources of Mbed TLS could not be had; see above")
endif()
file(GLOB sources ${mbedtls}/library/*.c)
add_library(ota_mbedtls STATIC ${sources})
set_target_properties(ota_mbedtls PROPERTIES OUTPUT_NAME mbedtls_device)
target_include_directories(ota_mbedtls SYSTEM PUBLIC ${mbedtls}/include PRIVATE ${mbedtls}/library)
target_include_directories(ota_mbedtls PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_definitions(ota_mbedtls PUBLIC MBEDTLS_CONFIG_FILE="crypto/mbedtls_config.h")
target_compile_options(ota_mbedtls PRIVATE -Os -w)
