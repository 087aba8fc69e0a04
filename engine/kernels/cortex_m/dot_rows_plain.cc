// SPDX-License-Identifier: Apache-2.0
// Dot products of rows for cores without the DSP extension, in the instructions of Armv6-M. Inputs
// are words. Four rows at a time share each: inputs r0, rows r1 to r4 with the tap's index in r7,
// sums in r8 to r11.
#include "engine/kernels/cortex_m/dot_rows.h"

#include <algorithm>

#define OTA_PRODUCT(row, sum) \
  "ldrsb r6, [" row           \
  ", r7]\n"                   \
  "muls r6, r5\n"             \
  "add " sum ", r6\n"
#define OTA_TAP                                                                                \
  "ldmia r0!, {r5}\n" OTA_PRODUCT("r1", "r8") OTA_PRODUCT("r2", "r9") OTA_PRODUCT("r3", "r10") \
      OTA_PRODUCT("r4", "r11") "adds r7, #1\n"

namespace ota::engine::dsp {

void WidenRow(const int8_t* input, uint32_t group_count, int32_t zero_point, uint32_t* target) {
  for (uint32_t i = 0; i < kRowGroupTaps * group_count; ++i) {
    target[i] = static_cast<uint32_t>(input[i] - zero_point);
  }
}

namespace {

// Arguments arrive in r0 to r3.
[[gnu::naked]] void DotRowQuad(const uint32_t*, const uint8_t* const[4], uint32_t, int32_t*) {
  asm volatile(
      ".syntax unified\n"
      "push {r4, r5, r6, r7, lr}\n"
      "mov r4, r8\n"
      "mov r5, r9\n"
      "mov r6, r10\n"
      "mov r7, r11\n"
      "push {r3, r4, r5, r6, r7}\n"
      "ldmia r3!, {r4, r5, r6, r7}\n"
      "mov r8, r4\n"
      "mov r9, r5\n"
      "mov r10, r6\n"
      "mov r11, r7\n"
      "lsls r2, #3\n"
      "mov r12, r2\n"
      "movs r7, #0\n"
      "mov r5, r1\n"
      "ldmia r5!, {r1, r2, r3, r4}\n"
      "1:\n" OTA_TAP OTA_TAP OTA_TAP OTA_TAP OTA_TAP OTA_TAP OTA_TAP OTA_TAP
      "cmp r7, r12\n"
      "bne 1b\n"
      "pop {r0}\n"
      "mov r4, r8\n"
      "mov r5, r9\n"
      "mov r6, r10\n"
      "mov r7, r11\n"
      "stmia r0!, {r4, r5, r6, r7}\n"
      "pop {r4, r5, r6, r7}\n"
      "mov r8, r4\n"
      "mov r9, r5\n"
      "mov r10, r6\n"
      "mov r11, r7\n"
      "pop {r4, r5, r6, r7, pc}\n");
}

}  // namespace

void DotRows(DotRun& run) {
  for (; run.sums < run.sums_end; run.sums += kRowsTogether) {
    const uint8_t* rows[kRowsTogether];
    for (const uint8_t*& row : rows) {
      row = std::min(run.row, run.last_row);
      run.row += run.row_bytes;
    }
    DotRowQuad(run.inputs, rows, run.group_count, run.sums);
  }
}

}  // namespace ota::engine::dsp
