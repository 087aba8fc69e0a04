// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Places buffers in one memory by their lifetimes, so that those alive at the same time lie apart,
// and tries many orders, since the obvious one (largest first) can be a sixth too large.

namespace ota::engine {

constexpr uint32_t kNoBuffer = 0xFFFF;

/// A buffer to place. Times are indices of operators: alive from `first` to `last`, both included.
struct PlannedBuffer {
  /// The plan's result, in bytes. Of a handle: the slot of what it names, once its bytes are known.
  uint32_t offset = 0;
  uint32_t size_bytes = 0;  ///< 0: it is not placed
  /// A multiple of kTensorAlignment. Of a handle: the bytes of what it names.
  uint32_t overlap_distance = 0;
  uint16_t overlap_input = kNoBuffer;  ///< buffer that may share memory with this, its output
  uint16_t overlap_other = kNoBuffer;  ///< another one
  uint16_t tensor = kNoBuffer;         ///< index in the model; kNoBuffer for scratch
  uint16_t first = 0;
  uint16_t last = 0;
  uint16_t order = 0;             ///< for the search
  uint16_t alias_of = kNoBuffer;  ///< another buffer that this stands for; then it has no bytes
  uint32_t state_slot = 0;        ///< not 0: lies in the state, or is a handle; and has no bytes
};

/// A table of buffers that grows down from the end of a memory: buffer 0 is the last.
class BufferTable {
 public:
  BufferTable() = default;
  explicit BufferTable(uint8_t* end) : first_(reinterpret_cast<PlannedBuffer*>(end) - 1) {}

  uint32_t count() const { return count_; }
  PlannedBuffer& operator[](uint32_t index) const { return *(first_ - index); }
  uint8_t* begin() const { return reinterpret_cast<uint8_t*>(first_ + 1 - count_); }
  /// Room for it must have been checked.
  PlannedBuffer& Add();

 private:
  PlannedBuffer* first_ = nullptr;
  uint32_t count_ = 0;
};

/// Bytes that the buffers alive at `time` need together, less what overlaps allowed then can save.
uint32_t ComputeAliveBytes(const BufferTable& buffers, uint32_t time);

/// Sets the offset of every buffer that is to be placed, each a multiple of kTensorAlignment, and
/// returns the bytes that all of them need together.
///
/// An output may overlap an input that it names, if that input is not used after
/// the operator that makes the output and the output begins `overlap_distance` or more before it.
///
/// Deterministic, so that a host knows what a device will find. Tries the largest first, then other
/// orders, until the plan needs no more than the busiest operator alone or the attempts are used
/// up. The time is about the square of the number of buffers: `step_count`, if given, receives how
/// many times one was compared with another.
uint32_t PlanMemory(const BufferTable& buffers, uint32_t* step_count = nullptr);

}  // namespace ota::engine
