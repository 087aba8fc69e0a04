# SPDX-License-Identifier: Apache-2.0
# What the Cortex-M toolchain files share: Debian's gcc-arm-none-eabi with newlib-nano. They set OTA_CPU_FLAGS and
# the emulated board that runs the result (firmware/).
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# int32_t is `long` here unless told otherwise; as `int` it is what it is on the host, so that std::max(a, 0) means the
# same on both.
set(int32_is_int "-U__INT32_TYPE__ -D__INT32_TYPE__=int -U__UINT32_TYPE__ -D__UINT32_TYPE__=unsigned")
set(CMAKE_C_FLAGS_INIT "${OTA_CPU_FLAGS} -mthumb -ffunction-sections -fdata-sections")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} ${int32_is_int} -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit \
-fno-unwind-tables -fno-asynchronous-unwind-tables")
set(CMAKE_EXE_LINKER_FLAGS_INIT "--specs=nano.specs -nostartfiles -Wl,--gc-sections")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
