// SPDX-License-Identifier: Apache-2.0
// A hostile image: every operation of EefsFileSystem ends, and stays inside of the device.
#include "storage/file_system/eefs/eefs_file_system.h"
#include "storage/file_system/test_fuzz_volume.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::storage;
  const Geometry geometry = {0, 1, 1, 1, 0, true, false};
  FuzzVolume(data, size, geometry, 16 * 1024, [](BlockDevice& device, Waiter& waiter, auto use) {
    EefsFileSystem files(device, waiter);
    use(files);
  });
  return 0;
}
