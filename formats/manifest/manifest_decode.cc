// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "formats/cbor/cbor_fields.h"
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

// The numbers of the specials: sequences of commands by the member that holds them.
constexpr uint32_t kSpecialComponentId = 0;
constexpr uint32_t kSpecialClassId = 1;
constexpr uint32_t kSpecialReportingPolicy = 2;
constexpr uint32_t kSpecialRequirements = 4;

constexpr auto kManifestTable = CborTable<
    CborStatuses(Status::kManifestPartUnknown, Status::kManifestMalformed),
    CborMap(Status::kManifestIncomplete, 4), CborKey(kSuitManifestVersion),
    CborStatuses(Status::kManifestVersionUnknown), CborEqual(1),
    CborKey(kSuitManifestSequenceNumber), CborNumber(OTA_CBOR_PLACE(Manifest, sequence_number)),
    CborKey(kSuitManifestCommon), kCborWrapped, CborMap(Status::kManifestIncomplete, 2),
    CborKey(kSuitCommonComponents), CborArray(1), CborSpecial(kSpecialComponentId),
    CborKey(kSuitCommonSharedSequence), kCborWrapped, CborSpecial(kSuitManifestCommon), kCborEnd,
    kCborEnd, kCborEnd, CborKey(kSuitManifestValidate), kCborWrapped,
    CborSpecial(kSuitManifestValidate), kCborEnd, CborKey(kSuitManifestLoad), kCborWrapped,
    CborSpecial(kSuitManifestLoad), kCborEnd, CborKey(kSuitManifestInvoke), kCborWrapped,
    CborSpecial(kSuitManifestInvoke), kCborEnd, CborKey(kSuitManifestInstall), kCborWrapped,
    CborSpecial(kSuitManifestInstall), kCborEnd,
    CborKey(kSuitManifestReferenceUri),  // for people, as the text, and read by nobody here
    kCborSkip, CborKey(kSuitManifestText), kCborSkip, kCborEnd, kCborEnd>();

constexpr auto kParameterTable = CborTable<
    CborStatuses(Status::kManifestPartUnknown, Status::kManifestMalformed), CborMap(Status::kOk, 0),
    CborKey(kSuitVendorId), CborBytesOf(OTA_CBOR_PLACE(Manifest, vendor_id), kUuidBytes),
    CborKey(kSuitClassId), CborSpecial(kSpecialClassId), CborKey(kSuitDeviceId),
    CborBytesOf(OTA_CBOR_PLACE(Manifest, device_id), kUuidBytes), CborKey(kSuitImageDigest),
    kCborWrapped, CborArray(2), CborEqual(kSuitDigestSha256),
    CborBytesOf(OTA_CBOR_PLACE(Manifest, image_digest), kImageDigestBytes), kCborEnd,
    CborKey(kSuitUseBefore), CborNumber(OTA_CBOR_PLACE(Manifest, use_before_s)),
    CborKey(kSuitComponentSlot), CborNumber(OTA_CBOR_PLACE(Manifest, slot)),
    CborKey(kSuitImageSize), kCborNotZero, CborNumber(OTA_CBOR_PLACE(Manifest, image_size_bytes)),
    CborKey(kSuitMinimumBattery), CborNumber(OTA_CBOR_PLACE(Manifest, minimum_battery_mwh)),
    CborKey(kSuitUpdatePriority),
    CborNumber(OTA_CBOR_PLACE(Manifest, priority), UpdatePriority::kOptional),
    CborKey(kSuitEncryptionInfo), kCborNotZero,
    CborBytes(OTA_CBOR_PLACE(Manifest, encryption_info)), CborKey(kSuitUri), kCborNotZero,
    CborText(OTA_CBOR_PLACE(Manifest, uri), kUriBytesMax), CborKey(kSuitPrivateRequirements),
    kCborWrapped, CborSpecial(kSpecialRequirements), kCborEnd, kCborEnd, kCborEnd>();

// One of the sequences of try-each: it sets a class id and checks it.
constexpr auto kClassAlternativeTable =
    CborTable<CborStatuses(Status::kManifestPartUnknown, Status::kManifestMalformed), kCborWrapped,
              CborArray(4), CborEqual(kSuitOverrideParameters),
              CborMap(Status::kManifestPartUnknown, 1), CborKey(kSuitClassId),
              CborSpecial(kSpecialClassId), kCborEnd, CborEqual(kSuitClassId),
              CborSpecial(kSpecialReportingPolicy), kCborEnd, kCborEnd>();

class Decoder : public CborFieldReader {
 public:
  Decoder(ByteSpan bytes, Manifest& manifest)
      : CborFieldReader(bytes, ReadSpecial), manifest_(manifest) {}

  Status Decode();

 private:
  static void ReadSpecial(CborFieldReader& reader, uint32_t number, void* target);
  void DecodeComponentId();
  void DecodeSequence(uint32_t section);
  void DecodeCommand(int32_t code);
  void DecodeCondition(int32_t code);
  void DecodeParameters();
  void DecodeClassAlternatives();
  void ReadClassId();
  void ReadReportingPolicy() { (void)ReadNumber(kSuitReportAll); }  // only checked
  Status CheckComplete() const;

  Manifest& manifest_;
  uint32_t section_ = 0;  // the member whose command sequence is being read
  uint32_t parameters_ = 0;
  uint32_t shared_conditions_ = 0;
  bool has_image_match_ = false;
  bool has_fetch_ = false;
};

Status Decoder::Decode() {
  Read(kManifestTable.data(), &manifest_);
  OTA_TRY(Finish());
  return CheckComplete();
}

void Decoder::ReadSpecial(CborFieldReader& reader, uint32_t number, void*) {
  auto& decoder = static_cast<Decoder&>(reader);
  switch (number) {
    case kSpecialComponentId:
      return decoder.DecodeComponentId();
    case kSpecialClassId:
      return decoder.ReadClassId();
    case kSpecialReportingPolicy:
      return decoder.ReadReportingPolicy();
    case kSpecialRequirements:
      return DecodeRequirements(reader, decoder.manifest_);
    default:
      return decoder.DecodeSequence(number);
  }
}

void Decoder::DecodeComponentId() {
  std::array<ByteSpan, 4> parts;  // what is beyond the third makes it one of others
  const uint32_t count = ReadArrayHead();
  for (uint32_t i = 0; i < count; ++i) ReadBytes(parts[std::min(i, 3u)]);
  const auto& [kind, name, unit, rest] = parts;
  const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
  const bool is_ours = (count == 2 || (count == 3 && unit.size() == 1 && unit[0] >= 1)) &&
                       kind.size() == 1 && kind[0] >= 1 && kind[0] <= kComponentKindLast &&
                       IsComponentName(text);
  if (!is_ours) return;  // stays kForeign
  manifest_.kind = static_cast<ComponentKind>(kind[0]);
  manifest_.component_name = text;
  if (unit.empty()) return;
  FailUnless(unit[0] <= kMemoryUnitLast, Status::kManifestPartUnknown);
  manifest_.memory_unit = static_cast<MemoryUnit>(unit[0]);
}

void Decoder::DecodeSequence(uint32_t section) {
  section_ = section;
  const uint32_t count = ReadArrayHead();
  FailUnless(count % 2 == 0, Status::kManifestMalformed);
  for (uint32_t i = 0; i < count && ok(); i += 2) DecodeCommand(ReadInteger());
}

void Decoder::DecodeCommand(int32_t code) {
  if (IsCondition(code)) return DecodeCondition(code);
  if (code == kSuitSetComponentIndex) {
    return FailUnless(ReadUnsigned() == 0, Status::kManifestMalformed);
  }
  if (code == kSuitOverrideParameters) return DecodeParameters();
  if (code == kSuitTryEach && section_ == kSuitManifestCommon) return DecodeClassAlternatives();
  const bool is_fetch = code == kSuitFetch && section_ == kSuitManifestInstall;
  const bool is_invoke =
      code == kSuitInvoke && (section_ == kSuitManifestLoad || section_ == kSuitManifestInvoke);
  if (!is_fetch && !is_invoke) return Fail(Status::kManifestPartUnknown);
  ReadReportingPolicy();
  if (is_invoke) return;
  FailUnless(!manifest_.uri.empty() && !has_fetch_, Status::kManifestMalformed);
  has_fetch_ = true;
}

void Decoder::DecodeCondition(int32_t code) {
  ReadReportingPolicy();
  FailUnless((parameters_ & BitOf(code)) != 0, Status::kManifestIncomplete);
  if (section_ == kSuitManifestCommon) shared_conditions_ |= BitOf(code);
  if (section_ == kSuitManifestValidate && code == kSuitImageDigest) has_image_match_ = true;
}

void Decoder::DecodeParameters() {
  uint32_t allowed = 0;
  if (section_ == kSuitManifestCommon) allowed = kSharedParameters;
  if (section_ == kSuitManifestInstall) allowed = kInstallParameters;
  Map map = BeginMap();
  for (int32_t parameter; NextKey(map, parameter);) {
    ReadMember(kParameterTable.data(), parameter, &manifest_);
    if (!ok()) return;
    // Each is set once, and where it belongs: a later section cannot change what was checked.
    const uint32_t bit = BitOf(parameter);
    FailUnless((allowed & ~parameters_ & bit) != 0, Status::kManifestMalformed);
    parameters_ |= bit;
  }
}

// try-each: the device must be of one of the classes.
void Decoder::DecodeClassAlternatives() {
  const uint32_t count = ReadArrayHead();
  FailUnless(count >= 2 && (parameters_ & BitOf(kSuitClassId)) == 0, Status::kManifestMalformed);
  for (uint32_t i = 0; i < count; ++i) Read(kClassAlternativeTable.data(), &manifest_);
  parameters_ |= BitOf(kSuitClassId);
  shared_conditions_ |= BitOf(kSuitClassId);
}

void Decoder::ReadClassId() {
  if (manifest_.class_id_count == kClassIdsMax) return Fail(Status::kManifestPartUnknown);
  ReadBytesOfSize(manifest_.class_ids[manifest_.class_id_count++], kUuidBytes,
                  Status::kManifestMalformed);
}

Status Decoder::CheckComplete() const {
  const uint32_t checked = shared_conditions_ | BitOf(kSuitImageDigest);
  const bool is_image_as_is = manifest_.encoding_count == 0 && manifest_.encryption_info.empty();
  const bool is_complete = has_image_match_ && (kRequiredParameters & ~parameters_) == 0 &&
                           (parameters_ & kCheckedParameters & ~checked) == 0 &&
                           (manifest_.uri.empty() || has_fetch_) &&
                           (is_image_as_is || !manifest_.payload_digest.empty());
  return is_complete ? Status::kOk : Status::kManifestIncomplete;
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
