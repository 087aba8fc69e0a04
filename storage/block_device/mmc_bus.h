// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/block_device/sd_crc.h"

namespace ota::storage {

/// How a part answers a block that was sent to it.
enum class BlockAnswer : uint8_t {
  kAccepted,        ///< status 010
  kWrongCheckBits,  ///< status 101: send it again
  kNone,
};

/// One eMMC on a bus of a command line and 1, 4 or 8 data lines, as a board's host controller
/// offers it. Check bits are given as they are on the lines: ComputeSdCrc7, ComputeLineCheckBits.
class MmcBus {
 public:
  /// Sends the 48 bits of `frame` and fills `response` with what comes: nothing if it is empty, 6
  /// bytes, or 17 for the long ones. False: nothing came within 64 clocks.
  virtual bool Command(ByteSpan frame, MutableByteSpan response) = 0;

  /// Takes a block off the data lines, and their check bits. False: none came within 100 ms.
  virtual bool ReadBlock(MutableByteSpan data, LineCheckBits& crc) = 0;

  /// Sends a block.
  virtual BlockAnswer WriteBlock(ByteSpan data, const LineCheckBits& crc) = 0;

  /// Whether the part holds the data line low: it is at work.
  virtual bool IsBusy() = 0;

  /// Sets the clock, or the next lower one that there is. It starts at 400 kHz at most.
  virtual void SetFrequency(uint32_t hz) = 0;

  /// The data lines that the board has.
  virtual uint32_t line_count() const = 0;
  /// Blocks go over so many of them from now on. It starts with one.
  virtual void SetLineCount(uint32_t count) = 0;

 protected:
  ~MmcBus() = default;
};

/// An MMC bus whose host controller can take blocks in by itself (DMA), and looks after their check
/// bits.
class MmcDmaBus : public MmcBus {
 public:
  /// Begins to take in the blocks that fill `data`, and returns at once. Until PollBlocks has
  /// returned something else than kBusy, or StopBlocks was called, `data` is to be left alone and
  /// nothing else is to be done with the bus.
  virtual void StartBlocks(MutableByteSpan data) = 0;
  /// kBusy: not yet. kOk: `data` is filled. kMediumFailed: a block did not come within 100 ms, or
  /// has wrong check bits.
  virtual Status PollBlocks() = 0;
  /// Ends it, done or not: `data` are not written any more.
  virtual void StopBlocks() = 0;

 protected:
  ~MmcDmaBus() = default;
};

}  // namespace ota::storage
