// SPDX-License-Identifier: Apache-2.0
// The smallest image: says hello, and measures a loop of a known length to prove the counter.
#include "firmware/board.h"

namespace ota::firmware {
namespace {

// Two instructions a turn.
void SpinTurns(uint32_t turns) {
  asm volatile(".syntax unified\n 1: subs %0, #1\n bne 1b" : "+l"(turns) : : "cc");
}

}  // namespace

uint8_t RunApplication() {
  constexpr uint32_t kTurns = 1'000'000;
  const uint64_t begin = ReadInstructionCounter();
  SpinTurns(kTurns);
  const uint64_t spent = ReadInstructionCounter() - begin;
  WriteConsole("hello from OTA-TinyML\ninstructions ");
  WriteConsole(spent);
  WriteConsole("\n");
  const bool is_exact = spent + kInstructionCounterStep >= 2 * kTurns &&
                        spent <= 2 * kTurns + 2 * kInstructionCounterStep;
  return is_exact ? 0 : 1;
}

}  // namespace ota::firmware
