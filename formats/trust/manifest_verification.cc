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
  bool is_unit_known = false;
  for (const UnitLimits& limits : device.units) {
    if (manifest.memory_unit != MemoryUnit::kAny && manifest.memory_unit != limits.unit) continue;
    if (manifest.slot.has_value() && *manifest.slot >= limits.slot_count) continue;
    is_unit_known = true;
    if (manifest.image_size_bytes <= limits.image_bytes_max) return Status::kOk;
  }
  return is_unit_known ? Status::kImageTooLarge : Status::kMemoryUnitMismatch;
}

Status CheckModel(const ModelRequirements& model, const DeviceProfile& device) {
  if (model.engine_version > device.engine_version) return Status::kEngineTooOld;
  if (!std::includes(device.operators.begin(), device.operators.end(), model.operators.begin(),
                     model.operators.end())) {
    return Status::kUnknownOperator;
  }
  if (model.arena_plan_count == 0) return Status::kOk;
  for (size_t i = 0; i < model.arena_plan_count; ++i) {
    const ArenaPlan& plan = model.arena_plans[i];
    const bool is_possible = HasBit(device.plans, static_cast<uint8_t>(plan.kind));
    if (is_possible && plan.arena_bytes <= device.arena_bytes) return Status::kOk;
  }
  return Status::kArenaTooSmall;
}

}  // namespace

Status ManifestVerification::Begin(const TrustState& state, ByteSpan first_bytes) {
  is_in_progress_ = false;
  OTA_TRY(DecodeHeldRoot(state, metadata_));
  OTA_TRY(DecodeEnvelope(first_bytes, envelope_));
  count_.Begin(envelope_.signatures(), envelope_.signed_digest(), {});
  for (size_t i = 0; i < metadata_.release_role_count; ++i) {
    count_.AddKeySet(metadata_.release_roles[i].key_set);
  }
  is_in_progress_ = true;
  return Status::kOk;
}

Status ManifestVerification::Step(uint32_t operations_max, Manifest& manifest) {
  if (!is_in_progress_) return Status::kWrongState;
  const Status counted = count_.Step(operations_max);
  if (counted == Status::kBusy) return counted;
  is_in_progress_ = false;
  OTA_TRY(counted);
  return Judge(manifest);
}

Status ManifestVerification::Judge(Manifest& manifest) const {
  bool is_threshold_met = false;
  for (size_t i = 0; i < metadata_.release_role_count; ++i) {
    is_threshold_met = is_threshold_met || count_.IsThresholdMet(i);
  }
  if (!count_.has_any()) return count_.first_refusal();
  if (!is_threshold_met) return Status::kThresholdNotMet;
  OTA_TRY(DecodeManifest(envelope_.manifest, manifest));
  for (size_t i = 0; i < metadata_.release_role_count; ++i) {
    const bool is_allowed = metadata_.release_roles[i].Allows(manifest);
    if (is_allowed && count_.IsThresholdMet(i)) return Status::kOk;
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
