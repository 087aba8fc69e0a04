// SPDX-License-Identifier: Apache-2.0
#include "server/poll/poll_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "server/release/release_store.h"
#include "server/release/test_publisher.h"
#include "server/temporary_directory.h"

namespace ota::server {
namespace {

using formats::Bytes;
using formats::ComponentKind;
using formats::ComponentSequence;
using std::chrono::milliseconds;

/// A question with the bytes that its spans point to.
struct Device {
  Bytes vendor_id = Bytes(16, 0xA1);
  Bytes class_id = Bytes(16, 0xC1);
  Bytes nonce = Bytes(16, 0x17);
  std::vector<ComponentSequence> components;
  bool wants_all = false;
  bool wants_proof = false;

  Bytes Encode() const {
    Bytes list(1024), bytes(1024);
    formats::CborWriter writer(list);
    writer.WriteArrayHead(components.size());
    for (const ComponentSequence& component : components) WriteSequence(writer, component);
    formats::PollQuestion question;
    question.vendor_id = vendor_id;
    question.class_ids[0] = class_id;
    question.class_id_count = 1;
    question.nonce = nonce;
    question.wants_all = wants_all;
    question.wants_proof = wants_proof;
    question.components = *writer.Finish();
    formats::CborWriter question_writer(bytes);
    WritePollQuestion(question_writer, question);
    bytes.resize(question_writer.size_needed_bytes());
    return bytes;
  }
};

class PollDeskTest : public testing::Test {
 protected:
  PollDeskTest() { EXPECT_FALSE(roots_->Add(1, publisher_.SignRoot(1)).has_value()); }

  void Publish(const std::string& name, uint64_t sequence, const std::string& payload) {
    auto outcome = releases_->Accept(name, publisher_.Envelope(sequence, payload, name));
    const auto staging = std::move(*releases_->Stage(std::get<AcceptedEnvelope>(outcome)));
    EXPECT_FALSE(staging->Append(BytesOf(payload)).has_value());
    const auto published = releases_->Publish(std::get<AcceptedEnvelope>(outcome), *staging);
    EXPECT_TRUE(std::holds_alternative<uint64_t>(published));
    index_.Refresh();
  }
  static ByteSpan BytesOf(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  }

  Result<Bytes> Ask(const Bytes& question) {
    std::promise<Result<Bytes>> answered;
    OTA_TRY(desk_.Ask(question, [&](Result<Bytes> answer) { answered.set_value(answer); }));
    return answered.get_future().get();
  }

  // As the device does: verifies the answer, then looks at the offers.
  struct Learned {
    Status status = Status::kOk;
    Bytes bytes;
    formats::TrustState trust;
    formats::FreshnessVerification freshness;
    formats::PollAnswer answer;
  };
  std::unique_ptr<Learned> Learn(const Device& device) {
    auto learned = std::make_unique<Learned>();
    learned->status = LearnInto(device, *learned);
    return learned;
  }
  Status LearnInto(const Device& device, Learned& learned) {
    OTA_TRY(learned.bytes, Ask(device.Encode()));
    OTA_TRY(learned.answer, formats::DecodePollAnswer(learned.bytes));
    OTA_TRY(
        formats::InitializeTrustState(*formats::EncodeRoot(publisher_.root_spec), learned.trust));
    OTA_TRY(learned.freshness.Begin(learned.trust, learned.answer.freshness, device.nonce));
    Status status = Status::kBusy;
    while (status == Status::kBusy) status = learned.freshness.Step(0, learned.trust);
    return status;
  }

  TemporaryDirectory directory_;
  TestPublisher publisher_;
  std::unique_ptr<TransparencyLog> log_ = std::move(*TransparencyLog::Open(directory_.path("log")));
  std::unique_ptr<RootStore> roots_ = std::move(*RootStore::Open(directory_.path("roots")));
  std::unique_ptr<ReleaseStore> releases_ =
      std::move(*ReleaseStore::Open(directory_.path(), *roots_, *log_));
  std::unique_ptr<ArtifactStore> envelopes_ =
      std::move(*ArtifactStore::Open(directory_.path("envelopes"), ".suit"));
  ReleaseIndex index_{*envelopes_, *roots_};
  FreshnessSigner signer_{*publisher_.freshness_key, *roots_, {milliseconds(0), 4096}};
  PollDesk desk_{index_, *roots_, *log_, signer_};
};

TEST_F(PollDeskTest, OffersWhatIsNewerAndFreshlyNamesTheNewest) {
  Publish("kws", 7, "seven");
  Publish("vision-1", 3, "three");
  Device device;
  device.components = {{ComponentKind::kModel, "kws", 6}, {ComponentKind::kModel, "vision-1", 3}};
  const auto learned = Learn(device);
  ASSERT_EQ(learned->status, Status::kOk);
  EXPECT_NEAR(static_cast<double>(learned->trust.trusted_time_s),
              static_cast<double>(time(nullptr)), 5);
  EXPECT_EQ(FindTracked(learned->trust, ComponentKind::kModel, "kws").newest_sequence, 7u);
  EXPECT_EQ(FindTracked(learned->trust, ComponentKind::kModel, "vision-1").newest_sequence, 3u);
  ASSERT_EQ(learned->answer.offer_count(), 1u);
  const formats::PollOffer offer = *formats::FindPollOffer(learned->answer, 0);
  EXPECT_EQ(learned->freshness.FindNewest(offer.newest_index)->name, "kws");
  const std::string envelope =
      directory_.Read("envelopes/" + HexText(offer.envelope_digest) + ".suit");
  EXPECT_EQ(envelope, directory_.Read("models/kws.suit"));
  EXPECT_EQ(envelope.size(), offer.envelope_bytes);
}

TEST_F(PollDeskTest, OffersComponentsThatWereNotNamedOnlyOnRequest) {
  Publish("kws", 7, "seven");
  Device device;
  EXPECT_EQ(Learn(device)->answer.offer_count(), 0u);
  device.wants_all = true;
  EXPECT_EQ(Learn(device)->answer.offer_count(), 1u);
}

TEST_F(PollDeskTest, OffersNothingThatIsForOthers) {
  Publish("kws", 7, "seven");
  Device device;
  device.wants_all = true;
  device.class_id[3] ^= 1;
  const auto learned = Learn(device);
  EXPECT_EQ(learned->status, Status::kOk);
  EXPECT_EQ(learned->answer.offer_count(), 0u);
  EXPECT_EQ(learned->freshness.FindNewest(0).status(), Status::kOutOfRange);
  device = {};
  device.wants_all = true;
  device.vendor_id[3] ^= 1;
  EXPECT_EQ(Learn(device)->answer.offer_count(), 0u);
}

TEST_F(PollDeskTest, OffersEachClassItsNewestReleaseOfAName) {
  Device other;
  other.class_id[3] ^= 1;
  Publish("kws", 7, "for the first class");
  const Bytes first_class = std::exchange(publisher_.class_id, other.class_id);
  Publish("kws", 8, "for the other class");
  publisher_.class_id = first_class;
  Device device;
  device.wants_all = other.wants_all = true;
  const auto sequence_of = [this](const Device& asking) {
    const auto learned = Learn(asking);
    EXPECT_EQ(learned->answer.offer_count(), 1u);
    const formats::PollOffer offer = *formats::FindPollOffer(learned->answer, 0);
    return learned->freshness.FindNewest(offer.newest_index)->sequence_number;
  };
  EXPECT_EQ(sequence_of(device), 7u);
  EXPECT_EQ(sequence_of(other), 8u);
  Publish("kws", 9, "newer for the first class");
  EXPECT_EQ(sequence_of(device), 9u);
  EXPECT_EQ(sequence_of(other), 8u);
  EXPECT_EQ(index_.releases()->size(), 2u) << "what is superseded for all is forgotten";
}

TEST_F(PollDeskTest, OffersNoOlderReleaseInThePlaceOfARevokedOne) {
  auto second_key = TestPublisher::NewKey();
  auto& keys = publisher_.root_spec.release_roles[0].key_set.keys;
  keys.push_back(second_key->public_key());
  ASSERT_FALSE(roots_->Add(2, publisher_.SignRoot(2)).has_value());
  Publish("kws", 7, "seven");
  std::swap(publisher_.release_key, second_key);
  Publish("kws", 8, "eight");
  keys.pop_back();
  ASSERT_FALSE(roots_->Add(3, publisher_.SignRoot(3)).has_value());
  index_.Refresh();
  Device device;
  device.wants_all = true;
  EXPECT_EQ(Learn(device)->answer.offer_count(), 0u);
}

TEST_F(PollDeskTest, OffersNothingThatARevokedKeyHasSigned) {
  Publish("kws", 7, "seven");
  Device device;
  device.wants_all = true;
  const auto new_key = TestPublisher::NewKey();
  publisher_.root_spec.release_roles[0].key_set.keys = {new_key->public_key()};
  ASSERT_FALSE(roots_->Add(2, publisher_.SignRoot(2)).has_value());
  index_.Refresh();
  const auto learned = Learn(device);
  EXPECT_EQ(learned->status, Status::kOk);
  EXPECT_EQ(learned->answer.offer_count(), 0u);
}

TEST_F(PollDeskTest, ProvesOnRequestThatOffersAreLogged) {
  for (uint64_t sequence = 1; sequence <= 6; ++sequence) {
    Publish("kws", sequence, "number " + std::to_string(sequence));
  }
  Device device;
  device.wants_all = true;
  device.wants_proof = true;
  const auto learned = Learn(device);
  ASSERT_EQ(learned->status, Status::kOk);
  EXPECT_EQ(learned->freshness.log().size, 6u);
  formats::PollOffer offer = *formats::FindPollOffer(learned->answer, 0);
  const std::string envelope = directory_.Read("models/kws.suit");
  const formats::LogHead& log = learned->freshness.log();
  EXPECT_EQ(formats::VerifyLogProof(offer, log, BytesOf(envelope)), Status::kOk);
  EXPECT_EQ(formats::VerifyLogProof(offer, {}, BytesOf(envelope)), Status::kNotLogged);
  EXPECT_EQ(formats::VerifyLogProof(offer, log, BytesOf(envelope + "x")), Status::kNotLogged);
  *offer.log_index ^= 1;
  EXPECT_EQ(formats::VerifyLogProof(offer, log, BytesOf(envelope)), Status::kNotLogged);
  offer.log_index.reset();
  EXPECT_EQ(formats::VerifyLogProof(offer, log, BytesOf(envelope)), Status::kNotLogged);
}

TEST_F(PollDeskTest, SaysWhyItCannotAnswer) {
  EXPECT_EQ(Ask(Bytes(10)).status(), Status::kCborTypeUnexpected);
  const auto no_roots = std::move(*RootStore::Open(directory_.path("none")));
  PollDesk rootless(index_, *no_roots, *log_, signer_);
  const auto never = [](const Result<Bytes>&) { FAIL(); };
  EXPECT_EQ(rootless.Ask(Device().Encode(), never), Status::kNotFound);
  FreshnessSigner other(*publisher_.root_key, *roots_);
  PollDesk mistaken(index_, *roots_, *log_, other);
  EXPECT_EQ(mistaken.Ask(Device().Encode(), never), Status::kSignerUnknown);
}

TEST_F(PollDeskTest, AnswersManyWithOneSignatureForEachInterval) {
  FreshnessSigner signer(*publisher_.freshness_key, *roots_, {milliseconds(100), 100});
  PollDesk desk(index_, *roots_, *log_, signer);
  std::atomic<int> answer_count = 0;
  int taken_count = 0;
  for (int i = 0; i < 300; ++i) {
    const Status status = desk.Ask(Device().Encode(), [&](const Result<Bytes>& answer) {
      EXPECT_TRUE(answer.ok());
      ++answer_count;
    });
    if (IsOk(status)) ++taken_count;
  }
  EXPECT_GE(taken_count, 100);
  while (answer_count < taken_count) std::this_thread::yield();
  EXPECT_EQ(signer.answer_count(), static_cast<uint64_t>(taken_count));
  EXPECT_LE(signer.signature_count() * 20, signer.answer_count());
}

TEST_F(PollDeskTest, NeverAnswersMoreThanADeviceExpects) {
  Device device;
  device.wants_proof = true;
  device.wants_all = true;
  for (int i = 0; i < 40; ++i) {
    Publish("vision-" + std::to_string(i) + std::string(20, 'x'), 1, std::to_string(i));
  }
  const auto learned = Learn(device);
  ASSERT_EQ(learned->status, Status::kOk);
  EXPECT_LE(learned->bytes.size(), formats::kPollAnswerBytesMax);
  EXPECT_GE(learned->answer.offer_count(), 2u);
}

}  // namespace
}  // namespace ota::server
