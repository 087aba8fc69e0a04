// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/test_power_cut.h"

namespace ota::storage {
namespace {

struct PowerShape {
  const char* name;
  FatFormatOptions::Kind kind;
  uint32_t size_bytes;
};

class FatPower : public testing::TestWithParam<PowerShape> {
 protected:
  PowerCutHarness MakeHarness() {
    FatFormatOptions options;
    options.kind = GetParam().kind;
    options.cluster_bytes = 512;
    options.root_entry_count = 32;
    PowerCutHarness harness;
    harness.geometry = OverwritingGeometry(GetParam().size_bytes, 512);
    harness.with_files = [options](BlockDevice& device,
                                   const std::function<void(FileSystem&)>& use) {
      uint8_t buffer[512];
      SpinWaiter waiter;
      FatFileSystem files(device, waiter, buffer, options);
      use(files);
    };
    harness.others = {{"first other.bin", MakeBytes(1800, 1)}, {"OTHER2.BIN", MakeBytes(513, 2)}};
    return harness;
  }

  void RunCases(Tear tear, uint64_t step) {
    PowerCutHarness harness = MakeHarness();
    const Bytes content = MakeBytes(2600, 7);
    const Bytes old_content(content.begin(), content.begin() + 900);
    const Bytes start = harness.Prepare(
        [&](FileSystem& files) { return WriteFile(files, "old file", old_content); });
    for (const PowerCutCase& test : StandardPowerCutCases(old_content, content)) {
      harness.RunAll(test, start, tear, step);
      if (HasFailure()) return;
    }
    RecordProperty("cut_points", static_cast<int>(harness.cut_count));
  }
};

INSTANTIATE_TEST_SUITE_P(
    Fat, FatPower,
    testing::Values(PowerShape{"fat12", FatFormatOptions::Kind::kFat12, KiB(64)},
                    PowerShape{"fat16", FatFormatOptions::Kind::kFat16, KiB(2100)}),
    [](const auto& test) { return std::string(test.param.name); });

// A sector is whole or not, so each unit boundary is a cut point of its own.
TEST_P(FatPower, KeepsItsPromisesAtEachSector) { RunCases(Tear::kWhole, 512); }

TEST_P(FatPower, KeepsOtherFilesWhenSectorsTear) {
  RunCases(Tear::kPrefix, GetParam().size_bytes > KiB(64) ? 61 : 3);
}

TEST_P(FatPower, KeepsOtherFilesWhenBitsMix) {
  RunCases(Tear::kMixed, GetParam().size_bytes > KiB(64) ? 67 : 3);
}

}  // namespace
}  // namespace ota::storage
