// SPDX-License-Identifier: Apache-2.0
// Models that run from a unit that is not memory mapped, in simulated time: with reads that the
// processor waits for, and with reads that go on by DMA while it computes. Run it in the root of
// the repository.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/units.h"
#include "engine/test_arena.h"
#include "simulator/board/timed_interpreter.h"
#include "storage/model_store/test_ahead_unit.h"

namespace ota::storage {
namespace {

constexpr uint32_t kClockMhz = 120;
constexpr uint32_t kPsPerMac = 1'500'000 / kClockMhz;  // 1.5 cycles, as of a Cortex-M4
constexpr uint32_t kArenaBytes = KiB(256);

void Require(Status status, const std::string& what) {
  if (IsOk(status)) return;
  std::fprintf(stderr, "read_ahead_benchmark: %s: %s\n", what.c_str(),
               std::string(StatusName(status)).c_str());
  std::exit(1);
}

std::vector<uint8_t> LoadModel(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<uint8_t> bytes(file ? static_cast<size_t>(file.tellg()) : 0);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) Require(Status::kNotFound, path);
  return bytes;
}

struct Times {
  double all_ms;
  double computing_ms;
};

Times MeasureInference(simulator::SimulatedClock& clock, const std::vector<uint8_t>& model,
                       ByteSource& source, uint32_t page_bytes,
                       const std::function<void()>& drive) {
  engine::TestArena arena(kArenaBytes);
  simulator::TimedInterpreter timed(clock, kPsPerMac);
  Require(timed.Prepare(model, source, arena.span(), {.page_bytes = page_bytes}), "Prepare");
  const uint64_t start_ns = clock.now_ns();
  Require(timed.Invoke(drive), "Invoke");
  return {static_cast<double>(clock.now_ns() - start_ns) / 1e6,
          static_cast<double>(timed.computed_ns()) / 1e6};
}

template <typename Hardware>
void PrintModel(const char* unit_name, const std::string& path, uint32_t page_bytes) {
  const std::vector<uint8_t> model = LoadModel(path);
  AheadUnit<Hardware> unit(model);
  Require(unit.status(), unit_name);
  const Times waiting = MeasureInference(unit.clock(), model, unit.source(), page_bytes, [] {});
  ReadAheadSource ahead(unit.source(), unit.device());
  const Times overlapped =
      MeasureInference(unit.clock(), model, ahead, page_bytes, [&] { ahead.Drive(); });
  std::printf("%-16s %-30s %6u %10.2f %10.2f %10.2f %8.2f\n", unit_name,
              path.substr(path.rfind('/') + 1).c_str(), page_bytes, waiting.computing_ms,
              waiting.all_ms, overlapped.all_ms, waiting.all_ms / overlapped.all_ms);
}

template <typename Hardware>
void PrintUnit(const char* unit_name) {
  for (const char* const model :
       {"kws_ref_model", "ad01_int8", "vww_96_int8", "pretrainedResnet_quant"}) {
    for (const uint32_t page_bytes : {1024u, 2048u, 8192u}) {
      PrintModel<Hardware>(unit_name,
                           OTA_SHARED_DIR "/models/mlperf_tiny/" + std::string(model) + ".tflite",
                           page_bytes);
    }
  }
}

}  // namespace
}  // namespace ota::storage

int main() {
  using namespace ota::storage;  // NOLINT: a program of its own
  std::printf("An inference at %u MHz and 1.5 cycles for each MAC, in ms:\n", kClockMhz);
  std::printf("%-16s %-30s %6s %10s %10s %10s %8s\n", "unit", "model", "page", "computing",
              "waiting", "ahead", "times");
  PrintUnit<NorHardware>("SPI NOR, 40 MHz");
  PrintUnit<SdHardware>("SD, SPI, 20 MHz");
  PrintUnit<EmmcHardware>("eMMC, 8 lines");
  return 0;
}
