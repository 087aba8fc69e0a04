// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/operator_table.h"
#include "engine/plan.h"

// Patch-based execution. A chain is a run of operators that are executed together, some rows of the
// last one's output (a patch) at a time. Every tensor between them is held in a line buffer: only
// the rows that are still to be read. What the next patch needs again is moved to the front of the
// buffer, not computed again, so that every row of every tensor is computed exactly once. What the
// chain reads from outside, and its output, lie in memory whole.
//
// A row of a tensor is one index of its first dimension larger than 1: of an image a row, of a
// sequence a frame.

namespace ota::engine {

/// Which rows of an input an operator needs: for row r of its output the rows
/// [r * stride - padding, r * stride - padding + reach), as far as there are such.
struct RowMap {
  uint16_t stride = 1;
  uint16_t reach = 1;
  uint16_t padding = 0;

  bool is_identity() const { return stride == 1 && reach == 1 && padding == 0; }
};

/// One input of an operator. While planned, `input` and `output` are buffers of the planner, in the
/// finished plan line buffers of the chain.
struct RowLink {
  enum class Kind : uint8_t { kRows, kWhole, kBarrier };

  uint32_t pass_bytes = 0;  ///< read from the source for every `pass_rows` rows of a patch
  uint16_t pass_rows = 0;   ///< 0: for all of them together
  uint16_t operator_index = 0;
  uint16_t input = 0;
  uint16_t output = 0;
  uint16_t input_rows = 0;
  uint16_t output_rows = 0;
  RowMap map;
  Kind kind = Kind::kRows;
  uint8_t unused = 0;

  /// First row of the input that output rows from `row` on need.
  int32_t FirstNeeded(uint32_t row) const {
    return static_cast<int32_t>(row * map.stride) - map.padding;
  }
  /// Rows of the input that are needed for the output rows below `end`.
  uint32_t CountNeeded(uint32_t end) const;
};

/// A chain that the planner chose.
struct Chain {
  uint16_t first = 0;  ///< operators, both included
  uint16_t last = 0;
  uint16_t patch_rows = 0;
  uint16_t link_count = 0;
  uint16_t buffer_count = 0;  ///< tensors that the links name
  uint16_t unused = 0;
};

/// A tensor of a chain: the rows [begin, next) lie in its memory, [end, next) are those of this
/// patch. `rows` that are needed at all.
struct LineBuffer {
  uint32_t row_bytes = 0;
  uint16_t rows = 0;
  uint16_t begin = 0;
  uint16_t end = 0;
  uint16_t next = 0;
  uint16_t dropped = 0;     ///< rows that have left the front since the last patch
  uint16_t is_outside = 0;  ///< made before the chain: whole
};

/// `count` is of the whole tensor, also outside of a patch.
struct RowRange {
  uint32_t begin;
  uint32_t end;
  uint32_t count;

  uint32_t size() const { return end - begin; }
};

/// What an operator computes for a patch, and the rows of its first input that it may read.
struct PatchRows {
  RowRange output;
  RowRange input;
};

/// The record of a chain: the slots of its line buffers, then a header, the line buffers, the links
/// in the order of operators, and room for one operator's parameters.
class ChainView {
 public:
  struct Header {
    uint16_t link_count;
    uint16_t output;  ///< a line buffer
    uint16_t patch_rows;
    uint16_t unused;
  };

  ChainView(uint8_t* params, uint32_t buffer_count);
  static uint32_t SizeBytes(uint32_t buffer_count, uint32_t link_count, uint32_t params_bytes);

  Header& header() const { return *header_; }
  uint32_t buffer_count() const { return buffer_count_; }
  Slot& slot(uint32_t index) const { return slots_[index]; }
  LineBuffer& buffer(uint32_t index) const { return buffers_[index]; }
  RowLink& link(uint32_t index) const { return links_[index]; }

  /// Before the first patch.
  void Begin() const;
  /// Goes on to the next patch: which rows every operator computes, and which are dropped.
  /// False: there is none.
  bool Advance() const;
  /// Rows computed by the operator of link `index` in this patch.
  RowRange OutputRows(uint32_t index) const;
  /// Index of the first link of the operator after that of link `index`.
  uint32_t NextOperator(uint32_t index) const;
  /// What SelectRows last made.
  uint8_t* params() const { return reinterpret_cast<uint8_t*>(links_ + header_->link_count); }
  /// Parameters of the operator of link `index`, for this patch, made from what it committed.
  const void* SelectRows(const Operator& chosen, uint32_t index, const void* committed,
                         uint32_t bytes, uint32_t slot_count) const;

 private:
  void FindNext(uint32_t output_end) const;
  void FindDropped() const;
  Slot FindSlot(Slot slot, uint32_t index) const;
  RowRange InputRows(uint32_t index) const;

  Slot* slots_;
  Header* header_;
  LineBuffer* buffers_;
  RowLink* links_;
  uint32_t buffer_count_;
};

}  // namespace ota::engine
