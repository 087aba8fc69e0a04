// SPDX-License-Identifier: Apache-2.0
// A hostile image: every operation of FatFileSystem ends, and stays inside of the device.
#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/test_fuzz_volume.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::storage;
  const Geometry geometry = {0, 512, 512, 512, 0, true, false};
  FuzzVolume(data, size, geometry, 64 * 1024, [](BlockDevice& device, Waiter& waiter, auto use) {
    uint8_t buffer[512];
    FatFileSystem files(device, waiter, buffer);
    use(files);
  });
  return 0;
}
