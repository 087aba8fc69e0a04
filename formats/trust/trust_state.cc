// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/trust_state.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "formats/cbor/cbor_reader.h"

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
    if (!std::equal(first.keys[i].begin(), first.keys[i].end(), second.keys[i].begin(),
                    second.keys[i].end())) {
      return false;
    }
  }
  return true;
}

void SetRoot(ByteSpan root_metadata, TrustState& state) {
  std::copy(root_metadata.begin(), root_metadata.end(), state.root_bytes.begin());
  state.root_size_bytes = static_cast<uint16_t>(root_metadata.size());
}

// How many components of `resets` are not tracked yet.
size_t CountUntracked(const TrustState& state, ByteSpan resets) {
  CborReader reader(resets);
  const Result<uint32_t> count = reader.ReadArrayHead();
  size_t untracked = 0;
  for (uint32_t i = 0; count.ok() && i < *count; ++i) {
    const Result<ComponentSequence> reset = ReadSequence(reader);
    if (!reset.ok()) return SIZE_MAX;
    const KeyId key = ComponentKey(reset->kind, reset->name);
    const auto end = state.components.begin() + state.component_count;
    const auto same_key = [&key](const TrackedComponent& known) { return known.key == key; };
    if (std::none_of(state.components.begin(), end, same_key)) ++untracked;
  }
  return untracked;
}

Status ApplySequenceResets(ByteSpan resets, TrustState& state) {
  CborReader reader(resets);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const ComponentSequence reset, ReadSequence(reader));
    TrackedComponent* const component = FindOrAdd(state, reset.kind, reset.name);
    if (component == nullptr) return Status::kTrustStateFull;
    component->installed_sequence = reset.sequence_number;
    component->newest_sequence = 0;
  }
  return Status::kOk;
}

Status ReadComponents(CborReader& reader, TrustState& state) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count > kTrackedComponentsMax) return Status::kTrustStateInvalid;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const uint32_t members, reader.ReadArrayHead());
    OTA_TRY(const ByteSpan key, reader.ReadBytes());
    if (members != 3 || key.size() != kKeyIdBytes) return Status::kTrustStateInvalid;
    TrackedComponent& component = state.components[i];
    std::copy(key.begin(), key.end(), component.key.begin());
    OTA_TRY(component.installed_sequence, reader.ReadUnsigned());
    OTA_TRY(component.newest_sequence, reader.ReadUnsigned());
  }
  state.component_count = static_cast<uint8_t>(count);
  return Status::kOk;
}

}  // namespace

Status InitializeTrustState(ByteSpan root_metadata, TrustState& state) {
  OTA_TRY(DecodeRootMetadata(root_metadata));
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
  CborReader reader(bytes);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  OTA_TRY(const uint64_t version, reader.ReadUnsigned());
  if (count != 4 || version != kRecordVersion) return Status::kTrustStateInvalid;
  OTA_TRY(const ByteSpan root, reader.ReadBytes());
  OTA_TRY(DecodeRootMetadata(root));
  OTA_TRY(state.trusted_time_s, reader.ReadUnsigned());
  OTA_TRY(ReadComponents(reader, state));
  SetRoot(root, state);
  return reader.Finish();
}

Status ApplyRootMetadata(ByteSpan root_metadata, TrustState& state) {
  OTA_TRY(const RootMetadata metadata, DecodeRootMetadata(root_metadata));
  OTA_TRY(const RootMetadata held, DecodeRootMetadata(state.root_metadata()));
  const size_t room = kTrackedComponentsMax - state.component_count;
  const bool has_resets = !metadata.sequence_resets.empty();
  if (has_resets && CountUntracked(state, metadata.sequence_resets) > room) {
    return Status::kTrustStateFull;
  }
  if (!HaveSameKeys(held.freshness, metadata.freshness)) {
    for (TrackedComponent& component : state.components) component.newest_sequence = 0;
    state.trusted_time_s = 0;
  }
  if (has_resets) OTA_TRY(ApplySequenceResets(metadata.sequence_resets, state));
  SetRoot(root_metadata, state);
  return Status::kOk;
}

}  // namespace ota::formats
