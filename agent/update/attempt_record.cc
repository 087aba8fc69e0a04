// SPDX-License-Identifier: Apache-2.0
#include "agent/update/attempt_record.h"

#include <algorithm>

namespace ota::agent {
namespace {

void StoreTime(uint8_t* target, uint64_t time_s) {
  StoreLe32(target, static_cast<uint32_t>(time_s));
  StoreLe32(target + 4, static_cast<uint32_t>(time_s >> 32));
}

uint64_t LoadTime(const uint8_t* source) {
  return LoadLe32(source) | uint64_t{LoadLe32(source + 4)} << 32;
}

}  // namespace

Status AttemptRecord::Count(const crypto::Sha256Digest& image_digest, uint64_t now_s) {
  if (!is_writing_) {
    OTA_TRY(Prepare(image_digest, now_s));
    is_writing_ = true;
  }
  const Status status = store_.WriteNote(kNoteKey, note_);
  if (status != Status::kBusy) is_writing_ = false;
  return status;
}

Status AttemptRecord::Prepare(const crypto::Sha256Digest& image_digest, uint64_t now_s) {
  const Result<uint32_t> length = store_.ReadNote(kNoteKey, note_);
  const bool is_note = length.ok() && *length == note_.size();
  if (length.status() == Status::kBusy) return Status::kBusy;
  if (!is_note) note_ = {};  // none, or another build's: counting begins anew
  const ByteSpan key = ByteSpan(image_digest).first(kKeyBytes);
  const MutableByteSpan entry = FindPlace(key);
  uint8_t& attempts = entry[kKeyBytes];
  uint8_t* const begin = entry.data() + kKeyBytes + 1;
  const bool is_known = std::equal(key.begin(), key.end(), entry.begin()) && attempts != 0;
  const bool is_over = now_s != 0 && now_s >= LoadTime(begin) + kPeriodS;
  if (is_known && !is_over) {
    if (attempts >= kAttemptsMax) return Status::kAttemptsExhausted;
    ++attempts;
    return Status::kOk;
  }
  std::copy(key.begin(), key.end(), entry.begin());
  attempts = 1;
  StoreTime(begin, now_s);
  return Status::kOk;
}

/// The entry with that key, else the one whose period began first.
MutableByteSpan AttemptRecord::FindPlace(ByteSpan key) {
  const MutableByteSpan all(note_);
  MutableByteSpan oldest = all.first(kEntryBytes);
  for (size_t i = 0; i < kEntriesMax; ++i) {
    const MutableByteSpan entry = all.subspan(i * kEntryBytes, kEntryBytes);
    if (std::equal(key.begin(), key.end(), entry.begin())) return entry;
    const bool is_older =
        LoadTime(entry.data() + kKeyBytes + 1) < LoadTime(oldest.data() + kKeyBytes + 1);
    if (is_older) oldest = entry;
  }
  return oldest;
}

}  // namespace ota::agent
