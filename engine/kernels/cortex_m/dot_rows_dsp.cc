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

#define OTA_ROWS(load0, load1) "ldmia r0!, {r4-r7}\n" OTA_ROW(load0, "r11") OTA_ROW(load1, "r12")

// Inputs r0, rows r1 and r2, groups r3; the sums' address comes from the stack. FOURS runs four
// groups at a time; what it leaves in r3 is run one by one.
#define OTA_DOT_ROWS(fours, load0, load1) \
  "push {r4-r11, lr}\n"                    \
  "ldr lr, [sp, #36]\n"                    \
  "ldrd r11, r12, [lr]\n" fours            \
  "1:\n" OTA_ROWS(load0, load1)            \
  "subs r3, #1\n"                          \
  "bne 1b\n"                               \
  "2: ldr lr, [sp, #36]\n"                 \
  "strd r11, r12, [lr]\n"                  \
  "pop {r4-r11, pc}\n"
#define OTA_ALIGNED0 "ldrd r8, r9, [r1], #8\n"
#define OTA_ALIGNED1 "ldrd r8, r9, [r2], #8\n"
#define OTA_ALIGNED_ROWS OTA_ROWS(OTA_ALIGNED0, OTA_ALIGNED1)
#define OTA_FOURS                                                            \
  "lsrs lr, r3, #2\n"                                                        \
  "beq 1f\n"                                                                 \
  "3:\n" OTA_ALIGNED_ROWS OTA_ALIGNED_ROWS OTA_ALIGNED_ROWS OTA_ALIGNED_ROWS \
  "subs lr, #1\n"                                                            \
  "bne 3b\n"                                                                 \
  "ands r3, #3\n"                                                            \
  "beq 2f\n"

namespace ota::engine::dsp {
namespace {

[[gnu::naked]] void DotAlignedRows(const uint32_t*, const uint8_t*, const uint8_t*, uint32_t,
                                   int32_t*) {
  asm volatile(OTA_DOT_ROWS(OTA_FOURS, OTA_ALIGNED0, OTA_ALIGNED1));
}

[[gnu::naked]] void DotRows(const uint32_t*, const uint8_t*, const uint8_t*, uint32_t, int32_t*) {
  asm volatile(OTA_DOT_ROWS("", "ldr r8, [r1], #4\n ldr r9, [r1], #4\n",
                            "ldr r8, [r2], #4\n ldr r9, [r2], #4\n"));
}

}  // namespace

const uint32_t kRowTapBytes = 2;

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

void DotRowQuad(const uint32_t* inputs, const uint8_t* const rows[4], uint32_t group_count,
                int32_t* sums) {
  uintptr_t addresses = 0;
  for (uint32_t i = 0; i < 4; ++i) addresses |= reinterpret_cast<uintptr_t>(rows[i]);
  const auto dot = addresses % 4 == 0 ? DotAlignedRows : DotRows;
  dot(inputs, rows[0], rows[1], group_count, sums);
  dot(inputs, rows[2], rows[3], group_count, sums + 2);
}

}  // namespace ota::engine::dsp
