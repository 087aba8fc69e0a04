// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/poll.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/host/pem_key.h"
#include "formats/host/authoring.h"

namespace ota::formats {
namespace {

constexpr std::array<uint8_t, 16> kVendor = {0xA1};
constexpr std::array<uint8_t, 16> kClass = {0xC1};
constexpr std::array<uint8_t, 16> kDevice = {0xD1};
constexpr std::array<uint8_t, 16> kNonce = {0x17};

Bytes EncodeComponents(size_t count) {
  Bytes bytes(1024);
  CborWriter writer(bytes);
  writer.WriteArrayHead(count);
  for (size_t i = 0; i < count; ++i) {
    WriteSequence(writer, {ComponentKind::kModel, "model-" + std::to_string(i), 1'700'000'000 + i});
  }
  bytes.resize(writer.size_needed_bytes());
  return bytes;
}

Bytes Encode(const PollQuestion& question) {
  Bytes bytes(kPollQuestionBytesMax);
  CborWriter writer(bytes);
  WritePollQuestion(writer, question);
  bytes.resize(writer.Finish()->size());
  return bytes;
}

PollQuestion Question(const Bytes& components) {
  PollQuestion question;
  question.vendor_id = kVendor;
  question.class_ids[0] = kClass;
  question.class_id_count = 1;
  question.device_id = kDevice;
  question.nonce = kNonce;
  question.root_version = 3;
  question.wants_proof = true;
  question.components = components;
  return question;
}

// An answer to one device of `device_count` that asked together.
Bytes MakeAnswer(size_t device_count, size_t newest_count, size_t offer_count) {
  std::vector<FreshnessQuestion> questions(device_count);
  for (FreshnessQuestion& question : questions) {
    question.nonce.assign(kNonce.begin(), kNonce.end());
    for (size_t i = 0; i < newest_count; ++i) {
      question.newest.push_back(
          {ComponentKind::kModel, "model-" + std::to_string(i), 1'700'000'000});
    }
  }
  const auto key = std::move(*crypto::PemKey::Generate());
  const Bytes freshness = (*AnswerFreshness(questions, 1'800'000'000, 1, *key))[0];
  const crypto::Sha256Digest digest = {};
  std::vector<PollOffer> offers(offer_count);
  for (PollOffer& offer : offers) {
    offer.envelope_digest = digest;
    offer.envelope_bytes = 300;
  }
  Bytes bytes(kPollAnswerBytesMax);
  CborWriter writer(bytes);
  WritePollAnswer(writer, freshness, offers);
  bytes.resize(writer.Finish()->size());
  return bytes;
}

TEST(Poll, QuestionComesBackAsItWas) {
  const Bytes components = EncodeComponents(2);
  const Bytes bytes = Encode(Question(components));
  const Result<PollQuestion> again = DecodePollQuestion(bytes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(Encode(*again), bytes);
  EXPECT_EQ(again->root_version, 3u);
  EXPECT_TRUE(again->wants_proof);
  EXPECT_FALSE(again->wants_all);
}

TEST(Poll, AnswerComesBackAsItWas) {
  const Bytes bytes = MakeAnswer(1, 2, 2);
  const Result<PollAnswer> again = DecodePollAnswer(bytes);
  ASSERT_TRUE(again.ok());
  ASSERT_EQ(again->offer_count(), 2u);
  EXPECT_EQ(FindPollOffer(*again, 1)->envelope_bytes, 300u);
  EXPECT_FALSE(FindPollOffer(*again, 1)->log_index.has_value());
}

// The figures of docs/formats/poll.md.
TEST(Poll, IsSmall) {
  EXPECT_EQ(Encode(Question(EncodeComponents(1))).size(), 89u);
  EXPECT_LE(Encode(Question(EncodeComponents(kTrackedComponentsMax))).size(),
            kPollQuestionBytesMax);
  EXPECT_EQ(MakeAnswer(1, 1, 0).size(), 173u);
  EXPECT_EQ(MakeAnswer(1, 1, 1).size(), 212u);
  EXPECT_EQ(MakeAnswer(1000, 1, 0).size(), 498u);
}

TEST(Poll, MalformedQuestionsAndAnswersAreRefused) {
  const Bytes question = Encode(Question(EncodeComponents(2)));
  const Bytes answer = MakeAnswer(1, 1, 2);
  for (size_t length = 0; length < question.size(); ++length) {
    EXPECT_FALSE(DecodePollQuestion(ByteSpan(question).first(length)).ok());
  }
  for (size_t length = 0; length < answer.size(); ++length) {
    EXPECT_FALSE(DecodePollAnswer(ByteSpan(answer).first(length)).ok());
  }
  const auto refuses = [](auto change) {
    PollQuestion changed = Question({});
    const Bytes components = EncodeComponents(1);
    changed.components = components;
    change(changed);
    return !DecodePollQuestion(Encode(changed)).ok();
  };
  const Bytes too_many = EncodeComponents(kTrackedComponentsMax + 1);
  EXPECT_TRUE(refuses([](PollQuestion& q) { q.class_id_count = 0; }));
  EXPECT_TRUE(refuses([](PollQuestion& q) { q.vendor_id = ByteSpan(kVendor).first(15); }));
  EXPECT_TRUE(refuses([](PollQuestion& q) { q.device_id = ByteSpan(kDevice).first(3); }));
  EXPECT_TRUE(refuses([](PollQuestion& q) { q.nonce = ByteSpan(kNonce).first(7); }));
  EXPECT_TRUE(refuses([&](PollQuestion& q) { q.components = too_many; }));
  EXPECT_FALSE(refuses([](PollQuestion& q) { q.device_id = {}; }));
}

TEST(Poll, SurvivesEachFlippedBit) {
  const Bytes question = Encode(Question(EncodeComponents(2)));
  for (size_t bit = 0; bit < question.size() * 8; ++bit) {
    Bytes flipped = question;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const Result<PollQuestion> again = DecodePollQuestion(flipped);
    if (!again.ok()) continue;
    EXPECT_EQ(Encode(*again), flipped) << bit;
  }
}

}  // namespace
}  // namespace ota::formats
