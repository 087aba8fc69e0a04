// SPDX-License-Identifier: Apache-2.0
// Line pairs in assembly, for cores with the DSP extension: lines in r0 to r2, weights in r3 to r8,
// sums in r9 and r10, taps in r11 and r12, the output in lr, the run on the stack.
#include "engine/kernels/cortex_m/line_pairs.h"

#define OTA_BEGIN                                    \
  "push {r4-r11, lr}\n"                              \
  "push {r0}\n"                                      \
  "mov r11, r0\n"                                    \
  "ldmia r0, {r0, r1, r2, r3, r4, r5, r6, r7, r8}\n" \
  "ldr lr, [r11, #52]\n"                             \
  "1: ldr r9, [r11, #36]\n"                          \
  "mov r10, r9\n"

// One row of the windows of two neighbours: taps (x0, x1), (x2, x3).
#define OTA_ROW_STRIDE_1(line, w01, w12) \
  "ldrd r11, r12, [" line                \
  "], #4\n"                              \
  "smlad r9, r11, " w01                  \
  ", r9\n"                               \
  "smlatb r9, " w12                      \
  ", r12, r9\n"                          \
  "smlabt r10, " w01                     \
  ", r11, r10\n"                         \
  "smlad r10, r12, " w12 ", r10\n"

// Of windows two columns apart: taps (x0, x1), (x2, x3), then (x4, x5).
#define OTA_ROW_STRIDE_2(line, w01, w12) \
  "ldrd r11, r12, [" line                \
  "], #8\n"                              \
  "smlad r9, r11, " w01                  \
  ", r9\n"                               \
  "smlatb r9, " w12                      \
  ", r12, r9\n"                          \
  "ldr r11, [" line                      \
  "]\n"                                  \
  "smlad r10, r12, " w01                 \
  ", r10\n"                              \
  "smlatb r10, " w12 ", r11, r10\n"

// Requantizes (fast_term.h) and stores both sums.
#define OTA_END                  \
  "ldr r11, [sp]\n"              \
  "ldr r12, [r11, #40]\n"        \
  "smmlar r9, r9, r12, r9\n"     \
  "smmlar r10, r10, r12, r10\n"  \
  "ldr r12, [r11, #44]\n"        \
  "add r9, r9, r9, asr #31\n"    \
  "add r10, r10, r10, asr #31\n" \
  "add r9, r12\n"                \
  "add r10, r12\n"               \
  "ldr r12, [r11, #48]\n"        \
  "asr r9, r12\n"                \
  "asr r10, r12\n"               \
  "ssat r9, #8, r9\n"            \
  "ssat r10, #8, r10\n"          \
  "ldr r12, [r11, #56]\n"        \
  "strb r9, [lr]\n"              \
  "strb r10, [lr, r12]\n"        \
  "add lr, lr, r12, lsl #1\n"    \
  "ldr r12, [r11, #60]\n"        \
  "cmp lr, r12\n"                \
  "bne 1b\n"                     \
  "add sp, #4\n"                 \
  "pop {r4-r11, pc}\n"

namespace ota::engine::dsp {

// `run` arrives in r0.
[[gnu::naked]] void ComputeLinePairsStride1(LinePairs&) {
  asm volatile(OTA_BEGIN OTA_ROW_STRIDE_1("r0", "r3", "r4") OTA_ROW_STRIDE_1("r1", "r5", "r6")
                   OTA_ROW_STRIDE_1("r2", "r7", "r8") OTA_END);
}

[[gnu::naked]] void ComputeLinePairsStride2(LinePairs&) {
  asm volatile(OTA_BEGIN OTA_ROW_STRIDE_2("r0", "r3", "r4") OTA_ROW_STRIDE_2("r1", "r5", "r6")
                   OTA_ROW_STRIDE_2("r2", "r7", "r8") OTA_END);
}

}  // namespace ota::engine::dsp
