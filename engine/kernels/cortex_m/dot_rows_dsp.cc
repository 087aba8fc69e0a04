// SPDX-License-Identifier: Apache-2.0
// Dot products of rows for cores with the DSP extension. Of each four inputs 0 and 2 are kept as
// halves of a word, then 1 and 3. Two rows at a time: inputs in r4 to r7, weights in r8 and r9,
// sums in r11 and r12.
#include "engine/kernels/cortex_m/dot_rows.h"
#include "engine/kernels/cortex_m/dsp.h"

// Eight taps of one row, whose weights LOAD brings.
#define OTA_ROW(load, sum)            \
  load "sxtb16 r10, r8\n"             \
       "sxtb16 r8, r8, ror #8\n"      \
       "smlad " sum ", r10, r4, " sum \
       "\n"                           \
       "sxtb16 r10, r9\n"             \
       "smlad " sum ", r8, r5, " sum  \
       "\n"                           \
       "sxtb16 r9, r9, ror #8\n"      \
       "smlad " sum ", r10, r6, " sum \
       "\n"                           \
       "smlad " sum ", r9, r7, " sum "\n"

// Eight taps of both rows, in 76 bytes if a load is one instruction.
#define OTA_ROWS(load0, load1) "ldmia.w r0!, {r4-r7}\n" OTA_ROW(load0, "r11") OTA_ROW(load1, "r12")
#define OTA_ALIGNED OTA_ROWS("ldrd r8, r9, [r1], #8\n", "ldrd r8, r9, [r2], #8\n")

namespace ota::engine::dsp {

void WidenRow(const int8_t* input, uint32_t group_count, int32_t zero_point, uint32_t* target) {
  const uint32_t zero_points = PackHalves(-zero_point, -zero_point);
  for (; group_count != 0; --group_count, input += 8, target += 4) {
    const uint32_t word0 = LoadWord(input), word1 = LoadWord(input + 4);
    target[0] = AddEven(zero_points, word0);
    target[1] = AddOdd(zero_points, word0);
    target[2] = AddEven(zero_points, word1);
    target[3] = AddOdd(zero_points, word1);
  }
}

namespace {

// Bytes of code: of a group of aligned rows, and from the first one to that of others.
constexpr uint32_t kGroupBytes = 76;
constexpr uint32_t kUnaligned = 2 * kGroupBytes + 6;

// Arguments arrive in r0 to r2 and are kept at sp: inputs r0, rows r1 and r2, rounds left in r3.
[[gnu::naked]] void DotRowPairs(DotRun&, uint32_t, uint32_t) {
  asm volatile(
      "push {r0-r2, r4-r11, lr}\n"
      "1: ldrd r1, r2, [r0, #8]\n"
      "ldr r4, [r0, #16]\n"
      "ldr r5, [r0, #24]\n"
      "add r2, r1\n"
      "cmp r2, r5\n"
      "it hi\n"
      "movhi r2, r5\n"
      "ldrd r11, r12, [r4]\n"
      "ldr r0, [r0]\n"
      "ldrd r4, r3, [sp, #4]\n"
      "add pc, r4\n"
      "nop\n"
      "2:\n" OTA_ALIGNED OTA_ALIGNED
      "subs r3, #1\n"
      "bne 2b\n"
      "b 4f\n"
      "3:\n" OTA_ROWS("ldr r8, [r1], #4\n ldr r9, [r1], #4\n",
                      "ldr r8, [r2], #4\n ldr r9, [r2], #4\n")
      "subs r3, #1\n"
      "bne 3b\n"
      "4: ldr r0, [sp]\n"
      "ldrd r3, r4, [r0, #16]\n"
      "strd r11, r12, [r3], #8\n"
      "str r3, [r0, #16]\n"
      "ldrd r1, r2, [r0, #8]\n"
      "add r1, r1, r2, lsl #1\n"
      "str r1, [r0, #8]\n"
      "cmp r3, r4\n"
      "blo 1b\n"
      "pop {r0-r2, r4-r11, pc}\n");
}

}  // namespace

// Aligned rows run two groups at a time; of an odd count the first time enters them in their
// middle.
void DotRows(DotRun& run) {
  const bool is_aligned = ((reinterpret_cast<uintptr_t>(run.row) | run.row_bytes) & 3) == 0;
  if (is_aligned) {
    DotRowPairs(run, run.group_count % 2 * kGroupBytes, (run.group_count + 1) / 2);
  } else {
    DotRowPairs(run, kUnaligned, run.group_count);
  }
}

}  // namespace ota::engine::dsp
