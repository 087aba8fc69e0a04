// SPDX-License-Identifier: Apache-2.0
// Arm MPS2 boards with the CMSDK peripherals: UART 0, timer 0, semihosting for the end. Addresses:
// Arm Application Notes AN385, AN386 and AN500; CMSDK Technical Reference Manual.
#include "firmware/board.h"

#include "firmware/mps2/chip.h"

namespace ota::firmware {
namespace {

volatile uint32_t& Register(uintptr_t address) {
  return *reinterpret_cast<volatile uint32_t*>(address);
}

constexpr uintptr_t kTimerControl = 0x40000000;
constexpr uintptr_t kTimerValue = 0x40000004;
constexpr uintptr_t kTimerReload = 0x40000008;
constexpr uint32_t kTimerEnable = 1;

constexpr uintptr_t kUartData = 0x40004000;
constexpr uintptr_t kUartState = 0x40004004;
constexpr uintptr_t kUartControl = 0x40004008;
constexpr uintptr_t kUartDivider = 0x40004010;
constexpr uint32_t kUartTransmitFull = 1;
constexpr uint32_t kUartTransmitEnable = 1;
constexpr uint32_t kUartDividerMin = 16;

// Semihosting, Arm's specification 2.0: SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit.
constexpr uint32_t kSysExitExtended = 0x20;
constexpr uint32_t kApplicationExit = 0x20026;

void WriteByte(char byte) {
  while ((Register(kUartState) & kUartTransmitFull) != 0) {
  }
  Register(kUartData) = static_cast<uint8_t>(byte);
}

void StartPeripherals() {
  Register(kUartDivider) = kUartDividerMin;
  Register(kUartControl) = kUartTransmitEnable;
  Register(kTimerReload) = UINT32_MAX;
  Register(kTimerValue) = UINT32_MAX;
  Register(kTimerControl) = kTimerEnable;
}

[[gnu::constructor]] void StartPeripheralsAtReset() { StartPeripherals(); }

}  // namespace

void WriteConsole(std::string_view text) {
  for (const char byte : text) WriteByte(byte);
}

void WriteConsole(uint64_t value) {
  char digits[20];
  size_t first = sizeof digits;
  do {
    digits[--first] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  WriteConsole(std::string_view(digits + first, sizeof digits - first));
}

void WriteConsoleHex(ByteSpan bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    WriteByte(kDigits[byte >> 4]);
    WriteByte(kDigits[byte & 15]);
  }
}

uint64_t ReadInstructionCounter() {
  return uint64_t{UINT32_MAX - Register(kTimerValue)} * kInstructionCounterStep;
}

MutableByteSpan non_volatile_memory() {
  return {reinterpret_cast<uint8_t*>(kPsramAddress), kPsramBytes};
}

void Exit(uint8_t code) {
  const uint32_t block[2] = {kApplicationExit, code};
  register uint32_t operation asm("r0") = kSysExitExtended;
  register const uint32_t* argument asm("r1") = block;
  asm volatile("bkpt 0xAB" : : "r"(operation), "r"(argument) : "memory");
  for (;;) {
  }
}

}  // namespace ota::firmware
