// SPDX-License-Identifier: Apache-2.0
// Dense dots for cores with the DSP extension: input r1, its end r5, rows r2 and r6 and what is a
// step r3 behind them, zero points r4, sums r7 to r10, inputs r12 and r11, weights r0 and lr.
#include "engine/kernels/small/dense_dots.h"

// Four taps of one row, whose weights LOAD brings to r0.
#define OTA_ROW(load, sum)            \
  load "sxtb16 lr, r0\n"              \
       "smlad " sum ", r12, lr, " sum \
       "\n"                           \
       "sxtb16 r0, r0, ror #8\n"      \
       "smlad " sum ", r11, r0, " sum "\n"

namespace ota::engine {

// `dots` arrives in r0.
[[gnu::naked]] void ComputeDenseDots(DenseDots&) {
  asm volatile(
      "push {r0, r4-r11, lr}\n"
      "ldmia r0, {r1-r5}\n"
      "add r6, r2, r3, lsl #1\n"
      "movs r7, #0\n"
      "mov r8, r7\n"
      "mov r9, r7\n"
      "mov r10, r7\n"
      "1: ldr r11, [r1], #4\n"
      "sxtab16 r12, r4, r11\n"
      "sxtab16 r11, r4, r11, ror #8\n" OTA_ROW("ldr r0, [r2, r3]\n", "r8")
          OTA_ROW("ldr r0, [r2], #4\n", "r7") OTA_ROW("ldr r0, [r6, r3]\n", "r10")
              OTA_ROW("ldr r0, [r6], #4\n", "r9")
      "cmp r1, r5\n"
      "bne 1b\n"
      "pop {r0}\n"
      "adds r0, #20\n"
      "stmia r0!, {r7}\n"
      "stmia r0, {r8-r10}\n"
      "pop {r4-r11, pc}\n");
}

}  // namespace ota::engine
