// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/manifest.h"
#include "formats/manifest/requirements.h"
#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

void WriteWrappedDigest(CborWriter& writer, ByteSpan digest) {
  const size_t wrapped = writer.BeginWrapped();
  writer.WriteArrayHead(2);
  writer.WriteInteger(kSuitDigestSha256);
  writer.WriteBytes(digest);
  writer.EndWrapped(wrapped);
}

void WriteComponents(CborWriter& writer, const Manifest& manifest) {
  const auto kind = static_cast<uint8_t>(manifest.kind);
  const auto unit = static_cast<uint8_t>(manifest.memory_unit);
  const std::string_view name = manifest.component_name;
  const bool has_unit = manifest.memory_unit != MemoryUnit::kAny;
  writer.WriteArrayHead(1);
  writer.WriteArrayHead(has_unit ? 3 : 2);
  writer.WriteBytes(ByteSpan(&kind, 1));
  writer.WriteBytes({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
  if (has_unit) writer.WriteBytes(ByteSpan(&unit, 1));
}

void WriteSharedParameters(CborWriter& writer, const Manifest& manifest) {
  const bool has_one_class = manifest.class_id_count == 1;
  const bool has_priority = manifest.priority != UpdatePriority::kOptional;
  const bool has_requirements = HasRequirements(manifest);
  writer.WriteMapHead(3u + has_one_class + manifest.use_before_s.has_value() +
                      manifest.slot.has_value() + !manifest.device_id.empty() +
                      manifest.minimum_battery_mwh.has_value() + has_priority + has_requirements);
  writer.WriteInteger(kSuitVendorId);
  writer.WriteBytes(manifest.vendor_id);
  if (has_one_class) {
    writer.WriteInteger(kSuitClassId);
    writer.WriteBytes(manifest.class_ids[0]);
  }
  writer.WriteInteger(kSuitImageDigest);
  WriteWrappedDigest(writer, manifest.image_digest);
  const auto write_number = [&writer](int64_t parameter, auto number) {
    if (!number.has_value()) return;
    writer.WriteInteger(parameter);
    writer.WriteUnsigned(*number);
  };
  write_number(kSuitUseBefore, manifest.use_before_s);
  write_number(kSuitComponentSlot, manifest.slot);
  write_number(kSuitImageSize, std::optional(manifest.image_size_bytes));
  if (!manifest.device_id.empty()) {
    writer.WriteInteger(kSuitDeviceId);
    writer.WriteBytes(manifest.device_id);
  }
  write_number(kSuitMinimumBattery, manifest.minimum_battery_mwh);
  if (has_priority) {
    write_number(kSuitUpdatePriority, std::optional(static_cast<uint32_t>(manifest.priority)));
  }
  if (has_requirements) {
    writer.WriteInteger(kSuitPrivateRequirements);
    const size_t wrapped = writer.BeginWrapped();
    WriteRequirements(writer, manifest);
    writer.EndWrapped(wrapped);
  }
}

void WriteCondition(CborWriter& writer, int64_t code) {
  writer.WriteInteger(code);
  writer.WriteUnsigned(kSuitReportAll);
}

void WriteClassAlternatives(CborWriter& writer, const Manifest& manifest) {
  writer.WriteInteger(kSuitTryEach);
  writer.WriteArrayHead(manifest.class_id_count);
  for (size_t i = 0; i < manifest.class_id_count; ++i) {
    const size_t wrapped = writer.BeginWrapped();
    writer.WriteArrayHead(4);
    writer.WriteInteger(kSuitOverrideParameters);
    writer.WriteMapHead(1);
    writer.WriteInteger(kSuitClassId);
    writer.WriteBytes(manifest.class_ids[i]);
    WriteCondition(writer, kSuitClassId);
    writer.EndWrapped(wrapped);
  }
}

void WriteSharedSequence(CborWriter& writer, const Manifest& manifest) {
  const uint64_t conditions = 1u + !manifest.device_id.empty() + manifest.use_before_s.has_value() +
                              manifest.slot.has_value() + manifest.minimum_battery_mwh.has_value();
  writer.WriteArrayHead(2 + 2 * (conditions + 1));
  writer.WriteInteger(kSuitOverrideParameters);
  WriteSharedParameters(writer, manifest);
  WriteCondition(writer, kSuitVendorId);
  if (manifest.class_id_count == 1) {
    WriteCondition(writer, kSuitClassId);
  } else {
    WriteClassAlternatives(writer, manifest);
  }
  if (!manifest.device_id.empty()) WriteCondition(writer, kSuitDeviceId);
  if (manifest.use_before_s.has_value()) WriteCondition(writer, kSuitUseBefore);
  if (manifest.slot.has_value()) WriteCondition(writer, kSuitComponentSlot);
  if (manifest.minimum_battery_mwh.has_value()) WriteCondition(writer, kSuitMinimumBattery);
}

void WriteCommon(CborWriter& writer, const Manifest& manifest) {
  writer.WriteMapHead(2);
  writer.WriteInteger(kSuitCommonComponents);
  WriteComponents(writer, manifest);
  writer.WriteInteger(kSuitCommonSharedSequence);
  const size_t shared = writer.BeginWrapped();
  WriteSharedSequence(writer, manifest);
  writer.EndWrapped(shared);
}

void WriteInstall(CborWriter& writer, const Manifest& manifest) {
  const bool is_encrypted = !manifest.encryption_info.empty();
  writer.WriteArrayHead(6);
  writer.WriteInteger(kSuitOverrideParameters);
  writer.WriteMapHead(is_encrypted ? 2 : 1);
  if (is_encrypted) {
    writer.WriteInteger(kSuitEncryptionInfo);
    writer.WriteBytes(manifest.encryption_info);
  }
  writer.WriteInteger(kSuitUri);
  writer.WriteText(manifest.uri);
  writer.WriteInteger(kSuitFetch);
  writer.WriteUnsigned(kSuitReportFailure);
  WriteCondition(writer, kSuitImageDigest);
}

}  // namespace

void WriteManifest(CborWriter& writer, const Manifest& manifest) {
  const bool has_payload = !manifest.uri.empty();
  writer.WriteMapHead(has_payload ? 5 : 4);
  writer.WriteInteger(kSuitManifestVersion);
  writer.WriteUnsigned(1);
  writer.WriteInteger(kSuitManifestSequenceNumber);
  writer.WriteUnsigned(manifest.sequence_number);
  writer.WriteInteger(kSuitManifestCommon);
  const size_t common = writer.BeginWrapped();
  WriteCommon(writer, manifest);
  writer.EndWrapped(common);
  writer.WriteInteger(kSuitManifestValidate);
  const size_t validate = writer.BeginWrapped();
  writer.WriteArrayHead(2);
  WriteCondition(writer, kSuitImageDigest);
  writer.EndWrapped(validate);
  if (!has_payload) return;
  writer.WriteInteger(kSuitManifestInstall);
  const size_t install = writer.BeginWrapped();
  WriteInstall(writer, manifest);
  writer.EndWrapped(install);
}

}  // namespace ota::formats
