// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/plan.h"
#include "engine/plan_builder.h"
#include "formats/tflite/model_reader.h"

namespace ota::engine {

constexpr uint32_t kResourceNameBytesMax = 64;

/// What an operator sees while it is prepared: its operands and options as the model file has them,
/// and the plan under construction, in which it asks for slots and leaves its parameters.
///
///   Status PrepareRelu(PrepareContext& context) {
///     OTA_TRY(const formats::TensorInfo input, context.ReadInput(0));
///     ... guards ...
///     ReluParams params{};
///     params.input = context.InputSlot(0);
///     params.output = context.OutputSlot(0);
///     context.AllowOverlap(0, 0, 0);
///     return context.Commit(params, 2);
///   }
///
/// A failure to get a slot sticks and is returned by Commit.
class PrepareContext {
 public:
  PrepareContext(formats::ModelReader& model, const formats::OperatorInfo& info,
                 PlanBuilder& builder, bool is_int8_only)
      : model_(model), info_(info), builder_(builder), is_int8_only_(is_int8_only) {}

  int32_t operator_code() const { return info_.code; }
  uint32_t input_count() const { return info_.inputs.count; }
  uint32_t output_count() const { return info_.outputs.count; }
  uint32_t intermediate_count() const { return info_.intermediates.count; }
  /// Whether input `index` exists and is not left out.
  bool HasInput(uint32_t index);

  /// kModelMalformed: there is no such operand. Otherwise as ModelReader::ReadTensor.
  Result<formats::TensorInfo> ReadInput(uint32_t index);
  Result<formats::TensorInfo> ReadOutput(uint32_t index);
  Result<formats::TensorInfo> ReadIntermediate(uint32_t index);
  /// The same; a failure sticks, and is what the operator's preparation returns. `info` is then all
  /// zeros.
  void ReadInput(uint32_t index, formats::TensorInfo& info);
  void ReadOutput(uint32_t index, formats::TensorInfo& info);
  /// Reads an input and output 0 in this way; kUnsupportedType if the operator is a variant for
  /// int8, and these are not.
  void ReadOperands(uint32_t input_index, formats::TensorInfo& input, formats::TensorInfo& output);

  /// Options in the operator's table of the schema, by slot.
  int32_t OptionI32(uint32_t slot, int32_t absent = 0);
  uint8_t OptionU8(uint32_t slot, uint8_t absent = 0);
  bool OptionBool(uint32_t slot) { return OptionU8(slot) != 0; }
  float OptionF32(uint32_t slot, float absent = 0.0f);
  formats::FlatTable options() const { return info_.options; }
  formats::FlatVector custom_options() const { return info_.custom_options; }
  /// For what the calls above do not offer: the model's bytes.
  formats::FlatbufferReader& reader() { return model_.reader(); }
  formats::ModelReader& model() { return model_; }

  /// Reads element `index` of a constant tensor of int32 (or int8, int64 narrowed to int32).
  /// kModelMalformed: not constant, or beyond its end.
  Result<int32_t> ReadConstantI32(const formats::TensorInfo& tensor, uint32_t index);

  RoundingMode rounding() const { return builder_.rounding(); }
  /// Whether constants can be used in place.
  bool is_mapped() const { return builder_.is_mapped(); }
  /// Whether constants can be requested ahead (run_context.h).
  bool can_read_ahead() const { return builder_.can_read_ahead(); }
  /// Bytes of weights that an operator may hold at a time; meaningless when mapped.
  uint32_t page_bytes() const { return builder_.page_bytes(); }

  /// Slot of an operand's bytes: planned memory for activations, and for constants the file itself
  /// or memory into which they are loaded before the operator runs.
  Slot InputSlot(uint32_t index);
  Slot InputSlot(const formats::TensorInfo& input) { return builder_.UseInput(input); }
  Slot OutputSlot(uint32_t index);
  Slot OutputSlot(const formats::TensorInfo& output) { return builder_.UseOutput(output); }
  /// Slot of a variable tensor's bytes, which are state: an input that the operator also writes.
  Slot VariableSlot(uint32_t index);
  /// Slot of memory that only this operator uses, while it runs. `bytes` 0 gives kNoSlot.
  Slot ScratchSlot(uint32_t bytes);
  /// Slot of memory that keeps its bytes between inferences; every byte begins as `fill`.
  Slot StateSlot(uint32_t bytes, uint8_t fill = 0);

  /// Makes an output a handle of the resource whose container and name are strings in the
  /// operator's options, by slot. Two handles of the same names mean the same resource. A handle
  /// has no bytes: no operator but those of resources may use it. kModelTooLarge: a name of more
  /// than kResourceNameBytesMax.
  Status NameResource(uint32_t output_index, uint32_t container_slot, uint32_t name_slot);
  /// Slot of the resource that input `handle_index` is a handle of: state with as many bytes as the
  /// tensor `value`, beginning as its zero point.
  Slot ResourceSlot(uint32_t handle_index, const formats::TensorInfo& value);

  /// Lets the operators of a subgraph follow this operator in the plan, and behind them a record of
  /// this operator with CallOnceParams.
  void CallSubgraph(uint32_t index, Slot is_done);

  /// Allows the planner to let output and input share memory, the output beginning at least
  /// `distance` bytes before the input: the operator never writes a byte of the output that lies
  /// there over a byte of the input that it will still read. 0: element by element, in place. May
  /// be said of two inputs.
  void AllowOverlap(uint32_t input_index, uint32_t output_index, uint32_t distance);

  /// Makes the output the same bytes as the input; the operator then commits nothing. False if it
  /// cannot (the input is constant or a state): then copy. Both have the same size.
  bool AliasOutput(const formats::TensorInfo& input, const formats::TensorInfo& output) {
    return builder_.Alias(input, output);
  }

  /// What the operator costs per inference, for the summary.
  void AddMacs(uint64_t count) { builder_.AddMacs(count); }
  void AddWeights(uint32_t bytes) { builder_.AddWeights(bytes); }
  /// Bytes read from a source that is not mapped, `passes` times; in a chain once for every
  /// `pass_rows` rows of a patch, 0: for every patch.
  void AddReads(uint32_t bytes, uint32_t passes = 1, uint32_t pass_rows = 0) {
    builder_.AddReads(bytes, passes, pass_rows);
  }

  /// Puts the operator into the plan. `params` begins with `slot_count` slots.
  /// Returns the first failure of the calls above, else kArenaTooSmall or kOk.
  template <typename Params>
  Status Commit(const Params& params, uint32_t slot_count) {
    static_assert(alignof(Params) <= 4 && sizeof(Params) % 4 == 0);
    return CommitBytes(&params, sizeof(params), slot_count);
  }
  Status CommitBytes(const void* params, uint32_t bytes, uint32_t slot_count);

 private:
  Result<bool> HasSameNames(formats::FlatTable other, uint32_t slot);
  void ReadOperand(const formats::FlatVector& operands, uint32_t index, formats::TensorInfo& info);
  Result<formats::TensorInfo> ReadOperand(const formats::FlatVector& operands, uint32_t index);

  formats::ModelReader& model_;
  const formats::OperatorInfo& info_;
  PlanBuilder& builder_;
  bool is_int8_only_;
};

}  // namespace ota::engine
