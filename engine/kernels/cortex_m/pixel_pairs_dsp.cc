// SPDX-License-Identifier: Apache-2.0
// ComputePixelPairs in assembly, for cores with the DSP extension. Written by hand, since the inner
// loop needs every register there is: sums in r8 (channel 0, pixel 0), r9 (0, 1), r10 (1, 0) and
// r11 (1, 1); windows r0 and r1; weights r2; r3 to r7, r12 for values; groups left in lr.
#include "engine/kernels/cortex_m/pixel_pairs.h"

// A group of four taps.
#define OTA_GROUP                 \
  "ldr r3, [r0], #4\n"            \
  "ldmia r2!, {r4, r5, r6, r7}\n" \
  "sxtb16 r12, r3\n"              \
  "sxtb16 r3, r3, ror #8\n"       \
  "smlad r8, r12, r4, r8\n"       \
  "smlad r10, r12, r6, r10\n"     \
  "ldr r12, [r1], #4\n"           \
  "smlad r8, r3, r5, r8\n"        \
  "smlad r10, r3, r7, r10\n"      \
  "sxtb16 r3, r12\n"              \
  "sxtb16 r12, r12, ror #8\n"     \
  "smlad r9, r3, r4, r9\n"        \
  "smlad r11, r3, r6, r11\n"      \
  "smlad r9, r12, r5, r9\n"       \
  "smlad r11, r12, r7, r11\n"

// Finishes one sum: multiplier in r4, rounding in r5, shift in r6 (fast_term.h).
#define OTA_REQUANTIZE(sum)           \
  "smmlar " sum ", " sum ", r4, " sum \
  "\n"                                \
  "add " sum ", " sum ", " sum        \
  ", asr #31\n"                       \
  "add " sum                          \
  ", r5\n"                            \
  "asr " sum                          \
  ", r6\n"                            \
  "ssat " sum ", #8, " sum "\n"

namespace ota::engine::dsp {

// `run` arrives in r0.
[[gnu::naked]] void ComputePixelPairs(PixelPairs&) {
  asm volatile(
      "push {r4-r11, lr}\n"
      "sub sp, #12\n"
      "str r0, [sp]\n"
      "10:\n"  // next two pixels; r0 is the run
      "ldrd r12, lr, [r0, #12]\n"
      "ldrd r8, r10, [r0, #20]\n"
      "ldmia r0, {r1, r2, r3}\n"
      "mov r9, r8\n"
      "mov r11, r10\n"
      "mov r0, r1\n"
      "add r1, r3\n"
      "str r12, [sp, #4]\n"
      "11:\n"  // next row of the windows; lr is the groups of a row
      "lsrs lr, lr, #1\n"
      "bcc 12f\n" OTA_GROUP
      "cmp lr, #0\n"
      "beq 13f\n"
      "12:\n" OTA_GROUP OTA_GROUP
      "subs lr, #1\n"
      "bne 12b\n"
      "13:\n"
      "ldrd r12, r3, [sp]\n"
      "subs r3, #1\n"
      "beq 14f\n"
      "str r3, [sp, #4]\n"
      "ldr r4, [r12, #64]\n"
      "ldr lr, [r12, #16]\n"
      "add r0, r4\n"
      "add r1, r4\n"
      "b 11b\n"
      "14:\n"  // the sums are complete; r12 is the run
      "add r3, r12, #28\n"
      "ldmia r3!, {r0, r1, r4, r5, r6}\n" OTA_REQUANTIZE("r8") OTA_REQUANTIZE("r9")
      "ldmia r3, {r4, r5, r6, r7}\n" OTA_REQUANTIZE("r10") OTA_REQUANTIZE("r11")
      "strb r8, [r0]\n"
      "strb r10, [r0, #1]\n"
      "add r0, r1\n"
      "strb r9, [r0]\n"
      "strb r11, [r0, #1]\n"
      "ldr r2, [r12]\n"
      "ldr r3, [r12, #8]\n"
      "add r0, r1\n"
      "add r2, r2, r3, lsl #1\n"
      "str r0, [r12, #28]\n"
      "str r2, [r12]\n"
      "cmp r0, r7\n"
      "mov r0, r12\n"
      "bne 10b\n"
      "add sp, #12\n"
      "pop {r4-r11, pc}\n");
}

}  // namespace ota::engine::dsp
