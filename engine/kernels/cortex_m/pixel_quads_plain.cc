// SPDX-License-Identifier: Apache-2.0
// Pixel quads for cores without the DSP extension, in the instructions of Armv6-M. A tap is a word
// of each of the four pixels.
#include "engine/kernels/cortex_m/channel_quads.h"
#include "engine/kernels/cortex_m/fast_term.h"
#include "engine/kernels/cortex_m/pixel_quads.h"

// One tap: values r0, weights r1 at a distance; products in r2 to r5, the weight in r6, sums in r8
// to r11.
#define OTA_TAP(distance)         \
  "ldmia r0!, {r2, r3, r4, r5}\n" \
  "ldrb r6, [r1, #" distance      \
  "]\n"                           \
  "sxtb r6, r6\n"                 \
  "muls r2, r6\n"                 \
  "muls r3, r6\n"                 \
  "muls r4, r6\n"                 \
  "muls r5, r6\n"                 \
  "add r8, r2\n"                  \
  "add r9, r3\n"                  \
  "add r10, r4\n"                 \
  "add r11, r5\n"

namespace ota::engine::dsp {

const uint32_t kQuadTapBytes = 4;

// Arguments arrive in r0 to r3. Eight taps at a time, then one by one.
[[gnu::naked]] void SumPixelQuad(const uint32_t*, const uint8_t*, uint32_t, int32_t*) {
  asm volatile(
      ".syntax unified\n"
      "push {r4, r5, r6, r7, lr}\n"
      "mov r4, r8\n"
      "mov r5, r9\n"
      "mov r6, r10\n"
      "mov r7, r11\n"
      "push {r2, r3, r4, r5, r6, r7}\n"
      "ldmia r3!, {r4, r5, r6, r7}\n"
      "mov r8, r4\n"
      "mov r9, r5\n"
      "mov r10, r6\n"
      "mov r11, r7\n"
      "lsrs r7, r2, #3\n"
      "beq 2f\n"
      "1:\n" OTA_TAP("0") OTA_TAP("1") OTA_TAP("2") OTA_TAP("3") OTA_TAP("4") OTA_TAP("5")
          OTA_TAP("6") OTA_TAP("7")
      "adds r1, #8\n"
      "subs r7, #1\n"
      "beq 2f\n"
      "b 1b\n"
      "2: pop {r2, r3}\n"
      "movs r7, #7\n"
      "ands r7, r2\n"
      "mov r12, r3\n"
      "beq 4f\n"
      "3:\n" OTA_TAP("0")
      "adds r1, #1\n"
      "subs r7, #1\n"
      "bne 3b\n"
      "4: mov r0, r12\n"
      "mov r4, r8\n"
      "mov r5, r9\n"
      "mov r6, r10\n"
      "mov r7, r11\n"
      "stmia r0!, {r4, r5, r6, r7}\n"
      "pop {r4, r5, r6, r7}\n"
      "mov r8, r4\n"
      "mov r9, r5\n"
      "mov r10, r6\n"
      "mov r11, r7\n"
      "pop {r4, r5, r6, r7, pc}\n");
}

void ComputePixelQuads(PixelQuads& run) {
  const uint32_t tap_count = 4 * run.group_count + run.rest;
  for (; run.output != run.output_end; ++run.output, ++run.terms, run.weights += tap_count) {
    const int32_t bias = run.terms->bias;
    int32_t sums[4] = {bias, bias, bias, bias};
    SumPixelQuad(run.values, run.weights, tap_count, sums);
    const FastTerm term = FastTermOf(*run.terms, run.rounding_unit);
    int8_t* output = run.output;
    for (const int32_t sum : sums) {
      *output = static_cast<int8_t>(RequantizeFast(sum, term));
      output += run.output_step;
    }
  }
}

int32_t WidenChannel(const uint8_t* weights, uint32_t tap_count, uint32_t* values) {
  int32_t sum = 0;
  for (const uint8_t* const end = weights + tap_count; weights != end; ++weights, values += 4) {
    const auto weight = static_cast<int8_t>(*weights);
    *values = static_cast<uint32_t>(weight);
    sum += weight;
  }
  return sum;
}

uint32_t* WidenPixelQuad(const QuadSources& sources, int32_t zero_point, uint32_t* target) {
  const uint32_t row_taps = 4 * sources.group_count;
  for (uint32_t pixel = 0; pixel < 4; ++pixel) {
    const int8_t* source = sources.pixels[pixel];
    uint32_t* value = target + pixel;
    for (uint32_t row = sources.row_count; row != 0; --row) {
      for (const int8_t* const end = source + row_taps; source != end; source += 4, value += 16) {
        value[0] = static_cast<uint32_t>(source[0] - zero_point);
        value[4] = static_cast<uint32_t>(source[1] - zero_point);
        value[8] = static_cast<uint32_t>(source[2] - zero_point);
        value[12] = static_cast<uint32_t>(source[3] - zero_point);
      }
      source += sources.row_steps[pixel];
    }
  }
  return target + 4 * row_taps * sources.row_count;
}

}  // namespace ota::engine::dsp
