// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "storage/model_store/model_store.h"

namespace ota::agent {

/// Counts in a note of the model store how often images were begun to be fetched, so that a release
/// that fails again and again wears neither flash nor battery down, whatever resets in between. The
/// four images that were begun last are remembered.
class AttemptRecord {
 public:
  static constexpr uint8_t kNoteKey = 3;
  static constexpr uint8_t kAttemptsMax = 5;
  static constexpr uint64_t kPeriodS = 24 * 3600;

  /// `store` must outlive it, mounted.
  explicit AttemptRecord(storage::ModelStore& store) : store_(store) {}

  /// Counts an attempt at the image with that digest, durably, before it is made. `now_s` is
  /// trusted time; while it is 0, not known, no period ends. kBusy: call again. kAttemptsExhausted:
  /// kAttemptsMax were made within kPeriodS; nothing was counted. Otherwise statuses of ReadNote
  /// and WriteNote.
  Status Count(const crypto::Sha256Digest& image_digest, uint64_t now_s);

 private:
  static constexpr size_t kKeyBytes = 8;
  static constexpr size_t kEntryBytes = kKeyBytes + 1 + 8;  // key, attempts, begin of the period
  static constexpr size_t kEntriesMax = 4;

  Status Prepare(const crypto::Sha256Digest& image_digest, uint64_t now_s);
  MutableByteSpan FindPlace(ByteSpan key);

  storage::ModelStore& store_;
  std::array<uint8_t, kEntriesMax* kEntryBytes> note_ = {};
  bool is_writing_ = false;
};

}  // namespace ota::agent
