// SPDX-License-Identifier: Apache-2.0
#include "server/release/release_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "server/http/releases_api.h"
#include "server/release/test_publisher.h"
#include "server/temporary_directory.h"

namespace ota::server {
namespace {

using formats::Bytes;
using testing::HasSubstr;

class ReleaseStoreTest : public testing::Test {
 protected:
  ReleaseStoreTest() {
    AddReleaseRoutes(router_, *store_, *token_, [this] { ++change_count_; });
    EXPECT_FALSE(roots_->Add(1, publisher_.SignRoot(1)).has_value());
  }

  std::unique_ptr<TransparencyLog> OpenLog() {
    return std::move(*TransparencyLog::Open(directory_.path("log")));
  }
  std::unique_ptr<ReleaseStore> OpenStore() {
    return std::move(*ReleaseStore::Open(directory_.path(), *roots_, *log_));
  }
  Bytes Envelope(uint64_t sequence, std::string_view payload, std::string_view name = "kws") {
    return publisher_.Envelope(sequence, payload, name);
  }

  static Bytes Body(const Bytes& envelope, std::string_view payload) {
    Bytes body(4 + envelope.size() + payload.size());
    StoreBe32(body.data(), static_cast<uint32_t>(envelope.size()));
    std::copy(envelope.begin(), envelope.end(), body.begin() + 4);
    std::copy(payload.begin(), payload.end(), body.end() - static_cast<ptrdiff_t>(payload.size()));
    return body;
  }

  // Uploads in parts of `part_bytes`, as the connection does.
  Response Put(const std::string& name, const Bytes& body, size_t part_bytes = 64 * 1024) {
    Request request;
    request.method = "PUT";
    request.path = "/releases/" + name;
    request.headers = {{"Authorization", authorization_}};
    Reply reply = router_.Handle(request);
    if (auto* response = std::get_if<Response>(&reply)) return *response;
    BodySink& sink = *std::get<std::unique_ptr<BodySink>>(reply);
    for (size_t done = 0; done < body.size(); done += part_bytes) {
      const ByteSpan part = ByteSpan(body).subspan(done, std::min(part_bytes, body.size() - done));
      if (std::optional<Response> refusal = sink.Append(part)) return *refusal;
    }
    Response answered;
    sink.Finish([&answered](Response response) { answered = std::move(response); });
    return answered;
  }
  static std::string Text(const Response& response) { return std::get<std::string>(response.body); }

  TemporaryDirectory directory_;
  TestPublisher publisher_;
  std::unique_ptr<TransparencyLog> log_ = OpenLog();
  std::unique_ptr<RootStore> roots_ = std::move(*RootStore::Open(directory_.path("roots")));
  std::unique_ptr<ReleaseStore> store_ = OpenStore();
  Expected<PublisherToken> token_ = PublisherToken::Open(directory_.path("token"));
  std::string authorization_ = "Bearer " + directory_.Read("token").substr(0, 64);
  Router router_;
  int change_count_ = 0;
};

TEST_F(ReleaseStoreTest, TakesASignedReleaseInPartsOfAnySize) {
  for (const size_t part_bytes : {1u, 3u, 100u, 100'000u}) {
    const std::string payload = "model " + std::to_string(part_bytes);
    const Bytes envelope = Envelope(part_bytes, payload);
    const Response response = Put("kws", Body(envelope, payload), part_bytes);
    EXPECT_EQ(response.status, 201) << Text(response);
    EXPECT_EQ(directory_.Read("models/kws.tflite"), payload);
    EXPECT_EQ(directory_.Read("payloads/" + HexText(ComputeDigest(payload)) + ".bin"), payload);
    const std::string stored = directory_.Read("models/kws.suit");
    EXPECT_EQ(Bytes(stored.begin(), stored.end()), envelope);
    EXPECT_EQ(directory_.Read("envelopes/" + HexText(ComputeDigest(envelope)) + ".suit"), stored);
    EXPECT_EQ(*log_->ReadEntry(log_->ReadHead().size - 1), envelope);
  }
  EXPECT_EQ(OpenLog()->ReadHead().size, 4u);
  EXPECT_EQ(change_count_, 4);
}

TEST_F(ReleaseStoreTest, TakesAPayloadThatTravelsInItsEnvelope) {
  const Bytes envelope = publisher_.IntegratedEnvelope(5, "model");
  EXPECT_EQ(Put("kws", Body(envelope, "x")).status, 413) << "nothing may follow";
  const Response response = Put("kws", Body(envelope, ""));
  EXPECT_EQ(response.status, 201) << Text(response);
  EXPECT_EQ(directory_.Read("models/kws.tflite"), "model");
  EXPECT_EQ(directory_.Read("models/kws.suit").size(), envelope.size());
  EXPECT_EQ(*log_->ReadEntry(0), envelope);
  Bytes altered = publisher_.IntegratedEnvelope(6, "model");
  altered.back() ^= 1;
  EXPECT_EQ(Put("kws", Body(altered, "")).status, 422) << "not the payload that was signed for";
  altered.pop_back();
  EXPECT_EQ(Put("kws", Body(altered, "")).status, 403);
}

TEST_F(ReleaseStoreTest, MayBePublishedTwice) {
  const Bytes body = Body(Envelope(1, "model"), "model");
  EXPECT_EQ(Put("kws", body).status, 201);
  EXPECT_EQ(Put("kws", body).status, 201);
  EXPECT_EQ(log_->ReadHead().size, 1u);
}

TEST_F(ReleaseStoreTest, LetsInNobodyWithoutTheToken) {
  const Bytes body = Body(Envelope(1, "model"), "model");
  const std::string good = authorization_;
  for (const std::string& bad :
       {std::string(), std::string("Bearer "), "Basic " + good.substr(7), good + "0",
        good.substr(0, 70), "Bearer " + std::string(64, '0')}) {
    authorization_ = bad;
    EXPECT_EQ(Put("kws", body).status, 401) << bad;
  }
  struct stat state;
  ASSERT_EQ(stat(directory_.path("token").c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600u);
}

TEST_F(ReleaseStoreTest, StoresAndLogsNothingThatIsNotAllowed) {
  const auto stranger = TestPublisher::NewKey();
  const Bytes good = Envelope(1, "model");
  Bytes altered = good;
  altered[altered.size() / 2] ^= 1;
  EXPECT_EQ(Put("kws", Body(publisher_.EnvelopeBy(*stranger, 1, "model"), "model")).status, 403);
  EXPECT_EQ(Put("kws", Body(altered, "model")).status, 403);
  EXPECT_EQ(Put("other", Body(Envelope(1, "model", "other"), "model")).status, 403);
  EXPECT_EQ(Put("other", Body(good, "model")).status, 422);
  EXPECT_EQ(Put("kws", Body(good, "moDel")).status, 422);
  EXPECT_EQ(Put("kws", Body(good, "mode")).status, 422);
  EXPECT_EQ(Put("kws", Body(good, "models")).status, 413);
  EXPECT_EQ(Put("kws", {0xFF, 0xFF, 0xFF, 0xFF, 1}).status, 422);
  EXPECT_EQ(Put("kws", {0, 0}).status, 422);
  EXPECT_EQ(Put("..", Body(good, "model")).status, 422);
  for (const char* folder : {"models", "payloads", "envelopes"}) {
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path(folder))) << folder;
  }
  EXPECT_EQ(log_->ReadHead().size, 0u);
}

TEST_F(ReleaseStoreTest, RefusesEachFlippedBitOfAnEnvelope) {
  const Bytes good = Envelope(1, "model");
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes altered = good;
    altered[bit / 8] = static_cast<uint8_t>(altered[bit / 8] ^ (1u << (bit % 8)));
    const auto outcome = store_->Accept("kws", altered);
    ASSERT_TRUE(std::holds_alternative<Refusal>(outcome)) << "bit " << bit;
  }
}

TEST_F(ReleaseStoreTest, NeverGoesBack) {
  EXPECT_EQ(Put("kws", Body(Envelope(7, "new"), "new")).status, 201);
  const Response older = Put("kws", Body(Envelope(6, "old"), "old"));
  EXPECT_EQ(older.status, 409);
  EXPECT_THAT(Text(older), HasSubstr("not above that of the release that is here, 7"));
  EXPECT_EQ(Put("kws", Body(Envelope(7, "other"), "other")).status, 409);
  EXPECT_EQ(directory_.Read("models/kws.tflite"), "new");
}

TEST_F(ReleaseStoreTest, AcceptsNothingWithoutRootMetadata) {
  const auto no_roots = std::move(*RootStore::Open(directory_.path("none")));
  const auto store = std::move(*ReleaseStore::Open(directory_.path(), *no_roots, *log_));
  const auto outcome = store->Accept("kws", Envelope(1, "model"));
  EXPECT_THAT(std::get<Refusal>(outcome).what, HasSubstr("no root metadata"));
}

TEST_F(ReleaseStoreTest, NamesTheStatusWithWhichADeviceWouldRefuse) {
  const auto stranger = TestPublisher::NewKey();
  const Bytes envelope = publisher_.EnvelopeBy(*stranger, 1, "model");
  EXPECT_THAT(Text(Put("kws", Body(envelope, "model"))), HasSubstr("\"name\": \"SignerUnknown\""));
  EXPECT_THAT(Text(Put("door", Body(Envelope(1, "model", "door"), "model"))),
              HasSubstr("\"name\": \"SignerNotDelegated\""));
}

TEST_F(ReleaseStoreTest, RemovesWhatWasHalfUploaded) {
  directory_.Write("payloads/.upload-Abc123", "half");
  directory_.Write("models/kws.tflite", "whole");
  OpenStore();
  EXPECT_FALSE(std::filesystem::exists(directory_.path("payloads/.upload-Abc123")));
  EXPECT_EQ(directory_.Read("models/kws.tflite"), "whole");
}

}  // namespace
}  // namespace ota::server
