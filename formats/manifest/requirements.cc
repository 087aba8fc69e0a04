// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/requirements.h"

#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

constexpr size_t kMetricBytesMax = 64;
constexpr uint32_t kPartsPerMillionMax = 1'000'000;

constexpr uint32_t kSpecialOperators = 0;
constexpr uint32_t kSpecialSelfTestInput = 1;

constexpr CborStep CborArenaOf(PlanKind kind) {
  return CborNumber(CborPlace<uint32_t>{static_cast<uint16_t>(
      offsetof(Manifest, model.arena_bytes) + sizeof(uint32_t) * static_cast<size_t>(kind))});
}

constexpr auto kTable = CborTable<
    CborStatuses(Status::kManifestPartUnknown, Status::kManifestMalformed), CborMap(Status::kOk, 0),
    CborKey(kRequirementsVersion), CborText(OTA_CBOR_PLACE(Manifest, version), kVersionBytesMax),
    CborKey(kRequirementsPrecursor),
    CborBytesOf(OTA_CBOR_PLACE(Manifest, precursor_digest), kImageDigestBytes),
    CborKey(kRequirementsEncodings), kCborNotZero,
    CborListOf(OTA_CBOR_PLACE(Manifest, encoding_count), kEncodingsMax),
    CborElements(OTA_CBOR_PLACE(Manifest, encodings)), kCborNotZero,
    CborNumber(CborPlace<PayloadEncoding>{}, kPayloadEncodingLast), kCborEnd,
    CborKey(kRequirementsPayloadDigest),
    CborBytesOf(OTA_CBOR_PLACE(Manifest, payload_digest), kImageDigestBytes),
    CborKey(kRequirementsPayloadSize), CborNumber(OTA_CBOR_PLACE(Manifest, payload_size_bytes)),
    CborKey(kRequirementsEngineVersion), CborNumber(OTA_CBOR_PLACE(Manifest, model.engine_version)),
    CborKey(kRequirementsRounding),
    CborNumber(OTA_CBOR_PLACE(Manifest, model.rounding), RoundingMode::kSingle),
    CborKey(kRequirementsOperators), kCborNotZero,
    CborBytes(OTA_CBOR_PLACE(Manifest, model.operators)), CborStatuses(Status::kManifestMalformed),
    CborSpecial(kSpecialOperators), CborKey(kRequirementsArenaPlans), kCborNotZero,
    CborMap(Status::kOk, 0), CborKey(0), kCborNotZero, CborArenaOf(PlanKind::kMapped), CborKey(1),
    kCborNotZero, CborArenaOf(PlanKind::kStreamed), CborKey(2), kCborNotZero,
    CborArenaOf(PlanKind::kPatched), kCborEnd, CborKey(kRequirementsSelfTests),
    CborAt(OTA_CBOR_PLACE(Manifest, model)), kCborNotZero,
    CborListOf(OTA_CBOR_PLACE(ModelRequirements, self_test_count), kSelfTestsMax),
    CborElements(OTA_CBOR_PLACE(ModelRequirements, self_tests)), CborArray(2), kCborNotZero,
    CborSpecial(kSpecialSelfTestInput), CborLeast(kOutputDigestBytesMin),
    CborBytes(OTA_CBOR_PLACE(SelfTest, output_digest), kImageDigestBytes), kCborEnd,
    CborKey(kRequirementsAccuracy), CborArray(3), kCborNotZero,
    CborText(OTA_CBOR_PLACE(Manifest, model.accuracy.metric), kMetricBytesMax),
    CborNumber(OTA_CBOR_PLACE(Manifest, model.accuracy.parts_per_million)),
    CborNumber(OTA_CBOR_PLACE(Manifest, model.accuracy.sample_count)),
    CborKey(kRequirementsCustomOperators), kCborNotZero,
    CborItemsOf(OTA_CBOR_PLACE(Manifest, model.custom_operators)), CborText({}), kCborEnd, kCborEnd,
    kCborEnd>();

bool AreAscending(ByteSpan operators) {
  for (size_t i = 1; i < operators.size(); ++i) {
    if (operators[i - 1] >= operators[i]) return false;
  }
  return true;
}

void ReadSelfTestInput(CborCursor& cursor, SelfTest& test) {
  if (cursor.IsNext(CborType::kUnsigned)) {
    test.seed = cursor.ReadNumber();
  } else {
    cursor.ReadBytes(test.input, kSelfTestInputBytesMax);
  }
}

bool ReadSpecial(CborFieldReader& reader, uint32_t number, void* target) {
  auto& model = static_cast<Manifest*>(target)->model;
  if (number == kSpecialOperators) return AreAscending(model.operators);
  ReadSelfTestInput(reader, *static_cast<SelfTest*>(target));
  return true;
}

void WriteSelfTests(CborWriter& writer, const ModelRequirements& model) {
  writer.WriteArrayHead(model.self_test_count);
  for (size_t i = 0; i < model.self_test_count; ++i) {
    const SelfTest& test = model.self_tests[i];
    writer.WriteArrayHead(2);
    if (test.input.empty()) {
      writer.WriteUnsigned(test.seed);
    } else {
      writer.WriteBytes(test.input);
    }
    writer.WriteBytes(test.output_digest);
  }
}

size_t CountArenaPlans(const ModelRequirements& model) {
  size_t count = 0;
  for (const uint32_t bytes : model.arena_bytes) count += bytes != 0;
  return count;
}

void WriteArenaPlans(CborWriter& writer, const ModelRequirements& model) {
  writer.WriteMapHead(CountArenaPlans(model));
  for (size_t kind = 0; kind < kPlanKinds; ++kind) {
    if (model.arena_bytes[kind] == 0) continue;
    writer.WriteUnsigned(kind);
    writer.WriteUnsigned(model.arena_bytes[kind]);
  }
}

// The members in the order of their keys, each with whether it is there.
struct Presence {
  explicit Presence(const Manifest& manifest) {
    const ModelRequirements& model = manifest.model;
    Set(kRequirementsVersion, !manifest.version.empty());
    Set(kRequirementsPrecursor, !manifest.precursor_digest.empty());
    Set(kRequirementsEncodings, manifest.encoding_count != 0);
    Set(kRequirementsPayloadDigest, !manifest.payload_digest.empty());
    Set(kRequirementsPayloadSize, !manifest.payload_digest.empty());
    Set(kRequirementsEngineVersion, model.engine_version != 0);
    Set(kRequirementsRounding, model.rounding != RoundingMode::kDouble);
    Set(kRequirementsOperators, !model.operators.empty());
    Set(kRequirementsArenaPlans, CountArenaPlans(model) != 0);
    Set(kRequirementsSelfTests, model.self_test_count != 0);
    Set(kRequirementsAccuracy, !model.accuracy.metric.empty());
    Set(kRequirementsCustomOperators, !model.custom_operators.empty());
  }
  void Set(int64_t key, bool is_present) {
    if (is_present) bits |= 1u << key;
  }
  bool Has(int64_t key) const { return (bits >> key & 1) != 0; }
  uint32_t bits = 0;
};

void WriteMember(CborWriter& writer, int64_t key, const Manifest& manifest) {
  const ModelRequirements& model = manifest.model;
  switch (key) {
    case kRequirementsVersion:
      return writer.WriteText(manifest.version);
    case kRequirementsPrecursor:
      return writer.WriteBytes(manifest.precursor_digest);
    case kRequirementsEncodings:
      writer.WriteArrayHead(manifest.encoding_count);
      for (size_t i = 0; i < manifest.encoding_count; ++i) {
        writer.WriteUnsigned(static_cast<uint8_t>(manifest.encodings[i]));
      }
      return;
    case kRequirementsPayloadDigest:
      return writer.WriteBytes(manifest.payload_digest);
    case kRequirementsPayloadSize:
      return writer.WriteUnsigned(manifest.payload_size_bytes);
    case kRequirementsEngineVersion:
      return writer.WriteUnsigned(model.engine_version);
    case kRequirementsRounding:
      return writer.WriteUnsigned(static_cast<uint8_t>(model.rounding));
    case kRequirementsOperators:
      return writer.WriteBytes(model.operators);
    case kRequirementsArenaPlans:
      return WriteArenaPlans(writer, model);
    case kRequirementsSelfTests:
      return WriteSelfTests(writer, model);
    case kRequirementsAccuracy:
      writer.WriteArrayHead(3);
      writer.WriteText(model.accuracy.metric);
      writer.WriteUnsigned(model.accuracy.parts_per_million);
      return writer.WriteUnsigned(model.accuracy.sample_count);
    default:
      return writer.WriteEncoded(model.custom_operators);
  }
}

}  // namespace

void DecodeRequirements(CborFieldReader& reader, Manifest& manifest) {
  reader.Read(kTable.data(), &manifest, ReadSpecial);
  reader.FailUnless(manifest.model.accuracy.parts_per_million <= kPartsPerMillionMax,
                    Status::kManifestMalformed);
  const bool has_size = manifest.payload_size_bytes != 0;
  reader.FailUnless(has_size == !manifest.payload_digest.empty(), Status::kManifestIncomplete);
}

bool HasRequirements(const Manifest& manifest) { return Presence(manifest).bits != 0; }

void WriteRequirements(CborWriter& writer, const Manifest& manifest) {
  const Presence presence(manifest);
  uint64_t count = 0;
  for (int64_t key = 1; key <= kRequirementsCustomOperators; ++key) count += presence.Has(key);
  writer.WriteMapHead(count);
  for (int64_t key = 1; key <= kRequirementsCustomOperators; ++key) {
    if (!presence.Has(key)) continue;
    writer.WriteInteger(key);
    WriteMember(writer, key, manifest);
  }
}

}  // namespace ota::formats
