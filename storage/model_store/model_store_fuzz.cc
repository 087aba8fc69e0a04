// SPDX-License-Identifier: Apache-2.0
// A hostile medium: every operation of both model stores ends, and stays inside of the device. The
// first byte says which store; with its lowest bit each four bytes of the rest are an offset and a
// byte to put there, in a store that was sound before; else the rest lies at the start.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "storage/block_device/memory_block_device.h"
#include "storage/block_device/partition.h"
#include "storage/file_system/eefs/eefs_file_system.h"
#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/model_store/container.h"
#include "storage/model_store/file_model_store.h"
#include "storage/model_store/raw_model_store.h"

namespace ota::storage {
namespace {

constexpr uint32_t kDeviceBytes = 128 * 1024;
constexpr uint32_t kStepsMax = 100000;  // of an operation; more is one without end

template <typename Function>
Status RunToEnd(Function function) {
  for (uint32_t i = 0; i < kStepsMax; ++i) {
    const Status status = function();
    if (status != Status::kBusy) return status;
  }
  std::abort();
}

Status Install(ModelStore& store, const char* name, uint32_t size_bytes) {
  const std::vector<uint8_t> model(size_bytes, 0x5A);
  const StageRequest request{
      .name = name, .size_bytes = size_bytes, .digest = crypto::ComputeSha256(model)};
  OTA_TRY(RunToEnd([&] { return store.Begin(request); }));
  while (store.staged_bytes() < size_bytes) {
    const Result<uint32_t> taken = store.Append(ByteSpan(model).subspan(store.staged_bytes()));
    if (!taken.ok() && taken.status() != Status::kBusy) return taken.status();
  }
  OTA_TRY(RunToEnd([&] { return store.Finish(); }));
  OTA_TRY(RunToEnd([&] { return store.Activate(name); }));
  return RunToEnd([&] { return store.Confirm(name); });
}

// Statuses do not matter in what follows: that each call returns, and the sanitizers stay silent,
// does.

void Prepare(ModelStore& store) {
  if (!IsOk(RunToEnd([&] { return store.Format(); }))) return;
  (void)Install(store, "first", 5000);
  (void)Install(store, "second", 700);
  const std::array<uint8_t, 8> note{};
  (void)RunToEnd([&] { return store.WriteNote(1, note); });
  const StageRequest request{.name = "third", .size_bytes = 9000};
  (void)RunToEnd([&] { return store.Begin(request); });
  (void)store.Append(note);
}

void ReadAll(ModelStore& store) {
  for (uint32_t i = 0; i < store.image_count(); ++i) {
    const Result<ImageInfo> info = store.ReadImageInfo(i);
    if (!info.ok()) continue;
    const Result<ByteSource*> source = store.Open(info->name);
    if (!source.ok()) continue;
    uint8_t bytes[700];
    for (uint32_t at = 0; at < (*source)->size_bytes(); at += sizeof(bytes)) {
      const size_t part = std::min<size_t>(sizeof(bytes), (*source)->size_bytes() - at);
      if (!IsOk((*source)->Read(at, {bytes, part}))) break;
    }
    store.Close(*source);
  }
}

void Exercise(ModelStore& store) {
  if (!IsOk(RunToEnd([&] { return store.Mount(); }))) return;
  ReadAll(store);
  uint8_t note[kNoteBytesMax];
  (void)store.ReadNote(1, note);
  (void)store.space();
  (void)RunToEnd([&] { return store.Resume(); });
  (void)RunToEnd([&] { return store.Finish(); });
  ScrubReport report;
  (void)RunToEnd([&] { return store.Scrub(report); });
  (void)Install(store, "first", 3000);
  (void)RunToEnd([&] { return store.Delete("second"); });
  ReadAll(store);
}

template <typename WithStore>
void Fuzz(const uint8_t* data, size_t size, Geometry geometry, WithStore with_store) {
  geometry.size_bytes = kDeviceBytes;
  std::vector<uint8_t> image(kDeviceBytes, geometry.erased_value);
  MemoryBlockDevice device(image, geometry);
  if ((data[0] & 1) != 0) {
    with_store(device, Prepare);
    for (size_t at = 1; at + 4 <= size; at += 4) {
      const uint32_t offset = LoadLe32(data + at) & 0xFFFFFF;
      // Half of the patches go where the tables and the journal begin.
      image[offset % ((offset >> 23) != 0 ? 24576 : kDeviceBytes)] = data[at + 3];
    }
  } else {
    std::copy_n(data + 1, std::min<size_t>(size - 1, image.size()), image.data());
  }
  with_store(device, Exercise);
}

void FuzzSpiffs(const uint8_t* data, size_t size, const Geometry& geometry) {
  Fuzz(data, size, geometry, [](BlockDevice& device, auto use) {
    SpinWaiter waiter;
    uint8_t buffer[512];
    uint8_t workspace[512];
    std::array<Extent, FileModelStore::kExtentCountMin> extents;
    SpiffsFileSystem files(device, waiter, buffer);
    FileModelStore store(files, device, waiter, workspace, extents);
    use(store);
  });
}

/// A store in a container, wherever a hostile volume says that this lies.
template <typename MakeFiles>
void FuzzContainer(const uint8_t* data, size_t size, const Geometry& geometry,
                   MakeFiles make_files) {
  Fuzz(data, size, geometry, [make_files](BlockDevice& device, auto use) {
    SpinWaiter waiter;
    uint8_t buffer[512];
    uint8_t workspace[512];
    auto files = make_files(device, waiter, buffer);
    const bool is_blank = !IsOk(files.Mount());
    if (is_blank && !IsOk(files.Format())) return;
    const Result<ContainerPlace> place = is_blank ? MakeContainer(files, device.geometry())
                                                  : FindContainer(files, device.geometry());
    if (!place.ok()) return;
    if (!IsInBounds(place->offset, place->size_bytes, device.geometry().size_bytes)) std::abort();
    Partition models(device, place->offset, place->size_bytes);
    if (models.geometry().size_bytes != place->size_bytes) std::abort();
    RawModelStore store(models, workspace);
    use(store);
  });
}

}  // namespace
}  // namespace ota::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::storage;  // NOLINT: a program of its own
  if (size < 1) return 0;
  const Geometry nor = {0, 1, 1, 4096, 0xFF, true, true};
  switch ((data[0] >> 1) % 4) {
    case 0:
      Fuzz(data, size, nor, [](BlockDevice& device, auto use) {
        uint8_t workspace[256];
        RawModelStore store(device, workspace);
        use(store);
      });
      break;
    case 1:
      FuzzContainer(data, size, {0, 512, 512, 512, 0, true, false},
                    [](BlockDevice& device, Waiter& waiter, ota::MutableByteSpan buffer) {
                      return FatFileSystem(device, waiter, buffer);
                    });
      break;
    case 2:
      FuzzSpiffs(data, size, nor);
      break;
    default:
      FuzzContainer(data, size, {0, 1, 64, 64, 0xFF, true, false},
                    [](BlockDevice& device, Waiter& waiter, ota::MutableByteSpan) {
                      return EefsFileSystem(device, waiter);
                    });
      break;
  }
  return 0;
}
