// SPDX-License-Identifier: Apache-2.0
#include "server/release/root_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "server/release/test_publisher.h"
#include "server/temporary_directory.h"

namespace ota::server {
namespace {

using formats::Bytes;
using testing::HasSubstr;

class RootStoreTest : public testing::Test {
 protected:
  Expected<std::unique_ptr<RootStore>> TryOpen() {
    return RootStore::Open(directory_.path("roots"));
  }
  std::unique_ptr<RootStore> Open() { return std::move(*TryOpen()); }
  static std::string_view TextOf(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  TemporaryDirectory directory_;
  TestPublisher publisher_;
};

TEST_F(RootStoreTest, KeepsEveryVersionInOrder) {
  const auto store = Open();
  EXPECT_EQ(store->newest_version(), 0u);
  std::vector<Bytes> versions;
  for (uint32_t version = 1; version <= 4; ++version) {
    versions.push_back(publisher_.SignRoot(version));
    EXPECT_FALSE(store->Add(version, versions.back()).has_value());
  }
  EXPECT_FALSE(store->Add(4, versions.back()).has_value()) << "the newest may be sent again";
  for (const auto& again : {Open(), Open()}) {
    EXPECT_EQ(again->newest_version(), 4u);
    for (uint32_t version = 1; version <= 4; ++version) {
      EXPECT_EQ(again->Find(version), versions[version - 1]);
    }
    EXPECT_FALSE(again->Find(0).has_value());
    EXPECT_FALSE(again->Find(5).has_value());
  }
}

TEST_F(RootStoreTest, TakesOnlyWhatADeviceWouldTake) {
  const auto store = Open();
  EXPECT_EQ(store->Add(2, publisher_.SignRoot(2))->http_status, 409) << "not the first";
  EXPECT_EQ(store->Add(1, publisher_.SignRoot(2))->http_status, 403) << "another version inside";
  ASSERT_FALSE(store->Add(1, publisher_.SignRoot(1)).has_value());
  EXPECT_EQ(store->Add(1, publisher_.SignRoot(1))->http_status, 409) << "never replaced";
  EXPECT_EQ(store->Add(3, publisher_.SignRoot(3))->http_status, 409) << "one left out";
  TestPublisher stranger;
  EXPECT_EQ(store->Add(2, stranger.SignRoot(2))->status, Status::kThresholdNotMet);
  EXPECT_EQ(store->Add(2, Bytes(100))->http_status, 403);
  EXPECT_EQ(Open()->newest_version(), 1u);
}

TEST_F(RootStoreTest, TakesVersionsThatWerePutIntoTheDirectory) {
  const auto store = Open();
  directory_.Write("roots/1.cbor", TextOf(publisher_.SignRoot(1)));
  EXPECT_FALSE(store->Refresh().has_value());
  EXPECT_EQ(store->newest_version(), 1u);
  directory_.Write("roots/2.cbor", "no root");
  EXPECT_THAT(store->Refresh()->message, HasSubstr("roots/2.cbor"));
  EXPECT_THAT(TryOpen().error().message, HasSubstr("roots/2.cbor"));
  EXPECT_EQ(store->newest_version(), 1u);
}

}  // namespace
}  // namespace ota::server
