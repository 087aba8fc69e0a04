# SPDX-License-Identifier: Apache-2.0
# Toolchain of the Cortex-M4F boards (B4, B6).
set(OTA_CPU_FLAGS "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
set(OTA_MACHINE mps2-an386)
set(OTA_PSRAM_ADDRESS 0x21000000)
set(OTA_HAS_FLOAT_UNIT true)
set(OTA_CORTEX_M_DSP ON)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
