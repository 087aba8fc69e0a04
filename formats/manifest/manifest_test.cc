// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/manifest.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/byte_source.h"
#include "crypto/es256.h"
#include "crypto/hex_for_test.h"
#include "crypto/host/pem_key.h"
#include "formats/cose/cose_sign1.h"
#include "formats/manifest/envelope.h"

namespace ota::formats {
namespace {

using Bytes = std::vector<uint8_t>;

// Two published envelopes: the SUIT draft's example 0 ("secure boot"), and one made by hand with
// another implementation, which also installs.
const auto kDraftKey = ArrayOfHex<64>(
    "8496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad"
    "3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896");
const Bytes kDraftExample = BytesOfHex(
    "d86ba2025873825824822f58206658ea560262696dd1f13b782239a064da7c6c5cbaf52fded428a6fc83c7e5af58"
    "4ad28443a10126a0f65840408d0816f9b510749bf6a51b066951e08a4438f849eb092a1ac768eed9de696c1b1dd3"
    "5d82ef149e6a73a61976ad2cfe78444b8064293350a122f332cb49f0da035871a50101020003585fa20281814100"
    "0458568614a40150fa6b4a53d5ad5fdfbe9de663e4d41ffe02501492af1425695e48bf429b2d51f2ab4503582482"
    "2f582000112233445566778899aabbccddeeff0123456789abcdeffedcba98765432100e1987d0010f020f074382"
    "030f0943821702");
const Bytes kInstallExample = BytesOfHex(
    "d86ba2025873825824822f58205f421fdf5e36b19e32ecd85eb2c3cf1a31ac7c886f04b50ee81c0706baf422c158"
    "4ad28443a10128a0f65840fcd3cf65a32708e02e602edc7035a03c70067b285c46b6495cae0f93fd7dfb77080d56"
    "18804341f9b234ce8969de186d4231d1a2f541fd20f864994feef4557603587fa50101020103585da20281814100"
    "0458548614a40150cfbff0d193755685968c48ce8b15ae1702505f36311295cf534fa3d1fc8ef6f4962a03582482"
    "2f5820b56d2194cade251164b85e29a224ed28cfa458477bec0d2db69735b9b0b927c00e10010f020f074382030f"
    "14538614a1156a636f61703a2f2f752f661502030f");

// Everything that must hold before a byte of an envelope is believed.
Status VerifyEnvelope(ByteSpan bytes, const crypto::P256PublicKey& key, ByteSpan key_id) {
  const Result<Envelope> envelope = DecodeEnvelope(bytes);
  if (!envelope.ok()) return envelope.status();
  const Result<CoseSign1> block = DecodeCoseSign1(envelope->signatures()[0]);
  if (!block.ok()) return block.status();
  if (!block->is_detached ||
      !std::equal(block->key_id.begin(), block->key_id.end(), key_id.begin(), key_id.end())) {
    return Status::kNotFound;
  }
  OTA_TRY(crypto::VerifyEs256(
      key, ComputeSign1Digest(block->protected_header, {}, envelope->signed_digest()),
      block->signature));
  const Result<Manifest> manifest = DecodeManifest(envelope->manifest);
  if (!manifest.ok()) return manifest.status();
  MemoryByteSource source(bytes);
  const Result<PayloadLocation> payload = FindPayload(
      source, *envelope, manifest->is_payload_integrated() ? manifest->uri : std::string_view());
  if (!payload.ok() || payload->size_bytes == 0) return payload.status();
  const auto digest = crypto::ComputeSha256(bytes.subspan(payload->offset, payload->size_bytes));
  return std::equal(digest.begin(), digest.end(), manifest->image_digest.begin())
             ? Status::kOk
             : Status::kDigestMismatch;
}

TEST(Envelope, VerifiesThePublishedExamples) {
  EXPECT_EQ(VerifyEnvelope(kDraftExample, kDraftKey, {}), Status::kOk);
  EXPECT_EQ(VerifyEnvelope(kInstallExample, kDraftKey, {}), Status::kOk);
}

TEST(Envelope, TakesTheExampleWithoutItsTagToo) {
  EXPECT_EQ(VerifyEnvelope(ByteSpan(kDraftExample).subspan(2), kDraftKey, {}), Status::kOk);
}

TEST(Manifest, ReadsThePublishedExample) {
  const Result<Manifest> manifest = DecodeManifest(DecodeEnvelope(kInstallExample)->manifest);
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->sequence_number, 1u);
  EXPECT_EQ(HexOf(manifest->vendor_id), "cfbff0d193755685968c48ce8b15ae17");
  ASSERT_EQ(manifest->class_id_count, 1u);
  EXPECT_EQ(HexOf(manifest->class_ids[0]), "5f36311295cf534fa3d1fc8ef6f4962a");
  EXPECT_EQ(manifest->image_size_bytes, 16u);
  EXPECT_EQ(manifest->payload_size_bytes, 16u);
  EXPECT_EQ(manifest->uri, "coap://u/f");
  EXPECT_EQ(manifest->kind, ComponentKind::kForeign);
  EXPECT_FALSE(manifest->is_payload_integrated());
}

// A manifest's fields with the bytes that its spans point to.
struct Draft {
  Bytes vendor = BytesOfHex("cfbff0d193755685968c48ce8b15ae17");
  Bytes board = BytesOfHex("5f36311295cf534fa3d1fc8ef6f4962a");
  Bytes other_board = Bytes(16, 0xB2);
  Bytes device = Bytes(16, 0xD1);
  Bytes image = Bytes(32, 0x42);
  crypto::Sha256Digest digest = crypto::ComputeSha256(image);
  Bytes operators = {3, 4, 9, 22, 25};
  Bytes output_digest = Bytes(8, 0x0D);
  Manifest manifest;

  Draft() {
    manifest.sequence_number = 7;
    manifest.vendor_id = vendor;
    manifest.class_ids[0] = board;
    manifest.class_id_count = 1;
    manifest.kind = ComponentKind::kModel;
    manifest.component_name = "kws";
    manifest.image_digest = digest;
    manifest.image_size_bytes = static_cast<uint32_t>(image.size());
    manifest.payload_size_bytes = manifest.image_size_bytes;
    manifest.version = "1.2.0";
    manifest.uri = "/models/kws.bin";
    manifest.model.engine_version = 1;
    manifest.model.operators = operators;
    manifest.model.arena_bytes_of(PlanKind::kMapped) = 22'820;
    manifest.model.self_tests[0] = {{}, 1, output_digest};
    manifest.model.self_test_count = 1;
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
};

Bytes EncodeManifest(const Manifest& manifest) {
  Bytes buffer(4096);
  CborWriter writer(buffer);
  WriteManifest(writer, manifest);
  buffer.resize(writer.Finish()->size());
  return buffer;
}

Bytes SealEnvelope(ByteSpan manifest, crypto::PemKey& key, ByteSpan key_id,
                   std::string_view uri = {}, ByteSpan payload = {}) {
  const EnvelopeSignature signature = {key_id, *key.Sign(ComputeSigningDigest(manifest))};
  Bytes buffer(8192);
  CborWriter writer(buffer);
  WriteEnvelope(writer, manifest, std::span(&signature, 1), uri, payload.size());
  buffer.resize(writer.Finish()->size());
  buffer.insert(buffer.end(), payload.begin(), payload.end());
  return buffer;
}

std::unique_ptr<crypto::PemKey> NewKey() { return std::move(*crypto::PemKey::Generate()); }

const Bytes kKeyId = BytesOfHex("0102030405060708");

TEST(Envelope, OfAModelWithAllItNeedsTakesAtMost320Bytes) {
  Draft draft;
  const auto key = NewKey();
  const Bytes envelope = SealEnvelope(EncodeManifest(draft.manifest), *key, kKeyId);
  EXPECT_LE(envelope.size(), 320u);
  RecordProperty("envelope_bytes", static_cast<int>(envelope.size()));
  EXPECT_EQ(VerifyEnvelope(envelope, key->public_key(), kKeyId), Status::kOk);
}

TEST(Manifest, ComesBackWithEveryFieldSet) {
  Draft draft;
  Manifest& manifest = draft.manifest;
  const Bytes info = BytesOfHex("d8608440a0"), precursor(32, 0xBA), payload_digest(32, 0xCE);
  const Bytes custom = BytesOfHex("82 6441637573 6142"), input = BytesOfHex("00ff10");
  (void)info;  // its content is not the manifest's business
  manifest.class_ids[1] = draft.other_board;
  manifest.class_id_count = 2;
  manifest.device_id = draft.device;
  manifest.memory_unit = MemoryUnit::kSpiNor;
  manifest.slot = 1;
  manifest.use_before_s = 1'900'000'000;
  manifest.minimum_battery_mwh = 250;
  manifest.priority = UpdatePriority::kCritical;
  manifest.precursor_digest = precursor;
  manifest.encryption_info = info;
  manifest.encodings = {PayloadEncoding::kCompressed, PayloadEncoding::kDelta};
  manifest.encoding_count = 2;
  manifest.payload_digest = payload_digest;
  manifest.payload_size_bytes = 500;
  manifest.model.rounding = RoundingMode::kSingle;
  manifest.model.custom_operators = custom;
  manifest.model.arena_bytes_of(PlanKind::kStreamed) = 30'000;
  manifest.model.self_tests[1] = {input, 0, draft.digest};
  manifest.model.self_test_count = 2;
  manifest.model.accuracy = {"top1 digits held out", 972'000, 360};

  const Bytes bytes = EncodeManifest(manifest);
  Result<Manifest> again = DecodeManifest(bytes);
  ASSERT_TRUE(again.ok()) << StatusName(again.status());
  EXPECT_EQ(EncodeManifest(*again), bytes);
  EXPECT_EQ(again->sequence_number, 7u);
  EXPECT_EQ(again->class_id_count, 2u);
  EXPECT_EQ(HexOf(again->class_ids[1]), HexOf(draft.other_board));
  EXPECT_EQ(HexOf(again->device_id), HexOf(draft.device));
  EXPECT_EQ(again->kind, ComponentKind::kModel);
  EXPECT_EQ(again->component_name, "kws");
  EXPECT_EQ(again->memory_unit, MemoryUnit::kSpiNor);
  EXPECT_EQ(again->slot, 1u);
  EXPECT_EQ(again->use_before_s, 1'900'000'000u);
  EXPECT_EQ(again->minimum_battery_mwh, 250u);
  EXPECT_EQ(again->priority, UpdatePriority::kCritical);
  EXPECT_EQ(again->version, "1.2.0");
  EXPECT_EQ(HexOf(again->precursor_digest), HexOf(precursor));
  ASSERT_EQ(again->encoding_count, 2u);
  EXPECT_EQ(again->encodings[1], PayloadEncoding::kDelta);
  EXPECT_EQ(HexOf(again->payload_digest), HexOf(payload_digest));
  EXPECT_EQ(again->payload_size_bytes, 500u);
  EXPECT_EQ(HexOf(again->encryption_info), HexOf(info));
  EXPECT_EQ(again->model.rounding, RoundingMode::kSingle);
  EXPECT_EQ(HexOf(again->model.operators), HexOf(draft.operators));
  EXPECT_EQ(again->model.arena_bytes_of(PlanKind::kStreamed), 30'000u);
  ASSERT_EQ(again->model.self_test_count, 2u);
  EXPECT_EQ(again->model.self_tests[0].seed, 1u);
  EXPECT_EQ(HexOf(again->model.self_tests[1].input), "00ff10");
  EXPECT_EQ(again->model.accuracy.metric, "top1 digits held out");
  EXPECT_EQ(again->model.accuracy.parts_per_million, 972'000u);
}

void ExpectEveryFlippedBitRefused(const Bytes& envelope, const crypto::P256PublicKey& key) {
  ASSERT_EQ(VerifyEnvelope(envelope, key, kKeyId), Status::kOk);
  for (size_t bit = 0; bit < envelope.size() * 8; ++bit) {
    Bytes flipped = envelope;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_NE(VerifyEnvelope(flipped, key, kKeyId), Status::kOk)
        << "byte " << bit / 8 << " bit " << bit % 8;
  }
}

TEST(Envelope, IsRefusedWithAnyOneBitFlipped) {
  Draft draft;
  const auto key = NewKey();
  ExpectEveryFlippedBitRefused(SealEnvelope(EncodeManifest(draft.manifest), *key, kKeyId),
                               key->public_key());
}

TEST(Envelope, WithItsPayloadIsRefusedWithAnyOneBitFlipped) {
  Draft draft;
  draft.manifest.uri = "#kws";
  const auto key = NewKey();
  ExpectEveryFlippedBitRefused(
      SealEnvelope(EncodeManifest(draft.manifest), *key, kKeyId, "#kws", draft.image),
      key->public_key());
}

TEST(Envelope, IsRefusedWhenCutAnywhereOrExtended) {
  Draft draft;
  draft.manifest.uri = "#kws";
  const auto key = NewKey();
  Bytes envelope = SealEnvelope(EncodeManifest(draft.manifest), *key, kKeyId, "#kws", draft.image);
  for (size_t length = 0; length < envelope.size(); ++length) {
    ASSERT_NE(VerifyEnvelope(ByteSpan(envelope).first(length), key->public_key(), kKeyId),
              Status::kOk);
  }
  envelope.push_back(0);
  EXPECT_EQ(VerifyEnvelope(envelope, key->public_key(), kKeyId), Status::kCborTrailingBytes);
}

TEST(Envelope, MayNotHoldAPayloadThatTheManifestDoesNotName) {
  Draft draft;
  const auto key = NewKey();
  const Bytes detached = EncodeManifest(draft.manifest);
  EXPECT_EQ(VerifyEnvelope(SealEnvelope(detached, *key, kKeyId, "#kws", draft.image),
                           key->public_key(), kKeyId),
            Status::kEnvelopePartUnknown);
  draft.manifest.uri = "#kws";
  const Bytes integrated = EncodeManifest(draft.manifest);
  EXPECT_EQ(VerifyEnvelope(SealEnvelope(integrated, *key, kKeyId), key->public_key(), kKeyId),
            Status::kPayloadMissing);
  EXPECT_EQ(VerifyEnvelope(SealEnvelope(integrated, *key, kKeyId, "#other", draft.image),
                           key->public_key(), kKeyId),
            Status::kPayloadMissing);
}

TEST(Envelope, MustBeSignedAndHoldNothingUnsigned) {
  Draft draft;
  const Bytes manifest = EncodeManifest(draft.manifest);
  Bytes buffer(2048);
  CborWriter writer(buffer);
  WriteEnvelope(writer, manifest, {});
  EXPECT_EQ(DecodeEnvelope(*writer.Finish()).status(), Status::kSignatureMissing);
  // The draft's example with one more member: a severed text (23).
  Bytes extended = kDraftExample;
  extended[2] = 0xA3;
  extended.insert(extended.end(), {0x17, 0x41, 0xA0});
  MemoryByteSource source(extended);
  const Result<Envelope> envelope = DecodeEnvelope(extended);
  ASSERT_TRUE(envelope.ok());
  EXPECT_EQ(FindPayload(source, *envelope, {}).status(), Status::kEnvelopePartUnknown);
  EXPECT_EQ(FindPayload(source, *envelope, "#a").status(), Status::kEnvelopePartUnknown);
}

// Replaces the first `from` in the bytes of a manifest; lengths stay.
Status DecodeWith(Bytes bytes, std::string_view from_hex, std::string_view to_hex) {
  const Bytes from = BytesOfHex(from_hex), to = BytesOfHex(to_hex);
  const auto at = std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
  if (at == bytes.end() || from.size() != to.size()) return Status::kInvalidArgument;
  std::copy(to.begin(), to.end(), at);
  return DecodeManifest(bytes).status();
}

TEST(Manifest, RefusesUnknownPartsAsCritical) {
  Draft draft;
  const Bytes bytes = EncodeManifest(draft.manifest);
  // Manifest version; element 7 as 10; condition vendor-id as 9; validate with abort; fetch as
  // copy.
  EXPECT_EQ(DecodeWith(bytes, "a5 0101", "a5 0102"), Status::kManifestVersionUnknown);
  EXPECT_EQ(DecodeWith(bytes, "07 4382030f", "0a 4382030f"), Status::kManifestPartUnknown);
  EXPECT_EQ(DecodeWith(bytes, "010f 020f", "090f 020f"), Status::kManifestPartUnknown);
  EXPECT_EQ(DecodeWith(bytes, "4382030f", "43820e0f"), Status::kManifestPartUnknown);
  EXPECT_EQ(DecodeWith(bytes, "1502 030f", "1602 030f"), Status::kManifestPartUnknown);
  // Private parameter -257 as -258; its member 6 (engine version) as 13, in order: 12 is last.
  EXPECT_EQ(DecodeWith(bytes, "390100", "390101"), Status::kManifestPartUnknown);
  EXPECT_EQ(DecodeWith(bytes, "0a 81 82 01 48", "0d 81 82 01 48"), Status::kManifestPartUnknown);
  // Digest with another algorithm; another component index in the sequence.
  EXPECT_EQ(DecodeWith(bytes, "822f5820", "82325820"), Status::kManifestPartUnknown);
}

TEST(Manifest, RefusesWhatIsSetButNotChecked) {
  Draft draft;
  draft.manifest.use_before_s = 1000;
  const Bytes bytes = EncodeManifest(draft.manifest);
  ASSERT_TRUE(DecodeManifest(bytes).ok());
  EXPECT_EQ(DecodeWith(bytes, "020f 040f", "020f 020f"), Status::kManifestIncomplete);
  EXPECT_EQ(DecodeWith(bytes, "010f 020f", "010f 010f"), Status::kManifestIncomplete);
  EXPECT_EQ(DecodeWith(bytes, "4382030f", "4382010f"), Status::kManifestIncomplete);
}

TEST(Manifest, RefusesValuesThatTheirFieldsCannotHave) {
  const auto decode = [](const std::function<void(Draft&)>& change) {
    Draft draft;
    change(draft);
    return DecodeManifest(EncodeManifest(draft.manifest)).status();
  };
  EXPECT_EQ(decode([](Draft& d) {
              d.vendor.resize(15);
              d.manifest.vendor_id = d.vendor;
            }),
            Status::kManifestMalformed);
  EXPECT_EQ(decode([](Draft& d) { d.manifest.image_size_bytes = 0; }), Status::kManifestMalformed);
  EXPECT_EQ(decode([](Draft& d) { d.manifest.image_digest = ByteSpan(d.digest).first(31); }),
            Status::kManifestMalformed);
  EXPECT_EQ(decode([](Draft& d) { d.operators[1] = 3; }), Status::kManifestMalformed);
  EXPECT_EQ(decode([](Draft& d) { d.manifest.model.self_tests[0].seed = 0; }),
            Status::kManifestMalformed);
  EXPECT_EQ(decode([](Draft& d) {
              d.output_digest.resize(7);
              d.manifest.model.self_tests[0].output_digest = d.output_digest;
            }),
            Status::kManifestMalformed);
  EXPECT_EQ(decode([](Draft& d) {
              d.manifest.encodings[0] = PayloadEncoding::kDelta;
              d.manifest.encoding_count = 1;
            }),
            Status::kManifestIncomplete);
  EXPECT_EQ(decode([](Draft& d) { d.manifest.priority = static_cast<UpdatePriority>(3); }),
            Status::kManifestPartUnknown);
  EXPECT_EQ(decode([](Draft& d) { d.manifest.version = "a version text of more than 32 bytes"; }),
            Status::kCborOutOfRange);
}

TEST(Manifest, RefusesAParameterSetTwice) {
  Draft draft;
  draft.manifest.uri = "/a/1";
  const Bytes bytes = EncodeManifest(draft.manifest);
  // The URI parameter of the install section becomes another image size.
  EXPECT_EQ(DecodeWith(bytes, "14 a1 15 64 2f612f31", "14 a1 0e 1a 00010000"),
            Status::kManifestMalformed);
}

TEST(IsComponentName, AllowsWhatEveryFileSystemTakes) {
  for (const char* name : {"kws", "a", "person_detect-96.v2", ".hidden"}) {
    EXPECT_TRUE(IsComponentName(name)) << name;
  }
  for (const char* name :
       {"", ".", "..", "a/b", "a b", "\xC3\xBC", "a\\b", "a-name-of-more-than-thirty-two-bytes"}) {
    EXPECT_FALSE(IsComponentName(name)) << name;
  }
}

}  // namespace
}  // namespace ota::formats
