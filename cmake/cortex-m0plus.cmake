# SPDX-License-Identifier: Apache-2.0
# Toolchain of the Cortex-M0+ board (B7). The emulated board has a Cortex-M3, which executes the same code.
set(OTA_CPU_FLAGS "-mcpu=cortex-m0plus -mfloat-abi=soft")
set(OTA_MACHINE mps2-an385)
set(OTA_PSRAM_ADDRESS 0x21000000)
set(OTA_HAS_FLOAT_UNIT false)
set(OTA_CORTEX_M_DSP OFF)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
