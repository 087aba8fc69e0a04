// SPDX-License-Identifier: Apache-2.0
// A hostile image: every operation of SpiffsFileSystem ends, and stays inside of the device.
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/file_system/test_fuzz_volume.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::storage;
  const Geometry geometry = {0, 1, 1, 4096, 0xFF, true, true};
  SpiffsOptions options;
  options.has_magic = size > 1 && (data[0] & 2) == 0;
  FuzzVolume(data, size, geometry, 32 * 1024, [&](BlockDevice& device, Waiter& waiter, auto use) {
    uint8_t buffer[256];
    SpiffsFileSystem files(device, waiter, buffer, options);
    use(files);
  });
  return 0;
}
