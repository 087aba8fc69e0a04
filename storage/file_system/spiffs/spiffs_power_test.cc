// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/file_system/test_power_cut.h"

namespace ota::storage {
namespace {

struct PowerShape {
  const char* name;
  uint32_t block_bytes;
  uint32_t block_count;
  uint32_t filler_bytes;  // as much as makes the changes reclaim space
};

class SpiffsPower : public testing::TestWithParam<PowerShape> {
 protected:
  PowerCutHarness MakeHarness() {
    PowerCutHarness harness;
    SpiffsOptions options;
    options.block_bytes = GetParam().block_bytes;
    harness.geometry = NorGeometry(options.block_bytes * GetParam().block_count, 1024);
    harness.with_files = [options](BlockDevice& device,
                                   const std::function<void(FileSystem&)>& use) {
      uint8_t buffer[256];
      SpinWaiter waiter;
      SpiffsFileSystem files(device, waiter, buffer, options);
      use(files);
    };
    harness.others = {{"/other one", MakeBytes(1800, 1)}, {"/other two", MakeBytes(251, 2)}};
    return harness;
  }

  void RunCases(Tear tear, uint64_t step) {
    PowerCutHarness harness = MakeHarness();
    const Bytes content = MakeBytes(2600, 7);
    const Bytes old_content(content.begin(), content.begin() + 900);
    const Bytes start = harness.Prepare([&](FileSystem& files) -> Status {
      OTA_TRY(WriteFile(files, "old file", old_content));
      // Deleted pages between those that stay, for reclaiming to move.
      for (uint32_t i = 0; i * 1000 < GetParam().filler_bytes; ++i) {
        OTA_TRY(WriteFile(files, "filler", MakeBytes(1000, i)));
        OTA_TRY(files.Delete("filler"));
      }
      return Status::kOk;
    });
    for (const PowerCutCase& test : StandardPowerCutCases(old_content, content)) {
      harness.RunAll(test, start, tear, step);
      if (HasFailure()) return;
    }
    RecordProperty("cut_points", static_cast<int>(harness.cut_count));
  }
};

INSTANTIATE_TEST_SUITE_P(Spiffs, SpiffsPower,
                         testing::Values(PowerShape{"roomy", 4096, 8, 0},
                                         PowerShape{"reclaiming", 4096, 5, 17000},
                                         PowerShape{"small_blocks", 2048, 9, 15000}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(SpiffsPower, KeepsItsPromisesAtEachByte) { RunCases(Tear::kWhole, 1); }

TEST_P(SpiffsPower, KeepsOtherFilesWhenBitsMix) { RunCases(Tear::kMixed, 3); }

}  // namespace
}  // namespace ota::storage
