// SPDX-License-Identifier: Apache-2.0
// Quads of channels for cores with the DSP extension. Of taps that lie together a group is four,
// and eight words of weights: of each channel taps 0 and 2 as halves, then of each channel taps 1
// and 3. Of taps side by side a group is one, and two words: channels 0 and 2, then 1 and 3. The
// loop is assembly, since it needs every register there is: values r0, inputs r1, zero points r2,
// products' operands r3 to r8, sums r9 to r12, rounds left in lr. On the stack: the run, rows left.
#include "engine/kernels/cortex_m/dsp.h"
#include "engine/kernels/cortex_m/quad_run.h"

#define OTA_CHANNELS(taps) \
  "ldmia r0!, {r5-r8}\n"   \
  "smlad r9, " taps        \
  ", r5, r9\n"             \
  "smlad r10, " taps       \
  ", r6, r10\n"            \
  "smlad r11, " taps       \
  ", r7, r11\n"            \
  "smlad r12, " taps ", r8, r12\n"

// Four taps that lie together, in 52 bytes.
#define OTA_TOGETHER     \
  "ldr r3, [r1], #4\n"   \
  "sxtab16 r4, r2, r3\n" \
  "sxtab16 r3, r2, r3, ror #8\n" OTA_CHANNELS("r4") OTA_CHANNELS("r3")

// A tap of each channel, whose inputs LOAD brings, in 26 bytes and the load's.
#define OTA_TAP(load)                 \
  load "ldmia r0!, {r5, r6}\n"        \
       "sxtab16 r4, r2, r3\n"         \
       "sxtab16 r3, r2, r3, ror #8\n" \
       "smlabb r12, r4, r5, r12\n"    \
       "smlabb r11, r3, r6, r11\n"    \
       "smlatt r10, r4, r5, r10\n"    \
       "smlatt r9, r3, r6, r9\n"

// A row of three taps, the last one first, or as few as r8 leaves, in 92 bytes; lr to the next.
#define OTA_SIDE_BY_SIDE                                                        \
  "add pc, r8\n"                                                                \
  "nop\n" OTA_TAP("ldr.w r3, [r1, r7, lsl #1]\n") OTA_TAP("ldr r3, [r1, r7]\n") \
      OTA_TAP("ldr r3, [r1]\n") "add r1, lr\n"

// Finishes one sum (fast_term.h).
#define OTA_FINISH(sum, multiplier, shift, rounding) \
  "smmlar " sum ", " sum ", " multiplier ", " sum    \
  "\n"                                               \
  "add " sum ", " sum ", " sum                       \
  ", asr #31\n"                                      \
  "add " sum ", " rounding                           \
  "\n"                                               \
  "asr " sum ", " shift                              \
  "\n"                                               \
  "ssat " sum ", #8, " sum "\n"

// Of four channels, whose terms r3 points to; of four pixels, the term where `sums` points to.
#define OTA_FINISH_CHANNELS                                                                  \
  "ldmia r3!, {r0, r1, r2, r5, r6, r7}\n" OTA_FINISH("r9", "r0", "r1", "r2")                 \
      OTA_FINISH("r10", "r5", "r6", "r7") "ldmia r3, {r0, r1, r2, r5, r6, r7}\n" OTA_FINISH( \
          "r11", "r0", "r1", "r2") OTA_FINISH("r12", "r5", "r6", "r7")
#define OTA_FINISH_PIXELS                                                                \
  "ldr r3, [r4, #28]\n"                                                                  \
  "ldmia r3!, {r5, r6, r7}\n"                                                            \
  "str r3, [r4, #28]\n"                                                                  \
  "ldr r5, [r4, #76]\n"                                                                  \
  "subs r0, r7, #1\n"                                                                    \
  "lsls r5, r0\n" OTA_FINISH("r9", "r6", "r7", "r5") OTA_FINISH("r10", "r6", "r7", "r5") \
      OTA_FINISH("r11", "r6", "r7", "r5") OTA_FINISH("r12", "r6", "r7", "r5")

// Results to where they belong; what passes in r0, the output in r2, their steps, its end in r5.
#define OTA_STORE                                    \
  "add r3, r4, #36\n"                                \
  "ldmia r3, {r0, r1, r2, r3, r5, r6, r7, r8, lr}\n" \
  "strb r9, [r2, r6]\n"                              \
  "strb r10, [r2, r7]\n"                             \
  "strb r11, [r2, r8]\n"                             \
  "strb r12, [r2, lr]\n"

// To what passes next, and to the next line; equal, or zero: there is none.
#define OTA_NEXT        \
  "add r0, r1\n"        \
  "add r2, r3\n"        \
  "str r0, [r4, #36]\n" \
  "str r2, [r4, #44]\n" \
  "cmp r2, r5\n"
#define OTA_NEXT_LINE(done)  \
  "ldr r6, [r4, #80]\n"      \
  "subs r6, #1\n"            \
  "beq " done                \
  "\n"                       \
  "str r6, [r4, #80]\n"      \
  "ldrd r6, r7, [r4, #84]\n" \
  "add r0, r6\n"             \
  "add r2, r7\n"             \
  "ldr r6, [r4, #92]\n"      \
  "add r5, r6\n"             \
  "str r0, [r4, #36]\n"      \
  "str r2, [r4, #44]\n"      \
  "str r5, [r4, #52]\n"

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
namespace {

// Bytes of code, and where from the first group on: of a group, of a tap, of a row of taps.
constexpr uint32_t kGroupBytes = 52;
constexpr uint32_t kRoundGroups = 4;
constexpr uint32_t kTapBytes = 28;
constexpr uint32_t kRowBytes = 92;
constexpr uint32_t kSideBySide = kRoundGroups * kGroupBytes + 30;
constexpr uint32_t kNoTaps = kSideBySide + kSideBySideMax * kRowBytes;

}  // namespace

// Where groups are not whole rounds, the first round is entered in its middle.
void SelectTogether(QuadRun& run, uint32_t tap_count) {
  const uint32_t groups = tap_count / 4;
  run.rounds = (groups + kRoundGroups - 1) / kRoundGroups;
  run.entry = groups == 0 ? kNoTaps : (run.rounds * kRoundGroups - groups) * kGroupBytes;
}

// Rows and taps that are not there are jumped over.
void SelectSideBySide(QuadRun& run, uint32_t rows, uint32_t columns, int32_t pitch) {
  const uint32_t skipped = kSideBySideMax - columns;
  run.value_row_step = static_cast<int32_t>(skipped * kTapBytes + (skipped != 0 ? 2 : 0));
  run.rounds = static_cast<uint32_t>(pitch);
  run.entry =
      rows == 0 || columns == 0 ? kNoTaps : kSideBySide + (kSideBySideMax - rows) * kRowBytes;
}

// `run` arrives in r0, and in r1 the terms that pass, or null. They are in `sums` then, and the
// rows left are 0.
[[gnu::naked]] static void ComputeEither(QuadRun&, const ChannelTermS8*) {
  asm volatile(
      "push {r0, r1, r4-r11, lr}\n"
      "mov r4, r0\n"
      "cbz r1, 1f\n"
      "str r1, [r4, #28]\n"
      "movs r3, #0\n"
      "str r3, [sp, #4]\n"
      "b 8f\n"
      "1: ldrd r2, r3, [r4, #20]\n"
      "ldrd r5, r0, [r4, #28]\n"
      "ldr r1, [r4, #36]\n"
      "ldmia r5, {r9-r12}\n"
      "2: str r3, [sp, #4]\n"
      "b 3f\n"
      "8: ldrd r5, r0, [r4, #28]\n"
      "ldr r1, [r4, #36]\n"
      "ldr r9, [r5]\n"
      "mov r10, r9\n"
      "mov r11, r9\n"
      "mov r12, r9\n"
      "movs r2, #0\n"
      "3: ldmia r4, {r5-r8, lr}\n"
      "add pc, r6\n"
      "nop\n"
      "4:\n" OTA_TOGETHER OTA_TOGETHER OTA_TOGETHER OTA_TOGETHER
      "subs lr, #1\n"
      "bne 4b\n"
      "ldrd r4, r3, [sp]\n"
      "subs r3, #1\n"
      "bcc.w 9f\n"
      "beq.w 5f\n"
      "ldr r5, [r4]\n"
      "ldr r6, [r4, #12]\n"
      "add r1, r5\n"
      "add r0, r6\n"
      "b 2b\n" OTA_SIDE_BY_SIDE OTA_SIDE_BY_SIDE OTA_SIDE_BY_SIDE
      "ldr r4, [sp]\n"
      "5: ldr r3, [r4, #72]\n"
      "cbnz r3, 6f\n"
      "ldr r6, [r4, #28]\n"
      "stmia r6!, {r9-r12}\n"
      "str r6, [r4, #28]\n"
      "add r3, r4, #36\n"
      "ldmia r3, {r0, r1, r2, r3, r5}\n"
      "b 7f\n"
      "6:\n" OTA_FINISH_CHANNELS OTA_STORE
      "7:\n" OTA_NEXT
      "bne 1b\n" OTA_NEXT_LINE("7f")
      "b 1b\n"
      "7: pop {r0, r1, r4-r11, pc}\n"
      "9:\n" OTA_FINISH_PIXELS OTA_STORE OTA_NEXT
      "bne 8b\n"
      "pop {r0, r1, r4-r11, pc}\n");
}

void ComputeQuads(QuadRun& run) { ComputeEither(run, nullptr); }

void ComputePixelQuads(QuadRun& run, const ChannelTermS8* terms) { ComputeEither(run, terms); }

uint32_t* WidenTogether(const int8_t* taps, uint32_t count, uint32_t zero_points,
                        uint32_t* values) {
  const int8_t* const end = taps + count;
  do {
    const uint32_t word = LoadWord(taps);
    taps += 4;
    asm volatile(
        "str %1, [%0, #16]\n"
        "str %2, [%0], #32\n"
        : "+r"(values)
        : "r"(AddOdd(zero_points, word)), "r"(AddEven(zero_points, word))
        : "memory");
  } while (taps != end);
  return values;
}

// Arguments arrive in r0 and r1. Pixels r4 to r7, groups left in r3, rows left in lr.
[[gnu::naked]] void WidenQuad(const QuadSources&, uint32_t*) {
  asm volatile(
      "push {r4-r11, lr}\n"
      "mov r2, r1\n"
      "ldmia r0!, {r4-r7}\n"
      "ldrd lr, r1, [r0, #20]\n"
      "1: ldr r3, [r0, #16]\n"
      "2:\n" OTA_WIDEN("r4", "r5", "0", "16") OTA_WIDEN("r6", "r7", "8", "24")
      "adds r2, #32\n"
      "subs r3, #1\n"
      "bne 2b\n"
      "ldmia r0, {r8-r11}\n"
      "add r4, r8\n"
      "add r5, r9\n"
      "add r6, r10\n"
      "add r7, r11\n"
      "subs lr, #1\n"
      "bne 1b\n"
      "pop {r4-r11, pc}\n");
}

uint32_t* WidenSideBySide(const uint8_t* weights, uint32_t tap_count, int32_t step,
                          uint32_t* values) {
  for (; tap_count != 0; --tap_count, weights += step, values += 2) {
    const uint32_t word = LoadWord(weights);
    values[0] = WidenEven(word);
    values[1] = WidenOdd(word);
  }
  return values;
}

}  // namespace ota::engine::dsp
