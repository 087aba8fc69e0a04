// SPDX-License-Identifier: Apache-2.0
#include "engine/plan_builder.h"

#include <algorithm>
#include <cstring>

#include "base/units.h"
#include "engine/interpreter.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

// A piece of state in the table of buffers: its slot, marked as not being 0.
constexpr uint32_t kIsState = kSlotPersistent;

constexpr uint32_t kTimeMax = 0xFFFF;

/// Of a mapped source whose constants are used in place.
constexpr uint32_t kBaseAlignment = 8;

}  // namespace

PlanBuilder::PlanBuilder(const PlanRequest& request, uint32_t page_bytes, PlanPurpose purpose,
                         ModelSummary& summary, PlanExtension* extension)
    : PlanProgress{},
      request_(request),
      summary_(summary),
      extension_(extension),
      page_bytes_(page_bytes),
      purpose_(purpose) {
  const MutableByteSpan memory = request.is_one_memory() ? request.persistent : request.shared;
  buffers_ =
      BufferTable(memory.data() + memory.size() / alignof(PlannedBuffer) * alignof(PlannedBuffer));
  if (extension_ != nullptr) extension_->Attach(*this);
}

void PlanBuilder::Fail(Status status) {
  if (IsOk(status_)) status_ = status;
}

uint8_t* PlanBuilder::AllocateFront(uint32_t bytes) {
  if (!IsOk(status_) || bytes == 0) return nullptr;
  uint8_t* const at = FrontEnd();
  const uint8_t* const end = request_.is_one_memory()
                                 ? buffers_.begin()
                                 : request_.persistent.data() + request_.persistent.size();
  if (at > end || static_cast<size_t>(end - at) < bytes) {
    Fail(Status::kArenaTooSmall);
    return nullptr;
  }
  front_bytes_ += bytes;
  return at;
}

uint8_t* PlanBuilder::AllocateRecords(uint32_t bytes) {
  records_end_ += bytes;
  return purpose_ == PlanPurpose::kSurvey ? nullptr : AllocateFront(bytes);
}

PlannedBuffer* PlanBuilder::AddBuffer(uint32_t tensor, uint32_t bytes) {
  if (!IsOk(status_)) return nullptr;
  const uint8_t* const begin = request_.is_one_memory() ? FrontEnd() : request_.shared.data();
  if (buffers_.count() >= kNoBuffer - 1u) {
    Fail(Status::kModelTooLarge);
    return nullptr;
  }
  if (buffers_.begin() < begin ||
      static_cast<size_t>(buffers_.begin() - begin) < sizeof(PlannedBuffer)) {
    Fail(Status::kArenaTooSmall);
    return nullptr;
  }
  PlannedBuffer& buffer = buffers_.Add();
  buffer.tensor = static_cast<uint16_t>(tensor == kNoBuffer ? tensor : tensor_base_ + tensor);
  buffer.size_bytes = bytes;
  buffer.first = buffer.last = static_cast<uint16_t>(time_);
  return &buffer;
}

uint32_t PlanBuilder::FindBuffer(uint32_t tensor) const {
  for (uint32_t i = buffers_.count(); i > 0; --i) {
    if (buffers_[i - 1].tensor != tensor_base_ + tensor) continue;
    const uint32_t target = buffers_[i - 1].alias_of;
    return target == kNoBuffer ? i - 1 : target;
  }
  return kNoSlot;
}

void PlanBuilder::BeginTensors(uint32_t count, uint32_t tensor_count) {
  io_count_ = count;
  tensor_end_ = tensor_count;
  AllocateRecords(count * sizeof(PlannedTensor));
}

void PlanBuilder::SetTensorSlot(uint32_t position, uint32_t bytes, Slot slot) {
  if (!IsOk(status_) || purpose_ == PlanPurpose::kSurvey) return;
  const PlannedTensor tensor{slot, bytes};
  std::memcpy(request_.persistent.data() + position * sizeof(tensor), &tensor, sizeof(tensor));
}

void PlanBuilder::AddModelInput(uint32_t position, const TensorInfo& tensor) {
  if (tensor.is_constant || tensor.is_variable) return Fail(Status::kModelMalformed);
  if (FindBuffer(tensor.index) == kNoSlot) AddBuffer(tensor.index, tensor.size_bytes);
  input_count_ = buffers_.count();
  SetTensorSlot(position, tensor.size_bytes, FindBuffer(tensor.index));
}

void PlanBuilder::AddModelOutput(uint32_t position, const TensorInfo& tensor) {
  time_ = next_time_;
  if (extension_ != nullptr) extension_->Begin(time_);
  if (tensor.is_constant) return Fail(Status::kModelMalformed);
  SetTensorSlot(position, tensor.size_bytes, UseInput(tensor));
}

void PlanBuilder::BeginOperator(uint32_t index, uint32_t table_index) {
  if (next_time_ >= kTimeMax) Fail(Status::kModelTooLarge);
  time_ = next_time_++;
  if (extension_ != nullptr) extension_->Begin(time_);
  operator_index_ = index;
  table_index_ = table_index;
}

void PlanBuilder::CallSubgraph(uint32_t index, Slot is_done, WalkCall walk) {
  walk_call_ = walk;
  called_subgraph_ = index;
  call_table_index_ = table_index_;
  call_is_done_ = is_done;
}

void PlanBuilder::BeginCall(uint32_t tensor_count) {
  walk_call_ = nullptr;
  tensor_base_ = tensor_end_;
  tensor_end_ += tensor_count;
  if (tensor_end_ >= kNoBuffer) Fail(Status::kModelTooLarge);
}

void PlanBuilder::EndCall() {
  const CallOnceParams params{call_is_done_, 1};
  tensor_base_ = 0;
  AddRecord(call_table_index_, &params, sizeof(params), 1);
}

Slot PlanBuilder::UseInput(const TensorInfo& tensor) {
  if (tensor.is_constant) return UseConstant(tensor);
  const uint32_t index = FindBuffer(tensor.index);
  if (index == kNoSlot) {
    Fail(Status::kModelMalformed);  // read before any operator has made it
    return kNoSlot;
  }
  if (IsHandle(buffers_[index])) {
    Fail(Status::kModelMalformed);  // a handle has no bytes
    return kNoSlot;
  }
  if (buffers_[index].state_slot != 0) return buffers_[index].state_slot;
  buffers_[index].last = static_cast<uint16_t>(time_);
  if (extension_ != nullptr) extension_->NoteInput(index);
  return index;
}

Slot PlanBuilder::UseOutput(const TensorInfo& tensor) {
  if (tensor.is_constant || tensor.is_variable || FindBuffer(tensor.index) != kNoSlot) {
    Fail(Status::kModelMalformed);  // made twice
    return kNoSlot;
  }
  if (AddBuffer(tensor.index, tensor.size_bytes) == nullptr) return kNoSlot;
  return buffers_.count() - 1;
}

Slot PlanBuilder::UseScratch(uint32_t bytes) {
  if (bytes == 0 || AddBuffer(kNoBuffer, bytes) == nullptr) return kNoSlot;
  return buffers_.count() - 1;
}

Slot PlanBuilder::UseState(uint32_t bytes, uint8_t fill) {
  if (extension_ != nullptr) extension_->NoteBarrier();
  const Slot slot = kSlotPersistent | state_bytes_;
  const uint32_t placed = RoundUp(bytes, kTensorAlignment);
  if (bytes > kSlotOffsetMask / 4 || state_bytes_ + placed > kSlotOffsetMask / 4) {
    Fail(Status::kModelTooLarge);
    return kNoSlot;
  }
  state_bytes_ += placed;
  const ResetStateParams params{slot, bytes, fill, {}};
  AddRecord(static_cast<uint32_t>(InternalOperator::kResetState), &params, sizeof(params), 1);
  return slot;
}

Slot PlanBuilder::UseVariable(const TensorInfo& tensor) {
  if (extension_ != nullptr) extension_->NoteBarrier();
  const uint32_t index = FindBuffer(tensor.index);
  if (index != kNoSlot) return buffers_[index].state_slot;
  PlannedBuffer* const buffer = AddBuffer(tensor.index, 0);
  if (buffer == nullptr) return kNoSlot;
  const bool is_int8 = tensor.type == TensorType::kInt8;
  const auto fill = static_cast<uint8_t>(is_int8 ? tensor.zero_point : 0);
  const Slot slot = UseState(tensor.size_bytes, fill);
  buffer->state_slot = slot | kIsState;
  return slot;
}

void PlanBuilder::AddHandle(const TensorInfo& tensor, uint32_t names, uint32_t same) {
  if (tensor.is_variable || tensor.is_constant || FindBuffer(tensor.index) != kNoSlot) {
    return Fail(Status::kModelMalformed);
  }
  PlannedBuffer* const buffer = AddBuffer(tensor.index, 0);
  if (buffer == nullptr) return;
  buffer->state_slot = kSlotFile | names;
  buffer->alias_of = static_cast<uint16_t>(same);
}

uint32_t PlanBuilder::FindHandle(uint32_t from) const {
  for (uint32_t i = from; i < buffers_.count(); ++i) {
    if (IsHandle(buffers_[i]) && buffers_[i].alias_of == kNoBuffer) return i;
  }
  return kNoBuffer;
}

Slot PlanBuilder::UseResource(const TensorInfo& handle, const TensorInfo& value) {
  const uint32_t index = FindBuffer(handle.index);
  if (index == kNoSlot || !IsHandle(buffers_[index]) || value.size_bytes == 0) {
    Fail(Status::kModelMalformed);
    return kNoSlot;
  }
  PlannedBuffer& buffer = buffers_[index];
  if (buffer.overlap_distance == 0) {
    buffer.overlap_distance = value.size_bytes;
    buffer.offset = UseState(value.size_bytes, static_cast<uint8_t>(value.zero_point));
  }
  if (buffer.overlap_distance != value.size_bytes) Fail(Status::kUnsupportedShape);
  return buffer.offset;
}

Slot PlanBuilder::UseConstant(const TensorInfo& tensor) {
  const uint32_t element_bytes = formats::ElementBytes(tensor.type);
  if (element_bytes == 0 || tensor.constant_bytes != tensor.size_bytes) {
    Fail(Status::kModelMalformed);
    return kNoSlot;
  }
  AddWeights(tensor.size_bytes);
  const bool is_aligned = reinterpret_cast<uintptr_t>(request_.mapped) % kBaseAlignment == 0 &&
                          (tensor.constant_offset & (element_bytes - 1)) == 0;
  if (is_mapped() && is_aligned) return kSlotFile | tensor.constant_offset;
  if (AddBuffer(kNoBuffer, tensor.size_bytes) == nullptr) return kNoSlot;
  if (extension_ != nullptr) extension_->NoteBarrier();
  AddReads(is_mapped() ? 0 : tensor.size_bytes, 1, 0);
  const Slot slot = buffers_.count() - 1;
  const LoadConstantParams params{slot, tensor.constant_offset, tensor.size_bytes};
  AddRecord(static_cast<uint32_t>(InternalOperator::kLoadConstant), &params, sizeof(params), 1);
  return slot;
}

void PlanBuilder::AllowOverlap(uint32_t input, uint32_t output, uint32_t distance) {
  const uint32_t input_index = FindBuffer(input);
  const uint32_t output_index = FindBuffer(output);
  if (input_index == kNoSlot || output_index == kNoSlot || input_index == output_index) return;
  PlannedBuffer& buffer = buffers_[output_index];
  buffer.overlap_other = buffer.overlap_input;
  buffer.overlap_input = static_cast<uint16_t>(input_index);
  buffer.overlap_distance = std::max(buffer.overlap_distance, RoundUp(distance, kTensorAlignment));
}

bool PlanBuilder::Alias(const TensorInfo& input, const TensorInfo& output) {
  const uint32_t target = FindBuffer(input.index);
  if (target == kNoSlot || buffers_[target].state_slot != 0) return false;
  const Slot alias = UseOutput(output);
  if (alias == kNoSlot) return true;  // a failure, which sticks
  PlannedBuffer& buffer = buffers_[alias];
  buffer.size_bytes = 0;
  buffer.alias_of = static_cast<uint16_t>(target);
  buffers_[target].last = static_cast<uint16_t>(time_);
  return true;
}

void PlanBuilder::AddRecord(uint32_t operator_index, const void* params, uint32_t bytes,
                            uint32_t slot_count) {
  const uint32_t record_bytes = static_cast<uint32_t>(sizeof(RecordHeader)) + bytes;
  if (record_bytes / 4 > 0xFFFF || slot_count > 0xFF) return Fail(Status::kModelTooLarge);
  uint8_t* const at = AllocateRecords(record_bytes);
  if (at == nullptr) return;
  const RecordHeader header{static_cast<uint16_t>(record_bytes / 4),
                            static_cast<uint8_t>(operator_index), static_cast<uint8_t>(slot_count)};
  std::memcpy(at, &header, sizeof(header));
  if (bytes != 0) std::memcpy(at + sizeof(header), params, bytes);
}

void PlanBuilder::Commit(PrepareContext& context, const void* params, uint32_t bytes,
                         uint32_t slot_count) {
  if (extension_ != nullptr) extension_->Commit(context, params, bytes);
  AddRecord(table_index_, params, bytes, slot_count);
}

void PlanBuilder::AddWeights(uint32_t bytes) {
  summary_.weight_bytes += bytes;
  if (extension_ != nullptr) extension_->NoteWeights(bytes);
}

void PlanBuilder::AddReads(uint32_t bytes, uint32_t passes, uint32_t pass_rows) {
  uint64_t* total = &summary_.once_read_bytes;
  if (!is_in_call()) {
    summary_.single_pass_bytes += bytes;
    total = &summary_.read_bytes;
  }
  if (extension_ != nullptr && extension_->NoteReads(bytes, pass_rows)) return;
  *total += uint64_t{bytes} * passes;
}

Slot PlanBuilder::Resolve(Slot slot, const PlanLayout& layout) const {
  if (slot == kNoSlot) return slot;
  const Slot memory = slot & kSlotMemoryMask;
  if (memory == kSlotShared) {
    while (buffers_[slot].alias_of != kNoBuffer) slot = buffers_[slot].alias_of;
    return kSlotShared | buffers_[slot].offset;
  }
  if (memory == kSlotPersistent) return slot + layout.state_offset;
  return slot;
}

void PlanBuilder::ResolveRecords(const PlanLayout& layout) {
  uint8_t* at = request_.persistent.data();
  const auto resolve = [this, &layout](uint8_t* slot_at) {
    Slot slot;
    std::memcpy(&slot, slot_at, sizeof(slot));
    slot = Resolve(slot, layout);
    std::memcpy(slot_at, &slot, sizeof(slot));
  };
  const uint8_t* const end = at + layout.records_end;
  for (uint32_t left = io_count_; left != 0; --left, at += sizeof(PlannedTensor)) resolve(at);
  while (at != end) {
    RecordHeader header;
    std::memcpy(&header, at, sizeof(header));
    for (uint32_t i = 1; i <= header.slot_count; ++i) resolve(at + i * sizeof(Slot));
    at += header.word_count * 4u;
  }
}

Status PlanBuilder::Finish(PlanLayout& layout) {
  if (extension_ != nullptr) extension_->Finish();
  OTA_TRY(status_);
  const auto table_bytes = static_cast<uint32_t>(buffers_.count() * sizeof(PlannedBuffer));
  const uint32_t shared_bytes = PlanMemory(buffers_);
  if (shared_bytes > kSlotOffsetMask) return Status::kModelTooLarge;
  const uint32_t state_offset = RoundUp(records_end_, kTensorAlignment);
  const uint32_t persistent_bytes = RoundUp(state_offset + state_bytes_, kArenaAlignment);
  layout = {io_count_ * static_cast<uint32_t>(sizeof(PlannedTensor)), records_end_, state_offset};
  summary_.plan_bytes = records_end_;
  summary_.state_bytes = state_bytes_;
  summary_.persistent_bytes = persistent_bytes;
  summary_.shared_bytes = std::max(shared_bytes, table_bytes);
  const uint32_t building = state_offset + table_bytes;
  const uint32_t running = persistent_bytes + shared_bytes;
  summary_.arena_bytes = RoundUp(std::max(building, running), kTensorAlignment);
  ResolveRecords(layout);
  return Status::kOk;
}

}  // namespace ota::engine
