// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/block_device.h"
#include "storage/file_system/file_system.h"

namespace ota::storage {

/// A block device as the file systems use it: it waits while the device is busy, and reads and
/// programs at any offset, widening a range to whole units. Every access is checked against the
/// device's size, so that an offset from the medium cannot lead outside.
///
/// The device and the waiter must outlive it.
class DeviceAccess {
 public:
  /// Largest read or program unit that a range is widened to: the page of a large EEPROM. So much
  /// of the stack a ragged access takes.
  static constexpr uint32_t kWidenedUnitMax = 256;

  DeviceAccess(BlockDevice& device, Waiter& waiter) : device_(device), waiter_(waiter) {}

  const Geometry& geometry() const { return device_.geometry(); }

  /// kCorrupted: the range lies outside of the device, which only a broken volume asks for.
  /// kMediumFailed, or what the waiter said: `target` holds nothing of use.
  Status Read(uint32_t offset, MutableByteSpan target);

  /// Statuses as Read. What shares a program unit with the range is programmed with what it has.
  Status Program(uint32_t offset, ByteSpan bytes);

  /// Only whole erase units: kMisaligned otherwise.
  Status Erase(uint32_t offset, uint32_t length);

  Status Sync();

 private:
  template <typename Access>
  Status WaitFor(Access access) {
    for (;;) {
      const Status status = access();
      if (status != Status::kBusy) return status;
      OTA_TRY(waiter_.Wait());
    }
  }
  Status ReadWhole(uint32_t offset, MutableByteSpan target);
  Status ProgramWhole(uint32_t offset, ByteSpan bytes);

  BlockDevice& device_;
  Waiter& waiter_;
};

}  // namespace ota::storage
