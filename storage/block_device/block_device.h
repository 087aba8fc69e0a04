// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/status.h"

// A block device: the thing with read, program, erase and sync that a memory unit is to the stores
// and file systems above it. Drivers implement it over SPI, I2C or a flash controller; the
// simulator implements it over a file.

namespace ota::storage {

/// Sizes in bytes. `erase_unit` is a multiple of `program_unit`, `size_bytes` of `erase_unit`.
struct Geometry {
  uint32_t size_bytes;
  uint32_t read_unit;     ///< offset and length of a Read are multiples of it
  uint32_t program_unit;  ///< offset and length of a Program are multiples of it
  uint32_t erase_unit;    ///< offset and length of an Erase are multiples of it
  uint8_t erased_value;   ///< what a byte reads as after an erase
  /// Whether a program unit that was programmed since its erase may be programmed again (1 -> 0
  /// only on NOR). False where ECC or the part's rules forbid it. EEPROM, FRAM and SD, which
  /// overwrite freely, need no erase at all: `needs_erase` is false there.
  bool can_reprogram;
  bool needs_erase;
};

/// What media hold when power is lost in the middle, which everything above must survive:
///  - Program: each program unit of the range holds its old bytes, its new bytes, or any mixture of
///    their bits, and what it reads as may differ from read to read. Units outside are untouched.
///  - Erase: each byte of the range reads as anything, perhaps differently twice.
///  - Sync: what was accepted before the last finished Sync is on the medium; of what was accepted
///    since, any part may be, in any order (only SD and eMMC reorder).
///
/// Program and Erase may return before the medium has finished; until it has, `is_busy()` is true
/// and every operation returns kBusy and does nothing. Nothing here waits.
class BlockDevice {
 public:
  /// Constant over the life of the device.
  virtual const Geometry& geometry() const = 0;

  /// Fills `target` from `offset` on.
  /// kBusy: try again. kOutOfRange, kMisaligned: nothing was read. kMediumFailed: `target` holds
  /// nothing of use.
  virtual Status Read(uint32_t offset, MutableByteSpan target) = 0;

  /// Starts to program `data` at `offset`. `data` is not used after the return.
  /// kBusy: try again. kOutOfRange, kMisaligned, kNotErased (a bit would have to go back to its
  /// erased value, or the unit may not be programmed twice), kInvalidArgument (more than the device
  /// takes at once, which may be limited but is never less than a program unit): nothing was
  /// changed. kMediumFailed: the range holds anything; Status of an operation that fails later
  /// comes from the next Sync.
  virtual Status Program(uint32_t offset, ByteSpan data) = 0;

  /// Starts to erase `length` bytes from `offset` on. Statuses as Program. On a device that needs
  /// no erase it fills with the erased value.
  virtual Status Erase(uint32_t offset, uint32_t length) = 0;

  /// kOk once all that was accepted is on the medium. kBusy: not yet, ask again. kMediumFailed: an
  /// accepted operation failed; it is told once.
  virtual Status Sync() = 0;

  virtual bool is_busy() const { return false; }

  /// The whole device as addressable memory, if it is memory mapped. Lives as long as the device;
  /// its content changes with Program and Erase.
  virtual std::optional<ByteSpan> Map() const { return std::nullopt; }

 protected:
  ~BlockDevice() = default;
};

}  // namespace ota::storage
