// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "formats/manifest/envelope.h"
#include "formats/manifest/manifest.h"
#include "formats/trust/signature_count.h"
#include "formats/trust/trust_state.h"

namespace ota::formats {

/// Decides whether an envelope was made by those who may: at least the threshold of one release
/// role has signed it, and the role may sign for its component and for all of its classes.
class ManifestVerification {
 public:
  /// Starts; drops one in progress. `first_bytes` hold the envelope at least to the end of the
  /// manifest. They and `state` must stay as they are until the end, the bytes as long as the
  /// manifest is used. Statuses of DecodeEnvelope and DecodeRootMetadata.
  Status Begin(const TrustState& state, ByteSpan first_bytes);

  /// Goes on for about `operations_max` field multiplications. kBusy: not done. kOk: `manifest` is
  /// what was signed. kSignerUnknown, kSignatureInvalid, kSignatureMalleated, the refusals of
  /// DecodeCoseSign1: no signature counts, and this is why. kThresholdNotMet: too few count.
  /// kSignerNotDelegated: they may not sign for this. kCryptoMemoryFull: nothing is known.
  /// Otherwise the statuses of DecodeManifest. kWrongState: none in progress.
  Status Step(uint32_t operations_max, Manifest& manifest);

  /// The envelope of Begin, to find a payload in it.
  const Envelope& envelope() const { return envelope_; }

 private:
  Status Judge(Manifest& manifest) const;

  Envelope envelope_;
  RootMetadata metadata_;
  SignatureCount count_;
};

/// A memory unit of a board and what one image on it may take.
struct UnitLimits {
  MemoryUnit unit = MemoryUnit::kAny;
  uint32_t slot_count = 0;
  uint32_t image_bytes_max = 0;
};

/// What a device is and has, as far as manifests ask. All that is pointed to must outlive its use.
struct DeviceProfile {
  ByteSpan vendor_id;
  std::span<const ByteSpan> class_ids;
  ByteSpan device_id;
  uint32_t kinds = 0;  // bit 1 << ComponentKind
  std::span<const UnitLimits> units;
  uint32_t engine_version = 0;
  ByteSpan operators;                   // builtin codes that it can run, ascending
  uint32_t arena_bytes = 0;             // the most that a model may take
  uint32_t plans = 0;                   // bit 1 << PlanKind that it can run
  ByteSpan installed_digest;            // of the component's confirmed image; empty: none
  std::optional<uint32_t> battery_mwh;  // none: it runs from the mains
};

/// Whether a verified manifest is one for this device, now. `now_s` is trusted time; 0: not known.
/// In this order: kComponentUnknown, kVendorMismatch, kClassMismatch, kDeviceMismatch,
/// kSequenceTooLow, kSequenceWithheld, kTimeUnknown, kManifestExpired, kMemoryUnitMismatch,
/// kImageTooLarge, kEngineTooOld, kUnknownOperator, kArenaTooSmall, kPrecursorMismatch,
/// kBatteryTooLow.
Status CheckManifest(const Manifest& manifest, const DeviceProfile& device, const TrustState& state,
                     uint64_t now_s);

}  // namespace ota::formats
