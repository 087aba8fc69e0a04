// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "engine/interpreter.h"
#include "engine/run_context.h"
#include "simulator/memory_parts/simulated_clock.h"

namespace ota::simulator {

/// An interpreter on a processor whose computing takes simulated time, as the transfers of memory
/// parts do: so many picoseconds for each multiply-accumulate, and nothing for what else an
/// inference does. A model is run twice beforehand, to learn what each of its units of work costs.
class TimedInterpreter {
 public:
  /// `clock`, which must not skip waits, must outlive it.
  TimedInterpreter(SimulatedClock& clock, uint32_t ps_per_mac);

  /// As Interpreter::Prepare. `model` holds the bytes that `source` has.
  Status Prepare(ByteSpan model, ByteSource& source, MutableByteSpan arena,
                 const engine::PrepareOptions& options);

  engine::Interpreter& interpreter() { return interpreter_; }

  /// One inference. A timer calls `drive` while it computes; a processor that has to wait asks
  /// again each microsecond. As Interpreter::Invoke.
  Status Invoke(const std::function<void()>& drive);

  /// Time that was computed since Prepare.
  uint64_t computed_ns() const { return computed_ps_ / 1000; }

 private:
  static constexpr size_t kOperatorCountMax = 80;
  static constexpr uint64_t kTimerNs = 50'000;

  /// One operator of the model.
  struct Cost {
    uint64_t macs = 0;
    uint64_t unit_count = 0;
  };
  enum class Pass : uint8_t { kCountMacs, kCountUnits, kRun };

  template <size_t Index>
  static Status RunOperator(engine::RunContext& context);
  template <size_t... Indices>
  void WrapOperators(std::index_sequence<Indices...> indices);
  void Compute(uint64_t ps);
  Status CountRun(const engine::Operator& original, engine::RunContext& context);
  Status Learn(ByteSpan model, bool can_read_ahead, MutableByteSpan arena,
               const engine::PrepareOptions& options);

  /// Of the call under way: operators are plain functions.
  static thread_local TimedInterpreter* active_;

  SimulatedClock& clock_;
  uint32_t ps_per_mac_;
  engine::OperatorTable originals_;
  std::vector<engine::Operator> wrapped_;
  std::vector<const engine::Operator*> table_;
  engine::Interpreter interpreter_;
  Pass pass_ = Pass::kRun;
  size_t position_ = 0;  ///< of the operator that runs
  std::vector<Cost> costs_;
  bool has_worked_ = false;
  std::function<void()> drive_;
  uint64_t computed_ps_ = 0;
};

}  // namespace ota::simulator
