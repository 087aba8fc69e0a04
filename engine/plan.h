// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/model_summary.h"

// The plan of a prepared model: what stays in memory between Prepare and the last inference. It
// holds offsets, never pointers, so it has the same bytes on every target and can be moved.
//
// The persistent memory holds, in this order: one PlannedTensor per model input, one per model
// output; the operator records in execution order; the state. A record is a RecordHeader and the
// operator's parameters, which begin with its slots.

namespace ota::engine {

enum class RoundingMode : uint8_t { kDouble, kSingle };

/// Where the bytes of an operand lie during an inference: the top two bits choose the memory, the
/// rest is an offset in it.
using Slot = uint32_t;
constexpr Slot kSlotShared = 0u << 30;      ///< activations and scratch
constexpr Slot kSlotPersistent = 1u << 30;  ///< state
constexpr Slot kSlotFile = 2u << 30;        ///< a constant, in place in a memory mapped source
constexpr Slot kNoSlot = 0xFFFFFFFFu;       ///< an operand that is left out
constexpr uint32_t kSlotMemoryMask = 3u << 30;
constexpr uint32_t kSlotOffsetMask = ~kSlotMemoryMask;

/// Bytes to which planned tensors, scratch and state are aligned.
constexpr uint32_t kTensorAlignment = 8;

struct PlannedTensor {
  Slot slot;
  uint32_t size_bytes;
};

struct RecordHeader {
  uint16_t word_count;     ///< of the record, this header included
  uint8_t operator_index;  ///< in the operator table; from kFirstInternalOperator on, one of those
  uint8_t slot_count;      ///< words of slots at the front of the parameters
};

/// Records that the plan itself puts between those of operators.
enum class InternalOperator : uint8_t {
  kBeginChain = 251,    ///< the operators up to kEndChain run patch by patch (chain.h)
  kEndChain = 252,      ///< back to the next patch, if there is one
  kLoadConstant = 253,  ///< brings a constant operand into the shared memory
  kReportOutput = 254,  ///< tells the observer
  kResetState = 255,    ///< says how a piece of state begins; does nothing in an inference
};
constexpr uint32_t kFirstInternalOperator = 251;

struct LoadConstantParams {
  Slot target;
  uint32_t file_offset;
  uint32_t size_bytes;
};
struct ReportOutputParams {
  Slot slot;
  uint32_t size_bytes;
  uint16_t operator_index;
  uint16_t output_index;
};
struct ResetStateParams {
  Slot slot;
  uint32_t size_bytes;
  uint8_t fill;
  uint8_t unused[3];
};

/// Parameters of CALL_ONCE, whose records stand before and behind those of the subgraph it calls.
struct CallOnceParams {
  Slot is_done;  ///< a byte of state
  uint32_t is_end;
};

/// Offsets of the parts in the persistent memory.
struct PlanLayout {
  uint32_t records_offset = 0;
  uint32_t records_end = 0;
  uint32_t state_offset = 0;
};

/// What is known of a plan when it is made, or was refused.
struct PlanOutcome {
  PlanLayout layout;
  int32_t failed_operator;  ///< -1: none
  ModelSummary summary;
};

}  // namespace ota::engine
