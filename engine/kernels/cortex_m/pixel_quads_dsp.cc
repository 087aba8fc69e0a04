// SPDX-License-Identifier: Apache-2.0
// Pixel quads for cores with the DSP extension. A group of four taps is eight words: of each pixel
// taps 0 and 2 as halves, then of each pixel taps 1 and 3. The loops are assembly, since they need
// every register there is: values r0, weights r1, products' operands r3 to r8, sums r9 to r12,
// groups left in lr.
#include "engine/kernels/cortex_m/pixel_quads.h"

#include "engine/kernels/cortex_m/channel_quads.h"
#include "engine/kernels/cortex_m/dsp.h"

// The four pixels' halves, times those of the weights in `taps`.
#define OTA_HALVES(taps) \
  "ldmia r0!, {r5-r8}\n" \
  "smlad r9, " taps      \
  ", r5, r9\n"           \
  "smlad r10, " taps     \
  ", r6, r10\n"          \
  "smlad r11, " taps     \
  ", r7, r11\n"          \
  "smlad r12, " taps ", r8, r12\n"

// Four taps: weights in r3.
#define OTA_PRODUCTS        \
  "sxtb16 r4, r3, ror #8\n" \
  "sxtb16 r3, r3\n" OTA_HALVES("r3") OTA_HALVES("r4")
#define OTA_GROUP "ldr r3, [r1], #4\n" OTA_PRODUCTS

// Whole groups, as many as r2 says.
#define OTA_GROUPS                               \
  "lsrs lr, r2, #2\n"                            \
  "ands r2, #3\n"                                \
  "beq 2f\n"                                     \
  "1:\n" OTA_GROUP                               \
  "subs r2, #1\n"                                \
  "bne 1b\n"                                     \
  "2: cmp lr, #0\n"                              \
  "beq 4f\n"                                     \
  "3:\n" OTA_GROUP OTA_GROUP OTA_GROUP OTA_GROUP \
  "subs lr, #1\n"                                \
  "bne 3b\n"                                     \
  "4:\n"

// All taps of a channel: whole groups in r2, then as many taps as the word REST has.
#define OTA_DOT(rest)                    \
  OTA_GROUPS "ldr r2, " rest             \
             "\n"                        \
             "cbz r2, 6f\n"              \
             "ldrb r3, [r1], #1\n"       \
             "subs r2, #1\n"             \
             "beq 5f\n"                  \
             "ldrb r4, [r1], #1\n"       \
             "orr r3, r3, r4, lsl #8\n"  \
             "subs r2, #1\n"             \
             "beq 5f\n"                  \
             "ldrb r4, [r1], #1\n"       \
             "orr r3, r3, r4, lsl #16\n" \
             "5:\n" OTA_PRODUCTS "6:\n"

// Finishes one sum: multiplier in r5, shift in r6, rounding in r7 (fast_term.h).
#define OTA_REQUANTIZE(sum)           \
  "smmlar " sum ", " sum ", r5, " sum \
  "\n"                                \
  "add " sum ", " sum ", " sum        \
  ", asr #31\n"                       \
  "add " sum                          \
  ", r7\n"                            \
  "asr " sum                          \
  ", r6\n"                            \
  "ssat " sum ", #8, " sum "\n"

// Four taps of two pixels, plus the halves in r1, to where r2 and the distances say.
#define OTA_WIDEN(pixel0, pixel1, evens, odds) \
  "ldr r8, [" pixel0                           \
  "], #4\n"                                    \
  "ldr r9, [" pixel1                           \
  "], #4\n"                                    \
  "sxtab16 r10, r1, r8\n"                      \
  "sxtab16 r11, r1, r9\n"                      \
  "sxtab16 r8, r1, r8, ror #8\n"               \
  "sxtab16 r9, r1, r9, ror #8\n"               \
  "strd r10, r11, [r2, #" evens                \
  "]\n"                                        \
  "strd r8, r9, [r2, #" odds "]\n"

namespace ota::engine::dsp {

const uint32_t kQuadTapBytes = 2;

// `run` arrives in r0.
[[gnu::naked]] void ComputePixelQuads(PixelQuads&) {
  asm volatile(
      "push {r4-r11, lr}\n"
      "sub sp, #12\n"
      "ldr r2, [r0, #12]\n"  // taps behind whole groups, at sp; the run, at sp + 4
      "strd r2, r0, [sp]\n"
      "ldr r1, [r0, #8]\n"
      "10: ldr r2, [r0, #16]\n"
      "ldr r9, [r2]\n"
      "ldrd r0, r2, [r0]\n"
      "mov r10, r9\n"
      "mov r11, r9\n"
      "mov r12, r9\n" OTA_DOT("[sp]")
      "ldr r0, [sp, #4]\n"
      "ldrd r2, r7, [r0, #16]\n"
      "ldmia r2!, {r4, r5, r6}\n"
      "str r2, [r0, #16]\n"
      "subs r4, r6, #1\n"
      "lsls r7, r4\n" OTA_REQUANTIZE("r9") OTA_REQUANTIZE("r10") OTA_REQUANTIZE("r11")
          OTA_REQUANTIZE("r12")
      "ldrd r2, r3, [r0, #24]\n"
      "ldr r4, [r0, #32]\n"
      "strb r9, [r2]\n"
      "strb r10, [r2, r3]\n"
      "add r5, r2, r3, lsl #1\n"
      "strb r11, [r5]\n"
      "strb r12, [r5, r3]\n"
      "adds r2, #1\n"
      "str r2, [r0, #24]\n"
      "cmp r2, r4\n"
      "bne 10b\n"
      "add sp, #12\n"
      "pop {r4-r11, pc}\n");
}

// `run` arrives in r0; windows stand where weights do. On the stack: the next piece, the end of
// pieces, the run.
[[gnu::naked]] void ComputeChannelQuads(ChannelQuads&) {
  asm volatile(
      "push {r4-r11, lr}\n"
      "sub sp, #12\n"
      "str r0, [sp, #8]\n"
      "10: add r2, r0, #88\n"
      "ldmia r2, {r9-r12}\n"
      "ldmia r0, {r0, r4, r5}\n"
      "str r5, [sp, #4]\n"
      "11: ldmia r4!, {r1, r2, r3}\n"
      "add r3, r1\n"
      "str r3, [r4, #-12]\n"
      "str r4, [sp]\n" OTA_GROUPS
      "ldrd r4, r5, [sp]\n"
      "cmp r4, r5\n"
      "bne 11b\n"
      "ldr r0, [sp, #8]\n"
      "add r2, r0, #24\n"
      "ldmia r2!, {r5, r6, r7}\n" OTA_REQUANTIZE("r9")
      "ldmia r2!, {r5, r6, r7}\n" OTA_REQUANTIZE("r10")
      "ldmia r2!, {r5, r6, r7}\n" OTA_REQUANTIZE("r11")
      "ldmia r2!, {r5, r6, r7}\n" OTA_REQUANTIZE("r12")
      "ldmia r2, {r4, r5, r6, r7}\n"
      "ldrd r2, r3, [r0, #12]\n"
      "strb r9, [r2, r4]\n"
      "strb r10, [r2, r5]\n"
      "strb r11, [r2, r6]\n"
      "strb r12, [r2, r7]\n"
      "add r2, r3\n"
      "str r2, [r0, #12]\n"
      "ldr r3, [r0, #20]\n"
      "cmp r2, r3\n"
      "bne 10b\n"
      "add sp, #12\n"
      "pop {r4-r11, pc}\n");
}

int32_t WidenChannel(const uint8_t* weights, uint32_t tap_count, uint32_t* values) {
  constexpr uint32_t kOnes = 0x00010001;
  int32_t sum = 0;
  const uint8_t* const end = weights + tap_count / 4 * 4;
  do {
    const uint32_t word = LoadWord(weights);
    weights += 4;
    const uint32_t even = WidenEven(word), odd = WidenOdd(word);
    asm volatile(
        "str %1, [%0, #16]\n"
        "str %2, [%0], #32\n"
        : "+r"(values)
        : "r"(odd), "r"(even)
        : "memory");
    sum = MultiplyPairs(odd, kOnes, MultiplyPairs(even, kOnes, sum));
  } while (weights != end);
  return sum;
}

// Arguments arrive in r0 to r3.
[[gnu::naked]] void SumPixelQuad(const uint32_t*, const uint8_t*, uint32_t, int32_t*) {
  asm volatile(
      "push {r4-r11, lr}\n"
      "sub sp, #12\n"
      "and r4, r2, #3\n"
      "strd r4, r3, [sp]\n"
      "lsrs r2, r2, #2\n"
      "ldmia r3, {r9-r12}\n" OTA_DOT("[sp]")
      "ldr r3, [sp, #4]\n"
      "stmia r3, {r9-r12}\n"
      "add sp, #12\n"
      "pop {r4-r11, pc}\n");
}

// Arguments arrive in r0 to r2. Pixels r4 to r7, groups left in r3, rows left in lr.
[[gnu::naked]] uint32_t* WidenPixelQuad(const QuadSources&, int32_t, uint32_t*) {
  asm volatile(
      "push {r4-r11, lr}\n"
      "rsb r1, r1, #0\n"
      "pkhbt r1, r1, r1, lsl #16\n"
      "ldr lr, [r0, #20]\n"
      "ldmia r0, {r4-r7}\n"
      "1: ldr r3, [r0, #16]\n"
      "2:\n" OTA_WIDEN("r4", "r5", "0", "16") OTA_WIDEN("r6", "r7", "8", "24")
      "adds r2, #32\n"
      "subs r3, #1\n"
      "bne 2b\n"
      "add r12, r0, #24\n"
      "ldmia r12, {r8-r11}\n"
      "add r4, r8\n"
      "add r5, r9\n"
      "add r6, r10\n"
      "add r7, r11\n"
      "subs lr, #1\n"
      "bne 1b\n"
      "mov r0, r2\n"
      "pop {r4-r11, pc}\n");
}

}  // namespace ota::engine::dsp
