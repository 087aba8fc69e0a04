// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/block_device/block_device.h"

namespace ota::storage {

/// What a memory part does in one go: one small program or one unit's erase at a time. A board
/// implements it over the registers of its own flash controller, the drivers of serial parts over
/// SPI and I2C. FlashDriver makes a block device of it.
class FlashController {
 public:
  virtual const Geometry& geometry() const = 0;

  /// Most bytes of one StartProgram, a multiple of the program unit; it must not cross a multiple
  /// of this number. 32 on STM32H7, 4 on nRF52840, a page on SAMD51.
  virtual uint32_t program_bytes_max() const = 0;

  /// Starts to program. `data` is not used after the return. kNotErased, kMediumFailed.
  virtual Status StartProgram(uint32_t offset, ByteSpan data) = 0;

  /// Starts to erase the unit at `offset`. kMediumFailed.
  virtual Status StartErase(uint32_t offset) = 0;

  /// kBusy: still at it. kMediumFailed: the operation failed, told once. kOk: idle.
  virtual Status Poll() = 0;

  /// As Poll, but kOk only once all that was programmed would survive a power cut.
  virtual Status Flush() { return Poll(); }

  /// Reads while idle. kBusy: not idle after all. kMediumFailed: a word has an error that its check
  /// bits cannot correct.
  virtual Status Read(uint32_t offset, MutableByteSpan target) = 0;

  /// The flash as the processor sees it, if it is memory mapped.
  virtual std::optional<ByteSpan> Map() const = 0;

 protected:
  ~FlashController() = default;
};

}  // namespace ota::storage
