// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "simulator/memory_parts/simulated_clock.h"
#include "storage/block_device/spi_bus.h"

namespace ota::simulator {

/// A part on SPI, seen byte by byte; each byte takes its time on the bus, also those that come by
/// DMA while the time is somebody else's.
class SpiPart : public storage::QuadSpiBus {
 public:
  void Select() final {
    RefuseMeanwhile();
    is_selected_ = true;
    OnSelect();
  }
  void Deselect() final {
    RefuseMeanwhile();
    if (!is_selected_) return;
    OnDeselect();
    is_selected_ = false;
    read_lines_ = 1;
    SpendTransfer(transfer_ns_);
    transfer_ns_ = 0;
  }
  void Write(ByteSpan bytes) final {
    RefuseMeanwhile();
    for (const uint8_t byte : bytes) (void)Clock(byte, 1);  // what comes in is not wanted
  }
  void Read(MutableByteSpan bytes) final {
    RefuseMeanwhile();
    for (uint8_t& byte : bytes) byte = Clock(0xFF, read_lines_);
  }
  void SetReadLines(uint32_t count) final { read_lines_ = count; }

  /// What has come by DMA is there once it has ended, all at once.
  void StartRead(MutableByteSpan bytes) final {
    RefuseMeanwhile();
    incoming_ = bytes;
    incoming_from_ns_ = clock_.now_ns();
  }
  bool IsReading() final {
    const uint64_t end_ns = incoming_from_ns_ + incoming_.size() * byte_ns_ / read_lines_;
    const bool is_reading = !incoming_.empty() && clock_.now_ns() < end_ns;
    if (is_reading && clock_.skips_waits()) clock_.AdvanceTo(end_ns);
    if (!is_reading) StopReading();
    return is_reading;
  }
  void StopReading() final {
    const uint64_t come = (clock_.now_ns() - incoming_from_ns_) * read_lines_ / byte_ns_;
    const MutableByteSpan bytes = incoming_.first(std::min<uint64_t>(come, incoming_.size()));
    incoming_ = {};
    for (uint8_t& byte : bytes) byte = Take(0xFF, read_lines_);
  }

  /// How often the bus was used while bytes came by DMA.
  uint32_t collision_count() const { return collision_count_; }

 protected:
  /// `clock` must outlive it.
  SpiPart(SimulatedClock& clock, uint32_t frequency_hz)
      : clock_(clock), byte_ns_(8'000'000'000u / uint64_t{frequency_hz}) {}
  ~SpiPart() = default;

  /// Power was off: nothing comes any more.
  void DropIncoming() { incoming_ = {}; }

  virtual void OnSelect() = 0;
  virtual void OnDeselect() = 0;

  /// One byte in, one out, while selected.
  virtual uint8_t Exchange(uint8_t in) = 0;

  /// A selection has ended that kept the bus for so long: time and energy to be accounted for.
  virtual void SpendTransfer(uint64_t ns) = 0;

  /// On how many lines what Exchange returns is taken in.
  uint32_t read_lines() const { return read_lines_; }

  SimulatedClock& clock() { return clock_; }
  const SimulatedClock& clock() const { return clock_; }

 private:
  uint8_t Clock(uint8_t in, uint32_t lines) {
    clock_.AdvanceNs(byte_ns_ / lines);
    return Take(in, lines);
  }
  uint8_t Take(uint8_t in, uint32_t lines) {
    if (!is_selected_) return 0xFF;
    transfer_ns_ += byte_ns_ / lines;
    return Exchange(in);
  }
  void RefuseMeanwhile() {
    if (incoming_.empty()) return;
    collision_count_ += 1;
    StopReading();
  }

  SimulatedClock& clock_;
  uint64_t byte_ns_;
  uint64_t transfer_ns_ = 0;
  bool is_selected_ = false;
  uint32_t read_lines_ = 1;
  MutableByteSpan incoming_;  ///< by DMA, and since when
  uint64_t incoming_from_ns_ = 0;
  uint32_t collision_count_ = 0;
};

}  // namespace ota::simulator
