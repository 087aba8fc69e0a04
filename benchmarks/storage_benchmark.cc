// SPDX-License-Identifier: Apache-2.0
// What the model store costs on each memory unit, in simulated time and in bytes: updates, reading
// a stored model, mounting; and how evenly ten thousand updates with power cuts wear it out.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/units.h"
#include "storage/model_store/test_media.h"
#include "storage/model_store/test_store.h"
#include "storage/model_store/test_wear.h"

namespace ota::storage {
namespace {

constexpr uint32_t kModelBytes = 20000;
constexpr uint32_t kReadBytes = 40000;
constexpr uint32_t kPageBytes = 4096;
constexpr uint32_t kUpdateCount = 40;
constexpr uint32_t kMountCount = 16;
constexpr uint32_t kSmallModelBytes = 2000;

void Require(Status status, const char* what) {
  if (IsOk(status)) return;
  std::fprintf(stderr, "storage_benchmark: %s: %s\n", what,
               std::string(StatusName(status)).c_str());
  std::exit(1);
}

double Milliseconds(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

void Format(StoreWorld& world) {
  Require(RunToEnd([&] { return world.store().Format(); }), "Format");
}

void MountAgain(StoreWorld& world) {
  world.Restart();
  Require(RunToEnd([&] { return world.store().Mount(); }), "Mount");
}

void PrintUpdates(const std::string& name) {
  const auto world = MakeWorld(name);
  Format(*world);
  Require(InstallModel(world->store(), "kws", MakeModel(kModelBytes, 1)), "Install");
  const simulator::PartFigures before = world->figures();
  const uint64_t start_ns = world->clock().now_ns();
  for (uint32_t i = 0; i < kUpdateCount; ++i) {
    MountAgain(*world);
    Require(InstallModel(world->store(), "kws", MakeModel(kModelBytes, 2 + i)), "Install");
  }
  const simulator::PartFigures figures = Subtract(world->figures(), before);
  const double sum = kUpdateCount;
  std::printf("%-18s %11.3f %14.1f %13.1f\n", name.c_str(),
              static_cast<double>(figures.programmed_bytes) / sum / kModelBytes,
              static_cast<double>(figures.erased_bytes) / sum / 1024,
              Milliseconds(world->clock().now_ns() - start_ns) / sum);
}

/// The time that reading `size` bytes in pages takes.
template <typename Read>
uint64_t TimeReading(StoreWorld& world, uint32_t size, Read read) {
  std::vector<uint8_t> page(kPageBytes);
  const uint64_t start_ns = world.clock().now_ns();
  for (uint32_t at = 0; at < size; at += kPageBytes) {
    const MutableByteSpan part = MutableByteSpan(page).first(std::min(kPageBytes, size - at));
    Require(RunToEnd([&] { return read(at, part); }), "Read");
  }
  return world.clock().now_ns() - start_ns;
}

void PrintReading(const std::string& name) {
  const auto world = MakeWorld(name);
  Format(*world);
  Require(InstallModel(world->store(), "kws", MakeModel(kReadBytes, 1)), "Install");
  MountAgain(*world);
  const uint64_t open_ns = world->clock().now_ns();
  ByteSource* source = nullptr;
  Require(RunToEnd([&] {
            const Result<ByteSource*> opened = world->store().Open("kws", ImageChoice::kInUse);
            if (opened.ok()) source = *opened;
            return opened.status();
          }),
          "Open");
  uint8_t first = 0;
  Require(RunToEnd([&] { return source->Read(0, {&first, 1}); }), "Read");
  const uint64_t read_ns = world->clock().now_ns();
  const uint64_t stored_ns = TimeReading(
      *world, kReadBytes, [&](uint32_t at, MutableByteSpan to) { return source->Read(at, to); });
  const uint64_t raw_ns =
      TimeReading(*world, RoundUp(kReadBytes, 512),
                  [&](uint32_t at, MutableByteSpan to) { return world->device().Read(at, to); });
  std::printf("%-18s %10.3f %12.1f %12.1f %9.1f %%\n", name.c_str(),
              Milliseconds(read_ns - open_ns),
              kReadBytes / Milliseconds(std::max<uint64_t>(stored_ns, 1)),
              RoundUp(kReadBytes, 512) / Milliseconds(std::max<uint64_t>(raw_ns, 1)),
              raw_ns == 0 ? 100.0
                          : 100.0 * static_cast<double>(raw_ns) / RoundUp(kReadBytes, 512) *
                                kReadBytes / static_cast<double>(stored_ns));
}

void PrintMounting(const std::string& name) {
  const auto world = MakeWorld(name);
  Format(*world);
  const uint32_t share = world->store().space().free_bytes / kMountCount;
  const uint32_t size = std::min(kSmallModelBytes, share / 2);
  for (uint32_t i = 0; i < kMountCount; ++i) {
    const std::string model = "model" + std::to_string(i);
    const Status status = InstallModel(world->store(), model.c_str(), MakeModel(size, i + 1));
    if (status != Status::kStorageFull) {
      Require(status, "Install");
      continue;
    }
    std::printf("%-18s %10s   holds only %u models: erase units too large\n", name.c_str(), "-", i);
    return;
  }
  world->Restart();
  const uint64_t start_ns = world->clock().now_ns();
  const uint64_t read_bytes = world->figures().read_bytes;
  Require(RunToEnd([&] { return world->store().Mount(); }), "Mount");
  std::printf("%-18s %10.2f %14llu\n", name.c_str(),
              Milliseconds(world->clock().now_ns() - start_ns),
              static_cast<unsigned long long>(world->figures().read_bytes - read_bytes));
}

void PrintSpread(const WearSpread& spread) {
  if (spread.mean == 0) {
    std::printf(" %8s %6s %8s", "-", "-", "-");
    return;
  }
  std::printf(" %8.1f %6u %+7.1f%%", spread.mean, spread.most, 100 * spread.excess());
}

void PrintWear(const std::string& unit, const WearRequest& request) {
  const Result<WearReport> report = MeasureWear(request);
  Require(report.status(), request.world.c_str());
  std::printf("%-20s %6u %6u", unit.c_str(), request.model_bytes, request.static_count);
  PrintSpread(report->journal);
  PrintSpread(report->images);
  PrintSpread(report->all);
  std::printf("\n");
}

}  // namespace
}  // namespace ota::storage

int main() {
  using namespace ota::storage;  // NOLINT: a program of its own
  std::printf("An update of %u bytes, with a restart before it, on average of %u:\n", kModelBytes,
              kUpdateCount);
  std::printf("%-18s %11s %14s %13s\n", "", "programmed", "erased", "time");
  std::printf("%-18s %11s %14s %13s\n", "unit", "x the model", "KiB", "ms");
  for (const std::string& name : FullSizeWorldNames()) PrintUpdates(name);
  std::printf("\nReading a stored model of %u bytes in pages of %u:\n", kReadBytes, kPageBytes);
  std::printf("%-18s %10s %12s %12s %11s\n", "unit", "open, ms", "kB/s", "raw, kB/s", "of raw");
  for (const std::string& name : FullSizeWorldNames()) PrintReading(name);
  std::printf("\nMounting %u models:\n%-18s %10s %14s\n", kMountCount, "unit", "ms", "bytes read");
  for (const std::string& name : FullSizeWorldNames()) PrintMounting(name);
  std::printf(
      "\nWear of small parts after 10000 updates beside models of 9000 bytes that stay, power cut "
      "in "
      "every\ntenth: writes or erases of a unit (mean, most, and by how much that is above). Rows "
      "with a number have as\nmany segments in the journal as suit the updates; the last four are "
      "filled to two thirds.\n");
  std::printf("%-20s %6s %6s %24s %24s %24s\n", "unit", "bytes", "stay", "journal", "images",
              "all");
  PrintWear("NOR flash", {.world = "teensy40-512k"});
  PrintWear("NOR flash", {.world = "teensy40-512k", .static_count = 10});
  PrintWear("EEPROM 24LC1025", {.world = "eeprom-128k", .model_bytes = 2000});
  PrintWear("FRAM FM24V10",
            {.world = "fram-128k", .model_bytes = 2000});  // which reads wear as well
  PrintWear("SD card of 1 MiB", {.world = "sd-1m", .model_bytes = 10000});
  PrintWear("FAT container", {.world = "fat12-512k", .model_bytes = 5000});
  PrintWear("EEFS container", {.world = "eefs-128k", .model_bytes = 2000});
  for (const uint32_t static_count : {1u, 9u, 16u}) {
    PrintWear("SPIFFS", {.world = "spiffs-256k", .static_count = static_count});
  }
  PrintWear(
      "NOR flash, 5",
      {.world = "teensy40-512k", .model_bytes = 16000, .static_count = 10, .segment_count = 5});
  PrintWear("EEPROM, 3", {.world = "eeprom-128k", .model_bytes = 3000, .segment_count = 3});
  PrintWear("FAT container, 4", {.world = "fat12-512k", .model_bytes = 10000, .segment_count = 4});
  PrintWear("EEFS container, 3", {.world = "eefs-128k", .model_bytes = 2700, .segment_count = 3});
  PrintWear(
      "NOR flash, 5",
      {.world = "teensy40-512k", .model_bytes = 16000, .static_count = 25, .segment_count = 5});
  PrintWear("EEPROM, 2",
            {.world = "eeprom-128k", .model_bytes = 3600, .static_count = 8, .segment_count = 2});
  PrintWear("FAT container, 5",
            {.world = "fat12-512k", .model_bytes = 10000, .static_count = 15, .segment_count = 5});
  PrintWear("EEFS container, 2",
            {.world = "eefs-128k", .model_bytes = 3000, .static_count = 7, .segment_count = 2});
  return 0;
}
