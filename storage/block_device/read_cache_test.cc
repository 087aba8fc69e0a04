// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/read_cache.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/prng.h"
#include "storage/block_device/memory_block_device.h"

namespace ota::storage {
namespace {

constexpr uint32_t kSize = 4096 + 256;

/// Counts reads, and fails or is busy when told.
class CountingDevice final : public BlockDevice {
 public:
  CountingDevice() {
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<uint8_t>(i * 7 / 3);
  }
  const Geometry& geometry() const override { return device_.geometry(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    if (!IsOk(answer)) return answer;
    read_count += 1;
    read_bytes += target.size();
    return device_.Read(offset, target);
  }
  Status Program(uint32_t offset, ByteSpan data) override { return device_.Program(offset, data); }
  Status Erase(uint32_t offset, uint32_t length) override { return device_.Erase(offset, length); }
  Status Sync() override { return device_.Sync(); }

  Status answer = Status::kOk;
  uint32_t read_count = 0;
  uint64_t read_bytes = 0;

 private:
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kSize);
  MemoryBlockDevice device_{bytes_, {kSize, 64, 64, 64, 0, true, false}};
};

class ReadCacheTest : public testing::Test {
 protected:
  std::vector<uint8_t> Read(uint32_t offset, size_t length) {
    std::vector<uint8_t> bytes(length);
    EXPECT_EQ(cache_.Read(offset, bytes), Status::kOk);
    return bytes;
  }

  CountingDevice device_;
  std::vector<uint8_t> pages_ = std::vector<uint8_t>(4 * 512);
  ReadCache cache_{device_, pages_, 512};
};

TEST_F(ReadCacheTest, SmallReadsOfAPageReadItOnce) {
  for (uint32_t offset = 0; offset < 500; offset += 3) Read(1024 + offset, 5);
  EXPECT_EQ(device_.read_count, 1u);
  EXPECT_EQ(Read(1030, 1)[0], static_cast<uint8_t>(1030 * 7 / 3));
}

TEST_F(ReadCacheTest, WholePagesAreReadPastIt) {
  for (uint32_t page = 0; page < 4; ++page) Read(512 * page, 1);
  Read(2048, 1024);
  EXPECT_EQ(device_.read_count, 5u);
  for (uint32_t page = 0; page < 4; ++page) Read(512 * page, 1);
  EXPECT_EQ(device_.read_count, 5u) << "what it keeps is still there";
}

TEST_F(ReadCacheTest, ThePageNotUsedForLongestGoesFirst) {
  for (uint32_t page = 0; page < 4; ++page) Read(512 * page, 1);
  Read(0, 1);
  Read(512 * 5, 1);  // in place of page 1
  device_.read_count = 0;
  Read(0, 1);
  EXPECT_EQ(device_.read_count, 0u);
  Read(512, 1);
  EXPECT_EQ(device_.read_count, 1u);
}

TEST_F(ReadCacheTest, AFailedReadIsToldAndNotKept) {
  std::vector<uint8_t> byte(1);
  for (const Status status : {Status::kMediumFailed, Status::kBusy}) {
    device_.answer = status;
    EXPECT_EQ(cache_.Read(100, byte), status);
    device_.answer = Status::kOk;
    EXPECT_EQ(Read(100, 1)[0], static_cast<uint8_t>(100 * 7 / 3));
    ASSERT_EQ(cache_.Program(64, std::vector<uint8_t>(64, 100 * 7 / 3)), Status::kOk);
  }
  EXPECT_EQ(cache_.Read(kSize, byte), Status::kOutOfRange);
  EXPECT_EQ(cache_.Read(UINT32_MAX, byte), Status::kOutOfRange);
}

TEST_F(ReadCacheTest, ReadsWhatTheDeviceHoldsWhateverWasDoneBefore) {
  std::vector<uint8_t> expected = Read(0, kSize);
  Prng prng(20260101);
  for (int step = 0; step < 20000; ++step) {
    const uint32_t unit = prng.NextBelow(kSize / 64);
    const uint32_t kind = prng.NextBelow(10);
    if (kind == 0) {
      const std::vector<uint8_t> data(64, static_cast<uint8_t>(prng.Next()));
      ASSERT_EQ(cache_.Program(unit * 64, data), Status::kOk);
      std::copy(data.begin(), data.end(), expected.begin() + unit * 64);
    } else if (kind == 1) {
      ASSERT_EQ(cache_.Erase(unit * 64, 64), Status::kOk);
      std::fill_n(expected.begin() + unit * 64, 64, uint8_t{0});
    } else {
      const uint32_t offset = prng.NextBelow(kSize);
      const uint32_t length = prng.NextBelow(std::min(kSize - offset, 1500u)) + 1;
      ASSERT_TRUE(std::equal(expected.begin() + offset, expected.begin() + offset + length,
                             Read(offset, length).begin()))
          << "step " << step;
    }
  }
}

}  // namespace
}  // namespace ota::storage
