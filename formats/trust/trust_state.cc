// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/trust_state.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "formats/cbor/cbor_cursor.h"

namespace ota::formats {
namespace {

constexpr uint64_t kRecordVersion = 1;

KeyId ComponentKey(ComponentKind kind, std::string_view name) {
  const auto kind_byte = static_cast<uint8_t>(kind);
  crypto::Sha256 hash;
  hash.Update(ByteSpan(&kind_byte, 1));
  hash.Update({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
  const crypto::Sha256Digest digest = hash.Finish();
  KeyId key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

// The place of a component, made if need be; null if there is no room.
TrackedComponent* FindOrAdd(TrustState& state, ComponentKind kind, std::string_view name) {
  const KeyId key = ComponentKey(kind, name);
  for (size_t i = 0; i < state.component_count; ++i) {
    if (state.components[i].key == key) return &state.components[i];
  }
  if (state.component_count == kTrackedComponentsMax) return nullptr;
  TrackedComponent& added = state.components[state.component_count++];
  added = {key, 0, 0};
  return &added;
}

bool HaveSameKeys(const KeySet& first, const KeySet& second) {
  if (first.threshold != second.threshold || first.key_count != second.key_count) return false;
  for (size_t i = 0; i < first.key_count; ++i) {
    if (!AreEqual(first.keys[i], second.keys[i])) return false;
  }
  return true;
}

void SetRoot(ByteSpan root_metadata, TrustState& state) {
  std::copy(root_metadata.begin(), root_metadata.end(), state.root_bytes.begin());
  state.root_size_bytes = static_cast<uint16_t>(root_metadata.size());
}

// Sets the numbers that new root metadata asks for; kTrustStateFull: not all, `state` is spoilt.
Status ApplySequenceResets(ByteSpan resets, TrustState& state) {
  CborCursor cursor(resets);
  for (uint32_t count = cursor.ReadArrayHead(); count != 0; --count) {
    ComponentSequence reset;
    ReadSequence(cursor, reset);
    TrackedComponent* const component = FindOrAdd(state, reset.kind, reset.name);
    if (component == nullptr) return Status::kTrustStateFull;
    component->installed_sequence = reset.sequence_number;
    component->newest_sequence = 0;
  }
  return cursor.status();
}

void ReadComponents(CborCursor& cursor, TrustState& state) {
  const uint32_t count = cursor.ReadArrayHead();
  if (count > kTrackedComponentsMax) return cursor.Fail(Status::kTrustStateInvalid);
  for (uint32_t i = 0; i < count; ++i) {
    TrackedComponent& component = state.components[i];
    ByteSpan key;
    cursor.ReadArrayOf(3, Status::kTrustStateInvalid);
    cursor.ReadBytesOfSize(key, kKeyIdBytes, Status::kTrustStateInvalid);
    std::copy(key.begin(), key.end(), component.key.begin());
    component.installed_sequence = cursor.ReadUnsigned();
    component.newest_sequence = cursor.ReadUnsigned();
  }
  state.component_count = static_cast<uint8_t>(count);
}

}  // namespace

Status InitializeTrustState(ByteSpan root_metadata, TrustState& state) {
  RootMetadata metadata;
  OTA_TRY(DecodeRootMetadata(root_metadata, metadata));
  state = TrustState{};
  SetRoot(root_metadata, state);
  return Status::kOk;
}

TrackedComponent FindTracked(const TrustState& state, ComponentKind kind, std::string_view name) {
  const KeyId key = ComponentKey(kind, name);
  for (size_t i = 0; i < state.component_count; ++i) {
    if (state.components[i].key == key) return state.components[i];
  }
  return {key, 0, 0};
}

Status RaiseInstalledSequence(TrustState& state, ComponentKind kind, std::string_view name,
                              uint64_t sequence_number) {
  TrackedComponent* const component = FindOrAdd(state, kind, name);
  if (component == nullptr) return Status::kTrustStateFull;
  component->installed_sequence = std::max(component->installed_sequence, sequence_number);
  return Status::kOk;
}

Status RaiseNewestSequence(TrustState& state, ComponentKind kind, std::string_view name,
                           uint64_t sequence_number) {
  TrackedComponent* const component = FindOrAdd(state, kind, name);
  if (component == nullptr) return Status::kTrustStateFull;
  component->newest_sequence = std::max(component->newest_sequence, sequence_number);
  return Status::kOk;
}

Result<ByteSpan> EncodeTrustState(const TrustState& state, MutableByteSpan buffer) {
  CborWriter writer(buffer);
  writer.WriteArrayHead(4);
  writer.WriteUnsigned(kRecordVersion);
  writer.WriteBytes(state.root_metadata());
  writer.WriteUnsigned(state.trusted_time_s);
  writer.WriteArrayHead(state.component_count);
  for (size_t i = 0; i < state.component_count; ++i) {
    writer.WriteArrayHead(3);
    writer.WriteBytes(state.components[i].key);
    writer.WriteUnsigned(state.components[i].installed_sequence);
    writer.WriteUnsigned(state.components[i].newest_sequence);
  }
  return writer.Finish();
}

Status DecodeTrustState(ByteSpan bytes, TrustState& state) {
  CborCursor cursor(bytes);
  ByteSpan root;
  cursor.ReadArrayOf(4, Status::kTrustStateInvalid);
  cursor.FailUnless(cursor.ReadUnsigned() == kRecordVersion, Status::kTrustStateInvalid);
  cursor.ReadBytes(root, kRootMetadataBytesMax);
  state.trusted_time_s = cursor.ReadUnsigned();
  ReadComponents(cursor, state);
  OTA_TRY(cursor.Finish());
  RootMetadata metadata;
  OTA_TRY(DecodeRootMetadata(root, metadata));
  SetRoot(root, state);
  return Status::kOk;
}

Status ApplyRootMetadata(ByteSpan root_metadata, TrustState& state) {
  RootMetadata metadata;
  OTA_TRY(DecodeRootMetadata(state.root_metadata(), metadata));
  const KeySet held_freshness = metadata.freshness;
  OTA_TRY(DecodeRootMetadata(root_metadata, metadata));
  const bool is_freshness_kept = HaveSameKeys(held_freshness, metadata.freshness);
  if (!metadata.sequence_resets.empty()) {
    const TrustState::Components before = state.components;
    const uint8_t count_before = state.component_count;
    const Status status = ApplySequenceResets(metadata.sequence_resets, state);
    if (!IsOk(status)) {
      state.components = before;
      state.component_count = count_before;
      return status;
    }
  }
  if (!is_freshness_kept) {
    for (TrackedComponent& component : state.components) component.newest_sequence = 0;
    state.trusted_time_s = 0;
  }
  SetRoot(root_metadata, state);
  return Status::kOk;
}

}  // namespace ota::formats
