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
constexpr uint32_t kConditions =
    BitOf(kSuitVendorId) | BitOf(kSuitClassId) | BitOf(kSuitImageDigest) | BitOf(kSuitUseBefore) |
    BitOf(kSuitComponentSlot) | BitOf(kSuitDeviceId) | BitOf(kSuitMinimumBattery);
// What is set must also be checked, or a processor that follows SUIT to the letter would ignore it;
// a URI, by being fetched.
static_assert(kSuitFetch == kSuitUri);
constexpr uint32_t kCheckedParameters = kConditions | BitOf(kSuitFetch);
constexpr uint32_t kCommandsAnywhere = kConditions | BitOf(kSuitUpdatePriority) |
                                       BitOf(kSuitSetComponentIndex) |
                                       BitOf(kSuitOverrideParameters);

// What the sequence of commands in one member of the manifest may hold.
struct Section {
  uint32_t commands;
  uint32_t parameters;
  uint32_t checks;  // the commands that count as the check of their parameter
};
constexpr Section kSections[] = {
    {kCommandsAnywhere | BitOf(kSuitTryEach), kSharedParameters,
     kConditions & ~BitOf(kSuitImageDigest)},
    {kCommandsAnywhere, 0, BitOf(kSuitImageDigest)},
    {kCommandsAnywhere | BitOf(kSuitFetch), kInstallParameters, BitOf(kSuitFetch)},
    {kCommandsAnywhere | BitOf(kSuitInvoke), 0, 0},
};

// The numbers of the specials; the first are those of the sections.
constexpr uint32_t kSpecialCommon = 0;
constexpr uint32_t kSpecialValidate = 1;
constexpr uint32_t kSpecialInstall = 2;
constexpr uint32_t kSpecialInvoke = 3;
constexpr uint32_t kSpecialComponentId = 4;
constexpr uint32_t kSpecialReportingPolicy = 5;
constexpr uint32_t kSpecialRequirements = 6;

constexpr auto kManifestTable = CborTable<
    CborStatuses(Status::kManifestPartUnknown, Status::kManifestMalformed),
    CborMap(Status::kManifestIncomplete, 4), CborKey(kSuitManifestVersion),
    CborStatuses(Status::kManifestVersionUnknown), CborEqual(1),
    CborKey(kSuitManifestSequenceNumber), CborNumber(OTA_CBOR_PLACE(Manifest, sequence_number)),
    CborKey(kSuitManifestCommon), kCborWrapped, CborMap(Status::kManifestIncomplete, 2),
    CborKey(kSuitCommonComponents), CborArray(1), CborSpecial(kSpecialComponentId),
    CborKey(kSuitCommonSharedSequence), kCborWrapped, CborSpecial(kSpecialCommon), kCborEnd,
    kCborEnd, kCborEnd, CborKey(kSuitManifestValidate), kCborWrapped, CborSpecial(kSpecialValidate),
    kCborEnd, CborKey(kSuitManifestLoad), kCborWrapped, CborSpecial(kSpecialInvoke), kCborEnd,
    CborKey(kSuitManifestInvoke), kCborWrapped, CborSpecial(kSpecialInvoke), kCborEnd,
    CborKey(kSuitManifestInstall), kCborWrapped, CborSpecial(kSpecialInstall), kCborEnd,
    CborKey(kSuitManifestReferenceUri),  // for people, as the text, and read by nobody here
    kCborSkip, CborKey(kSuitManifestText), kCborSkip, kCborEnd, kCborEnd>();

constexpr auto kParameterTable = CborTable<
    CborStatuses(Status::kManifestPartUnknown, Status::kManifestMalformed), CborMap(Status::kOk, 0),
    CborKey(kSuitVendorId), CborBytesOf(OTA_CBOR_PLACE(Manifest, vendor_id), kUuidBytes),
    CborKey(kSuitClassId),
    CborBytesOf(CborPlace<ByteSpan>{offsetof(Manifest, class_ids)}, kUuidBytes),
    CborKey(kSuitDeviceId), CborBytesOf(OTA_CBOR_PLACE(Manifest, device_id), kUuidBytes),
    CborKey(kSuitImageDigest), kCborWrapped, CborArray(2), CborEqual(kSuitDigestSha256),
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

constexpr auto kComponentPartsTable =
    CborTable<CborStatuses(Status::kManifestPartUnknown), CborItemsOf(CborPlace<ByteSpan>{}),
              CborBytes({}), kCborEnd, kCborEnd>();

// A component id of our form.
struct ComponentId {
  std::array<uint8_t, 1> kind = {};
  ByteSpan name;
  ByteSpan unit;  // one byte; empty: any
};

constexpr auto kComponentIdTable =
    CborTable<CborStatuses(Status::kManifestPartUnknown), CborArray(2, 3),
              CborCopyOf(OTA_CBOR_PLACE(ComponentId, kind)),
              CborBytes(OTA_CBOR_PLACE(ComponentId, name)), kCborIfLonger,
              CborBytesOf(OTA_CBOR_PLACE(ComponentId, unit), 1), kCborEnd>();

// try-each: the device must be of one of the classes. Each sequence sets a class id and checks it.
constexpr auto kTryEachTable =
    CborTable<CborStatuses(Status::kManifestPartUnknown, Status::kManifestMalformed), CborLeast(2),
              CborListOf(OTA_CBOR_PLACE(Manifest, class_id_count), kClassIdsMax),
              CborElements(OTA_CBOR_PLACE(Manifest, class_ids)), kCborWrapped, CborArray(4),
              CborEqual(kSuitOverrideParameters), CborMap(Status::kManifestPartUnknown, 1),
              CborKey(kSuitClassId), CborBytesOf({}, kUuidBytes), kCborEnd, CborEqual(kSuitClassId),
              CborSpecial(kSpecialReportingPolicy), kCborEnd, kCborEnd, kCborEnd>();

class Decoder : public CborFieldReader {
 public:
  Decoder(ByteSpan bytes, Manifest& manifest)
      : CborFieldReader(bytes, ReadSpecial), manifest_(manifest) {}

  Status Decode();

 private:
  static bool ReadSpecial(CborFieldReader& reader, uint32_t number, void* target);
  bool DecodeComponentId();
  void DecodeSequence(const Section& section);
  Status DecodeCommand(int32_t code, const Section& section);
  Status DecodeParameters(uint32_t allowed);
  Status DecodeClassAlternatives();
  void ReadReportingPolicy() { (void)ReadNumber(kSuitReportAll); }  // only checked
  bool IsComplete() const;

  Manifest& manifest_;
  uint32_t parameters_ = BitOf(kSuitInvoke);  // a command that needs none
  uint32_t checked_ = ~kCheckedParameters;
};

Status Decoder::Decode() {
  Read(kManifestTable.data(), &manifest_);
  OTA_TRY(Finish());
  if (manifest_.class_id_count == 0) manifest_.class_id_count = 1;
  if (manifest_.payload_digest.empty()) manifest_.payload_size_bytes = manifest_.image_size_bytes;
  return IsComplete() ? Status::kOk : Status::kManifestIncomplete;
}

bool Decoder::ReadSpecial(CborFieldReader& reader, uint32_t number, void*) {
  auto& decoder = static_cast<Decoder&>(reader);
  if (number == kSpecialComponentId) return decoder.DecodeComponentId();
  if (number == kSpecialReportingPolicy) {
    decoder.ReadReportingPolicy();
  } else if (number == kSpecialRequirements) {
    DecodeRequirements(reader, decoder.manifest_);
  } else {
    decoder.DecodeSequence(kSections[number]);
  }
  return true;
}

// An id that has not our form leaves the component kForeign.
bool Decoder::DecodeComponentId() {
  ByteSpan parts;
  Read(kComponentPartsTable.data(), &parts);
  ComponentId id;
  const Status decoded = DecodeFields(parts, &id, kComponentIdTable.data());
  const uint8_t unit = id.unit.empty() ? 0 : id.unit[0];
  const std::string_view name(reinterpret_cast<const char*>(id.name.data()), id.name.size());
  const bool is_ours = IsOk(decoded) && id.kind[0] >= 1 && id.kind[0] <= kComponentKindLast &&
                       IsComponentName(name) && (id.unit.empty() || unit != 0);
  if (!is_ours) return true;
  manifest_.kind = static_cast<ComponentKind>(id.kind[0]);
  manifest_.component_name = name;
  manifest_.memory_unit = static_cast<MemoryUnit>(unit);
  return unit <= kMemoryUnitLast;
}

void Decoder::DecodeSequence(const Section& section) {
  const uint32_t count = ReadArrayHead();
  FailUnless(count % 2 == 0, Status::kManifestMalformed);
  for (uint32_t i = 0; i < count && ok(); i += 2) {
    const Status status = DecodeCommand(ReadInteger(), section);
    FailUnless(IsOk(status), status);
  }
}

Status Decoder::DecodeCommand(int32_t code, const Section& section) {
  const uint32_t bit = static_cast<uint32_t>(code) < 32 ? BitOf(code) : 0;
  if ((section.commands & bit) == 0) return Status::kManifestPartUnknown;
  if (code == kSuitOverrideParameters) return DecodeParameters(section.parameters);
  if (code == kSuitTryEach) return DecodeClassAlternatives();
  if (code == kSuitSetComponentIndex) {
    return ReadUnsigned() == 0 ? Status::kOk : Status::kManifestMalformed;
  }
  ReadReportingPolicy();
  if ((parameters_ & bit) == 0) return Status::kManifestIncomplete;
  const bool is_again = (checked_ & bit & BitOf(kSuitFetch)) != 0;
  checked_ |= section.checks & bit;
  return is_again ? Status::kManifestMalformed : Status::kOk;
}

Status Decoder::DecodeParameters(uint32_t allowed) {
  Map map = BeginMap();
  for (int32_t parameter; NextKey(map, parameter);) {
    ReadMember(kParameterTable.data(), parameter, &manifest_);
    if (!ok()) break;
    // Each is set once, and where it belongs: a later section cannot change what was checked.
    const uint32_t bit = BitOf(parameter);
    if ((allowed & ~parameters_ & bit) == 0) return Status::kManifestMalformed;
    parameters_ |= bit;
  }
  return Status::kOk;
}

Status Decoder::DecodeClassAlternatives() {
  if ((parameters_ & BitOf(kSuitClassId)) != 0) return Status::kManifestMalformed;
  Read(kTryEachTable.data(), &manifest_);
  parameters_ |= BitOf(kSuitClassId);
  checked_ |= BitOf(kSuitClassId);
  return Status::kOk;
}

bool Decoder::IsComplete() const {
  const bool is_image_as_is = manifest_.encoding_count == 0 && manifest_.encryption_info.empty();
  return (kRequiredParameters & ~parameters_) == 0 && (parameters_ & ~checked_) == 0 &&
         (is_image_as_is || !manifest_.payload_digest.empty());
}

}  // namespace

Status DecodeManifest(ByteSpan bytes, Manifest& manifest) {
  manifest = {};
  return Decoder(bytes, manifest).Decode();
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
