// SPDX-License-Identifier: Apache-2.0
#include "firmware/stack_gauge.h"

extern "C" uint32_t ota_bss_end[];

namespace ota::firmware {
namespace {

constexpr uint32_t kPattern = 0xC5C5C5C5;
// The frame of PaintStack itself, which it must not overwrite.
constexpr uint32_t kOwnFrameWords = 16;

volatile uint32_t* painted_end = nullptr;

volatile uint32_t* StackPointer() {
  volatile uint32_t* pointer;
  asm volatile("mov %0, sp" : "=r"(pointer));
  return pointer;
}

}  // namespace

[[gnu::noinline]] void PaintStack() {
  painted_end = StackPointer() - kOwnFrameWords;
  for (volatile uint32_t* at = ota_bss_end; at < painted_end; ++at) *at = kPattern;
}

[[gnu::noinline]] uint32_t ReadStackUse() {
  volatile uint32_t* at = ota_bss_end;
  while (at < painted_end && *at == kPattern) ++at;
  return static_cast<uint32_t>(painted_end - at + kOwnFrameWords) * sizeof(uint32_t);
}

}  // namespace ota::firmware
