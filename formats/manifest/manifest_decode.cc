// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "formats/cbor/cbor_cursor.h"
#include "formats/manifest/manifest.h"
#include "formats/manifest/requirements.h"
#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

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

bool IsCondition(int32_t code) {
  return code > 0 && code < 32 &&
         ((kCheckedParameters | BitOf(kSuitUpdatePriority)) & BitOf(code)) != 0;
}

bool IsKnownParameter(int32_t parameter) {
  if (parameter == kSuitPrivateRequirements) return true;
  return parameter > 0 && parameter < 32 &&
         ((kSharedParameters | kInstallParameters) & BitOf(parameter)) != 0;
}

// Members that each manifest has.
constexpr uint32_t kRequiredMembers = 1u << kSuitManifestVersion |
                                      1u << kSuitManifestSequenceNumber |
                                      1u << kSuitManifestCommon | 1u << kSuitManifestValidate;

class Decoder {
 public:
  Decoder(ByteSpan bytes, Manifest& manifest) : cursor_(bytes), manifest_(manifest) {}

  Status Decode();

 private:
  void DecodeMember(int32_t key);
  void DecodeCommon();
  void DecodeComponentId();
  void DecodeSequence();
  void DecodeCommand(int32_t code);
  void DecodeCondition(int32_t code);
  void DecodeParameters();
  void DecodeParameter(int32_t parameter);
  void DecodeClassAlternatives();
  void DecodeClassAlternative();
  void ReadUuid(ByteSpan& id);
  void ReadClassId();
  void ReadImageDigest();
  void ReadReportingPolicy() { (void)cursor_.ReadNumber(kSuitReportAll); }  // only checked
  Status CheckComplete() const;

  CborCursor cursor_;
  Manifest& manifest_;
  int32_t section_ = 0;  // the member whose command sequence is being read
  uint32_t members_ = 0;
  uint32_t parameters_ = 0;
  uint32_t shared_conditions_ = 0;
  bool has_image_match_ = false;
  bool has_fetch_ = false;
};

Status Decoder::Decode() {
  CborCursor::Map map = cursor_.BeginMap();
  for (int32_t key; cursor_.NextKey(map, key);) DecodeMember(key);
  OTA_TRY(cursor_.Finish());
  return CheckComplete();
}

void Decoder::DecodeMember(int32_t key) {
  section_ = key;
  members_ |= 1u << (key & 31);  // all keys that are not refused below are lower
  switch (key) {
    case kSuitManifestVersion:
      return cursor_.FailUnless(cursor_.ReadUnsigned() == 1, Status::kManifestVersionUnknown);
    case kSuitManifestSequenceNumber:
      manifest_.sequence_number = cursor_.ReadUnsigned();
      return;
    case kSuitManifestReferenceUri:
    case kSuitManifestText:
      return cursor_.SkipItem();  // for people, and read by nobody here
    case kSuitManifestCommon:
    case kSuitManifestValidate:
    case kSuitManifestLoad:
    case kSuitManifestInvoke:
    case kSuitManifestInstall: {
      const uint8_t* const end = cursor_.Enter();
      if (key == kSuitManifestCommon) {
        DecodeCommon();
      } else {
        DecodeSequence();
      }
      return cursor_.Leave(end);
    }
    default:
      return cursor_.Fail(Status::kManifestPartUnknown);
  }
}

void Decoder::DecodeCommon() {
  CborCursor::Map map = cursor_.BeginMap();
  cursor_.FailUnless(map.pairs_left == 2, Status::kManifestIncomplete);
  for (int32_t key; cursor_.NextKey(map, key);) {
    if (key == kSuitCommonComponents) {
      cursor_.ReadArrayOf(1, Status::kManifestPartUnknown);
      DecodeComponentId();
    } else if (key == kSuitCommonSharedSequence) {
      const uint8_t* const end = cursor_.Enter();
      DecodeSequence();
      cursor_.Leave(end);
    } else {
      cursor_.Fail(Status::kManifestPartUnknown);
    }
  }
}

void Decoder::DecodeComponentId() {
  std::array<ByteSpan, 4> parts;  // what is beyond the third makes it one of others
  const uint32_t count = cursor_.ReadArrayHead();
  for (uint32_t i = 0; i < count; ++i) cursor_.ReadBytes(parts[std::min(i, 3u)]);
  const auto& [kind, name, unit, rest] = parts;
  const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
  const bool is_ours = (count == 2 || (count == 3 && unit.size() == 1 && unit[0] >= 1)) &&
                       kind.size() == 1 && kind[0] >= 1 && kind[0] <= kComponentKindLast &&
                       IsComponentName(text);
  if (!is_ours) return;  // stays kForeign
  manifest_.kind = static_cast<ComponentKind>(kind[0]);
  manifest_.component_name = text;
  if (unit.empty()) return;
  cursor_.FailUnless(unit[0] <= kMemoryUnitLast, Status::kManifestPartUnknown);
  manifest_.memory_unit = static_cast<MemoryUnit>(unit[0]);
}

void Decoder::DecodeSequence() {
  const uint32_t count = cursor_.ReadArrayHead();
  cursor_.FailUnless(count % 2 == 0, Status::kManifestMalformed);
  for (uint32_t i = 0; i < count && cursor_.ok(); i += 2) DecodeCommand(cursor_.ReadInteger());
}

void Decoder::DecodeCommand(int32_t code) {
  if (IsCondition(code)) return DecodeCondition(code);
  if (code == kSuitSetComponentIndex) {
    return cursor_.FailUnless(cursor_.ReadUnsigned() == 0, Status::kManifestMalformed);
  }
  if (code == kSuitOverrideParameters) return DecodeParameters();
  if (code == kSuitTryEach && section_ == kSuitManifestCommon) return DecodeClassAlternatives();
  const bool is_fetch = code == kSuitFetch && section_ == kSuitManifestInstall;
  const bool is_invoke =
      code == kSuitInvoke && (section_ == kSuitManifestLoad || section_ == kSuitManifestInvoke);
  if (!is_fetch && !is_invoke) return cursor_.Fail(Status::kManifestPartUnknown);
  ReadReportingPolicy();
  if (is_invoke) return;
  cursor_.FailUnless(!manifest_.uri.empty() && !has_fetch_, Status::kManifestMalformed);
  has_fetch_ = true;
}

void Decoder::DecodeCondition(int32_t code) {
  ReadReportingPolicy();
  cursor_.FailUnless((parameters_ & BitOf(code)) != 0, Status::kManifestIncomplete);
  if (section_ == kSuitManifestCommon) shared_conditions_ |= BitOf(code);
  if (section_ == kSuitManifestValidate && code == kSuitImageDigest) has_image_match_ = true;
}

void Decoder::DecodeParameters() {
  uint32_t allowed = 0;
  if (section_ == kSuitManifestCommon) allowed = kSharedParameters;
  if (section_ == kSuitManifestInstall) allowed = kInstallParameters;
  CborCursor::Map map = cursor_.BeginMap();
  for (int32_t parameter; cursor_.NextKey(map, parameter);) {
    if (!IsKnownParameter(parameter)) return cursor_.Fail(Status::kManifestPartUnknown);
    // Each is set once, and where it belongs: a later section cannot change what was checked.
    const uint32_t bit = BitOf(parameter);
    cursor_.FailUnless((allowed & ~parameters_ & bit) != 0, Status::kManifestMalformed);
    parameters_ |= bit;
    DecodeParameter(parameter);
  }
}

void Decoder::DecodeParameter(int32_t parameter) {
  switch (parameter) {
    case kSuitVendorId:
      return ReadUuid(manifest_.vendor_id);
    case kSuitClassId:
      return ReadClassId();
    case kSuitDeviceId:
      return ReadUuid(manifest_.device_id);
    case kSuitImageDigest:
      return ReadImageDigest();
    case kSuitUseBefore:
      manifest_.use_before_s = cursor_.ReadUnsigned();
      return;
    case kSuitUri:
      cursor_.ReadText(manifest_.uri, kUriBytesMax);
      return cursor_.FailUnless(!manifest_.uri.empty(), Status::kManifestMalformed);
    case kSuitEncryptionInfo:
      cursor_.ReadBytes(manifest_.encryption_info);
      return cursor_.FailUnless(!manifest_.encryption_info.empty(), Status::kManifestMalformed);
    case kSuitPrivateRequirements: {
      const uint8_t* const end = cursor_.Enter();
      DecodeRequirements(cursor_, manifest_);
      return cursor_.Leave(end);
    }
    default:
      break;
  }
  const uint32_t value = cursor_.ReadNumber();
  switch (parameter) {
    case kSuitComponentSlot:
      manifest_.slot = value;
      return;
    case kSuitImageSize:
      manifest_.image_size_bytes = value;
      return;
    case kSuitMinimumBattery:
      manifest_.minimum_battery_mwh = value;
      return;
    default:
      cursor_.FailUnless(value <= static_cast<uint32_t>(UpdatePriority::kOptional),
                         Status::kManifestPartUnknown);
      manifest_.priority = static_cast<UpdatePriority>(value);
  }
}

// try-each over sequences that set a class id and check it: the device must be of one of them.
void Decoder::DecodeClassAlternatives() {
  const uint32_t count = cursor_.ReadArrayHead();
  cursor_.FailUnless(count >= 2 && (parameters_ & BitOf(kSuitClassId)) == 0,
                     Status::kManifestMalformed);
  for (uint32_t i = 0; i < count; ++i) DecodeClassAlternative();
  parameters_ |= BitOf(kSuitClassId);
  shared_conditions_ |= BitOf(kSuitClassId);
}

void Decoder::DecodeClassAlternative() {
  const auto expect = [this](int64_t number) {
    cursor_.FailUnless(cursor_.ReadInteger() == number, Status::kManifestPartUnknown);
  };
  const uint8_t* const end = cursor_.Enter();
  cursor_.ReadArrayOf(4, Status::kManifestPartUnknown);
  expect(kSuitOverrideParameters);
  cursor_.FailUnless(cursor_.BeginMap().pairs_left == 1, Status::kManifestPartUnknown);
  expect(kSuitClassId);
  ReadClassId();
  expect(kSuitClassId);
  ReadReportingPolicy();
  cursor_.Leave(end);
}

void Decoder::ReadUuid(ByteSpan& id) {
  cursor_.ReadBytesOfSize(id, kUuidBytes, Status::kManifestMalformed);
}

void Decoder::ReadClassId() {
  if (manifest_.class_id_count == kClassIdsMax) return cursor_.Fail(Status::kManifestPartUnknown);
  ReadUuid(manifest_.class_ids[manifest_.class_id_count++]);
}

// In a byte string that holds an encoded SUIT_Digest.
void Decoder::ReadImageDigest() {
  const uint8_t* const end = cursor_.Enter();
  cursor_.ReadArrayOf(2, Status::kManifestPartUnknown);
  cursor_.FailUnless(cursor_.ReadInteger() == kSuitDigestSha256, Status::kManifestPartUnknown);
  cursor_.ReadBytesOfSize(manifest_.image_digest, kImageDigestBytes, Status::kManifestMalformed);
  cursor_.Leave(end);
}

Status Decoder::CheckComplete() const {
  const uint32_t checked = shared_conditions_ | BitOf(kSuitImageDigest);
  const bool is_image_as_is = manifest_.encoding_count == 0 && manifest_.encryption_info.empty();
  const bool is_complete = has_image_match_ && (kRequiredMembers & ~members_) == 0 &&
                           (kRequiredParameters & ~parameters_) == 0 &&
                           (parameters_ & kCheckedParameters & ~checked) == 0 &&
                           (manifest_.uri.empty() || has_fetch_) &&
                           (is_image_as_is || !manifest_.payload_digest.empty());
  if (!is_complete) return Status::kManifestIncomplete;
  return manifest_.image_size_bytes == 0 ? Status::kManifestMalformed : Status::kOk;
}

}  // namespace

Status DecodeManifest(ByteSpan bytes, Manifest& manifest) {
  manifest = {};
  OTA_TRY(Decoder(bytes, manifest).Decode());
  if (manifest.payload_digest.empty()) manifest.payload_size_bytes = manifest.image_size_bytes;
  return Status::kOk;
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
