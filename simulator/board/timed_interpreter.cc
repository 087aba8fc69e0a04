// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/timed_interpreter.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace ota::simulator {
namespace {

constexpr uint64_t kPollNs = 1000;

/// The model in memory as a source that has everything at once.
class InstantSource final : public ByteSource {
 public:
  InstantSource(ByteSpan bytes, bool can_read_ahead)
      : memory_(bytes), can_read_ahead_(can_read_ahead) {}
  uint32_t size_bytes() const override { return memory_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    return memory_.Read(offset, target);
  }
  bool can_read_ahead() const override { return can_read_ahead_; }
  Status StartRead(uint32_t offset, MutableByteSpan target) override {
    return memory_.Read(offset, target);
  }
  Status FinishRead() override { return Status::kOk; }

 private:
  MemoryByteSource memory_;
  bool can_read_ahead_;
};

}  // namespace

thread_local TimedInterpreter* TimedInterpreter::active_ = nullptr;

template <size_t Index>
Status TimedInterpreter::RunOperator(engine::RunContext& context) {
  return active_->CountRun(*active_->originals_[Index], context);
}

template <size_t... Indices>
void TimedInterpreter::WrapOperators(std::index_sequence<Indices...> /*indices*/) {
  constexpr Status (*kRuns[])(engine::RunContext&) = {&RunOperator<Indices>...};
  for (size_t i = 0; i < originals_.size(); ++i) {
    wrapped_[i] = *originals_[i];
    wrapped_[i].run = kRuns[i];
    table_[i] = &wrapped_[i];
  }
}

TimedInterpreter::TimedInterpreter(SimulatedClock& clock, uint32_t ps_per_mac)
    : clock_(clock),
      ps_per_mac_(ps_per_mac),
      originals_(engine::AllOperators()),
      wrapped_(originals_.size()),
      table_(originals_.size()),
      interpreter_(table_) {
  if (originals_.size() > kOperatorCountMax) throw std::logic_error("raise kOperatorCountMax");
  WrapOperators(std::make_index_sequence<kOperatorCountMax>());
}

void TimedInterpreter::Compute(uint64_t ps) {
  uint64_t rest_ns = (computed_ps_ + ps) / 1000 - computed_ps_ / 1000;
  computed_ps_ += ps;
  while (rest_ns != 0) {
    const uint64_t ns = std::min(rest_ns, kTimerNs);
    clock_.AdvanceNs(ns);
    rest_ns -= ns;
    drive_();
  }
}

/// A call that uses up a budget of 1 has done a unit of work; others wait, or move nothing.
Status TimedInterpreter::CountRun(const engine::Operator& original, engine::RunContext& context) {
  if (costs_.size() <= position_) costs_.resize(position_ + 1);
  Cost& cost = costs_[position_];
  const uint32_t before = context.remaining_budget();
  const Status status = original.run(context);
  const uint32_t spent = before - context.remaining_budget();
  if (pass_ == Pass::kCountMacs) cost.macs += spent;
  if (pass_ == Pass::kCountUnits) cost.unit_count += spent;
  if (pass_ == Pass::kRun && spent != 0) {
    has_worked_ = true;
    Compute(cost.macs * ps_per_mac_ / cost.unit_count);
  }
  if (IsOk(status)) position_ += 1;
  return status;
}

Status TimedInterpreter::Learn(ByteSpan model, bool can_read_ahead, MutableByteSpan arena,
                               const engine::PrepareOptions& options) {
  InstantSource source(model, can_read_ahead);
  OTA_TRY(interpreter_.Prepare(source, arena, options));
  costs_.clear();
  for (const Pass pass : {Pass::kCountMacs, Pass::kCountUnits}) {
    pass_ = pass;
    position_ = 0;
    const uint32_t budget = pass == Pass::kCountUnits ? 1 : UINT32_MAX;
    Status status = interpreter_.Step(budget);
    while (status == Status::kBusy) status = interpreter_.Step(budget);
    OTA_TRY(status);
  }
  return Status::kOk;
}

Status TimedInterpreter::Prepare(ByteSpan model, ByteSource& source, MutableByteSpan arena,
                                 const engine::PrepareOptions& options) {
  active_ = this;
  OTA_TRY(Learn(model, source.can_read_ahead(), arena, options));
  computed_ps_ = 0;
  return interpreter_.Prepare(source, arena, options);
}

Status TimedInterpreter::Invoke(const std::function<void()>& drive) {
  active_ = this;
  pass_ = Pass::kRun;
  position_ = 0;
  drive_ = drive;
  for (;;) {
    has_worked_ = false;
    const Status status = interpreter_.Step(1);
    if (status != Status::kBusy) return status;
    if (!has_worked_) clock_.AdvanceNs(kPollNs);
  }
}

}  // namespace ota::simulator
