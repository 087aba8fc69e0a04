// SPDX-License-Identifier: Apache-2.0
// A hostile file of faults: reading it ends, changes nothing when it is refused; what was read of
// it is the same when written and read again, and reads of cells with these faults stay inside of
// what they were given.
#include <array>
#include <cstdlib>
#include <sstream>

#include "simulator/memory_parts/cell_faults.h"

namespace ota::simulator {
namespace {

constexpr uint32_t kSizeBytes = 4096;
constexpr uint32_t kUnitBytes = 64;

std::string Write(const CellFaults& faults, const PartFigures& figures) {
  std::ostringstream target;
  faults.Save(target, figures);
  return target.str();
}

bool Reads(const std::string& text, CellFaults& faults, PartFigures& figures) {
  std::istringstream source(text);
  return !faults.Load(source, kSizeBytes, figures).has_value();
}

}  // namespace
}  // namespace ota::simulator

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::simulator;
  CellFaults faults;
  PartFigures figures;
  const std::string before = Write(faults, figures);
  const bool is_sound = Reads({reinterpret_cast<const char*>(data), size}, faults, figures);
  const std::string text = Write(faults, figures);
  if (!is_sound && text != before) std::abort();
  CellFaults again;
  PartFigures figures_again;
  if (!Reads(text, again, figures_again) || Write(again, figures_again) != text) std::abort();
  std::array<uint8_t, kUnitBytes> cells;
  for (uint32_t at = 0; at < kSizeBytes; at += kUnitBytes) {
    cells.fill(0);
    (void)faults.Disturb(at, at, cells);  // either answer is right
    (void)faults.FindBad(at / kUnitBytes, at / kUnitBytes);
  }
  faults.Settle(0, kSizeBytes);
  if (faults.has_unstable_bits()) std::abort();
  return 0;
}
