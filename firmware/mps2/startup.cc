// SPDX-License-Identifier: Apache-2.0
// From reset to RunApplication(): memory, floating point unit, constructors; and what the compiler
// calls when something went wrong.
#include <cstddef>
#include <cstdint>

#include "firmware/board.h"
#include "firmware/mps2/chip.h"

extern "C" {
extern uint32_t ota_data_begin[], ota_data_end[], ota_data_image[];
extern uint32_t ota_bss_begin[], ota_bss_end[];
extern void (*ota_init_begin[])();
extern void (*ota_init_end[])();
extern uint32_t ota_stack_top[];

// Offsets in the system control block, Armv7-M Architecture Reference Manual, B3.2.
constexpr uintptr_t kCoprocessorAccess = 0xE000ED88;
constexpr uint32_t kFullAccessCp10Cp11 = 0xFU << 20;

[[noreturn]] void Reset();
[[noreturn]] void Fault();

void Reset() {
  if constexpr (ota::firmware::kHasFloatUnit) {
    auto* const access = reinterpret_cast<volatile uint32_t*>(kCoprocessorAccess);
    *access = *access | kFullAccessCp10Cp11;
  }
  const uint32_t* source = ota_data_image;
  for (uint32_t* target = ota_data_begin; target != ota_data_end;) *target++ = *source++;
  for (uint32_t* target = ota_bss_begin; target != ota_bss_end;) *target++ = 0;
  for (auto* constructor = ota_init_begin; constructor != ota_init_end; ++constructor) {
    (*constructor)();
  }
  ota::firmware::Exit(ota::firmware::RunApplication());
}

void Fault() {
  ota::firmware::WriteConsole("fault\n");
  ota::firmware::Exit(99);
}

[[noreturn]] void abort() {
  ota::firmware::WriteConsole("abort\n");
  ota::firmware::Exit(98);
}

[[noreturn]] void __cxa_pure_virtual() { abort(); }

// libgcc's division names the unwinder's personalities; nothing here unwinds.
void __aeabi_unwind_cpp_pr0() {}
void __aeabi_unwind_cpp_pr1() {}
void __aeabi_unwind_cpp_pr2() {}
}

namespace {

// Initial stack pointer and the fifteen system exceptions; no interrupts are used.
struct VectorTable {
  uint32_t* stack_top;
  void (*handlers[15])();
};

[[gnu::section(".vectors"), gnu::used]] const VectorTable kVectors = {
    ota_stack_top,
    {Reset, Fault, Fault, Fault, Fault, Fault, nullptr, nullptr, nullptr, nullptr, Fault, Fault,
     nullptr, Fault, Fault}};

}  // namespace
