// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/interpreter.h"
#include "engine/plan.h"

namespace ota::engine {

/// What an operator sees while it runs: its parameters, memory by slot, the model's constants, and
/// how far it has come. An operator divides its work into units (a row, some output channels) and
/// may be left after each of them:
///
///   Status RunThing(RunContext& context) {
///     const auto& params = context.params<ThingParams>();
///     while (context.unit() < params.row_count) {
///       ... compute row context.unit() ...
///       if (context.FinishUnit(params.macs_per_row)) return Status::kBusy;
///     }
///     return Status::kOk;
///   }
class RunContext {
 public:
  RunContext(Interpreter& interpreter, const void* params, uint32_t slot_count, uint32_t mac_budget)
      : interpreter_(interpreter), params_(params), slot_count_(slot_count), budget_(mac_budget) {}

  template <typename Params>
  const Params& params() const {
    return *static_cast<const Params*>(params_);
  }

  /// Slots with which the parameters begin.
  uint32_t slot_count() const { return slot_count_; }

  /// Address of a slot's bytes; null for kNoSlot.
  uint8_t* Data(Slot slot) const;
  template <typename T>
  T* DataAs(Slot slot) const {
    return reinterpret_cast<T*>(Data(slot));
  }

  bool is_mapped() const { return interpreter_.mapped_ != nullptr; }
  bool can_read_ahead() const { return interpreter_.source_->can_read_ahead(); }
  RoundingMode rounding() const { return interpreter_.rounding_; }

  /// Constants of the model. If the source is memory mapped, `at` is made to point to them in
  /// place; otherwise they are read to where it points: memory of the caller's that holds `bytes`.
  /// Foreign alignment: load words of it with LoadLe32 and the like. Fails with what the source
  /// returned.
  Status FetchConstant(uint32_t file_offset, uint32_t bytes, const uint8_t*& at);

  /// Of a source that can read ahead: asks for constants, which arrive in `page` while the operator
  /// goes on. One request at a time. Fails with what the source returned.
  Status RequestConstant(uint32_t file_offset, uint32_t bytes, uint8_t* page);
  bool has_request() const { return interpreter_.requested_bytes_ != 0; }
  /// kOk: what was requested is there. kBusy: not yet; the operator returns that, with its units as
  /// they are, and asks again when it is called again. Otherwise what the source returned.
  Status AwaitRequest();

  /// Index of the next unit; 0 when the operator begins.
  uint32_t unit() const { return interpreter_.unit_; }
  /// Counts a unit as done. True: the budget is used up, the operator must return kBusy.
  bool FinishUnit(uint32_t macs) { return FinishUnits(1, macs); }
  /// The same of several, which cost so much together, at least 1: units of empty tensors end a
  /// step too.
  bool FinishUnits(uint32_t count, uint32_t macs) {
    interpreter_.unit_ += count;
    budget_ = macs < budget_ ? budget_ - (macs | 1) : 0;
    return budget_ == 0;
  }
  /// After this operator, the next record of the same operator runs, not what stands before it.
  void SkipToNextOfSame();

  uint32_t remaining_budget() const { return budget_; }

  OperatorObserver* observer() const { return interpreter_.observer_; }

 private:
  Interpreter& interpreter_;
  const void* params_;
  uint32_t slot_count_;
  uint32_t budget_;
};

}  // namespace ota::engine
