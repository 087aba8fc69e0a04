// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/trust_state.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "formats/cbor/cbor_fields.h"
#include "formats/trust/merkle_tree.h"

namespace ota::formats {
namespace {

constexpr uint64_t kRecordVersion = 1;

constexpr uint32_t kRecordMembers = 4;
constexpr uint32_t kComponentMembers = 3;

constexpr auto kRecordTable =
    CborTable<CborStatuses(Status::kTrustStateInvalid), CborArray(kRecordMembers),
              CborEqual(kRecordVersion), CborSpecial(0),
              CborNumber(OTA_CBOR_PLACE(TrustState, trusted_time_s)),
              CborListOf(OTA_CBOR_PLACE(TrustState, component_count), kTrackedComponentsMax),
              CborElements(OTA_CBOR_PLACE(TrustState, components)), CborArray(kComponentMembers),
              CborCopyOf(OTA_CBOR_PLACE(TrackedComponent, key)),
              CborNumber(OTA_CBOR_PLACE(TrackedComponent, installed_sequence)),
              CborNumber(OTA_CBOR_PLACE(TrackedComponent, newest_sequence)), kCborEnd, kCborEnd>();

// The place of a component among those that are held; behind them if it is not. Gives its key too.
size_t FindIndex(const TrustState& state, ComponentKind kind, std::string_view name, KeyId& key) {
  const ByteSpan name_bytes(reinterpret_cast<const uint8_t*>(name.data()), name.size());
  crypto::Sha256Digest digest;
  ComputePrefixedHash(static_cast<uint8_t>(kind), name_bytes, digest);
  std::copy_n(digest.begin(), key.size(), key.begin());
  size_t i = 0;
  while (i < state.component_count && state.components[i].key != key) ++i;
  return i;
}

Status Change(TrustState& state, SequenceChange change, const ComponentSequence& sequence) {
  KeyId key;
  const size_t index = FindIndex(state, sequence.kind, sequence.name, key);
  if (index == kTrackedComponentsMax) return Status::kTrustStateFull;
  TrackedComponent& component = state.components[index];
  const bool is_new = index == state.component_count;
  if (is_new) ++state.component_count;
  if (is_new || change == SequenceChange::kReset) component = {key, 0, 0};
  const bool is_installed =
      change == SequenceChange::kRaiseInstalled || change == SequenceChange::kReset;
  uint64_t* const number =
      is_installed ? &component.installed_sequence : &component.newest_sequence;
  const bool is_lower = sequence.sequence_number < *number;
  if (is_lower && change == SequenceChange::kFollowNewest) return Status::kFreshnessStale;
  if (!is_lower) *number = sequence.sequence_number;
  return Status::kOk;
}

// All keys of the set, as they lie in the encoding: one after the other.
[[gnu::noinline]] ByteSpan EncodedKeys(const KeySet& set) {
  return {set.keys[0].data(), set.keys[set.key_count - 1u].data() + sizeof(crypto::P256PublicKey)};
}

void SetRoot(ByteSpan root_metadata, TrustState& state) {
  std::copy(root_metadata.begin(), root_metadata.end(), state.root_bytes.begin());
  state.root_size_bytes = static_cast<uint16_t>(root_metadata.size());
}

// The root metadata, which is checked when all has been read.
bool ReadRoot(CborFieldReader& reader, uint32_t, void* target) {
  ByteSpan root;
  reader.ReadBytes(root, kRootMetadataBytesMax);
  SetRoot(root, *static_cast<TrustState*>(target));
  return true;
}

}  // namespace

Status InitializeTrustState(ByteSpan root_metadata, TrustState& state) {
  RootMetadata metadata;
  OTA_TRY(DecodeRootMetadata(root_metadata, metadata));
  state = TrustState{};
  SetRoot(root_metadata, state);
  return Status::kOk;
}

Status DecodeHeldRoot(const TrustState& state, RootMetadata& metadata) {
  return DecodeRootMetadata(state.root_metadata(), metadata);
}

TrackedComponent FindTracked(const TrustState& state, ComponentKind kind, std::string_view name) {
  TrackedComponent tracked;
  const size_t index = FindIndex(state, kind, name, tracked.key);
  if (index < state.component_count) tracked = state.components[index];
  return tracked;
}

Status RaiseInstalledSequence(TrustState& state, ComponentKind kind, std::string_view name,
                              uint64_t sequence_number) {
  return Change(state, SequenceChange::kRaiseInstalled, {kind, name, sequence_number});
}

Status RaiseNewestSequence(TrustState& state, ComponentKind kind, std::string_view name,
                           uint64_t sequence_number) {
  return Change(state, SequenceChange::kRaiseNewest, {kind, name, sequence_number});
}

Status ChangeSequences(TrustState& state, SequenceChange change, ByteSpan sequences) {
  const TrustState::Components before = state.components;
  const uint8_t count_before = state.component_count;
  for (CborItems items(sequences); items.HasNext();) {
    ComponentSequence sequence;
    (void)ReadSequence(items, 0, &sequence);  // the list was checked when it was read
    const Status status = Change(state, change, sequence);
    if (IsOk(status)) continue;
    state.components = before;
    state.component_count = count_before;
    return status;
  }
  return Status::kOk;
}

Result<ByteSpan> EncodeTrustState(const TrustState& state, MutableByteSpan buffer) {
  CborWriter writer(buffer);
  writer.WriteArrayHead(kRecordMembers);
  writer.WriteUnsigned(kRecordVersion);
  writer.WriteBytes(state.root_metadata());
  writer.WriteUnsigned(state.trusted_time_s);
  writer.WriteArrayHead(state.component_count);
  for (size_t i = 0; i < state.component_count; ++i) {
    writer.WriteArrayHead(kComponentMembers);
    writer.WriteBytes(state.components[i].key);
    writer.WriteUnsigned(state.components[i].installed_sequence);
    writer.WriteUnsigned(state.components[i].newest_sequence);
  }
  return writer.Finish();
}

Status DecodeTrustState(ByteSpan bytes, TrustState& state) {
  OTA_TRY(DecodeFields(bytes, &state, kRecordTable.data(), ReadRoot));
  RootMetadata metadata;
  return DecodeHeldRoot(state, metadata);
}

Status ApplyRootMetadata(ByteSpan root_metadata, TrustState& state) {
  RootMetadata metadata;
  OTA_TRY(DecodeHeldRoot(state, metadata));
  const ByteSpan held_freshness = EncodedKeys(metadata.freshness);
  OTA_TRY(DecodeRootMetadata(root_metadata, metadata));
  OTA_TRY(ChangeSequences(state, SequenceChange::kReset, metadata.sequence_resets));
  if (!AreEqual(held_freshness, EncodedKeys(metadata.freshness))) {
    for (TrackedComponent& component : state.components) component.newest_sequence = 0;
    state.trusted_time_s = 0;
  }
  SetRoot(root_metadata, state);
  return Status::kOk;
}

}  // namespace ota::formats
