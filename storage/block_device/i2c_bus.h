// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace ota::storage {

/// An I2C bus as a board's I2C unit offers it. Addresses have 7 bits.
class I2cBus {
 public:
  /// START, address, `head`, `data`, STOP. False: the device did not acknowledge; with both empty
  /// that is how one asks whether it is there.
  virtual bool Write(uint8_t address, ByteSpan head, ByteSpan data) = 0;

  /// START, address, `head`, repeated START, reads all of `data`, STOP.
  virtual bool Read(uint8_t address, ByteSpan head, MutableByteSpan data) = 0;

 protected:
  ~I2cBus() = default;
};

}  // namespace ota::storage
