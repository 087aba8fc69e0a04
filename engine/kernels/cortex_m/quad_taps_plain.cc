// SPDX-License-Identifier: Apache-2.0
// Rows of taps for cores without the DSP extension, in the instructions of Armv6-M.
#include "engine/kernels/cortex_m/quad_taps.h"

#include "engine/kernels/cortex_m/dsp.h"

// One tap: weights r0, inputs r1 at a distance; products in r2 to r5, the input in r6, sums in r8
// to r11. CENTRE takes the zero point off, which is in r7.
#define OTA_TAP(distance, centre) \
  "ldmia r0!, {r2, r3, r4, r5}\n" \
  "ldrb r6, [r1, #" distance      \
  "]\n"                           \
  "sxtb r6, r6\n" centre          \
  "muls r2, r6\n"                 \
  "muls r3, r6\n"                 \
  "muls r4, r6\n"                 \
  "muls r5, r6\n"                 \
  "add r8, r2\n"                  \
  "add r9, r3\n"                  \
  "add r10, r4\n"                 \
  "add r11, r5\n"
#define OTA_TAPS(d0, d1, d2, d3, centre) \
  OTA_TAP(d0, centre) OTA_TAP(d1, centre) OTA_TAP(d2, centre) OTA_TAP(d3, centre)
#define OTA_FOUR(centre) OTA_TAPS("0", "1", "2", "3", centre)
#define OTA_CENTRE "adds r6, r7\n"

namespace ota::engine::dsp {

// Arguments arrive in r0 to r3, the last one on the stack. The end of the inputs is in r12. Without
// a zero point, weights pass.
[[gnu::naked]] void AddTogether(const uint32_t*, const int8_t*, uint32_t, int32_t*, int32_t) {
  asm volatile(
      ".syntax unified\n"
      "push {r3, r4, r5, r6, r7, lr}\n"
      "adds r2, r1\n"
      "mov r12, r2\n"
      "mov r4, r8\n"
      "mov r5, r9\n"
      "mov r6, r10\n"
      "mov r7, r11\n"
      "push {r4, r5, r6, r7}\n"
      "ldmia r3!, {r4, r5, r6, r7}\n"
      "mov r8, r4\n"
      "mov r9, r5\n"
      "mov r10, r6\n"
      "mov r11, r7\n"
      "ldr r7, [sp, #40]\n"
      "cmp r7, #0\n"
      "bne 2f\n"
      "1:\n" OTA_FOUR("")
      "adds r1, #4\n"
      "cmp r1, r12\n"
      "bne 1b\n"
      "b 4f\n"
      "2: mov r2, r12\n"
      "subs r2, r1\n"
      "lsls r2, r2, #29\n"
      "bpl 3f\n" OTA_FOUR(OTA_CENTRE)
      "adds r1, #4\n"
      "cmp r1, r12\n"
      "beq 4f\n"
      "3:\n" OTA_FOUR(OTA_CENTRE) OTA_TAPS("4", "5", "6", "7", OTA_CENTRE)
      "adds r1, #8\n"
      "cmp r1, r12\n"
      "bne 3b\n"
      "4: ldr r0, [sp, #16]\n"
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
      "pop {r3, r4, r5, r6, r7, pc}\n");
}

void AddSideBySide(const QuadRun& run, int32_t* sums) {
  const uint32_t* values = run.values;
  const int8_t* at = run.at + static_cast<int32_t>(run.rounds - 1) * run.column_step;
  const int32_t zero_point = LowHalf(run.zero_points);
  int32_t sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
  for (uint32_t row = run.entry; row != 0; --row, at += run.row_step) {
    for (uint32_t left = run.rounds; left != 0; --left, at -= run.column_step, values += 4) {
      sum3 += (at[0] + zero_point) * static_cast<int32_t>(values[0]);
      sum2 += (at[1] + zero_point) * static_cast<int32_t>(values[1]);
      sum1 += (at[2] + zero_point) * static_cast<int32_t>(values[2]);
      sum0 += (at[3] + zero_point) * static_cast<int32_t>(values[3]);
    }
  }
  sums[0] = sum0, sums[1] = sum1, sums[2] = sum2, sums[3] = sum3;
}

}  // namespace ota::engine::dsp
