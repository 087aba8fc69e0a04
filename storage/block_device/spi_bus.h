// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace ota::storage {

/// One device on an SPI bus (mode 0, most significant bit first), as a board's SPI unit offers it.
/// SPI tells of no errors.
class SpiBus {
 public:
  /// Takes chip select low; Deselect takes it high, which ends the command.
  virtual void Select() = 0;
  virtual void Deselect() = 0;

  /// Clocks bytes out, what comes in is dropped; or bytes in, while 0xFF goes out.
  virtual void Write(ByteSpan bytes) = 0;
  virtual void Read(MutableByteSpan bytes) = 0;

 protected:
  ~SpiBus() = default;
};

/// An SPI bus whose unit can take bytes in by itself (DMA).
class SpiDmaBus : public SpiBus {
 public:
  /// Begins to do what Read does, and returns at once. Until IsReading is false, or StopReading was
  /// called, `bytes` are to be left alone and nothing else is to be done with the bus.
  virtual void StartRead(MutableByteSpan bytes) = 0;
  virtual bool IsReading() = 0;
  /// Ends it, done or not: `bytes` are not written any more.
  virtual void StopReading() = 0;

 protected:
  ~SpiDmaBus() = default;
};

/// An SPI bus with four data lines: commands go out on one of them, and data may come in on all.
class QuadSpiBus : public SpiDmaBus {
 public:
  /// How many lines, 1 or 4, Read and StartRead take bytes in on, until the deselect.
  virtual void SetReadLines(uint32_t count) = 0;

 protected:
  ~QuadSpiBus() = default;
};

}  // namespace ota::storage
