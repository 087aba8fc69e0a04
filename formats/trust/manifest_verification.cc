// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/manifest_verification.h"

#include <algorithm>

namespace ota::formats {
namespace {

bool HasBit(uint32_t bits, uint8_t index) { return (bits >> index & 1) != 0; }

// Plain loops: the library's algorithms are unrolled, which costs flash and gains nothing here.
bool IsClassOurs(const Manifest& manifest, const DeviceProfile& device) {
  for (size_t i = 0; i < manifest.class_id_count; ++i) {
    for (const ByteSpan own : device.class_ids) {
      if (AreEqual(manifest.class_ids[i], own)) return true;
    }
  }
  return false;
}

Status CheckRecipient(const Manifest& manifest, const DeviceProfile& device) {
  const bool is_kind_known = manifest.kind != ComponentKind::kForeign &&
                             HasBit(device.kinds, static_cast<uint8_t>(manifest.kind));
  if (!is_kind_known) return Status::kComponentUnknown;
  if (!AreEqual(manifest.vendor_id, device.vendor_id)) return Status::kVendorMismatch;
  if (!IsClassOurs(manifest, device)) return Status::kClassMismatch;
  const bool is_for_us =
      manifest.device_id.empty() || AreEqual(manifest.device_id, device.device_id);
  return is_for_us ? Status::kOk : Status::kDeviceMismatch;
}

Status CheckAge(const Manifest& manifest, const TrustState& state, uint64_t now_s) {
  const TrackedComponent tracked = FindTracked(state, manifest.kind, manifest.component_name);
  if (manifest.sequence_number <= tracked.installed_sequence) return Status::kSequenceTooLow;
  if (manifest.sequence_number < tracked.newest_sequence) return Status::kSequenceWithheld;
  if (!manifest.use_before_s.has_value()) return Status::kOk;
  if (now_s == 0) return Status::kTimeUnknown;
  return now_s < *manifest.use_before_s ? Status::kOk : Status::kManifestExpired;
}

Status CheckPlace(const Manifest& manifest, const DeviceProfile& device) {
  Status status = Status::kMemoryUnitMismatch;
  for (const UnitLimits& limits : device.units) {
    if (manifest.memory_unit != MemoryUnit::kAny && manifest.memory_unit != limits.unit) continue;
    if (manifest.slot.has_value() && *manifest.slot >= limits.slot_count) continue;
    if (manifest.image_size_bytes <= limits.image_bytes_max) return Status::kOk;
    status = Status::kImageTooLarge;
  }
  return status;
}

Status CheckModel(const ModelRequirements& model, const DeviceProfile& device) {
  if (model.engine_version > device.engine_version) return Status::kEngineTooOld;
  if (!std::includes(device.operators.begin(), device.operators.end(), model.operators.begin(),
                     model.operators.end())) {
    return Status::kUnknownOperator;
  }
  Status status = Status::kOk;
  for (uint8_t kind = 0; kind < kPlanKinds; ++kind) {
    const uint32_t arena_bytes = model.arena_bytes[kind];
    if (arena_bytes == 0) continue;
    if (HasBit(device.plans, kind) && arena_bytes <= device.arena_bytes) return Status::kOk;
    status = Status::kArenaTooSmall;
  }
  return status;
}

}  // namespace

Status ManifestVerification::Begin(const TrustState& state, ByteSpan first_bytes) {
  count_.Abandon();
  OTA_TRY(DecodeHeldRoot(state, metadata_));
  OTA_TRY(DecodeEnvelope(first_bytes, envelope_));
  count_.Begin({envelope_.signatures(), envelope_.signed_digest(), {}});
  for (size_t i = 0; i < metadata_.release_role_count; ++i) {
    count_.AddKeySet(metadata_.release_roles[i].key_set);
  }
  return Status::kOk;
}

Status ManifestVerification::Step(uint32_t operations_max, Manifest& manifest) {
  OTA_TRY(count_.Step(operations_max));
  return Judge(manifest);
}

Status ManifestVerification::Judge(Manifest& manifest) const {
  if (!count_.has_any()) return count_.first_refusal();
  uint32_t roles = count_.FindThresholdsMet();
  if (roles == 0) return Status::kThresholdNotMet;
  OTA_TRY(DecodeManifest(envelope_.manifest, manifest));
  for (const ReleaseRole* role = &metadata_.release_roles[0]; roles != 0; ++role, roles >>= 1) {
    if ((roles & 1) != 0 && role->Allows(manifest)) return Status::kOk;
  }
  return Status::kSignerNotDelegated;
}

Status CheckManifest(const Manifest& manifest, const DeviceProfile& device, const TrustState& state,
                     uint64_t now_s) {
  OTA_TRY(CheckRecipient(manifest, device));
  OTA_TRY(CheckAge(manifest, state, now_s));
  OTA_TRY(CheckPlace(manifest, device));
  OTA_TRY(CheckModel(manifest.model, device));
  const bool is_precursor_there = manifest.precursor_digest.empty() ||
                                  AreEqual(manifest.precursor_digest, device.installed_digest);
  if (!is_precursor_there) return Status::kPrecursorMismatch;
  const bool is_charged = !manifest.minimum_battery_mwh.has_value() ||
                          !device.battery_mwh.has_value() ||
                          *device.battery_mwh >= *manifest.minimum_battery_mwh;
  return is_charged ? Status::kOk : Status::kBatteryTooLow;
}

}  // namespace ota::formats
