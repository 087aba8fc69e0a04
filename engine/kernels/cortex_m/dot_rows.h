// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/kernels/cortex_m/dsp.h"

namespace ota::engine::dsp {

#if defined(__ARM_FEATURE_DSP)

// Eight taps of one row: weights in r8 and r9 by LOAD, inputs in r4 to r7.
#define OTA_DOT_ROW(load, sum)             \
  load "sxtb16 r10, r8\n"                  \
       "sxtb16 r8, r8, ror #8\n"           \
       "smlad %[" sum "], r10, r4, %[" sum \
       "]\n"                               \
       "sxtb16 r10, r9\n"                  \
       "smlad %[" sum "], r8, r5, %[" sum  \
       "]\n"                               \
       "sxtb16 r9, r9, ror #8\n"           \
       "smlad %[" sum "], r10, r6, %[" sum \
       "]\n"                               \
       "smlad %[" sum "], r9, r7, %[" sum "]\n"
#define OTA_DOT_ROWS(load0, load1) \
  "1: ldmia %[inputs]!, {r4, r5, r6, r7}\n"                            \
  OTA_DOT_ROW(load0, "sum0") OTA_DOT_ROW(load1, "sum1")                \
  "subs %[n], #1\n"                                                    \
  "beq 2f\n"                                                           \
  "ldmia %[inputs]!, {r4, r5, r6, r7}\n"                               \
  OTA_DOT_ROW(load0, "sum0") OTA_DOT_ROW(load1, "sum1")                \
  "subs %[n], #1\n"                                                    \
  "bne 1b\n"                                                           \
  "2:\n"
#define OTA_DOT_ROWS_OPERANDS                                                     \
  [sum0] "+r"(sum0), [sum1] "+r"(sum1), [inputs] "+r"(inputs), [row0] "+r"(row0), \
      [row1] "+r"(row1),                                                          \
      [n] "+r"(group_count) : : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "cc", "memory"

/// Adds to each sum the dot product of widened inputs and one row of weights, `group_count` groups
/// of eight taps, at least one.
inline void DotRows(const uint32_t* inputs, const uint8_t* row0, const uint8_t* row1,
                    uint32_t group_count, int32_t& sum0, int32_t& sum1) {
  const auto alignment = reinterpret_cast<uintptr_t>(row0) | reinterpret_cast<uintptr_t>(row1);
  if (alignment % 4 == 0) {
    asm volatile(OTA_DOT_ROWS("ldrd r8, r9, [%[row0]], #8\n", "ldrd r8, r9, [%[row1]], #8\n")
                 : OTA_DOT_ROWS_OPERANDS);
    return;
  }
  asm volatile(OTA_DOT_ROWS("ldr r8, [%[row0]], #4\n ldr r9, [%[row0]], #4\n",
                            "ldr r8, [%[row1]], #4\n ldr r9, [%[row1]], #4\n")
               : OTA_DOT_ROWS_OPERANDS);
}
#undef OTA_DOT_ROW
#undef OTA_DOT_ROWS
#undef OTA_DOT_ROWS_OPERANDS

#else

inline void DotRows(const uint32_t* inputs, const uint8_t* row0, const uint8_t* row1,
                    uint32_t group_count, int32_t& sum0, int32_t& sum1) {
  for (uint32_t i = 0; i < 2 * group_count; ++i, inputs += 2, row0 += 4, row1 += 4) {
    const uint32_t word0 = LoadWord(row0), word1 = LoadWord(row1);
    sum0 =
        MultiplyPairs(WidenOdd(word0), inputs[1], MultiplyPairs(WidenEven(word0), inputs[0], sum0));
    sum1 =
        MultiplyPairs(WidenOdd(word1), inputs[1], MultiplyPairs(WidenEven(word1), inputs[0], sum1));
  }
}

#endif

}  // namespace ota::engine::dsp
