// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"

namespace ota::storage {

/// Reading of a memory part that goes on by itself while the processor does something else: what
/// there is beside a FlashController where the board can transfer by DMA. One at a time; while it
/// is under way, nothing else is to be done with the part. ReadAheadDevice sees to that.
class ReadTransfer {
 public:
  /// Begins to fill `target` from `offset` on, both as of FlashController::Read, and returns at
  /// once. The part must be idle. kBusy: it is not; nothing has begun. kMediumFailed.
  virtual Status StartRead(uint32_t offset, MutableByteSpan target) = 0;

  /// Goes on with it. kBusy: not yet. kOk: `target` is filled. kMediumFailed. None is under way any
  /// more unless it is kBusy.
  virtual Status PollRead() = 0;

  /// Ends it at once: `target` is not written any more.
  virtual void AbandonRead() = 0;

 protected:
  ~ReadTransfer() = default;
};

}  // namespace ota::storage
