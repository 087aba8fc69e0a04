# SPDX-License-Identifier: Apache-2.0
# Toolchain of the Cortex-M7 boards (B1, B2).
set(OTA_CPU_FLAGS "-mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -mfloat-abi=hard")
set(OTA_MACHINE mps2-an500)
set(OTA_PSRAM_ADDRESS 0x60000000)
set(OTA_HAS_FLOAT_UNIT true)
set(OTA_CORTEX_M_DSP ON)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
