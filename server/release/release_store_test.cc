// SPDX-License-Identifier: Apache-2.0
#include "server/release/release_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "formats/host/authoring.h"
#include "server/http/releases_api.h"
#include "server/temporary_directory.h"

namespace ota::server {
namespace {

using crypto::PemKey;
using formats::Bytes;
using testing::HasSubstr;

std::unique_ptr<PemKey> NewKey() { return std::move(*PemKey::Generate()); }

class ReleaseStoreTest : public testing::Test {
 protected:
  ReleaseStoreTest() {
    std::filesystem::create_directory(directory_.path("models"));
    formats::RootSpec spec;
    spec.root = {1, {root_->public_key()}};
    spec.freshness_key = root_->public_key();
    formats::ReleaseRoleSpec role;
    role.key_set = {1, {release_->public_key()}};
    role.kinds = {formats::ComponentKind::kModel};
    role.patterns = {"kws"};
    spec.release_roles = {role};
    crypto::SigningKey* const signers[] = {root_.get()};
    signed_root_ = *formats::SignRoot(*formats::EncodeRoot(spec), signers);
    directory_.Write("root.cbor",
                     {reinterpret_cast<const char*>(signed_root_.data()), signed_root_.size()});
    AddReleaseRoutes(router_, *store_, *token_);
  }

  std::unique_ptr<TransparencyLog> OpenLog() {
    return std::move(*TransparencyLog::Open(directory_.path("log")));
  }

  Bytes Envelope(uint64_t sequence, std::string_view payload, PemKey& signer,
                 std::string_view name = "kws") {
    const Digest digest = ComputeDigest(payload);
    const std::array<uint8_t, 16> uuid = {1};
    formats::Manifest manifest;
    manifest.sequence_number = sequence;
    manifest.vendor_id = uuid;
    manifest.class_ids[0] = uuid;
    manifest.class_id_count = 1;
    manifest.kind = formats::ComponentKind::kModel;
    manifest.component_name = name;
    manifest.image_digest = digest;
    manifest.image_size_bytes = static_cast<uint32_t>(payload.size());
    manifest.payload_size_bytes = manifest.image_size_bytes;
    manifest.version = "1.0.0";
    manifest.uri = "/models/kws.bin";
    crypto::SigningKey* const signers[] = {&signer};
    return *formats::SignManifest(formats::EncodeManifest(manifest), signers);
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
    return sink.Finish();
  }
  static std::string Text(const Response& response) { return std::get<std::string>(response.body); }

  TemporaryDirectory directory_;
  std::unique_ptr<PemKey> root_ = NewKey();
  std::unique_ptr<PemKey> release_ = NewKey();
  Bytes signed_root_;
  std::unique_ptr<TransparencyLog> log_ = OpenLog();
  std::unique_ptr<ReleaseStore> store_ = std::make_unique<ReleaseStore>(
      directory_.path("models"), directory_.path("root.cbor"), *log_);
  Expected<PublisherToken> token_ = PublisherToken::Open(directory_.path("token"));
  std::string authorization_ = "Bearer " + directory_.Read("token").substr(0, 64);
  Router router_;
};

TEST_F(ReleaseStoreTest, TakesASignedReleaseInPartsOfAnySize) {
  for (const size_t part_bytes : {1u, 3u, 100u, 100'000u}) {
    const std::string payload = "model " + std::to_string(part_bytes);
    const Bytes envelope = Envelope(part_bytes, payload, *release_);
    const Response response = Put("kws", Body(envelope, payload), part_bytes);
    EXPECT_EQ(response.status, 201) << Text(response);
    EXPECT_EQ(directory_.Read("models/kws.tflite"), payload);
    const std::string stored = directory_.Read("models/kws.suit");
    EXPECT_EQ(Bytes(stored.begin(), stored.end()), envelope);
    EXPECT_EQ(*log_->ReadEntry(log_->ReadHead().size - 1), envelope);
  }
  EXPECT_EQ(OpenLog()->ReadHead().size, 4u);
}

TEST_F(ReleaseStoreTest, MayBePublishedTwice) {
  const Bytes body = Body(Envelope(1, "model", *release_), "model");
  EXPECT_EQ(Put("kws", body).status, 201);
  EXPECT_EQ(Put("kws", body).status, 201);
  EXPECT_EQ(log_->ReadHead().size, 1u);
}

TEST_F(ReleaseStoreTest, LetsInNobodyWithoutTheToken) {
  const Bytes body = Body(Envelope(1, "model", *release_), "model");
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
  const auto stranger = NewKey();
  const Bytes good = Envelope(1, "model", *release_);
  Bytes altered = good;
  altered[altered.size() / 2] ^= 1;
  EXPECT_EQ(Put("kws", Body(Envelope(1, "model", *stranger), "model")).status, 403);
  EXPECT_EQ(Put("kws", Body(altered, "model")).status, 403);
  EXPECT_EQ(Put("other", Body(Envelope(1, "model", *release_, "other"), "model")).status, 403);
  EXPECT_EQ(Put("other", Body(good, "model")).status, 422);
  EXPECT_EQ(Put("kws", Body(good, "moDel")).status, 422);
  EXPECT_EQ(Put("kws", Body(good, "mode")).status, 422);
  EXPECT_EQ(Put("kws", Body(good, "models")).status, 413);
  EXPECT_EQ(Put("kws", {0xFF, 0xFF, 0xFF, 0xFF, 1}).status, 422);
  EXPECT_EQ(Put("kws", {0, 0}).status, 422);
  EXPECT_EQ(Put("..", Body(good, "model")).status, 422);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path("models")));
  EXPECT_EQ(log_->ReadHead().size, 0u);
}

TEST_F(ReleaseStoreTest, RefusesEachFlippedBitOfAnEnvelope) {
  const Bytes good = Envelope(1, "model", *release_);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes altered = good;
    altered[bit / 8] = static_cast<uint8_t>(altered[bit / 8] ^ (1u << (bit % 8)));
    const auto outcome = store_->Accept("kws", altered);
    ASSERT_TRUE(std::holds_alternative<ReleaseStore::Refusal>(outcome)) << "bit " << bit;
  }
}

TEST_F(ReleaseStoreTest, NeverGoesBack) {
  EXPECT_EQ(Put("kws", Body(Envelope(7, "new", *release_), "new")).status, 201);
  const Response older = Put("kws", Body(Envelope(6, "old", *release_), "old"));
  EXPECT_EQ(older.status, 409);
  EXPECT_THAT(Text(older), HasSubstr("not above that of the release that is here, 7"));
  EXPECT_EQ(Put("kws", Body(Envelope(7, "other", *release_), "other")).status, 409);
  EXPECT_EQ(directory_.Read("models/kws.tflite"), "new");
}

TEST_F(ReleaseStoreTest, AcceptsNothingWithoutValidTrustMetadata) {
  const Bytes body = Body(Envelope(1, "model", *release_), "model");
  std::string altered(signed_root_.begin(), signed_root_.end());
  altered.back() = static_cast<char>(altered.back() ^ 1);
  directory_.Write("root.cbor", altered);
  EXPECT_THAT(Text(Put("kws", body)), HasSubstr("no valid trust metadata"));
  std::filesystem::remove(directory_.path("root.cbor"));
  EXPECT_THAT(Text(Put("kws", body)), HasSubstr("put the signed root metadata into"));
}

TEST_F(ReleaseStoreTest, RemovesWhatWasHalfUploaded) {
  directory_.Write("models/.upload-Abc123", "half");
  directory_.Write("models/kws.tflite", "whole");
  const ReleaseStore again(directory_.path("models"), directory_.path("root.cbor"), *log_);
  EXPECT_FALSE(std::filesystem::exists(directory_.path("models/.upload-Abc123")));
  EXPECT_EQ(directory_.Read("models/kws.tflite"), "whole");
}

}  // namespace
}  // namespace ota::server
