// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/memory_planner.h"
#include "engine/plan_request.h"

namespace ota::engine {

class PlanBuilder;
class PlanWalk;
class PrepareContext;

/// Prepares the operators of a subgraph that is called (model_planner.h).
using WalkCall = Status (*)(PlanWalk& walk);

/// Takes part in building a plan: what chains of operators need besides (chain_builder.h).
class PlanExtension {
 public:
  /// First of all calls.
  virtual void Attach(PlanBuilder& builder) = 0;
  /// The operator of `time` begins, or the end of the model.
  virtual void Begin(uint32_t time) = 0;
  /// The operator reads a buffer of the planner.
  virtual void NoteInput(uint32_t buffer) = 0;
  /// The operator has what no chain can have.
  virtual void NoteBarrier() = 0;
  virtual void NoteWeights(uint32_t bytes) = 0;
  /// True: the extension counts these reads itself.
  virtual bool NoteReads(uint32_t bytes, uint32_t pass_rows) = 0;
  /// The operator is about to commit its parameters.
  virtual void Commit(PrepareContext& context, const void* params, uint32_t bytes) = 0;
  /// Before the memory is planned.
  virtual void Finish() = 0;

 protected:
  ~PlanExtension() = default;
};

/// A survey makes no plan: records are counted, not kept, and the front of the persistent memory is
/// the extension's.
enum class PlanPurpose : uint8_t { kRun, kSurvey };

/// How far a PlanBuilder has come.
struct PlanProgress {
  Status status_;
  uint32_t records_end_;
  uint32_t front_bytes_;  ///< in use; of a survey not by records
  uint32_t state_bytes_;
  uint32_t io_count_;
  uint32_t time_;  ///< of the operator in the plan
  uint32_t next_time_;
  uint32_t tensor_base_;  ///< what tensors of a called subgraph are counted from; else 0
  uint32_t tensor_end_;
  uint32_t operator_index_;
  uint32_t table_index_;
  WalkCall walk_call_;
  uint32_t input_count_;  ///< buffers of the model's inputs
  uint32_t called_subgraph_;
  uint32_t call_table_index_;
  Slot call_is_done_;
};

/// Builds the plan of a model in the memory of a request: records grow up from the front of
/// `persistent`, and the planner's table of buffers, needed only until the plan is finished, grows
/// down from the end of `shared`, or of the same memory if there is only one.
class PlanBuilder : private PlanProgress {
 public:
  /// The memory must be aligned to kArenaAlignment; the request, the summary, whose costs are added
  /// to, and the extension, or null, must outlive the builder.
  PlanBuilder(const PlanRequest& request, uint32_t page_bytes, PlanPurpose purpose,
              ModelSummary& summary, PlanExtension* extension);

  RoundingMode rounding() const { return request_.options.rounding; }
  bool is_mapped() const { return request_.mapped != nullptr; }
  bool can_read_ahead() const { return request_.source.can_read_ahead(); }
  uint32_t page_bytes() const { return page_bytes_; }
  /// Null: outputs are not reported.
  const ReportRules* report_rules() const { return request_.report_rules; }

  /// The first failure: kArenaTooSmall, kModelMalformed, kModelTooLarge.
  Status status() const { return status_; }
  void Fail(Status status);

  /// Makes room for the model's inputs and outputs. First of all calls.
  void BeginTensors(uint32_t count, uint32_t tensor_count);
  void AddModelInput(uint32_t position, const formats::TensorInfo& tensor);
  void AddModelOutput(uint32_t position, const formats::TensorInfo& tensor);

  /// What follows belongs to operator `index` of the file, `table_index` in the operator table.
  void BeginOperator(uint32_t index, uint32_t table_index);
  /// The operator calls a subgraph, whose operators are to follow it in the plan, which `walk` sees
  /// to; `is_done` is its state.
  void CallSubgraph(uint32_t index, Slot is_done, WalkCall walk);
  /// Null: the last operator calls nothing.
  WalkCall walk_call() const { return walk_call_; }
  uint32_t called_subgraph() const { return called_subgraph_; }
  /// What follows, until EndCall, belongs to the called subgraph, which has so many tensors; what
  /// it costs is not counted, since it runs once.
  void BeginCall(uint32_t tensor_count);
  void EndCall();
  /// Of tensors that are variable kModelMalformed, before UseVariable was called for them.
  Slot UseInput(const formats::TensorInfo& tensor);
  Slot UseOutput(const formats::TensorInfo& tensor);
  /// Of a variable tensor: state.
  Slot UseVariable(const formats::TensorInfo& tensor);
  Slot UseScratch(uint32_t bytes);
  Slot UseState(uint32_t bytes, uint8_t fill);
  /// Makes `tensor` a handle of the resource whose names lie at `names` in the file: that of handle
  /// `same`, or a new one if that is kNoBuffer.
  void AddHandle(const formats::TensorInfo& tensor, uint32_t names, uint32_t same);
  /// The first handle of a resource, from buffer `from` on; kNoBuffer if there is none.
  uint32_t FindHandle(uint32_t from) const;
  uint32_t HandleNames(uint32_t handle) const {
    return buffers_[handle].state_slot & kSlotOffsetMask;
  }
  /// State of the resource that `handle` names, as large as `value`.
  Slot UseResource(const formats::TensorInfo& handle, const formats::TensorInfo& value);
  /// Of two tensors, by their indices.
  void AllowOverlap(uint32_t input, uint32_t output, uint32_t distance);
  bool Alias(const formats::TensorInfo& input, const formats::TensorInfo& output);
  void Commit(PrepareContext& context, const void* params, uint32_t bytes, uint32_t slot_count);
  void AddMacs(uint64_t count) { summary_.mac_count += is_in_call() ? 0 : count; }
  void AddWeights(uint32_t bytes);
  void AddReads(uint32_t bytes, uint32_t passes, uint32_t pass_rows);

  /// Plans the memory, turns every slot into its final form, and fills `layout` and the costs of
  /// memory in the summary. Returns the first failure of all calls.
  Status Finish(PlanLayout& layout);

 private:
  friend class ChainBuilder;
  friend struct ReportRules;

  bool is_in_call() const { return tensor_base_ != 0; }
  static bool IsHandle(const PlannedBuffer& buffer) {
    return (buffer.state_slot & kSlotMemoryMask) == kSlotFile;
  }
  Slot UseConstant(const formats::TensorInfo& tensor);
  PlannedBuffer* AddBuffer(uint32_t tensor, uint32_t bytes);
  /// Index of the buffer that holds a tensor, aliases followed; kNoSlot if there is none.
  uint32_t FindBuffer(uint32_t tensor) const;
  uint8_t* AllocateRecords(uint32_t bytes);
  uint8_t* FrontEnd() const { return request_.persistent.data() + front_bytes_; }
  /// Bytes at the front of `persistent`; null if there are not so many.
  uint8_t* AllocateFront(uint32_t bytes);
  void AddRecord(uint32_t operator_index, const void* params, uint32_t bytes, uint32_t slot_count);
  Slot Resolve(Slot slot, const PlanLayout& layout) const;
  void ResolveRecords(const PlanLayout& layout);
  void SetTensorSlot(uint32_t position, uint32_t bytes, Slot slot);

  const PlanRequest& request_;
  ModelSummary& summary_;
  PlanExtension* const extension_;
  const uint32_t page_bytes_;
  const PlanPurpose purpose_;
  BufferTable buffers_;
};

}  // namespace ota::engine
