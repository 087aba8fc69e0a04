// SPDX-License-Identifier: Apache-2.0
// Pixel dots for cores with the DSP extension: values r0, weights r1, groups left in r2, products'
// operands r4 to r8 and lr, sums r9 to r12.
#include "engine/kernels/small/pixel_dots.h"

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

namespace ota::engine {

// Arguments arrive in r0 to r3.
[[gnu::naked]] void AddPixelDots(const int16_t*, const uint8_t*, uint32_t, int32_t*) {
  asm volatile(
      "push {r3-r11, lr}\n"
      "ldmia r3, {r9-r12}\n"
      "1: ldr r4, [r1], #4\n"
      "sxtb16 lr, r4, ror #8\n"
      "sxtb16 r4, r4\n" OTA_HALVES("r4") OTA_HALVES("lr")
      "subs r2, #1\n"
      "bne 1b\n"
      "pop {r3}\n"
      "stmia r3, {r9-r12}\n"
      "pop {r4-r11, pc}\n");
}

void ComputePixelDots(dsp::PixelQuads& run) { dsp::ComputePixelQuads(run); }

}  // namespace ota::engine
