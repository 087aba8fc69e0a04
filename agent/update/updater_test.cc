// SPDX-License-Identifier: Apache-2.0
// Signed envelopes against a virtual board: the real verification, store and engine.
#include "agent/update/updater.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "agent/update/test_device.h"
#include "agent/update/test_port.h"
#include "crypto/host/pem_key.h"
#include "formats/host/authoring.h"
#include "simulator/board/virtual_board.h"

namespace ota::agent {
namespace {

using crypto::PemKey;
using crypto::SigningKey;
using formats::Bytes;
using formats::ComponentKind;
using formats::Manifest;
using simulator::RunToEnd;
using simulator::VirtualBoard;

constexpr int kStepCountMax = 5'000'000;

Bytes ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Serves one payload, and remembers whether it was asked.
class TestSource final : public PayloadSource {
 public:
  Bytes payload;
  int request_count = 0;
  uint32_t last_offset = 0;  ///< of the newest request

  void Start(const Request& request) override {
    ++request_count;
    last_offset = request.offset;
    at_ = request.offset;
    first_ = request.offset;
    has_started_ = false;
  }
  Result<Event> Step() override {
    if (!has_started_) {
      has_started_ = true;
      return Event{EventKind::kStart, {}};
    }
    const ByteSpan rest = ByteSpan(payload).subspan(at_);
    if (rest.empty()) return Event{EventKind::kEnd, {}};
    const ByteSpan piece = rest.first(std::min<size_t>(rest.size(), 700));
    at_ += static_cast<uint32_t>(piece.size());
    return Event{EventKind::kData, piece};
  }
  uint64_t total_bytes() const override { return payload.size(); }
  uint32_t first_offset() const override { return first_; }
  std::string_view validator() const override { return {}; }
  uint32_t retry_after_s() const override { return 0; }
  uint16_t http_status() const override { return 0; }
  void Close() override {}

 private:
  uint32_t at_ = 0;
  uint32_t first_ = 0;
  bool has_started_ = false;
};

class UpdaterTest : public testing::Test {
 protected:
  UpdaterTest() {
    formats::RootSpec spec;
    spec.root = {1, {root_->public_key()}};
    spec.freshness_key = freshness_->public_key();
    formats::ReleaseRoleSpec role;
    role.key_set = {1, {release_->public_key()}};
    role.kinds = {ComponentKind::kModel};
    role.patterns = {"digits", "trust-*"};
    spec.release_roles = {role};
    EXPECT_EQ(formats::InitializeTrustState(*formats::EncodeRoot(spec), trust_), Status::kOk);
    model_ = ReadFile(OTA_SOURCE_DIR "/models/digits/digits.tflite");
    source_.payload = model_;
    Boot();
  }
  ~UpdaterTest() override { std::filesystem::remove_all(directory_); }

  void Boot() {
    board_.reset();
    board_ = std::make_unique<VirtualBoard>(*simulator::FindBoard("B1"), directory_);
    ASSERT_EQ(board_->Boot(), Status::kOk);
  }

  /// What the model gives for the generator's bytes.
  crypto::Sha256Digest ComputeOutputDigest(uint32_t seed) {
    MemoryByteSource source(model_);
    engine::Interpreter interpreter(engine::AllOperators());
    EXPECT_EQ(interpreter.Prepare(source, board_->arena()), Status::kOk);
    Prng generator(seed);
    for (uint8_t& byte : interpreter.input(0)) byte = static_cast<uint8_t>(generator.Next());
    EXPECT_EQ(interpreter.Invoke(), Status::kOk);
    return crypto::ComputeSha256(interpreter.output(0));
  }

  using Change = std::function<void(Manifest&)>;
  Bytes MakeEnvelope(
      uint64_t sequence_number, const Change& change = [](Manifest&) {}) {
    Manifest manifest;
    manifest.sequence_number = sequence_number;
    manifest.vendor_id = device_.vendor_id;
    manifest.class_ids[0] = device_.class_id;
    manifest.class_id_count = 1;
    manifest.kind = ComponentKind::kModel;
    manifest.component_name = "digits";
    image_digest_ = crypto::ComputeSha256(model_);
    manifest.image_digest = image_digest_;
    manifest.image_size_bytes = static_cast<uint32_t>(model_.size());
    manifest.payload_size_bytes = manifest.image_size_bytes;
    manifest.version = "1";
    manifest.uri = "/models/digits.bin";
    output_digest_ = ComputeOutputDigest(5);
    manifest.model.self_tests[0] = {{}, 5, output_digest_};
    manifest.model.self_test_count = 1;
    change(manifest);
    SigningKey* const signers[] = {signer_};
    const bool is_integrated = manifest.is_payload_integrated();
    return *formats::SignManifest(formats::EncodeManifest(manifest), signers,
                                  is_integrated ? manifest.uri : std::string_view(),
                                  is_integrated ? ByteSpan(source_.payload) : ByteSpan());
  }

  /// How a payload is encrypted: with which cipher, and for which of the device's keys.
  struct Sealing {
    formats::ContentCipher cipher;
    formats::KeyDistribution distribution;
  };
  static constexpr Sealing kSealings[] = {
      {formats::ContentCipher::kAesCtr, formats::KeyDistribution::kEcdhEs},
      {formats::ContentCipher::kAesCtr, formats::KeyDistribution::kAesKeyWrap},
      {formats::ContentCipher::kAesGcm, formats::KeyDistribution::kEcdhEs},
      {formats::ContentCipher::kAesGcm, formats::KeyDistribution::kAesKeyWrap}};

  /// Puts the model, encrypted, where the source serves it from, and gives its envelope.
  Bytes SealEnvelope(uint64_t sequence_number, const Sealing& sealing,
                     std::string_view uri = "/payloads/digits.bin") {
    const bool is_gcm = sealing.cipher == formats::ContentCipher::kAesGcm;
    const Bytes iv(is_gcm ? 12 : 16, 0x1F);
    source_.payload = model_;
    if (is_gcm) {
      crypto::GcmNonce nonce;
      std::copy(iv.begin(), iv.end(), nonce.begin());
      crypto::AesBlock tag;
      EXPECT_EQ(crypto::EncryptAesGcm(content_key_, nonce, formats::kGcmAssociatedData,
                                      source_.payload, tag),
                Status::kOk);
      source_.payload.insert(source_.payload.end(), tag.begin(), tag.end());
    } else {
      crypto::AesBlock counter;
      std::copy(iv.begin(), iv.end(), counter.begin());
      crypto::AesCtr(content_key_, counter).Apply(0, source_.payload);
    }
    const formats::CoseRecipient recipient = MakeRecipient(sealing.distribution);
    Bytes info(512);
    formats::CborWriter writer(info);
    formats::WriteCoseEncrypt(writer, sealing.cipher, iv, std::span(&recipient, 1));
    info.resize(writer.Finish()->size());
    const crypto::Sha256Digest payload_digest = crypto::ComputeSha256(source_.payload);
    return MakeEnvelope(sequence_number, [&](Manifest& manifest) {
      manifest.uri = uri;
      manifest.encryption_info = info;
      manifest.payload_digest = payload_digest;
      manifest.payload_size_bytes = static_cast<uint32_t>(source_.payload.size());
    });
  }

  formats::CoseRecipient MakeRecipient(formats::KeyDistribution distribution) {
    formats::CoseRecipient recipient;
    recipient.distribution = distribution;
    if (distribution == formats::KeyDistribution::kAesKeyWrap) {
      recipient.key_id = group_key_id_;
      recipient.wrapped_key = crypto::WrapAesKey(group_key_, content_key_);
      return recipient;
    }
    const auto ephemeral = std::move(*PemKey::Generate());
    crypto::EcdhAgreement agreement(entropy_);
    crypto::EcdhSecret secret;
    EXPECT_EQ(agreement.Begin(*ephemeral->private_key(), device_key_->public_key()), Status::kOk);
    EXPECT_EQ(agreement.Step(0, secret), Status::kOk);
    recipient.key_id = device_key_id_;
    recipient.ephemeral_key = ephemeral->public_key();
    EXPECT_EQ(formats::WrapContentKey(secret, content_key_, recipient.wrapped_key), Status::kOk);
    return recipient;
  }

  std::vector<DecryptionKey> DeviceKeys() const {
    return {{device_key_id_, formats::KeyDistribution::kEcdhEs, *device_key_->private_key(), {}},
            {group_key_id_, formats::KeyDistribution::kAesKeyWrap, {}, group_key_}};
  }

  /// What the board runs now.
  Bytes ReadInstalled() {
    const Result<ByteSource*> source = board_->store().Open("digits");
    if (!source.ok()) return {};
    Bytes image((*source)->size_bytes());
    EXPECT_EQ((*source)->Read(0, image), Status::kOk);
    board_->store().Close(*source);
    return image;
  }

  Status Update(const Bytes& envelope) {
    PayloadStage stage(source_, entropy_, keys_);
    Fetcher fetcher(port_, stage, board_->store(), {}, nullptr);
    TrustRecord record(board_->store());
    Updater updater(fetcher, board_->store(), trust_, record, engine::AllOperators(),
                    board_->arena(), {}, &stage);
    updater.Start(envelope, device_.Profile(), now_s_);
    for (int step = 0; step < kStepCountMax; ++step) {
      const Status status = updater.Step();
      if (status != Status::kBusy) return status;
      if (!board_->power().is_on()) return Status::kMediumFailed;
    }
    return Status::kOutOfRange;
  }

  uint64_t InstalledSequence() const {
    return formats::FindTracked(trust_, ComponentKind::kModel, "digits").installed_sequence;
  }

  /// The state as the device finds it after a restart.
  Status Reload() {
    trust_ = {};
    TrustRecord record(board_->store());
    return RunToEnd([&] { return record.Load(trust_); });
  }

  const std::string directory_ = (std::filesystem::temp_directory_path() /
                                  ("updater_test_" + std::to_string(getpid()) + '_' +
                                   testing::UnitTest::GetInstance()->current_test_info()->name()))
                                     .string();
  std::unique_ptr<PemKey> root_ = std::move(*PemKey::Generate());
  std::unique_ptr<PemKey> release_ = std::move(*PemKey::Generate());
  std::unique_ptr<PemKey> freshness_ = std::move(*PemKey::Generate());
  std::unique_ptr<PemKey> stranger_ = std::move(*PemKey::Generate());
  std::unique_ptr<PemKey> device_key_ = std::move(*PemKey::Generate());
  SigningKey* signer_ = release_.get();
  const Bytes device_key_id_ = Bytes(8, 0xD0);
  const Bytes group_key_id_ = Bytes(8, 0x60);
  const crypto::AesKey group_key_ = {1, 2, 3};
  const crypto::AesKey content_key_ = {7, 8, 9};
  std::vector<DecryptionKey> keys_ = DeviceKeys();
  Bytes model_;
  const TestDevice device_;
  crypto::Sha256Digest image_digest_ = {};
  crypto::Sha256Digest output_digest_ = {};
  uint64_t now_s_ = 1'800'000'000;

  TestClock clock_;
  TestCalendar calendar_;
  TestEntropy entropy_;
  NoNetwork network_;
  Port port_{clock_, calendar_, entropy_, network_};
  TestSource source_;
  formats::TrustState trust_;
  std::unique_ptr<VirtualBoard> board_;
};

TEST_F(UpdaterTest, ConfirmsWhatIsSignedForThisDevice) {
  EXPECT_EQ(Update(MakeEnvelope(7)), Status::kOk);
  const auto info = board_->store().FindImage("digits", storage::ImageChoice::kConfirmed);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->sequence_number, 7u);
  EXPECT_EQ(InstalledSequence(), 7u);
  Boot();
  ASSERT_EQ(Reload(), Status::kOk);
  EXPECT_EQ(InstalledSequence(), 7u);
}

TEST_F(UpdaterTest, AsksForNoPayloadBeforeTheEnvelopeIsRight) {
  ASSERT_EQ(Update(MakeEnvelope(7)), Status::kOk);
  source_.request_count = 0;
  const Bytes other_id(16, 0xEE);
  const std::pair<Status, Change> cases[] = {
      {Status::kSequenceTooLow, [](Manifest& m) { m.sequence_number = 7; }},
      {Status::kVendorMismatch, [&](Manifest& m) { m.vendor_id = other_id; }},
      {Status::kClassMismatch, [&](Manifest& m) { m.class_ids[0] = other_id; }},
      {Status::kDeviceMismatch, [&](Manifest& m) { m.device_id = other_id; }},
      {Status::kManifestExpired, [](Manifest& m) { m.use_before_s = 1'700'000'000; }},
      {Status::kMemoryUnitMismatch,
       [](Manifest& m) { m.memory_unit = formats::MemoryUnit::kSdCard; }},
      {Status::kImageTooLarge,
       [](Manifest& m) { m.image_size_bytes = m.payload_size_bytes = 1'000'001; }},
      {Status::kSignerNotDelegated, [](Manifest& m) { m.component_name = "other"; }},
      {Status::kNameInvalid, [](Manifest& m) { m.component_name = TrustRecord::kName; }}};
  for (const auto& [refusal, change] : cases) {
    EXPECT_EQ(Update(MakeEnvelope(8, change)), refusal) << StatusName(refusal);
  }
  signer_ = stranger_.get();
  EXPECT_EQ(Update(MakeEnvelope(8)), Status::kSignerUnknown);
  signer_ = release_.get();
  now_s_ = 0;
  EXPECT_EQ(Update(MakeEnvelope(8, [](Manifest& m) { m.use_before_s = 1'900'000'000; })),
            Status::kTimeUnknown);
  EXPECT_EQ(source_.request_count, 0);
  EXPECT_EQ(InstalledSequence(), 7u);
  EXPECT_EQ(Update(MakeEnvelope(8)), Status::kOk) << "and still takes a good one";
}

TEST_F(UpdaterTest, NeverTakesAFailedSelfTestIntoUse) {
  const crypto::Sha256Digest wrong = {};
  const Bytes short_input(3, 0);
  const Change changes[] = {[&](Manifest& m) { m.model.self_tests[0].output_digest = wrong; },
                            [&](Manifest& m) {
                              m.model.self_tests[0] = {short_input, 0, output_digest_};
                            }};
  for (const Change& change : changes) {
    EXPECT_EQ(Update(MakeEnvelope(7, change)), Status::kSelfTestFailed);
    EXPECT_EQ(board_->store().FindImage("digits", storage::ImageChoice::kInUse).status(),
              Status::kNotFound);
    EXPECT_EQ(InstalledSequence(), 0u);
  }
  EXPECT_EQ(Update(MakeEnvelope(7)), Status::kOk);
}

TEST_F(UpdaterTest, NeverTakesOtherBytesThanThoseSignedIntoUse) {
  const Bytes envelope = MakeEnvelope(7);
  source_.payload[source_.payload.size() / 2] ^= 1;
  EXPECT_EQ(Update(envelope), Status::kDigestMismatch);
  EXPECT_EQ(board_->store().image_count(), 0u);
  source_.payload[source_.payload.size() / 2] ^= 1;
  EXPECT_EQ(Update(envelope), Status::kOk);
}

TEST_F(UpdaterTest, TakesTheNumberOfAnImageThatIsThereAlready) {
  ASSERT_EQ(Update(MakeEnvelope(7)), Status::kOk);
  EXPECT_EQ(Update(MakeEnvelope(9)), Status::kOk);
  EXPECT_EQ(InstalledSequence(), 9u);
  EXPECT_EQ(Update(MakeEnvelope(8)), Status::kSequenceTooLow);
}

TEST_F(UpdaterTest, RemembersNumbersOfModelsThatWereDeleted) {
  ASSERT_EQ(Update(MakeEnvelope(7)), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return board_->store().Delete("digits"); }), Status::kOk);
  Boot();
  ASSERT_EQ(Reload(), Status::kOk);
  EXPECT_EQ(Update(MakeEnvelope(6)), Status::kSequenceTooLow);
}

TEST_F(UpdaterTest, SurvivesPowerCutsThroughoutItsLife) {
  ASSERT_EQ(Update(MakeEnvelope(7)), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return board_->store().Delete("digits"); }), Status::kOk);
  const uint64_t first_point = board_->power().point_count();
  const formats::TrustState before = trust_;
  ASSERT_EQ(Update(MakeEnvelope(8)), Status::kOk);
  const uint64_t point_count = board_->power().point_count() - first_point;
  int interrupted_count = 0;
  for (uint64_t point = 0; point < point_count; point += 251) {
    std::filesystem::remove_all(directory_);
    Boot();
    trust_ = before;
    ASSERT_EQ(RunToEnd([record = TrustRecord(board_->store()), this]() mutable {
                return record.Save(trust_);
              }),
              Status::kOk);
    board_->power().CutAt(board_->power().point_count() + point, static_cast<uint32_t>(point) | 1);
    const Bytes envelope = MakeEnvelope(8);
    (void)Update(envelope);  // fails wherever it is, or has ended just before
    Boot();
    ASSERT_EQ(Reload(), Status::kOk) << "cut at point " << point;
    const auto info = board_->store().FindImage("digits", storage::ImageChoice::kInUse);
    ASSERT_EQ(InstalledSequence(), info.ok() ? 8u : 7u) << "cut at point " << point;
    if (!info.ok()) {
      ++interrupted_count;
      ASSERT_EQ(Update(envelope), Status::kOk) << "cut at point " << point;
    }
  }
  EXPECT_GT(interrupted_count, 30) << "the cuts hit the update";
}

TEST_F(UpdaterTest, DecryptsWhatIsSealedForTheDeviceOrItsGroup) {
  uint64_t sequence_number = 7;
  for (const Sealing& sealing : kSealings) {
    ASSERT_EQ(Update(SealEnvelope(sequence_number, sealing)), Status::kOk) << sequence_number;
    EXPECT_EQ(ReadInstalled(), model_);
    EXPECT_EQ(InstalledSequence(), sequence_number++);
    ASSERT_EQ(RunToEnd([&] { return board_->store().Delete("digits"); }), Status::kOk);
  }
}

TEST_F(UpdaterTest, RefusesByNameWhatIsSealedForOthers) {
  for (const Sealing& sealing : kSealings) {
    const Bytes envelope = SealEnvelope(7, sealing);
    keys_.clear();
    EXPECT_EQ(Update(envelope), Status::kCoseRecipientMissing);
    keys_ = DeviceKeys();
    keys_[0].private_key = *stranger_->private_key();
    keys_[1].shared_key = content_key_;
    EXPECT_EQ(Update(envelope), Status::kDecryptionFailed) << "a key of the same id";
    keys_ = DeviceKeys();
    std::swap(keys_[0].key_id, keys_[1].key_id);
    EXPECT_EQ(Update(envelope), Status::kCoseRecipientMissing) << "a key of another kind";
    keys_ = DeviceKeys();
  }
  EXPECT_EQ(source_.request_count, 0);
  EXPECT_EQ(board_->store().image_count(), 0u);
}

TEST_F(UpdaterTest, NeverTakesATamperedCiphertextIntoUse) {
  for (const Sealing& sealing : kSealings) {
    now_s_ += AttemptRecord::kPeriodS;  // only so many attempts a day
    const Bytes envelope = SealEnvelope(7, sealing);
    const Bytes good = source_.payload;
    for (const size_t at : {size_t{0}, good.size() / 2, model_.size() - 1}) {
      source_.payload = good;
      source_.payload[at] ^= 1;
      EXPECT_EQ(Update(envelope), Status::kDigestMismatch);
    }
    source_.payload = Bytes(good.begin(), good.end() - 1);
    EXPECT_EQ(Update(envelope), Status::kImageSizeMismatch);
    EXPECT_EQ(board_->store().image_count(), 0u);
  }
}

TEST_F(UpdaterTest, GoesOnDecryptingWherePowerWasLost) {
  int resumed_count = 0;
  const formats::TrustState before = trust_;
  for (const Sealing& sealing : {kSealings[0], kSealings[3]}) {
    std::filesystem::remove_all(directory_);
    Boot();
    trust_ = before;
    const Bytes envelope = SealEnvelope(7, sealing);
    const uint64_t first_point = board_->power().point_count();
    ASSERT_EQ(Update(envelope), Status::kOk);
    const uint64_t point_count = board_->power().point_count() - first_point;
    for (uint64_t point = 0; point < point_count; point += 1511) {
      std::filesystem::remove_all(directory_);
      Boot();
      trust_ = before;
      board_->power().CutAt(board_->power().point_count() + point,
                            static_cast<uint32_t>(point) | 1);
      (void)Update(envelope);  // fails wherever it is, or has ended just before
      Boot();
      trust_ = before;
      const Status again = Update(envelope);
      ASSERT_TRUE(again == Status::kOk) << "cut at point " << point << StatusName(again);
      ASSERT_EQ(ReadInstalled(), model_) << "cut at point " << point;
      if (source_.last_offset != 0) ++resumed_count;
    }
  }
  EXPECT_GT(resumed_count, 5) << "the cuts hit the download";
}

TEST_F(UpdaterTest, TakesAPayloadThatIsInItsEnvelope) {
  ASSERT_EQ(Update(MakeEnvelope(7, [](Manifest& m) { m.uri = "#digits"; })), Status::kOk);
  EXPECT_EQ(ReadInstalled(), model_);
  ASSERT_EQ(RunToEnd([&] { return board_->store().Delete("digits"); }), Status::kOk);
  ASSERT_EQ(Update(SealEnvelope(8, kSealings[0], "#digits")), Status::kOk);
  EXPECT_EQ(ReadInstalled(), model_);
  EXPECT_EQ(source_.request_count, 0);
}

TEST_F(UpdaterTest, RefusesAnEnvelopeWithAnotherPayloadThanItNames) {
  Bytes envelope = MakeEnvelope(7, [](Manifest& m) { m.uri = "#digits"; });
  envelope.back() ^= 1;
  EXPECT_EQ(Update(envelope), Status::kDigestMismatch);
  envelope.pop_back();
  EXPECT_EQ(Update(envelope), Status::kCborMalformed);
  envelope = MakeEnvelope(7);
  envelope.push_back(0);
  EXPECT_EQ(Update(envelope), Status::kCborTrailingBytes);
  source_.payload.pop_back();
  EXPECT_EQ(Update(MakeEnvelope(7, [](Manifest& m) { m.uri = "#digits"; })),
            Status::kImageSizeMismatch);
  EXPECT_EQ(source_.request_count, 0);
  EXPECT_EQ(board_->store().image_count(), 0u);
}

TEST_F(UpdaterTest, RecordsWhatIsBelievedNowWhereAnotherRecordWasGivenUp) {
  for (uint64_t given_up_after = 0; given_up_after < 16; ++given_up_after) {
    TrustRecord record(board_->store());
    formats::TrustState given_up = trust_;
    formats::TrustState wanted = trust_;
    given_up.trusted_time_s = 1000 + given_up_after;
    wanted.trusted_time_s = 2000 + given_up_after;
    Status status = Status::kBusy;
    for (uint64_t i = 0; i < given_up_after && status == Status::kBusy; ++i) {
      status = record.Save(given_up);
    }
    record.Abandon();
    ASSERT_EQ(RunToEnd([&] { return record.Save(wanted); }), Status::kOk) << given_up_after;
    ASSERT_EQ(Reload(), Status::kOk) << given_up_after;
    EXPECT_EQ(trust_.trusted_time_s, wanted.trusted_time_s);
  }
}

}  // namespace
}  // namespace ota::agent
