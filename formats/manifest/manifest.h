// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/cbor/cbor_writer.h"

// The SUIT manifest (draft-ietf-suit-manifest) in our profile: one component, SHA-256, and what
// SUIT lacks for models in one private parameter. docs/formats/manifest.md says every byte.
//
// Trust: decoding says nothing about who wrote a manifest; formats/trust does. Whatever is not
// known here is taken as critical and refused, so that no requirement is ever overlooked.

namespace ota::formats {

inline constexpr size_t kUuidBytes = 16;
inline constexpr size_t kImageDigestBytes = 32;
inline constexpr size_t kClassIdsMax = 4;
inline constexpr size_t kEncodingsMax = 4;
inline constexpr size_t kSelfTestsMax = 8;
inline constexpr size_t kComponentNameBytesMax = 32;
inline constexpr size_t kVersionBytesMax = 32;
inline constexpr size_t kUriBytesMax = 200;
inline constexpr std::string_view kUriByDigest = "/";
inline constexpr size_t kOutputDigestBytesMin = 8;
inline constexpr size_t kSelfTestInputBytesMax = 1024;

/// What an image is for. kForeign: the component id has not our form.
enum class ComponentKind : uint8_t { kForeign = 0, kModel = 1, kFirmware = 2, kConfiguration = 3 };
inline constexpr uint8_t kComponentKindLast = 3;

/// Where the image must lie. kAny: the device chooses.
enum class MemoryUnit : uint8_t {
  kAny = 0,
  kOnChipFlash = 1,
  kSpiNor = 2,
  kEeprom = 3,
  kFram = 4,
  kSdCard = 5,
  kEmmc = 6,
};
inline constexpr uint8_t kMemoryUnitLast = 6;

/// As LwM2M's severity (object 5, resource 11). kOptional when a manifest says nothing.
enum class UpdatePriority : uint8_t { kCritical = 0, kMandatory = 1, kOptional = 2 };

/// What was done to the image for the journey; the device undoes it in the order of the list.
/// Encryption is not among them: see Manifest::encryption_info, which is undone first.
enum class PayloadEncoding : uint8_t { kCompressed = 1, kDelta = 2 };
inline constexpr uint8_t kPayloadEncodingLast = 2;

enum class RoundingMode : uint8_t { kDouble = 0, kSingle = 1 };

/// A way to run a model, by which it needs more or less of an arena.
enum class PlanKind : uint8_t { kMapped = 0, kStreamed = 1, kPatched = 2 };
inline constexpr size_t kPlanKinds = 3;

/// One run whose output is known. Input: the bytes, or those that Prng(seed) gives, lowest byte of
/// each number. The digest is the first 8 to 32 bytes of the SHA-256 of all outputs in order.
struct SelfTest {
  ByteSpan input;     // empty: generated
  uint32_t seed = 0;  // not 0 when generated
  ByteSpan output_digest;
};

struct AccuracyStatement {
  std::string_view metric;  // e.g. "top1 speech_commands_v2 test"; empty: no statement
  uint32_t parts_per_million = 0;
  uint32_t sample_count = 0;
};

struct ModelRequirements {
  uint32_t engine_version = 0;  // the lowest that runs it; 0: not stated
  RoundingMode rounding = RoundingMode::kDouble;
  ByteSpan operators;         // builtin operator codes, one byte each, ascending
  ByteSpan custom_operators;  // an encoded CBOR array of texts; empty: none
  std::array<uint32_t, kPlanKinds> arena_bytes = {};  // by PlanKind; 0: not stated
  std::array<SelfTest, kSelfTestsMax> self_tests = {};
  uint8_t self_test_count = 0;
  AccuracyStatement accuracy;

  uint32_t& arena_bytes_of(PlanKind kind) { return arena_bytes[static_cast<size_t>(kind)]; }
};

/// Everything that a manifest says; its spans point into the bytes it was decoded from, or to what
/// its writer gave.
struct Manifest {
  uint64_t sequence_number = 0;

  // For whom.
  ByteSpan vendor_id;                                 // 16 bytes
  std::array<ByteSpan, kClassIdsMax> class_ids = {};  // 16 bytes each; one of them must fit
  uint8_t class_id_count = 0;
  ByteSpan device_id;  // 16 bytes; empty: any device

  // What and where.
  ComponentKind kind = ComponentKind::kForeign;
  std::string_view component_name;
  MemoryUnit memory_unit = MemoryUnit::kAny;
  std::optional<uint32_t> slot;
  ByteSpan image_digest;  // 32 bytes
  uint32_t image_size_bytes = 0;
  std::string_view version;  // for people

  // When.
  std::optional<uint64_t> use_before_s;  // seconds since 1970
  ByteSpan precursor_digest;             // of the image that must be installed before; empty: any
  std::optional<uint32_t> minimum_battery_mwh;
  UpdatePriority priority = UpdatePriority::kOptional;

  // How it travels. A URI that begins with '#' names a payload in the envelope itself; kUriByDigest
  // is /payloads/ and the payload's digest.
  std::string_view uri;
  ByteSpan encryption_info;  // COSE_Encrypt; empty: not encrypted
  std::array<PayloadEncoding, kEncodingsMax> encodings = {};
  uint8_t encoding_count = 0;
  ByteSpan payload_digest;          // as it travels; empty: the payload is the image
  uint32_t payload_size_bytes = 0;  // as it travels; equal to image_size_bytes when it is the image

  ModelRequirements model;

  bool is_payload_integrated() const { return !uri.empty() && uri.front() == '#'; }
};

/// Decodes the content of the envelope's manifest member.
/// kManifestVersionUnknown; kManifestPartUnknown: an element, command or parameter that this build
/// does not know; kManifestIncomplete: something that each manifest must have is missing;
/// kManifestMalformed: a value that its field cannot have; otherwise the statuses of CborCursor.
/// Unless kOk, `manifest` is not to be used.
Status DecodeManifest(ByteSpan bytes, Manifest& manifest);

/// The same as a value, for where there is stack enough.
inline Result<Manifest> DecodeManifest(ByteSpan bytes) {
  Manifest manifest;
  OTA_TRY(DecodeManifest(bytes, manifest));
  return manifest;
}

/// Writes what DecodeManifest reads. The fields must be as the comments above say; `kind` is not
/// kForeign.
void WriteManifest(CborWriter& writer, const Manifest& manifest);

/// Whether `name` may name a component: letters, digits, '.', '_', '-', at most 32 of them, and not
/// only dots, so that it is a file name everywhere.
bool IsComponentName(std::string_view name);

}  // namespace ota::formats
