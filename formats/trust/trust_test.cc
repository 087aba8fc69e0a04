// SPDX-License-Identifier: Apache-2.0
// The parts of trust one by one. Whole attacks on a device are in simulator/attack.
#include <gtest/gtest.h>

#include "crypto/hex_for_test.h"
#include "crypto/host/pem_key.h"
#include "formats/host/authoring.h"
#include "formats/trust/freshness.h"
#include "formats/trust/manifest_verification.h"
#include "formats/trust/merkle_tree.h"
#include "formats/trust/root_update.h"
#include "formats/trust/trust_state.h"

namespace ota::formats {
namespace {

using crypto::PemKey;
using crypto::SigningKey;

std::unique_ptr<PemKey> NewKey() { return std::move(*PemKey::Generate()); }

class Trust : public testing::Test {
 protected:
  RootSpec NewRoot() const {
    RootSpec spec;
    spec.root = {2, {root_[0]->public_key(), root_[1]->public_key(), root_[2]->public_key()}};
    spec.freshness_key = freshness_->public_key();
    ReleaseRoleSpec role;
    role.key_set = {1, {release_->public_key()}};
    role.kinds = {ComponentKind::kModel};
    role.patterns = {"kws", "vision-*"};
    spec.release_roles = {role};
    return spec;
  }

  TrustState NewState(const RootSpec& spec) const {
    TrustState state;
    EXPECT_EQ(InitializeTrustState(*EncodeRoot(spec), state), Status::kOk);
    return state;
  }

  Bytes Sign(const RootSpec& spec, std::vector<SigningKey*> signers) const {
    return *SignRoot(*EncodeRoot(spec), signers);
  }

  static Status Update(TrustState& state, const Bytes& signed_root) {
    RootUpdate update;
    OTA_TRY(update.Begin(state, signed_root));
    Status status = Status::kBusy;
    while (status == Status::kBusy) status = update.Step(0, state);
    return status;
  }

  static Status Refresh(TrustState& state, const Bytes& answer, const Bytes& nonce) {
    FreshnessVerification verification;
    OTA_TRY(verification.Begin(state, answer, nonce));
    Status status = Status::kBusy;
    while (status == Status::kBusy) status = verification.Step(0, state);
    return status;
  }

  std::unique_ptr<PemKey> root_[3] = {NewKey(), NewKey(), NewKey()};
  std::unique_ptr<PemKey> release_ = NewKey();
  std::unique_ptr<PemKey> freshness_ = NewKey();
};

Bytes EncodeState(const TrustState& state) {
  Bytes buffer(kTrustStateBytesMax);
  buffer.resize(EncodeTrustState(state, buffer)->size());
  return buffer;
}

TEST_F(Trust, RootMetadataComesBackAsItWas) {
  RootSpec spec = NewRoot();
  spec.expires_s = 2'000'000'000;
  spec.sequence_resets = {{ComponentKind::kModel, "kws", 5}};
  spec.release_roles[0].class_ids = {Bytes(16, 0xC1)};
  const Bytes bytes = *EncodeRoot(spec);
  const Result<RootSpec> again = DecodeRoot(bytes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*EncodeRoot(*again), bytes);
  EXPECT_EQ(again->release_roles[0].patterns, spec.release_roles[0].patterns);
  EXPECT_EQ(again->sequence_resets[0].sequence_number, 5u);
  EXPECT_LE(bytes.size(), kRootMetadataBytesMax);
}

TEST_F(Trust, RootMetadataWithImpossibleRolesIsRefused) {
  const auto encode = [this](auto change) {
    RootSpec spec = NewRoot();
    change(spec);
    return EncodeRoot(spec).status();
  };
  EXPECT_EQ(encode([](RootSpec& s) { s.root.threshold = 0; }), Status::kRootMetadataInvalid);
  EXPECT_EQ(encode([](RootSpec& s) { s.root.threshold = 4; }), Status::kRootMetadataInvalid);
  EXPECT_EQ(encode([](RootSpec& s) { s.root.keys[1] = s.root.keys[0]; }),
            Status::kRootMetadataInvalid);
  EXPECT_EQ(encode([](RootSpec& s) { s.version = 0; }), Status::kRootMetadataInvalid);
  EXPECT_EQ(encode([](RootSpec& s) { s.release_roles[0].patterns = {"a*b"}; }),
            Status::kRootMetadataInvalid);
  EXPECT_EQ(encode([](RootSpec& s) { s.release_roles[0].class_ids = {Bytes(15)}; }),
            Status::kRootMetadataInvalid);
}

TEST_F(Trust, ReleaseRoleAllowsItsKindsNamesAndClassesOnly) {
  RootSpec spec = NewRoot();
  const Bytes ours(16, 0xC1), other(16, 0xC2);
  spec.release_roles[0].class_ids = {ours};
  const Bytes bytes = *EncodeRoot(spec);
  const RootMetadata metadata = *DecodeRootMetadata(bytes);
  const auto allows = [&](ComponentKind kind, std::string_view name, ByteSpan class_id) {
    Manifest manifest;
    manifest.kind = kind;
    manifest.component_name = name;
    manifest.class_ids[0] = class_id;
    manifest.class_id_count = 1;
    return metadata.release_roles[0].Allows(manifest);
  };
  EXPECT_TRUE(allows(ComponentKind::kModel, "kws", ours));
  EXPECT_TRUE(allows(ComponentKind::kModel, "vision-person", ours));
  EXPECT_FALSE(allows(ComponentKind::kModel, "kws2", ours));
  EXPECT_FALSE(allows(ComponentKind::kModel, "vision", ours));
  EXPECT_FALSE(allows(ComponentKind::kFirmware, "kws", ours));
  EXPECT_FALSE(allows(ComponentKind::kForeign, "kws", ours));
  EXPECT_FALSE(allows(ComponentKind::kModel, "kws", other));
}

TEST_F(Trust, StateComesBackFromItsRecordAndARecordWithAnyBitFlippedOrCutIsNoCrash) {
  TrustState state = NewState(NewRoot());
  ASSERT_EQ(RaiseInstalledSequence(state, ComponentKind::kModel, "kws", 7), Status::kOk);
  ASSERT_EQ(RaiseNewestSequence(state, ComponentKind::kModel, "kws", 9), Status::kOk);
  state.trusted_time_s = 1'800'000'000;
  const Bytes record = EncodeState(state);
  TrustState again;
  ASSERT_EQ(DecodeTrustState(record, again), Status::kOk);
  EXPECT_EQ(EncodeState(again), record);
  EXPECT_EQ(FindTracked(again, ComponentKind::kModel, "kws").installed_sequence, 7u);
  EXPECT_EQ(FindTracked(again, ComponentKind::kModel, "kws").newest_sequence, 9u);
  EXPECT_EQ(FindTracked(again, ComponentKind::kFirmware, "kws").newest_sequence, 0u);
  for (size_t length = 0; length < record.size(); ++length) {
    EXPECT_NE(DecodeTrustState(ByteSpan(record).first(length), again), Status::kOk);
  }
  for (size_t bit = 0; bit < record.size() * 8; ++bit) {
    Bytes flipped = record;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    if (DecodeTrustState(flipped, again) != Status::kOk) continue;
    EXPECT_EQ(EncodeState(again), flipped);
  }
}

TEST_F(Trust, LargestStateFitsItsRecord) {
  TrustState state = NewState(NewRoot());
  state.root_size_bytes = kRootMetadataBytesMax;
  state.trusted_time_s = UINT64_MAX;
  for (size_t i = 0; i < kTrackedComponentsMax; ++i) {
    const std::string name = "model-" + std::to_string(i);
    ASSERT_EQ(RaiseInstalledSequence(state, ComponentKind::kModel, name, UINT64_MAX), Status::kOk);
    ASSERT_EQ(RaiseNewestSequence(state, ComponentKind::kModel, name, UINT64_MAX), Status::kOk);
  }
  EXPECT_EQ(RaiseInstalledSequence(state, ComponentKind::kModel, "more", 1),
            Status::kTrustStateFull);
  Bytes buffer(kTrustStateBytesMax);
  EXPECT_TRUE(EncodeTrustState(state, buffer).ok());
}

TEST_F(Trust, RotationNeedsTheThresholdsOfBothVersions) {
  const TrustState initial = NewState(NewRoot());
  const auto new_key = NewKey();
  RootSpec next = NewRoot();
  next.version = 2;
  next.root.keys = {new_key->public_key(), root_[1]->public_key(), root_[2]->public_key()};
  const auto update = [&](std::vector<SigningKey*> signers) {
    TrustState state = initial;
    const Status status = Update(state, Sign(next, signers));
    EXPECT_EQ(EncodeState(state) == EncodeState(initial), status != Status::kOk);
    return status;
  };
  PemKey *old0 = root_[0].get(), *both1 = root_[1].get(), *both2 = root_[2].get();
  EXPECT_EQ(update({both1, both2}), Status::kOk);
  EXPECT_EQ(update({old0, both1, new_key.get()}), Status::kOk);
  EXPECT_EQ(update({old0, both1}), Status::kThresholdNotMet);
  EXPECT_EQ(update({new_key.get(), both1}), Status::kThresholdNotMet);
  EXPECT_EQ(update({both1, both1, both1}), Status::kThresholdNotMet);
  EXPECT_EQ(update({release_.get(), freshness_.get(), both1}), Status::kThresholdNotMet);
  EXPECT_EQ(update({}), Status::kThresholdNotMet);
}

TEST_F(Trust, RootVersionsAreTakenInOrderOnly) {
  TrustState state = NewState(NewRoot());
  RootSpec spec = NewRoot();
  const std::vector<SigningKey*> signers = {root_[0].get(), root_[1].get()};
  for (const uint32_t version : {1u, 3u}) {
    spec.version = version;
    EXPECT_EQ(Update(state, Sign(spec, signers)), Status::kRootVersionWrong);
  }
  for (uint32_t version = 2; version <= 5; ++version) {
    spec.version = version;
    EXPECT_EQ(Update(state, Sign(spec, signers)), Status::kOk);
  }
}

TEST_F(Trust, SignaturesCanBeAddedOneByOne) {
  RootSpec spec = NewRoot();
  const Bytes metadata = *EncodeRoot(spec);
  std::vector<SigningKey*> first = {root_[0].get()};
  const Bytes once = *SignRoot(metadata, first);
  EXPECT_EQ(VerifyInitialRoot(once), Status::kThresholdNotMet);
  EXPECT_EQ(AddRootSignature(once, *root_[0]).status(), Status::kAlreadyExists);
  const Bytes twice = *AddRootSignature(once, *root_[2]);
  EXPECT_EQ(VerifyInitialRoot(twice), Status::kOk);
}

TEST_F(Trust, RecoversFromNumbersThatStolenKeysHaveRaised) {
  TrustState state = NewState(NewRoot());
  ASSERT_EQ(RaiseInstalledSequence(state, ComponentKind::kModel, "kws", UINT64_MAX), Status::kOk);
  ASSERT_EQ(RaiseNewestSequence(state, ComponentKind::kModel, "kws", UINT64_MAX), Status::kOk);
  state.trusted_time_s = UINT64_MAX;
  const auto new_freshness = NewKey();
  RootSpec next = NewRoot();
  next.version = 2;
  next.freshness_key = new_freshness->public_key();
  next.sequence_resets = {{ComponentKind::kModel, "kws", 12}};
  ASSERT_EQ(Update(state, Sign(next, {root_[0].get(), root_[1].get()})), Status::kOk);
  const TrackedComponent tracked = FindTracked(state, ComponentKind::kModel, "kws");
  EXPECT_EQ(tracked.installed_sequence, 12u);
  EXPECT_EQ(tracked.newest_sequence, 0u);
  EXPECT_EQ(state.trusted_time_s, 0u);
}

TEST_F(Trust, OneSignatureAnswersAWholeBatch) {
  for (const size_t count : {1u, 2u, 3u, 7u, 100u}) {
    std::vector<FreshnessQuestion> questions(count);
    for (size_t i = 0; i < count; ++i) {
      questions[i].nonce = Bytes(16, static_cast<uint8_t>(i));
      questions[i].newest = {{ComponentKind::kModel, "kws", 10 + i}};
    }
    const auto answers = AnswerFreshness(questions, 1'800'000'000, 1, *freshness_);
    ASSERT_TRUE(answers.ok());
    const TrustState initial = NewState(NewRoot());
    for (const size_t i : {size_t{0}, count / 2, count - 1}) {
      TrustState state = initial;
      ASSERT_EQ(Refresh(state, (*answers)[i], questions[i].nonce), Status::kOk) << count;
      EXPECT_EQ(state.trusted_time_s, 1'800'000'000u);
      EXPECT_EQ(FindTracked(state, ComponentKind::kModel, "kws").newest_sequence, 10 + i);
    }
  }
}

TEST_F(Trust, FreshnessAnswerWithAnyBitFlippedIsRefusedAndChangesNothing) {
  const std::vector<FreshnessQuestion> questions = {
      {Bytes(8, 1), {{ComponentKind::kModel, "kws", 3}}}, {Bytes(8, 2), {}}, {Bytes(8, 3), {}}};
  const Bytes answer = (*AnswerFreshness(questions, 1'800'000'000, 1, *freshness_))[0];
  const TrustState initial = NewState(NewRoot());
  const Bytes record = EncodeState(initial);
  for (size_t bit = 0; bit < answer.size() * 8; ++bit) {
    Bytes flipped = answer;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    TrustState state = initial;
    ASSERT_NE(Refresh(state, flipped, questions[0].nonce), Status::kOk) << bit;
    ASSERT_EQ(EncodeState(state), record) << bit;
  }
}

TEST_F(Trust, StaleForgedAndForeignFreshnessIsRefused) {
  const FreshnessQuestion question = {Bytes(16, 7), {{ComponentKind::kModel, "kws", 3}}};
  const auto answer = [&](uint64_t time_s, uint32_t root_version, SigningKey& key) {
    return (*AnswerFreshness(std::span(&question, 1), time_s, root_version, key))[0];
  };
  TrustState state = NewState(NewRoot());
  EXPECT_EQ(Refresh(state, answer(100, 1, *freshness_), Bytes(16, 8)), Status::kNonceMismatch);
  EXPECT_EQ(Refresh(state, answer(100, 1, *freshness_), {}), Status::kNonceMismatch);
  EXPECT_EQ(Refresh(state, answer(100, 1, *release_), question.nonce), Status::kSignerUnknown);
  EXPECT_EQ(Refresh(state, answer(100, 2, *freshness_), question.nonce), Status::kRootOutdated);
  ASSERT_EQ(Refresh(state, answer(100, 1, *freshness_), question.nonce), Status::kOk);
  EXPECT_EQ(Refresh(state, answer(99, 1, *freshness_), question.nonce), Status::kFreshnessStale);
  ASSERT_EQ(RaiseNewestSequence(state, ComponentKind::kModel, "kws", 4), Status::kOk);
  EXPECT_EQ(Refresh(state, answer(101, 1, *freshness_), question.nonce), Status::kFreshnessStale);
}

TEST(MerkleTree, GivesTheRootsOfTheStandardsTestTree) {
  // The leaves and roots that implementations of RFC 6962 test with.
  const std::vector<Bytes> leaves = {{},
                                     {0x00},
                                     {0x10},
                                     BytesOfHex("2021"),
                                     BytesOfHex("3031"),
                                     BytesOfHex("40414243"),
                                     BytesOfHex("5051525354555657"),
                                     BytesOfHex("606162636465666768696a6b6c6d6e6f")};
  const char* const roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                               "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                               "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                               "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                               "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                               "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                               "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                               "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  for (uint32_t count = 1; count <= leaves.size(); ++count) {
    std::vector<crypto::Sha256Digest> nodes(CountTreeNodes(count));
    for (uint32_t i = 0; i < count; ++i) nodes[i] = ComputeLeafHash(leaves[i]);
    BuildTree(nodes, count);
    EXPECT_EQ(HexOf(nodes.back()), roots[count - 1]);
    for (uint32_t i = 0; i < count; ++i) {
      std::array<crypto::Sha256Digest, kAuditPathHashesMax> path;
      const size_t hashes = FindAuditPath(nodes, count, i, path);
      const ByteSpan bytes(path[0].data(), hashes * 32);
      const TreeHead tree = {count, nodes.back()};
      EXPECT_EQ(VerifyAuditPath(leaves[i], bytes, i, tree), Status::kOk);
      EXPECT_NE(VerifyAuditPath(leaves[i], bytes, i + 1, tree), Status::kOk);
      if (hashes == 0) continue;
      EXPECT_NE(VerifyAuditPath(leaves[i], bytes.first(bytes.size() - 32), i, tree), Status::kOk);
    }
  }
}

TEST(TrustedTime, BoundsTheTruthByTheExchange) {
  TrustedTime time;
  EXPECT_EQ(time.earliest_s(5000), 0u);
  time.Set(1'800'000'000, 10'000, 10'700);
  EXPECT_EQ(time.earliest_s(10'700), 1'800'000'000u);
  EXPECT_EQ(time.earliest_s(72'700), 1'800'000'062u);
  EXPECT_EQ(time.uncertainty_ms(), 1'700u);
}

}  // namespace
}  // namespace ota::formats
