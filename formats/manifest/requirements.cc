// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/requirements.h"

#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

constexpr size_t kMetricBytesMax = 64;

void ReadDigest(CborCursor& cursor, ByteSpan& digest) {
  cursor.ReadBytesOfSize(digest, kImageDigestBytes, Status::kManifestMalformed);
}

// Of a list with at least one member, and with no more than there is room for.
uint8_t ReadCount(CborCursor& cursor, uint32_t count_max) {
  const uint32_t count = cursor.ReadArrayHead();
  cursor.FailUnless(count != 0, Status::kManifestMalformed);
  cursor.FailUnless(count <= count_max, Status::kManifestPartUnknown);
  return cursor.ok() ? static_cast<uint8_t>(count) : uint8_t{0};
}

// A number of which this build knows those up to `last`.
uint8_t ReadKnown(CborCursor& cursor, uint8_t last) {
  const uint64_t number = cursor.ReadUnsigned();
  cursor.FailUnless(number <= last, Status::kManifestPartUnknown);
  return static_cast<uint8_t>(number);
}

void ReadEncodings(CborCursor& cursor, Manifest& manifest) {
  manifest.encoding_count = ReadCount(cursor, kEncodingsMax);
  for (size_t i = 0; i < manifest.encoding_count; ++i) {
    const uint8_t encoding = ReadKnown(cursor, kPayloadEncodingLast);
    cursor.FailUnless(encoding != 0, Status::kManifestPartUnknown);
    manifest.encodings[i] = static_cast<PayloadEncoding>(encoding);
  }
}

void ReadOperators(CborCursor& cursor, ByteSpan& operators) {
  cursor.ReadBytes(operators);
  bool is_ascending = !operators.empty();
  for (size_t i = 1; i < operators.size(); ++i) {
    is_ascending = is_ascending && operators[i - 1] < operators[i];
  }
  cursor.FailUnless(is_ascending, Status::kManifestMalformed);
}

void ReadCustomOperators(CborCursor& cursor, ByteSpan& custom_operators) {
  CborCursor items = cursor;
  cursor.ReadItem(custom_operators);
  const uint32_t count = items.ReadArrayHead();
  cursor.FailUnless(count != 0, Status::kManifestMalformed);
  std::string_view name;
  for (uint32_t i = 0; i < count; ++i) items.ReadText(name);
  cursor.FailUnless(items.ok(), items.status());
}

void ReadArenaPlans(CborCursor& cursor, ModelRequirements& model) {
  CborCursor::Map map = cursor.BeginMap();
  for (int32_t kind; cursor.NextKey(map, kind);) {
    if (kind < 0 || kind > kPlanKindLast) return cursor.Fail(Status::kManifestPartUnknown);
    ArenaPlan& plan = model.arena_plans[model.arena_plan_count++];
    plan.kind = static_cast<PlanKind>(kind);
    plan.arena_bytes = cursor.ReadNumber();
  }
  cursor.FailUnless(model.arena_plan_count != 0, Status::kManifestMalformed);
}
static_assert(kPlanKindLast < kArenaPlansMax, "keys are unique, so the plans always fit");

void ReadSelfTest(CborCursor& cursor, SelfTest& test) {
  cursor.ReadArrayOf(2, Status::kManifestPartUnknown);
  if (cursor.IsNext(CborType::kUnsigned)) {
    test.seed = cursor.ReadNumber();
  } else {
    cursor.ReadBytes(test.input, kSelfTestInputBytesMax);
  }
  cursor.ReadBytes(test.output_digest, kImageDigestBytes);
  const bool has_input = test.seed != 0 || !test.input.empty();
  cursor.FailUnless(has_input && test.output_digest.size() >= kOutputDigestBytesMin,
                    Status::kManifestMalformed);
}

void ReadSelfTests(CborCursor& cursor, ModelRequirements& model) {
  model.self_test_count = ReadCount(cursor, kSelfTestsMax);
  for (size_t i = 0; i < model.self_test_count; ++i) ReadSelfTest(cursor, model.self_tests[i]);
}

void ReadAccuracy(CborCursor& cursor, AccuracyStatement& accuracy) {
  cursor.ReadArrayOf(3, Status::kManifestPartUnknown);
  cursor.ReadText(accuracy.metric, kMetricBytesMax);
  accuracy.parts_per_million = cursor.ReadNumber();
  accuracy.sample_count = cursor.ReadNumber();
  cursor.FailUnless(!accuracy.metric.empty() && accuracy.parts_per_million <= 1'000'000,
                    Status::kManifestMalformed);
}

void ReadMember(CborCursor& cursor, int32_t key, Manifest& manifest) {
  ModelRequirements& model = manifest.model;
  switch (key) {
    case kRequirementsVersion:
      return cursor.ReadText(manifest.version, kVersionBytesMax);
    case kRequirementsPrecursor:
      return ReadDigest(cursor, manifest.precursor_digest);
    case kRequirementsEncodings:
      return ReadEncodings(cursor, manifest);
    case kRequirementsPayloadDigest:
      return ReadDigest(cursor, manifest.payload_digest);
    case kRequirementsPayloadSize:
      manifest.payload_size_bytes = cursor.ReadNumber();
      return;
    case kRequirementsEngineVersion:
      model.engine_version = cursor.ReadNumber();
      return;
    case kRequirementsRounding:
      model.rounding = static_cast<RoundingMode>(ReadKnown(cursor, 1));
      return;
    case kRequirementsOperators:
      return ReadOperators(cursor, model.operators);
    case kRequirementsArenaPlans:
      return ReadArenaPlans(cursor, model);
    case kRequirementsSelfTests:
      return ReadSelfTests(cursor, model);
    case kRequirementsAccuracy:
      return ReadAccuracy(cursor, model.accuracy);
    case kRequirementsCustomOperators:
      return ReadCustomOperators(cursor, model.custom_operators);
    default:
      return cursor.Fail(Status::kManifestPartUnknown);
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

void DecodeRequirements(CborCursor& cursor, Manifest& manifest) {
  CborCursor::Map map = cursor.BeginMap();
  for (int32_t key; cursor.NextKey(map, key);) ReadMember(cursor, key, manifest);
  const bool has_size = manifest.payload_size_bytes != 0;
  cursor.FailUnless(has_size == !manifest.payload_digest.empty(), Status::kManifestIncomplete);
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
