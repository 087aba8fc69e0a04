// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

// What an image for a board has under it: a console, the end, a counter of executed instructions,
// and memory that keeps its content over a reset. One folder per family of boards implements it;
// the build chooses. Bare metal, one thread, no interrupts.

namespace ota::firmware {

/// Writes to the board's serial line and returns when the last byte is on its way.
void WriteConsole(std::string_view text);

/// `value` in decimal.
void WriteConsole(uint64_t value);

/// Two lower-case hexadecimal digits for each byte.
void WriteConsoleHex(ByteSpan bytes);

/// Instructions executed since start. Exact to ReadInstructionCounter's resolution on an emulator
/// that takes one nanosecond for each (QEMU with -icount shift=0,sleep=off); nothing elsewhere.
uint64_t ReadInstructionCounter();

/// The counter's step: a difference of two readings is right to plus or minus this.
inline constexpr uint32_t kInstructionCounterStep = 40;

/// Memory that outlives a reset: external RAM, backed by a file where the emulator is told to.
MutableByteSpan non_volatile_memory();

/// Ends the run; the emulator's exit code is `code`.
[[noreturn]] void Exit(uint8_t code);

/// What the application is: called once after start-up; its result is the exit code.
uint8_t RunApplication();

}  // namespace ota::firmware
