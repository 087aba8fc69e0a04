// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "formats/trust/root_metadata.h"

// What a device believes, as one value. All of it changes only by the operations of this folder,
// each of which either leaves it as it was or makes all of its changes; the device stores the value
// as one atomic record. So after a power cut it believes what it believed before or after, nothing
// between.
//
// Invariants:
// - the root metadata decodes, and its version only grows, by one;
// - the trusted time only grows as long as the freshness keys stay the same;
// - an installed sequence number only grows, except that new root metadata may set it;
// - a newest sequence number only grows as long as the freshness keys stay the same.

namespace ota::formats {

inline constexpr size_t kTrackedComponentsMax = 16;
inline constexpr size_t kTrustStateBytesMax = 1536;

/// Sequence numbers of one component. The key is the start of the SHA-256 of its kind and name.
struct TrackedComponent {
  KeyId key = {};
  uint64_t installed_sequence = 0;  // of the confirmed image; 0: none yet
  uint64_t newest_sequence = 0;     // that a freshness statement has named; 0: none yet
};

struct TrustState {
  using Components = std::array<TrackedComponent, kTrackedComponentsMax>;

  uint64_t trusted_time_s = 0;  // 0: no statement yet
  uint8_t component_count = 0;
  uint16_t root_size_bytes = 0;
  Components components = {};
  std::array<uint8_t, kRootMetadataBytesMax> root_bytes = {};

  ByteSpan root_metadata() const { return ByteSpan(root_bytes).first(root_size_bytes); }
};

/// A state that believes in `root_metadata`, which came with the device, and has seen nothing yet.
/// Statuses of DecodeRootMetadata; `state` is then unchanged.
Status InitializeTrustState(ByteSpan root_metadata, TrustState& state);

/// Decodes the root metadata that `state` holds. Statuses of DecodeRootMetadata.
Status DecodeHeldRoot(const TrustState& state, RootMetadata& metadata);

/// What is known of a component; zeros if nothing is.
TrackedComponent FindTracked(const TrustState& state, ComponentKind kind, std::string_view name);

/// To be called when an image has been confirmed. A lower number changes nothing.
/// kTrustStateFull: one component too many; `state` is unchanged.
Status RaiseInstalledSequence(TrustState& state, ComponentKind kind, std::string_view name,
                              uint64_t sequence_number);

/// As above, for the newest number that is known to exist.
Status RaiseNewestSequence(TrustState& state, ComponentKind kind, std::string_view name,
                           uint64_t sequence_number);

enum class SequenceChange : uint8_t { kRaiseInstalled, kRaiseNewest, kFollowNewest, kReset };

/// The same for all numbers of an encoded list. kFollowNewest: as kRaiseNewest, but a lower number
/// is refused. kReset: as new root metadata asks for it, sets installed numbers as they are there
/// and forgets the newest. kTrustStateFull, kFreshnessStale (a lower number): `state` is unchanged.
Status ChangeSequences(TrustState& state, SequenceChange change, ByteSpan sequences);

/// The state as a record, and back. kBufferTooSmall: kTrustStateBytesMax is always enough.
/// kTrustStateInvalid, or a status of CborCursor or DecodeRootMetadata: `state` is not to be used.
Result<ByteSpan> EncodeTrustState(const TrustState& state, MutableByteSpan buffer);
Status DecodeTrustState(ByteSpan bytes, TrustState& state);

/// Puts verified root metadata in the place of the held one, with what follows from it: sequence
/// numbers that it sets are set, and if the freshness keys have changed, all is forgotten that the
/// old ones have said: the time and the newest numbers. kTrustStateFull, or a status of
/// DecodeRootMetadata: `state` is unchanged.
Status ApplyRootMetadata(ByteSpan root_metadata, TrustState& state);

}  // namespace ota::formats
