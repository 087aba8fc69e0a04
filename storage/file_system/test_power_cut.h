// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>

#include "storage/file_system/test_files.h"

// Cuts the power at every changed byte of a change to a volume, in turn, mounts again, repairs, and
// compares with what FileSystem promises. A failure names the cut, which replays it.

namespace ota::storage {

/// One change and what must hold whenever power fails within it.
struct PowerCutCase {
  std::string name;
  std::function<Status(FileSystem&)> change;
  /// The file that the change is about: names that it may have afterwards. At least one of them is
  /// there unless `may_be_gone`; what is there has one of the contents.
  std::set<std::string> names;
  bool may_be_gone = false;
  /// What is found is a prefix of this, at least as long as the next.
  Bytes content;
  size_t kept_bytes = 0;
};

/// What other files of the volume hold, which no cut may change.
using Contents = std::map<std::string, Bytes>;

/// Names and first bytes of files that a cut left damaged are forgiven when the unit was torn.
struct PowerCutHarness {
  /// A file system over the device; the harness keeps nothing of it over a cut.
  std::function<void(BlockDevice&, const std::function<void(FileSystem&)>&)> with_files;
  Geometry geometry;
  Contents others;
  uint64_t cut_count = 0;

  Bytes Prepare(const std::function<Status(FileSystem&)>& setup) {
    TestDevice device(geometry);
    with_files(device, [&](FileSystem& files) {
      EXPECT_OK(files.Format());
      for (const auto& [name, bytes] : others) EXPECT_OK(WriteFile(files, name, bytes));
      EXPECT_OK(setup(files));
    });
    return device.bytes;
  }

  void RunAll(const PowerCutCase& test, const Bytes& start, Tear tear, uint64_t step) {
    TestDevice whole(geometry);
    whole.bytes = start;
    with_files(whole, [&](FileSystem& files) {
      ASSERT_OK(files.Mount());
      ASSERT_OK(test.change(files));
    });
    ASSERT_GT(whole.changed_bytes, 0u);
    for (uint64_t cut = 0; cut < whole.changed_bytes; cut += step) {
      SCOPED_TRACE(test.name + ", cut at byte " + std::to_string(cut) + ", tear " +
                   std::to_string(static_cast<int>(tear)));
      TestDevice device(geometry);
      device.bytes = start;
      device.tear = tear;
      device.prng = Prng(static_cast<uint32_t>(cut) + 1);
      device.cut_at = cut;
      with_files(device, [&](FileSystem& files) {
        ASSERT_OK(files.Mount());
        EXPECT_NE(test.change(files), Status::kOk);
      });
      ++cut_count;
      VerifyAfterCut(device, test, tear);
      if (testing::Test::HasFailure()) return;
    }
  }

  void VerifyAfterCut(TestDevice& device, const PowerCutCase& test, Tear tear) {
    device.Restore();
    with_files(device, [&](FileSystem& files) {
      ASSERT_OK(files.Mount());
      ASSERT_OK(CheckWhole(files, CheckMode::kRepair));
      VerifyFiles(files, test, tear);
      const Result<CheckReport> report = CheckWhole(files, CheckMode::kReport);
      ASSERT_OK(report);
      EXPECT_EQ(report->leaked_unit_count, 0u);
      EXPECT_EQ(report->duplicate_count, 0u);
      EXPECT_EQ(report->other_count, 0u);
      if (tear != Tear::kMixed) {
        EXPECT_EQ(report->damaged_file_count, 0u);
      }
      ASSERT_OK(WriteFile(files, "written after", MakeBytes(700, 99)));
      ExpectFile(files, "written after", MakeBytes(700, 99));
      for (const auto& [name, bytes] : others) ExpectFile(files, name, bytes);
    });
  }

  void VerifyFiles(FileSystem& files, const PowerCutCase& test, Tear tear) {
    for (const auto& [name, bytes] : others) ExpectFile(files, name, bytes);
    if (tear != Tear::kWhole) return;
    size_t found_count = 0;
    for (const std::string& name : test.names) {
      const Result<Bytes> found = ReadFile(files, name);
      if (found.status() == Status::kNotFound) continue;
      ASSERT_OK(found);
      ++found_count;
      EXPECT_GE(found->size(), test.kept_bytes);
      ASSERT_LE(found->size(), test.content.size());
      EXPECT_TRUE(std::equal(found->begin(), found->end(), test.content.begin()));
    }
    EXPECT_TRUE(test.may_be_gone || found_count != 0);
    const auto listed = List(files);
    ASSERT_OK(listed);
    for (const auto& [name, size_bytes] : *listed) {
      EXPECT_TRUE(others.contains(name) || test.names.contains(name) || name.ends_with("/"))
          << "a name that nobody gave: " << name;
    }
  }
};

/// The changes that every file system is put through.
inline std::vector<PowerCutCase> StandardPowerCutCases(const Bytes& old_content,
                                                       const Bytes& content) {
  std::vector<PowerCutCase> cases;
  cases.push_back({"create",
                   [](FileSystem& files) { return files.Create("a new file", 0).status(); },
                   {"old file", "a new file"},
                   false,
                   old_content,
                   0});
  cases.push_back({"write",
                   [=](FileSystem& files) { return WriteFile(files, "a new file", content, 333); },
                   {"a new file"},
                   true,
                   content,
                   0});
  cases.back().names.insert("old file");
  cases.push_back({"append",
                   [=](FileSystem& files) -> Status {
                     OTA_TRY(File file, files.Open("old file"));
                     OTA_TRY(files.Append(file, ByteSpan(content).subspan(old_content.size())));
                     return files.Sync(file);
                   },
                   {"old file"},
                   false,
                   content,
                   old_content.size()});
  cases.push_back({"delete",
                   [](FileSystem& files) { return files.Delete("old file"); },
                   {"old file"},
                   true,
                   old_content,
                   old_content.size()});
  cases.push_back({"rename",
                   [](FileSystem& files) { return files.Rename("old file", "renamed file"); },
                   {"old file", "renamed file"},
                   false,
                   old_content,
                   old_content.size()});
  return cases;
}

}  // namespace ota::storage
