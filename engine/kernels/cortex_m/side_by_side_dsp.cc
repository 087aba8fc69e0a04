// SPDX-License-Identifier: Apache-2.0
// Taps side by side for cores with the DSP extension: inputs r1, weights r2, columns left in r3,
// zero points r4, steps r5 and r6, sums r7 to r10, taps r0 and r11, weights r12 and lr. On the
// stack: rows left, the taps, the sums.
#include "engine/kernels/cortex_m/side_by_side.h"

// LOAD brings the inputs of channels 0 and 2 into EVEN, of channels 1 and 3 into ODD.
#define OTA_ADD_TAPS(load, even, odd) \
  "push {r0, r3-r11, lr}\n"           \
  "ldr r4, [r0]\n"                    \
  "push {r4}\n"                       \
  "ldmia r3, {r7-r10}\n"              \
  "ldr r4, [r0, #24]\n"               \
  "ldr r5, [r0, #12]\n"               \
  "ldr r6, [r0, #20]\n"               \
  "1: ldr r3, [r0, #4]\n"             \
  "2: ldr lr, [r2]\n" load            \
  "add r1, r5\n"                      \
  "add r2, r6\n"                      \
  "sxtb16 r12, lr\n"                  \
  "sxtb16 lr, lr, ror #8\n"           \
  "smlabb r7, " even                  \
  ", r12, r7\n"                       \
  "smlabb r8, " odd                   \
  ", lr, r8\n"                        \
  "smlatt r9, " even                  \
  ", r12, r9\n"                       \
  "smlatt r10, " odd                  \
  ", lr, r10\n"                       \
  "subs r3, #1\n"                     \
  "bne 2b\n"                          \
  "ldrd r3, r0, [sp]\n"               \
  "ldr r11, [r0, #8]\n"               \
  "add r1, r11\n"                     \
  "ldr r11, [r0, #16]\n"              \
  "add r2, r11\n"                     \
  "subs r3, #1\n"                     \
  "str r3, [sp]\n"                    \
  "bne 1b\n"                          \
  "ldr r3, [sp, #8]\n"                \
  "stmia r3, {r7-r10}\n"              \
  "add sp, #12\n"                     \
  "pop {r4-r11, pc}\n"

namespace ota::engine::dsp {

// Arguments arrive in r0 to r3.
[[gnu::naked]] void AddOwnTaps(const SideBySideTaps&, const int8_t*, const uint8_t*, int32_t*) {
  asm volatile(
      OTA_ADD_TAPS("ldr r11, [r1]\n"
                   "sxtab16 r0, r4, r11\n"
                   "sxtab16 r11, r4, r11, ror #8\n",
                   "r0", "r11"));
}

[[gnu::naked]] void AddSharedTaps(const SideBySideTaps&, const int8_t*, const uint8_t*, int32_t*) {
  asm volatile(
      OTA_ADD_TAPS("ldrsb r11, [r1]\n"
                   "pkhbt r11, r11, r11, lsl #16\n"
                   "sadd16 r11, r11, r4\n",
                   "r11", "r11"));
}

}  // namespace ota::engine::dsp
