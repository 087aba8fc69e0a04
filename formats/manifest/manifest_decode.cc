// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "formats/cbor/cbor_reader.h"
#include "formats/manifest/manifest.h"
#include "formats/manifest/requirements.h"
#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

// Which part of the manifest a command sequence stands in.
enum class Section : uint8_t { kShared, kValidate, kInstall, kStart };

// Parameters and conditions that have been seen, as bits.
constexpr uint32_t BitOf(int64_t parameter) {
  return parameter == kSuitPrivateRequirements ? 1u : 1u << parameter;
}
constexpr uint32_t kInstallParameters = BitOf(kSuitUri) | BitOf(kSuitEncryptionInfo);
constexpr uint32_t kSharedParameters =
    BitOf(kSuitVendorId) | BitOf(kSuitClassId) | BitOf(kSuitImageDigest) | BitOf(kSuitUseBefore) |
    BitOf(kSuitComponentSlot) | BitOf(kSuitImageSize) | BitOf(kSuitDeviceId) |
    BitOf(kSuitMinimumBattery) | BitOf(kSuitUpdatePriority) | BitOf(kSuitPrivateRequirements);
constexpr uint32_t kRequiredParameters =
    BitOf(kSuitVendorId) | BitOf(kSuitClassId) | BitOf(kSuitImageDigest) | BitOf(kSuitImageSize);
// What is set must also be checked, or a processor that follows SUIT to the letter would ignore it.
constexpr uint32_t kCheckedParameters =
    BitOf(kSuitVendorId) | BitOf(kSuitClassId) | BitOf(kSuitImageDigest) | BitOf(kSuitUseBefore) |
    BitOf(kSuitComponentSlot) | BitOf(kSuitDeviceId) | BitOf(kSuitMinimumBattery);

bool IsCondition(int64_t code) {
  return code > 0 && code < 32 &&
         ((kCheckedParameters | BitOf(kSuitUpdatePriority)) & BitOf(code)) != 0;
}

bool IsKnownParameter(int64_t parameter) {
  if (parameter == kSuitPrivateRequirements) return true;
  return parameter > 0 && parameter < 32 &&
         ((kSharedParameters | kInstallParameters) & BitOf(parameter)) != 0;
}

Result<ByteSpan> ReadUuid(CborReader& reader) {
  OTA_TRY(const ByteSpan id, reader.ReadBytes());
  if (id.size() != kUuidBytes) return Status::kManifestMalformed;
  return id;
}

// The digest in a byte string that holds an encoded SUIT_Digest.
Result<ByteSpan> ReadWrappedDigest(CborReader& reader) {
  OTA_TRY(const ByteSpan wrapped, reader.ReadBytes());
  CborReader inner(wrapped);
  OTA_TRY(const uint32_t count, inner.ReadArrayHead());
  OTA_TRY(const int64_t algorithm, inner.ReadInteger());
  if (count != 2 || algorithm != kSuitDigestSha256) return Status::kManifestPartUnknown;
  OTA_TRY(const ByteSpan digest, inner.ReadBytes());
  OTA_TRY(inner.Finish());
  if (digest.size() != kImageDigestBytes) return Status::kManifestMalformed;
  return digest;
}

class Decoder {
 public:
  explicit Decoder(Manifest& manifest) : manifest_(manifest) {}

  Status Decode(ByteSpan bytes);

 private:
  Status DecodeMember(CborReader& reader, int64_t key);
  Status DecodeCommon(ByteSpan bytes);
  Status DecodeComponents(CborReader& reader);
  Status DecodeComponentId(CborReader& reader);
  Status DecodeSequence(ByteSpan bytes, Section section);
  Status DecodeCommand(CborReader& reader, int64_t code, Section section);
  Status DecodeCondition(CborReader& reader, int64_t code, Section section);
  Status DecodeParameters(CborReader& reader, Section section);
  Status DecodeParameter(CborReader& reader, int64_t parameter);
  Status DecodeClassAlternatives(CborReader& reader);
  Status DecodeClassAlternative(ByteSpan bytes);
  Status AddClassId(ByteSpan id);
  Status CheckComplete() const;

  Manifest& manifest_;
  uint32_t parameters_ = 0;
  uint32_t shared_conditions_ = 0;
  bool has_version_ = false;
  bool has_sequence_number_ = false;
  bool has_common_ = false;
  bool has_image_match_ = false;
  bool has_fetch_ = false;
};

Status Decoder::Decode(ByteSpan bytes) {
  CborReader reader(bytes);
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  while (map.has_next()) {
    OTA_TRY(const int64_t key, map.ReadIntegerKey());
    OTA_TRY(DecodeMember(reader, key));
  }
  OTA_TRY(reader.Finish());
  return CheckComplete();
}

Status Decoder::DecodeMember(CborReader& reader, int64_t key) {
  if (key == kSuitManifestVersion) {
    OTA_TRY(const uint64_t version, reader.ReadUnsigned());
    has_version_ = true;
    return version == 1 ? Status::kOk : Status::kManifestVersionUnknown;
  }
  if (key == kSuitManifestSequenceNumber) {
    OTA_TRY(manifest_.sequence_number, reader.ReadUnsigned());
    has_sequence_number_ = true;
    return Status::kOk;
  }
  // For people, and read by nobody here.
  if (key == kSuitManifestReferenceUri || key == kSuitManifestText) {
    OTA_TRY(reader.ReadItem());
    return Status::kOk;
  }
  const bool is_section = key == kSuitManifestCommon || key == kSuitManifestValidate ||
                          key == kSuitManifestLoad || key == kSuitManifestInvoke ||
                          key == kSuitManifestInstall;
  if (!is_section) return Status::kManifestPartUnknown;
  OTA_TRY(const ByteSpan content, reader.ReadBytes());
  if (key == kSuitManifestCommon) return DecodeCommon(content);
  if (key == kSuitManifestValidate) return DecodeSequence(content, Section::kValidate);
  if (key == kSuitManifestInstall) return DecodeSequence(content, Section::kInstall);
  return DecodeSequence(content, Section::kStart);
}

Status Decoder::DecodeCommon(ByteSpan bytes) {
  CborReader reader(bytes);
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  has_common_ = map.pairs_left() == 2;
  while (map.has_next()) {
    OTA_TRY(const int64_t key, map.ReadIntegerKey());
    if (key == kSuitCommonComponents) {
      OTA_TRY(DecodeComponents(reader));
    } else if (key == kSuitCommonSharedSequence) {
      OTA_TRY(const ByteSpan sequence, reader.ReadBytes());
      OTA_TRY(DecodeSequence(sequence, Section::kShared));
    } else {
      return Status::kManifestPartUnknown;
    }
  }
  return reader.Finish();
}

Status Decoder::DecodeComponents(CborReader& reader) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count != 1) return Status::kManifestPartUnknown;
  return DecodeComponentId(reader);
}

Status Decoder::DecodeComponentId(CborReader& reader) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  std::array<ByteSpan, 3> parts;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const ByteSpan part, reader.ReadBytes());
    if (i < parts.size()) parts[i] = part;
  }
  const auto& [kind, name, unit] = parts;
  const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
  const bool is_ours = (count == 2 || count == 3) && kind.size() == 1 && kind[0] >= 1 &&
                       kind[0] <= kComponentKindLast && IsComponentName(text) &&
                       (count == 2 || (unit.size() == 1 && unit[0] >= 1));
  if (!is_ours) return Status::kOk;  // stays kForeign
  if (count == 3 && unit[0] > kMemoryUnitLast) return Status::kManifestPartUnknown;
  manifest_.kind = static_cast<ComponentKind>(kind[0]);
  manifest_.component_name = text;
  if (count == 3) manifest_.memory_unit = static_cast<MemoryUnit>(unit[0]);
  return Status::kOk;
}

Status Decoder::DecodeSequence(ByteSpan bytes, Section section) {
  CborReader reader(bytes);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count % 2 != 0) return Status::kManifestMalformed;
  for (uint32_t i = 0; i < count; i += 2) {
    OTA_TRY(const int64_t code, reader.ReadInteger());
    OTA_TRY(DecodeCommand(reader, code, section));
  }
  return reader.Finish();
}

Status Decoder::DecodeCommand(CborReader& reader, int64_t code, Section section) {
  if (IsCondition(code)) return DecodeCondition(reader, code, section);
  if (code == kSuitSetComponentIndex) {
    OTA_TRY(const uint64_t index, reader.ReadUnsigned());
    return index == 0 ? Status::kOk : Status::kManifestMalformed;
  }
  if (code == kSuitOverrideParameters) return DecodeParameters(reader, section);
  if (code == kSuitTryEach && section == Section::kShared) return DecodeClassAlternatives(reader);
  if (code == kSuitFetch && section == Section::kInstall) {
    OTA_TRY(reader.ReadUnsigned(kSuitReportAll));
    if (manifest_.uri.empty() || has_fetch_) return Status::kManifestMalformed;
    has_fetch_ = true;
    return Status::kOk;
  }
  if (code == kSuitInvoke && section == Section::kStart) {
    OTA_TRY(reader.ReadUnsigned(kSuitReportAll));
    return Status::kOk;
  }
  return Status::kManifestPartUnknown;
}

Status Decoder::DecodeCondition(CborReader& reader, int64_t code, Section section) {
  OTA_TRY(reader.ReadUnsigned(kSuitReportAll));
  if ((parameters_ & BitOf(code)) == 0) return Status::kManifestIncomplete;
  if (section == Section::kShared) shared_conditions_ |= BitOf(code);
  if (section == Section::kValidate && code == kSuitImageDigest) has_image_match_ = true;
  return Status::kOk;
}

Status Decoder::DecodeParameters(CborReader& reader, Section section) {
  uint32_t allowed = 0;
  if (section == Section::kShared) allowed = kSharedParameters;
  if (section == Section::kInstall) allowed = kInstallParameters;
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  while (map.has_next()) {
    OTA_TRY(const int64_t parameter, map.ReadIntegerKey());
    if (!IsKnownParameter(parameter)) return Status::kManifestPartUnknown;
    // Each is set once, and where it belongs: a later section cannot change what was checked.
    if ((allowed & BitOf(parameter)) == 0 || (parameters_ & BitOf(parameter)) != 0) {
      return Status::kManifestMalformed;
    }
    parameters_ |= BitOf(parameter);
    OTA_TRY(DecodeParameter(reader, parameter));
  }
  return Status::kOk;
}

Status Decoder::DecodeParameter(CborReader& reader, int64_t parameter) {
  switch (parameter) {
    case kSuitVendorId: {
      OTA_TRY(manifest_.vendor_id, ReadUuid(reader));
      return Status::kOk;
    }
    case kSuitClassId: {
      OTA_TRY(const ByteSpan id, ReadUuid(reader));
      return AddClassId(id);
    }
    case kSuitDeviceId: {
      OTA_TRY(manifest_.device_id, ReadUuid(reader));
      return Status::kOk;
    }
    case kSuitImageDigest: {
      OTA_TRY(manifest_.image_digest, ReadWrappedDigest(reader));
      return Status::kOk;
    }
    case kSuitUseBefore: {
      OTA_TRY(manifest_.use_before_s, reader.ReadUnsigned());
      return Status::kOk;
    }
    case kSuitUri: {
      OTA_TRY(manifest_.uri, reader.ReadText(kUriBytesMax));
      return manifest_.uri.empty() ? Status::kManifestMalformed : Status::kOk;
    }
    case kSuitEncryptionInfo: {
      OTA_TRY(manifest_.encryption_info, reader.ReadBytes());
      return manifest_.encryption_info.empty() ? Status::kManifestMalformed : Status::kOk;
    }
    case kSuitPrivateRequirements: {
      OTA_TRY(const ByteSpan requirements, reader.ReadBytes());
      return DecodeRequirements(requirements, manifest_);
    }
    default:
      break;
  }
  OTA_TRY(const uint64_t number, reader.ReadUnsigned(UINT32_MAX));
  const auto value = static_cast<uint32_t>(number);
  if (parameter == kSuitComponentSlot) manifest_.slot = value;
  if (parameter == kSuitImageSize) manifest_.image_size_bytes = value;
  if (parameter == kSuitMinimumBattery) manifest_.minimum_battery_mwh = value;
  if (parameter != kSuitUpdatePriority) return Status::kOk;
  if (value > static_cast<uint32_t>(UpdatePriority::kOptional)) return Status::kManifestPartUnknown;
  manifest_.priority = static_cast<UpdatePriority>(value);
  return Status::kOk;
}

// try-each over sequences that set a class id and check it: the device must be of one of them.
Status Decoder::DecodeClassAlternatives(CborReader& reader) {
  if ((parameters_ & BitOf(kSuitClassId)) != 0) return Status::kManifestMalformed;
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count < 2) return Status::kManifestMalformed;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const ByteSpan sequence, reader.ReadBytes());
    OTA_TRY(DecodeClassAlternative(sequence));
  }
  parameters_ |= BitOf(kSuitClassId);
  shared_conditions_ |= BitOf(kSuitClassId);
  return Status::kOk;
}

Status Decoder::DecodeClassAlternative(ByteSpan bytes) {
  CborReader reader(bytes);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  OTA_TRY(const int64_t directive, reader.ReadInteger());
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  if (count != 4 || directive != kSuitOverrideParameters || map.pairs_left() != 1) {
    return Status::kManifestPartUnknown;
  }
  OTA_TRY(const int64_t parameter, map.ReadIntegerKey());
  if (parameter != kSuitClassId) return Status::kManifestPartUnknown;
  OTA_TRY(const ByteSpan id, ReadUuid(reader));
  OTA_TRY(const int64_t condition, reader.ReadInteger());
  if (condition != kSuitClassId) return Status::kManifestPartUnknown;
  OTA_TRY(reader.ReadUnsigned(kSuitReportAll));
  OTA_TRY(reader.Finish());
  return AddClassId(id);
}

Status Decoder::AddClassId(ByteSpan id) {
  if (manifest_.class_id_count == kClassIdsMax) return Status::kManifestPartUnknown;
  manifest_.class_ids[manifest_.class_id_count++] = id;
  return Status::kOk;
}

Status Decoder::CheckComplete() const {
  const bool has_all = has_version_ && has_sequence_number_ && has_common_ && has_image_match_ &&
                       (parameters_ & kRequiredParameters) == kRequiredParameters;
  if (!has_all) return Status::kManifestIncomplete;
  if (manifest_.image_size_bytes == 0) return Status::kManifestMalformed;
  const uint32_t checked = shared_conditions_ | BitOf(kSuitImageDigest);
  if ((parameters_ & kCheckedParameters & ~checked) != 0) return Status::kManifestIncomplete;
  if (!manifest_.uri.empty() && !has_fetch_) return Status::kManifestIncomplete;
  const bool is_image_as_is = manifest_.encoding_count == 0 && manifest_.encryption_info.empty();
  if (!is_image_as_is && manifest_.payload_digest.empty()) return Status::kManifestIncomplete;
  return Status::kOk;
}

}  // namespace

Result<Manifest> DecodeManifest(ByteSpan bytes) {
  Manifest manifest;
  OTA_TRY(Decoder(manifest).Decode(bytes));
  if (manifest.payload_digest.empty()) manifest.payload_size_bytes = manifest.image_size_bytes;
  return manifest;
}

bool IsComponentName(std::string_view name) {
  if (name.empty() || name.size() > kComponentNameBytesMax) return false;
  bool is_only_dots = true;
  for (const char c : name) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_letter && !is_digit && c != '.' && c != '_' && c != '-') return false;
    is_only_dots = is_only_dots && c == '.';
  }
  return !is_only_dots;
}

}  // namespace ota::formats
