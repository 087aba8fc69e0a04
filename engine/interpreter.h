// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/byte_source.h"
#include "engine/model_summary.h"
#include "engine/operator_table.h"
#include "engine/patch_planner.h"
#include "engine/plan.h"
#include "formats/tflite/model_reader.h"

namespace ota::engine {

/// What every buffer given to an interpreter must be aligned to, in bytes.
constexpr uint32_t kArenaAlignment = 16;

/// How Prepare plans.
struct PrepareOptions {
  /// Rounding of requantized results: two steps as TensorFlow Lite Micro and CMSIS-NN do, or one as
  /// TensorFlow Lite on desktops does.
  RoundingMode rounding = RoundingMode::kDouble;
  /// Of a source that is not memory mapped: bytes of weights that an operator reads at a time, at
  /// least kPageBytesMin. 0: as many as the memory allows. Results do not depend on it, and the
  /// instructions of int8 convolutions hardly: their kernels keep the weights of four channels,
  /// widened, beside the page.
  uint32_t page_bytes = 0;
  /// &kPatchPlanner: if the arena is too small for the plain plan, operators are run in patches
  /// (chain.h). That costs no MAC more, but weights of a source that is not mapped are then read
  /// once for every patch; summary() tells. Null, or an observer is set: kArenaTooSmall instead.
  const PatchPlanner* patch_planner = nullptr;
  /// For ComputeMemoryNeeds: bytes of the arena for which Prepare would plan. 0: as many as the
  /// plain plan needs.
  uint32_t arena_bytes = 0;
};

/// Smallest page for weights that are streamed.
constexpr uint32_t kPageBytesMin = 256;

/// Is told of each operator that has run. For finding where two implementations part.
class OperatorObserver {
 public:
  /// `operator_index` and `output_index` as in the model file; `bytes` of that output, valid during
  /// the call. Operators that move nothing (a RESHAPE) are not reported.
  virtual void OnOutput(uint32_t operator_index, uint32_t output_index, ByteSpan bytes) = 0;

 protected:
  ~OperatorObserver() = default;
};

struct ReportRules;
extern const ReportRules kReportRules;

/// Runs one TensorFlow Lite model from the source on which it lies, in memory of the caller's.
///
///   Interpreter interpreter(kOperators);
///   OTA_TRY(interpreter.Prepare(source, arena));
///   std::copy_n(picture, interpreter.input(0).size(), interpreter.input(0).data());
///   OTA_TRY(interpreter.Invoke());
///   Use(interpreter.output(0));
///
/// If the source is memory mapped, weights are used in place; otherwise operators stream them
/// through a page in the arena. The results are the same bytes, whatever source, page and arena.
///
/// Inputs share memory with other tensors: fill all of them before every inference. Outputs are
/// valid until the next one. No function here waits for anything but the source, allocates, or
/// recurses.
class Interpreter {
 public:
  /// `operators` must outlive the interpreter.
  explicit Interpreter(OperatorTable operators) : operators_(operators) {}
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  /// Verifies the model's structure, checks every operator, plans the memory and resets the state.
  /// `source` and `arena` must outlive the interpreter's use of the model; what it held before is
  /// forgotten. The arena must be aligned to kArenaAlignment.
  ///
  /// kInvalidArgument: the arena is not aligned, or the page is too small. kArenaTooSmall: see
  /// arena_bytes_needed(). kUnknownOperator, kUnsupportedType, kUnsupportedShape,
  /// kUnsupportedQuantization: an operator refuses; failed_operator() tells which. kNotAModel,
  /// kModelMalformed, kModelTruncated, kModelTooLarge: see VerifyModel. Or what the source
  /// returned. After a failure there is no model.
  Status Prepare(ByteSource& source, MutableByteSpan arena, const PrepareOptions& options = {});

  /// As above, with the plan and the state of this model in `persistent`, and activations and
  /// scratch in `shared`, which other interpreters may use too, while this one is not between the
  /// first and the last Step of an inference. So models alternate without being prepared again.
  Status Prepare(ByteSource& source, MutableByteSpan persistent, MutableByteSpan shared,
                 const PrepareOptions& options = {});

  bool is_prepared() const { return is_prepared_; }
  /// After kArenaTooSmall: bytes of one arena that would do, 0 if the arena was too small even to
  /// find out (ComputeMemoryNeeds tells).
  uint32_t arena_bytes_needed() const { return summary().arena_bytes; }
  /// After a failed Prepare: index of the operator that refused, or -1.
  int32_t failed_operator() const { return plan_.failed_operator; }
  /// Of the prepared model.
  const ModelSummary& summary() const { return plan_.summary; }

  uint32_t input_count() const { return summary().input_count; }
  uint32_t output_count() const { return summary().output_count; }
  /// Bytes of a tensor, to be filled before Step or Invoke, or read after. `index` must be below
  /// the count.
  MutableByteSpan input(uint32_t index);
  ByteSpan output(uint32_t index) const;
  /// Type, shape and quantization, read from the model.
  Result<formats::TensorInfo> ReadInputInfo(uint32_t index);
  Result<formats::TensorInfo> ReadOutputInfo(uint32_t index);
  Status ReadInputInfo(uint32_t index, formats::TensorInfo& info);
  Status ReadOutputInfo(uint32_t index, formats::TensorInfo& info);

  /// Runs one inference to its end.
  /// kWrongState: no model is prepared. Otherwise what the source returned; then the inference is
  /// abandoned, the interpreter is as before, and only the state of variable tensors may be
  /// advanced in part (ResetState).
  Status Invoke();

  /// Runs a part of an inference of about `mac_budget` multiply-accumulates (it finishes what it
  /// began: a row, or some output channels of one) and returns kBusy if more is to be done, also if
  /// a source that reads ahead is not ready; kOk when outputs are ready. The next Step after that
  /// begins the next inference. Errors as Invoke.
  Status Step(uint32_t mac_budget);

  /// Sets variable tensors to their initial state and abandons an inference under way. A source
  /// that reads ahead may be writing to the arena until then, or until the inference is done.
  void ResetState();

  /// Bytes read from the source by the last inference, or by the one under way.
  uint64_t read_bytes() const { return read_bytes_; }

  /// `observer` must outlive its use; null for none. Only what Prepare planned with an observer set
  /// is reported, since it needs a few bytes of the plan.
  void set_observer(OperatorObserver* observer) {
    observer_ = observer;
    report_rules_ = observer == nullptr ? nullptr : &kReportRules;
  }

 private:
  friend class ChainRun;
  friend class RunContext;

  uint8_t* Address(Slot slot) const;
  MutableByteSpan PlannedBytes(uint32_t position) const;
  void BeginInference();
  void AbandonRequest();
  Status RunRecords(uint32_t mac_budget);
  Status RunRecord(uint32_t operator_index, RunContext& context);
  Status ReadConstant(uint32_t file_offset, uint32_t bytes, uint8_t* target);

  OperatorTable operators_;
  ByteSource* source_ = nullptr;
  const uint8_t* mapped_ = nullptr;
  uint8_t* persistent_ = nullptr;
  uint8_t* shared_ = nullptr;
  uint32_t record_offset_ = 0;
  uint32_t next_record_offset_ = 0;
  uint32_t unit_ = 0;
  uint32_t requested_bytes_ = 0;  ///< of a read that is under way
  uint64_t read_bytes_ = 0;
  RoundingMode rounding_ = RoundingMode::kDouble;
  bool is_prepared_ = false;
  bool is_in_chain_ = false;
  OperatorObserver* observer_ = nullptr;
  const ReportRules* report_rules_ = nullptr;
  const PatchPlanner* patches_ = nullptr;  ///< if the plan has chains
  uint32_t chain_offset_ = 0;
  uint32_t chain_link_ = 0;  ///< first one of the operator that comes next
  PlanOutcome plan_ = {{}, -1, {}};
};

/// Costs of a model without running it: as Prepare, with `workspace` for the plan alone, which lies
/// anywhere (a few KiB; on a host give it a megabyte). Nothing is kept.
/// With `page_bytes` 0 and a source that is not memory mapped, the costs are those of the page that
/// needs the smallest arena: that is not the smallest page, since an operator whose weights fit the
/// page can work in place.
/// Errors as Prepare, kArenaTooSmall for the workspace; on other failures `failed_operator`, if
/// given, receives the operator that refused, or -1.
Result<ModelSummary> ComputeMemoryNeeds(ByteSource& source, OperatorTable operators,
                                        MutableByteSpan workspace,
                                        const PrepareOptions& options = {},
                                        int32_t* failed_operator = nullptr);

}  // namespace ota::engine
