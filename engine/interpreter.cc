// SPDX-License-Identifier: Apache-2.0
#include "engine/interpreter.h"

#include <algorithm>
#include <cstring>

#include "engine/model_planner.h"
#include "engine/report_rules.h"
#include "engine/run_context.h"
#include "formats/tflite/model_validator.h"

namespace ota::engine {

using formats::ModelReader;
using formats::TensorInfo;

namespace {

bool IsAligned(const void* address, uint32_t alignment) {
  return reinterpret_cast<uintptr_t>(address) % alignment == 0;
}

Status VerifyArguments(MutableByteSpan persistent, MutableByteSpan shared,
                       const PrepareOptions& options) {
  const bool is_aligned =
      IsAligned(persistent.data(), kArenaAlignment) && IsAligned(shared.data(), kArenaAlignment);
  const bool is_page_usable = options.page_bytes == 0 || options.page_bytes >= kPageBytesMin;
  return is_aligned && is_page_usable ? Status::kOk : Status::kInvalidArgument;
}

Status ReadInfo(ModelReader& model, const formats::FlatVector& tensors, uint32_t index,
                TensorInfo& info) {
  model.ReadTensor(static_cast<uint32_t>(model.reader().ReadElementI32(tensors, index)), info);
  return model.reader().status();
}

}  // namespace

Status Interpreter::Prepare(ByteSource& source, MutableByteSpan arena,
                            const PrepareOptions& options) {
  return Prepare(source, arena, {}, options);
}

Status Interpreter::Prepare(ByteSource& source, MutableByteSpan persistent, MutableByteSpan shared,
                            const PrepareOptions& options) {
  AbandonRequest();
  is_prepared_ = false;
  plan_ = {};
  plan_.failed_operator = -1;
  OTA_TRY(VerifyArguments(persistent, shared, options));
  OTA_TRY(formats::VerifyModel(source));
  source_ = &source;
  rounding_ = options.rounding;
  mapped_ = source.mapped_bytes();
  const size_t limit_bytes = shared.empty() ? persistent.size() : shared.size();
  const PlanRequest request{source,     mapped_,      operators_,
                            persistent, shared,       static_cast<uint32_t>(limit_bytes),
                            options,    report_rules_};
  OTA_TRY(ModelPlanner(request, plan_).Run());
  patches_ = summary().chain_count == 0 ? nullptr : options.patch_planner;
  persistent_ = persistent.data();
  shared_ = shared.empty() ? persistent.data() + summary().persistent_bytes : shared.data();
  is_prepared_ = true;
  ResetState();
  return Status::kOk;
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
  return PlannedBytes(summary().input_count + index);
}

Status Interpreter::ReadInputInfo(uint32_t index, TensorInfo& info) {
  if (!is_prepared_) return Status::kWrongState;
  ModelReader model(*source_);
  OTA_TRY(model.Open());
  if (index >= model.inputs().count) return Status::kOutOfRange;
  return ReadInfo(model, model.inputs(), index, info);
}

Status Interpreter::ReadOutputInfo(uint32_t index, TensorInfo& info) {
  if (!is_prepared_) return Status::kWrongState;
  ModelReader model(*source_);
  OTA_TRY(model.Open());
  if (index >= model.outputs().count) return Status::kOutOfRange;
  return ReadInfo(model, model.outputs(), index, info);
}

Result<TensorInfo> Interpreter::ReadInputInfo(uint32_t index) {
  TensorInfo info;
  OTA_TRY(ReadInputInfo(index, info));
  return info;
}

Result<TensorInfo> Interpreter::ReadOutputInfo(uint32_t index) {
  TensorInfo info;
  OTA_TRY(ReadOutputInfo(index, info));
  return info;
}

void Interpreter::AbandonRequest() {
  if (requested_bytes_ != 0) source_->AbandonRead();
  requested_bytes_ = 0;
}

void Interpreter::BeginInference() {
  AbandonRequest();
  record_offset_ = plan_.layout.records_offset;
  unit_ = 0;
  is_in_chain_ = false;
}

// Apart from Prepare, which is smaller so.
[[gnu::noinline]] void Interpreter::ResetState() {
  if (!is_prepared_) return;
  BeginInference();
  for (uint32_t at = plan_.layout.records_offset; at < plan_.layout.records_end;) {
    RecordHeader header;
    std::memcpy(&header, persistent_ + at, sizeof(header));
    if (header.operator_index == static_cast<uint8_t>(InternalOperator::kResetState)) {
      const auto& params =
          *reinterpret_cast<const ResetStateParams*>(persistent_ + at + sizeof(header));
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
  const bool is_first = record_offset_ == plan_.layout.records_offset && unit_ == 0;
  if (is_first && requested_bytes_ == 0) read_bytes_ = 0;
  const Status status = RunRecords(mac_budget);
  if (status != Status::kBusy) BeginInference();
  return status;
}

Status Interpreter::RunRecords(uint32_t mac_budget) {
  while (record_offset_ < plan_.layout.records_end) {
    RecordHeader header;
    std::memcpy(&header, persistent_ + record_offset_, sizeof(header));
    const void* params = persistent_ + record_offset_ + sizeof(header);
    if (patches_ != nullptr) params = patches_->SelectParams(*this, header);
    next_record_offset_ = record_offset_ + header.word_count * 4u;
    if (params != nullptr) {
      RunContext context(*this, params, header.slot_count, mac_budget);
      OTA_TRY(RunRecord(header.operator_index, context));
      mac_budget = context.remaining_budget();
    }
    unit_ = 0;
    if (patches_ != nullptr) {
      patches_->GoOn(*this, header);
    } else {
      record_offset_ = next_record_offset_;
    }
    if (mac_budget == 0 && record_offset_ < plan_.layout.records_end) return Status::kBusy;
  }
  return Status::kOk;
}

Status Interpreter::ReadConstant(uint32_t file_offset, uint32_t bytes, uint8_t* target) {
  OTA_TRY(source_->Read(file_offset, MutableByteSpan(target, bytes)));
  read_bytes_ += bytes;
  return Status::kOk;
}

Status Interpreter::RunRecord(uint32_t operator_index, RunContext& context) {
  if (operator_index < kFirstInternalOperator) return operators_[operator_index]->run(context);
  switch (static_cast<InternalOperator>(operator_index)) {
    case InternalOperator::kLoadConstant: {
      const auto& params = context.params<LoadConstantParams>();
      return ReadConstant(params.file_offset, params.size_bytes, Address(params.target));
    }
    case InternalOperator::kReportOutput:
      if (report_rules_ != nullptr) report_rules_->run(context);
      return Status::kOk;
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
  while (at < interpreter_.plan_.layout.records_end) {
    RecordHeader header;
    std::memcpy(&header, records + at, sizeof(header));
    if (header.operator_index == own.operator_index) return;
    at += header.word_count * 4u;
  }
}

Status RunContext::FetchConstant(uint32_t file_offset, uint32_t bytes, const uint8_t*& at) {
  if (interpreter_.mapped_ == nullptr) {
    return interpreter_.ReadConstant(file_offset, bytes, const_cast<uint8_t*>(at));
  }
  at = interpreter_.mapped_ + file_offset;
  return Status::kOk;
}

Status RunContext::RequestConstant(uint32_t file_offset, uint32_t bytes, uint8_t* page) {
  OTA_TRY(interpreter_.source_->StartRead(file_offset, MutableByteSpan(page, bytes)));
  interpreter_.requested_bytes_ = bytes;
  return Status::kOk;
}

Status RunContext::AwaitRequest() {
  const Status status = interpreter_.source_->FinishRead();
  if (status == Status::kBusy) return status;
  if (IsOk(status)) interpreter_.read_bytes_ += interpreter_.requested_bytes_;
  interpreter_.requested_bytes_ = 0;
  return status;
}

Result<ModelSummary> ComputeMemoryNeeds(ByteSource& source, OperatorTable operators,
                                        MutableByteSpan workspace, const PrepareOptions& options,
                                        int32_t* failed_operator) {
  if (failed_operator != nullptr) *failed_operator = -1;
  OTA_TRY(VerifyArguments(workspace, {}, options));
  OTA_TRY(formats::VerifyModel(source));
  const uint8_t* const mapped = source.mapped_bytes();
  const bool is_any_page = options.arena_bytes == 0 && options.page_bytes == 0 && mapped == nullptr;
  PrepareOptions chosen = options;
  if (options.arena_bytes == 0) chosen.patch_planner = nullptr;
  uint32_t limit_bytes = options.arena_bytes == 0 ? UINT32_MAX : options.arena_bytes;
  if (is_any_page) limit_bytes = 0;  // none fits: the smallest is told
  const PlanRequest request{source, mapped, operators, workspace, {}, limit_bytes, chosen};
  PlanOutcome plan = {{}, -1, {}};
  const Status status = ModelPlanner(request, plan).Run();
  if (failed_operator != nullptr) *failed_operator = plan.failed_operator;
  if (status == Status::kArenaTooSmall && is_any_page && plan.summary.arena_bytes != 0) {
    return plan.summary;
  }
  OTA_TRY(status);
  return plan.summary;
}

}  // namespace ota::engine
