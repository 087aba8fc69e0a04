// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/requirements.h"

#include "formats/cbor/cbor_reader.h"
#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

constexpr size_t kMetricBytesMax = 64;

Result<ByteSpan> ReadDigest(CborReader& reader) {
  OTA_TRY(const ByteSpan digest, reader.ReadBytes());
  if (digest.size() != kImageDigestBytes) return Status::kManifestMalformed;
  return digest;
}

Result<uint32_t> ReadNumber(CborReader& reader) {
  OTA_TRY(const uint64_t number, reader.ReadUnsigned(UINT32_MAX));
  return static_cast<uint32_t>(number);
}

Status ReadEncodings(CborReader& reader, Manifest& manifest) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count == 0) return Status::kManifestMalformed;
  if (count > kEncodingsMax) return Status::kManifestPartUnknown;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const uint64_t encoding, reader.ReadUnsigned());
    if (encoding == 0 || encoding > kPayloadEncodingLast) return Status::kManifestPartUnknown;
    manifest.encodings[i] = static_cast<PayloadEncoding>(encoding);
  }
  manifest.encoding_count = static_cast<uint8_t>(count);
  return Status::kOk;
}

Status ReadOperators(CborReader& reader, ModelRequirements& model) {
  OTA_TRY(model.operators, reader.ReadBytes());
  for (size_t i = 1; i < model.operators.size(); ++i) {
    if (model.operators[i - 1] >= model.operators[i]) return Status::kManifestMalformed;
  }
  return model.operators.empty() ? Status::kManifestMalformed : Status::kOk;
}

Status ReadCustomOperators(CborReader& reader, ModelRequirements& model) {
  CborReader items = reader;
  OTA_TRY(model.custom_operators, reader.ReadItem());
  OTA_TRY(const uint32_t count, items.ReadArrayHead());
  for (uint32_t i = 0; i < count; ++i) OTA_TRY(items.ReadText());
  return count == 0 ? Status::kManifestMalformed : Status::kOk;
}

Status ReadArenaPlans(CborReader& reader, ModelRequirements& model) {
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  while (map.has_next()) {
    OTA_TRY(const int64_t kind, map.ReadIntegerKey());
    if (kind < 0 || kind > kPlanKindLast) return Status::kManifestPartUnknown;
    ArenaPlan& plan = model.arena_plans[model.arena_plan_count++];
    plan.kind = static_cast<PlanKind>(kind);
    OTA_TRY(plan.arena_bytes, ReadNumber(reader));
  }
  return model.arena_plan_count == 0 ? Status::kManifestMalformed : Status::kOk;
}
static_assert(kPlanKindLast < kArenaPlansMax, "keys are unique, so the plans always fit");

Result<SelfTest> ReadSelfTest(CborReader& reader) {
  SelfTest test;
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count != 2) return Status::kManifestPartUnknown;
  OTA_TRY(const CborType type, reader.PeekType());
  if (type == CborType::kUnsigned) {
    OTA_TRY(test.seed, ReadNumber(reader));
  } else {
    OTA_TRY(test.input, reader.ReadBytes(kSelfTestInputBytesMax));
  }
  OTA_TRY(test.output_digest, reader.ReadBytes(kImageDigestBytes));
  const bool has_input = test.seed != 0 || !test.input.empty();
  if (!has_input || test.output_digest.size() < kOutputDigestBytesMin) {
    return Status::kManifestMalformed;
  }
  return test;
}

Status ReadSelfTests(CborReader& reader, ModelRequirements& model) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count == 0) return Status::kManifestMalformed;
  if (count > kSelfTestsMax) return Status::kManifestPartUnknown;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(model.self_tests[i], ReadSelfTest(reader));
  }
  model.self_test_count = static_cast<uint8_t>(count);
  return Status::kOk;
}

Status ReadAccuracy(CborReader& reader, AccuracyStatement& accuracy) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count != 3) return Status::kManifestPartUnknown;
  OTA_TRY(accuracy.metric, reader.ReadText(kMetricBytesMax));
  OTA_TRY(accuracy.parts_per_million, ReadNumber(reader));
  OTA_TRY(accuracy.sample_count, ReadNumber(reader));
  const bool is_meaningful = !accuracy.metric.empty() && accuracy.parts_per_million <= 1'000'000;
  return is_meaningful ? Status::kOk : Status::kManifestMalformed;
}

Status ReadModelMember(CborReader& reader, int64_t key, ModelRequirements& model) {
  switch (key) {
    case kRequirementsEngineVersion: {
      OTA_TRY(model.engine_version, ReadNumber(reader));
      return Status::kOk;
    }
    case kRequirementsRounding: {
      OTA_TRY(const uint64_t rounding, reader.ReadUnsigned());
      if (rounding > 1) return Status::kManifestPartUnknown;
      model.rounding = static_cast<RoundingMode>(rounding);
      return Status::kOk;
    }
    case kRequirementsOperators:
      return ReadOperators(reader, model);
    case kRequirementsArenaPlans:
      return ReadArenaPlans(reader, model);
    case kRequirementsSelfTests:
      return ReadSelfTests(reader, model);
    case kRequirementsAccuracy:
      return ReadAccuracy(reader, model.accuracy);
    case kRequirementsCustomOperators:
      return ReadCustomOperators(reader, model);
    default:
      return Status::kManifestPartUnknown;
  }
}

Status ReadMember(CborReader& reader, int64_t key, Manifest& manifest) {
  switch (key) {
    case kRequirementsVersion: {
      OTA_TRY(manifest.version, reader.ReadText(kVersionBytesMax));
      return Status::kOk;
    }
    case kRequirementsPrecursor: {
      OTA_TRY(manifest.precursor_digest, ReadDigest(reader));
      return Status::kOk;
    }
    case kRequirementsEncodings:
      return ReadEncodings(reader, manifest);
    case kRequirementsPayloadDigest: {
      OTA_TRY(manifest.payload_digest, ReadDigest(reader));
      return Status::kOk;
    }
    case kRequirementsPayloadSize: {
      OTA_TRY(manifest.payload_size_bytes, ReadNumber(reader));
      return Status::kOk;
    }
    default:
      return ReadModelMember(reader, key, manifest.model);
  }
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

void WriteArenaPlans(CborWriter& writer, const ModelRequirements& model) {
  writer.WriteMapHead(model.arena_plan_count);
  for (uint8_t kind = 0; kind <= kPlanKindLast; ++kind) {
    for (size_t i = 0; i < model.arena_plan_count; ++i) {
      if (static_cast<uint8_t>(model.arena_plans[i].kind) != kind) continue;
      writer.WriteUnsigned(kind);
      writer.WriteUnsigned(model.arena_plans[i].arena_bytes);
    }
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
    Set(kRequirementsArenaPlans, model.arena_plan_count != 0);
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

Status DecodeRequirements(ByteSpan bytes, Manifest& manifest) {
  CborReader reader(bytes);
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  while (map.has_next()) {
    OTA_TRY(const int64_t key, map.ReadIntegerKey());
    OTA_TRY(ReadMember(reader, key, manifest));
  }
  OTA_TRY(reader.Finish());
  const bool has_size = manifest.payload_size_bytes != 0;
  return has_size == !manifest.payload_digest.empty() ? Status::kOk : Status::kManifestIncomplete;
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
