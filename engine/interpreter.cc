// SPDX-License-Identifier: Apache-2.0
#include "engine/interpreter.h"

#include <algorithm>
#include <cstring>

#include "engine/plan_builder.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"
#include "formats/tflite/model_validator.h"

namespace ota::engine {

using formats::ModelReader;
using formats::OperatorInfo;
using formats::TensorInfo;

namespace {

constexpr uint32_t kPageBytesMax = 64 * 1024;
constexpr uint32_t kBaseAlignment = 8;

bool IsAligned(const void* address, uint32_t alignment) {
  return reinterpret_cast<uintptr_t>(address) % alignment == 0;
}

bool NameEquals(ModelReader& model, const OperatorInfo& info, const char* name) {
  const size_t length = std::strlen(name);
  if (info.custom_name_bytes != length) return false;
  for (uint32_t i = 0; i < length; ++i) {
    const uint8_t character = model.reader().ReadU8(info.custom_name_offset + i);
    if (character != static_cast<uint8_t>(name[i])) return false;
  }
  return IsOk(model.reader().status());
}

Result<uint32_t> FindOperator(OperatorTable table, ModelReader& model, const OperatorInfo& info) {
  for (uint32_t i = 0; i < table.size() && i < kFirstInternalOperator; ++i) {
    if (table[i]->code != info.code) continue;
    if (table[i]->custom_name == nullptr) return i;
    if (NameEquals(model, info, table[i]->custom_name)) return i;
  }
  OTA_TRY(model.reader().status());
  return Status::kUnknownOperator;
}

// Walks the model once and leaves every operator's record in the builder's memory.
class PlanWalk {
 public:
  PlanWalk(ByteSource& source, OperatorTable table, PlanBuilder& builder)
      : model_(source), table_(table), builder_(builder) {}

  Status Run(ModelSummary& summary, PlanLayout& layout, int32_t& failed_operator) {
    failed_operator = -1;
    OTA_TRY(model_.Open());
    summary.operator_count = model_.operator_count();
    summary.tensor_count = model_.tensor_count();
    summary.input_count = model_.inputs().count;
    summary.output_count = model_.outputs().count;
    builder_.BeginTensors(summary.input_count + summary.output_count, summary.tensor_count);
    for (uint32_t i = 0; i < summary.input_count; ++i) {
      OTA_TRY(const TensorInfo tensor, ReadTensor(model_.inputs(), i));
      builder_.AddModelInput(i, tensor);
    }
    for (uint32_t i = 0; i < summary.operator_count; ++i) {
      Status status = PrepareOperator(i);
      if (IsOk(status) && builder_.has_call()) status = PrepareCall();
      if (IsOk(status)) continue;
      failed_operator = static_cast<int32_t>(i);
      return status;
    }
    for (uint32_t i = 0; i < summary.output_count; ++i) {
      OTA_TRY(const TensorInfo tensor, ReadTensor(model_.outputs(), i));
      builder_.AddModelOutput(summary.input_count + i, tensor);
    }
    return builder_.Finish(layout, summary);
  }

 private:
  Result<TensorInfo> ReadTensor(const formats::FlatVector& indices, uint32_t position) {
    const int32_t index = model_.reader().ReadElementI32(indices, position);
    return model_.ReadTensor(static_cast<uint32_t>(index));
  }

  Status PrepareOperator(uint32_t index) {
    OTA_TRY(const OperatorInfo info, model_.ReadOperator(index));
    OTA_TRY(const uint32_t table_index, FindOperator(table_, model_, info));
    builder_.BeginOperator(index, table_index);
    PrepareContext context(model_, info, builder_);
    OTA_TRY(table_[table_index]->prepare(context));
    OTA_TRY(model_.reader().status());
    for (uint32_t i = 0; i < info.outputs.count; ++i) {
      OTA_TRY(const TensorInfo output, ReadTensor(info.outputs, i));
      builder_.AddReport(output, i);
    }
    return builder_.status();
  }

  // The operators of the subgraph that the last operator calls; VerifyModel let none of them call.
  Status PrepareCall() {
    OTA_TRY(model_.SelectSubgraph(builder_.called_subgraph()));
    builder_.BeginCall(model_.tensor_count());
    for (uint32_t i = 0; i < model_.operator_count(); ++i) {
      OTA_TRY(PrepareOperator(i));
    }
    builder_.EndCall();
    OTA_TRY(model_.SelectSubgraph(0));
    return builder_.status();
  }

  ModelReader model_;
  OperatorTable table_;
  PlanBuilder& builder_;
};

PlanBuilder::Options MakeBuilderOptions(ByteSource& source, const PrepareOptions& options,
                                        uint32_t page_bytes, bool is_observed) {
  PlanBuilder::Options result;
  const auto mapped = source.Map();
  result.rounding = options.rounding;
  result.is_mapped = mapped.has_value();
  result.is_base_aligned = mapped.has_value() && IsAligned(mapped->data(), kBaseAlignment);
  result.is_observed = is_observed;
  result.page_bytes = page_bytes;
  return result;
}

Status VerifyArguments(MutableByteSpan persistent, MutableByteSpan shared,
                       const PrepareOptions& options) {
  const bool is_aligned =
      IsAligned(persistent.data(), kArenaAlignment) && IsAligned(shared.data(), kArenaAlignment);
  const bool is_page_usable = options.page_bytes == 0 || options.page_bytes >= kPageBytesMin;
  return is_aligned && is_page_usable ? Status::kOk : Status::kInvalidArgument;
}

}  // namespace

Status Interpreter::Prepare(ByteSource& source, MutableByteSpan arena,
                            const PrepareOptions& options) {
  return Prepare(source, arena, {}, options);
}

Status Interpreter::Prepare(ByteSource& source, MutableByteSpan persistent, MutableByteSpan shared,
                            const PrepareOptions& options) {
  is_prepared_ = false;
  failed_operator_ = -1;
  summary_ = ModelSummary();
  OTA_TRY(VerifyArguments(persistent, shared, options));
  OTA_TRY(formats::VerifyModel(source));
  source_ = &source;
  rounding_ = options.rounding;
  const auto mapped = source.Map();
  mapped_ = mapped.has_value() ? mapped->data() : nullptr;
  const bool is_page_free = mapped_ == nullptr && options.page_bytes == 0;
  uint32_t page = is_page_free ? kPageBytesMax : options.page_bytes;
  Status status = PlanWith(persistent, shared, options, page);
  while (is_page_free && status == Status::kArenaTooSmall && page > kPageBytesMin) {
    page /= 2;
    status = PlanWith(persistent, shared, options, page);
  }
  OTA_TRY(status);
  is_prepared_ = true;
  ResetState();
  return Status::kOk;
}

Status Interpreter::PlanWith(MutableByteSpan persistent, MutableByteSpan shared,
                             const PrepareOptions& options, uint32_t page_bytes) {
  PlanBuilder builder(persistent, shared,
                      MakeBuilderOptions(*source_, options, page_bytes, observer_ != nullptr));
  PlanWalk walk(*source_, operators_, builder);
  summary_ = ModelSummary();
  OTA_TRY(walk.Run(summary_, layout_, failed_operator_));
  persistent_ = persistent.data();
  if (shared.empty()) {
    shared_ = persistent.data() + summary_.persistent_bytes;
    return summary_.arena_bytes <= persistent.size() ? Status::kOk : Status::kArenaTooSmall;
  }
  shared_ = shared.data();
  const bool fits =
      summary_.persistent_bytes <= persistent.size() && summary_.shared_bytes <= shared.size();
  return fits ? Status::kOk : Status::kArenaTooSmall;
}

uint8_t* Interpreter::Address(Slot slot) const {
  if (slot == kNoSlot) return nullptr;
  const uint32_t offset = slot & kSlotOffsetMask;
  switch (slot & kSlotMemoryMask) {
    case kSlotShared:
      return shared_ + offset;
    case kSlotPersistent:
      return persistent_ + offset;
    default:
      return const_cast<uint8_t*>(mapped_) + offset;
  }
}

MutableByteSpan Interpreter::PlannedBytes(uint32_t position) const {
  PlannedTensor tensor;
  std::memcpy(&tensor, persistent_ + position * sizeof(tensor), sizeof(tensor));
  return MutableByteSpan(Address(tensor.slot), tensor.size_bytes);
}

MutableByteSpan Interpreter::input(uint32_t index) { return PlannedBytes(index); }

ByteSpan Interpreter::output(uint32_t index) const {
  return PlannedBytes(summary_.input_count + index);
}

Result<TensorInfo> Interpreter::ReadInputInfo(uint32_t index) {
  if (!is_prepared_) return Status::kWrongState;
  ModelReader model(*source_);
  OTA_TRY(model.Open());
  if (index >= model.inputs().count) return Status::kOutOfRange;
  return model.ReadTensor(
      static_cast<uint32_t>(model.reader().ReadElementI32(model.inputs(), index)));
}

Result<TensorInfo> Interpreter::ReadOutputInfo(uint32_t index) {
  if (!is_prepared_) return Status::kWrongState;
  ModelReader model(*source_);
  OTA_TRY(model.Open());
  if (index >= model.outputs().count) return Status::kOutOfRange;
  return model.ReadTensor(
      static_cast<uint32_t>(model.reader().ReadElementI32(model.outputs(), index)));
}

void Interpreter::BeginInference() {
  record_offset_ = layout_.records_offset;
  unit_ = 0;
}

void Interpreter::ResetState() {
  if (!is_prepared_) return;
  BeginInference();
  for (uint32_t at = layout_.records_offset; at < layout_.records_end;) {
    RecordHeader header;
    std::memcpy(&header, persistent_ + at, sizeof(header));
    if (header.operator_index == static_cast<uint8_t>(InternalOperator::kResetState)) {
      ResetStateParams params;
      std::memcpy(&params, persistent_ + at + sizeof(header), sizeof(params));
      std::fill_n(Address(params.slot), params.size_bytes, params.fill);
    }
    at += header.word_count * 4u;
  }
}

Status Interpreter::Invoke() {
  Status status = Step(UINT32_MAX);
  while (status == Status::kBusy) status = Step(UINT32_MAX);
  return status;
}

Status Interpreter::Step(uint32_t mac_budget) {
  if (!is_prepared_) return Status::kWrongState;
  if (record_offset_ == layout_.records_offset && unit_ == 0) read_bytes_ = 0;
  while (record_offset_ < layout_.records_end) {
    RecordHeader header;
    std::memcpy(&header, persistent_ + record_offset_, sizeof(header));
    RunContext context(*this, persistent_ + record_offset_ + sizeof(header), header.slot_count,
                       mac_budget);
    next_record_offset_ = record_offset_ + header.word_count * 4u;
    const Status status = RunRecord(header.operator_index, context);
    if (status == Status::kBusy) return status;
    if (!IsOk(status)) {
      BeginInference();
      return status;
    }
    unit_ = 0;
    record_offset_ = next_record_offset_;
    mac_budget = context.remaining_budget();
    if (mac_budget == 0 && record_offset_ < layout_.records_end) return Status::kBusy;
  }
  BeginInference();
  return Status::kOk;
}

Status Interpreter::RunRecord(uint32_t operator_index, RunContext& context) {
  if (operator_index < kFirstInternalOperator) return operators_[operator_index]->run(context);
  switch (static_cast<InternalOperator>(operator_index)) {
    case InternalOperator::kLoadConstant: {
      const auto& params = context.params<LoadConstantParams>();
      read_bytes_ += params.size_bytes;
      return source_->Read(params.file_offset,
                           MutableByteSpan(Address(params.target), params.size_bytes));
    }
    case InternalOperator::kReportOutput: {
      const auto& params = context.params<ReportOutputParams>();
      if (observer_ == nullptr) return Status::kOk;
      observer_->OnOutput(params.operator_index, params.output_index,
                          ByteSpan(Address(params.slot), params.size_bytes));
      return Status::kOk;
    }
    default:
      return Status::kOk;
  }
}

uint8_t* RunContext::Data(Slot slot) const { return interpreter_.Address(slot); }

void RunContext::SkipToNextOfSame() {
  const uint8_t* const records = interpreter_.persistent_;
  RecordHeader own;
  std::memcpy(&own, records + interpreter_.record_offset_, sizeof(own));
  uint32_t& at = interpreter_.next_record_offset_;
  while (at < interpreter_.layout_.records_end) {
    RecordHeader header;
    std::memcpy(&header, records + at, sizeof(header));
    if (header.operator_index == own.operator_index) return;
    at += header.word_count * 4u;
  }
}

Result<const uint8_t*> RunContext::FetchConstant(uint32_t file_offset, uint32_t bytes,
                                                 uint8_t* page) {
  if (interpreter_.mapped_ != nullptr) return interpreter_.mapped_ + file_offset;
  OTA_TRY(interpreter_.source_->Read(file_offset, MutableByteSpan(page, bytes)));
  interpreter_.read_bytes_ += bytes;
  return page;
}

Result<ModelSummary> ComputeMemoryNeeds(ByteSource& source, OperatorTable operators,
                                        MutableByteSpan workspace, const PrepareOptions& options,
                                        int32_t* failed_operator) {
  int32_t failed = -1;
  if (failed_operator != nullptr) *failed_operator = failed;
  OTA_TRY(VerifyArguments(workspace, {}, options));
  OTA_TRY(formats::VerifyModel(source));
  const uint32_t page = options.page_bytes == 0 ? kPageBytesMin : options.page_bytes;
  PlanBuilder builder(workspace, {}, MakeBuilderOptions(source, options, page, false));
  ModelSummary summary;
  PlanLayout layout;
  const Status status = PlanWalk(source, operators, builder).Run(summary, layout, failed);
  if (failed_operator != nullptr) *failed_operator = failed;
  OTA_TRY(status);
  return summary;
}

}  // namespace ota::engine
