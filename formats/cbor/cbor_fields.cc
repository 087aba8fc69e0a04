// SPDX-License-Identifier: Apache-2.0
#include "formats/cbor/cbor_fields.h"

#include <algorithm>

namespace ota::formats {
namespace {

constexpr CborOp OpOf(CborStep step) { return static_cast<CborOp>(step & 0xFF); }
constexpr uint32_t LimitOf(CborStep step) { return step >> 8 & 0xFF; }
constexpr uint32_t OffsetOf(CborStep step) { return step >> 16; }
constexpr int32_t ValueOf(CborStep step) { return static_cast<int8_t>(LimitOf(step)); }
constexpr bool IsFollowed(CborOp op) { return op >= CborOp::kWrapped && op <= CborOp::kItems; }

constexpr int32_t KeyOf(CborStep step) {
  return ValueOf(step) == INT8_MIN ? kCborPrivateKey : ValueOf(step);
}

// The step at `at`, and goes beyond it.
CborStep Take(const CborTableWord*& at) {
  const CborStep step = *at++;
  return IsLongCborStep(step) ? step | uint32_t{*at++} << 16 : step;
}

constexpr size_t SizeLimitOf(CborStep step) {
  return LimitOf(step) == kCborAnySize ? SIZE_MAX : LimitOf(step) * kCborSizeUnitBytes;
}

template <typename T>
T& In(uint8_t* field) {
  return *reinterpret_cast<T*>(field);
}

// Beyond the kCborEnd that belongs to the steps at `at`.
const CborTableWord* FindEnd(const CborTableWord* at) {
  for (uint32_t depth = 1; depth != 0;) {
    const CborOp op = OpOf(Take(at));
    if (IsFollowed(op)) ++depth;
    if (op == CborOp::kEnd) --depth;
  }
  return at;
}

}  // namespace

void CborFieldReader::Read(const CborTableWord* table, void* target) {
  Run(table, static_cast<uint8_t*>(target));
}

void CborFieldReader::Read(const CborTableWord* table, void* target, Special special) {
  const Special outer = std::exchange(special_, special);
  Read(table, target);
  special_ = outer;
}

void CborFieldReader::ReadMember(const CborTableWord* table, int32_t key, void* target) {
  const CborStep outer_statuses = std::exchange(statuses_, Take(table));
  Take(table);
  RunMember(table, key, static_cast<uint8_t*>(target));
  statuses_ = outer_statuses;
}

void CborFieldReader::RefuseValue() { Fail(static_cast<Status>(statuses_ >> 8 & 0xFFF)); }

Status CborFieldReader::size_refused() const { return static_cast<Status>(statuses_ >> 20); }

void CborFieldReader::Run(const CborTableWord* at, uint8_t* target) {
  const uint32_t outer_statuses = statuses_;
  bool is_longer = false;
  bool is_at_end = false;
  while (!is_at_end) {
    const CborStep step = Take(at);
    const uint32_t limit = LimitOf(step);
    uint8_t* const field = target + OffsetOf(step);
    bool is_right = true;
    switch (OpOf(step)) {
      case CborOp::kEnd:
      case CborOp::kKey:
        is_at_end = true;
        break;
      case CborOp::kIfLonger:
        is_at_end = !is_longer;
        break;
      case CborOp::kStatuses:
        statuses_ = step;
        break;
      case CborOp::kAt:
        target = field;
        break;
      case CborOp::kSpecial:
        is_right = special_(*this, limit, target);
        break;
      case CborOp::kArray: {
        const uint32_t count = ReadArrayHead();
        is_longer = count == limit >> 4;
        is_right = is_longer || count == (limit & 15);
        break;
      }
      case CborOp::kWrapped:
      case CborOp::kMap:
      case CborOp::kList:
      case CborOp::kItems:
        RunBlock(step, at, target);
        at = FindEnd(at);
        break;
      default:
        is_right = RunField(step, field);
    }
    if (!is_right) RefuseValue();
  }
  statuses_ = outer_statuses;
}

void CborFieldReader::RunBlock(CborStep step, const CborTableWord* at, uint8_t* target) {
  if (OpOf(step) == CborOp::kMap) return RunMap(step, at, target);
  if (OpOf(step) != CborOp::kWrapped) return RunArray(step, at, target);
  const uint8_t* const end = Enter();
  Run(at, target);
  Leave(end);
}

// Apart, so that its room for an element is not in the frames of maps that lie in each other.
[[gnu::noinline]] void CborFieldReader::RunArray(CborStep step, const CborTableWord* at,
                                                 uint8_t* target) {
  alignas(8) std::array<uint8_t, kCborScratchBytes> scratch = {};
  const uint8_t* const begin = here();
  const uint32_t count_max = LimitOf(step);
  const uint32_t count = ReadArrayHead();
  if (count > count_max && count_max != kCborAnyCount) return RefuseValue();
  uint8_t* element = scratch.data();
  uint32_t stride = 0;
  if (OpOf(step) == CborOp::kList) {
    const CborStep elements = Take(at);
    element = target + OffsetOf(elements);
    stride = LimitOf(elements);
  }
  for (uint32_t i = 0; i < count; ++i, element += stride) Run(at, element);
  uint8_t* const field = target + OffsetOf(step);
  if (stride != 0) {
    *field = static_cast<uint8_t>(count);
  } else {
    In<ByteSpan>(field) = encoding_since(begin);
  }
}

void CborFieldReader::RunMap(CborStep step, const CborTableWord* at, uint8_t* target) {
  Map map = BeginMap();
  uint32_t members = 0;
  for (int32_t key; NextKey(map, key);) members |= RunMember(at, key, target);
  FailUnless((~members & ((1u << LimitOf(step)) - 1)) == 0, static_cast<Status>(OffsetOf(step)));
}

// Gives the bit of the member: that of its place among the others.
uint32_t CborFieldReader::RunMember(const CborTableWord* at, int32_t key, uint8_t* target) {
  for (uint32_t bit = 1;;) {
    const CborStep step = Take(at);
    if (OpOf(step) == CborOp::kEnd) break;
    if (IsFollowed(OpOf(step))) at = FindEnd(at);
    if (OpOf(step) != CborOp::kKey) continue;
    if (KeyOf(step) == key) {
      Run(at, target);
      return bit;
    }
    bit <<= 1;
  }
  RefuseValue();
  return 0;
}

// False: the value is refused.
bool CborFieldReader::RunField(CborStep step, uint8_t* field) {
  const uint32_t limit = LimitOf(step);
  switch (OpOf(step)) {
    case CborOp::kSkip:
      SkipItem();
      return true;
    case CborOp::kLeast:
      FailUnless(IsNextAtLeast(limit), size_refused());
      return true;
    case CborOp::kInteger32:
      In<int32_t>(field) = ReadInteger();
      return true;
    case CborOp::kNumber8: {
      const uint32_t number = ReadNumber();
      *field = static_cast<uint8_t>(number);
      return number <= limit;
    }
    case CborOp::kOptional32:
      field = reinterpret_cast<uint8_t*>(&In<std::optional<uint32_t>>(field).emplace());
      [[fallthrough]];
    case CborOp::kNumber32:
      In<uint32_t>(field) = ReadNumber();
      return true;
    case CborOp::kOptional64:
      field = reinterpret_cast<uint8_t*>(&In<std::optional<uint64_t>>(field).emplace());
      [[fallthrough]];
    case CborOp::kNumber64:
      In<uint64_t>(field) = ReadUnsigned();
      return true;
    case CborOp::kBytes:
      ReadBytes(In<ByteSpan>(field), SizeLimitOf(step));
      return true;
    case CborOp::kText:
      ReadText(In<std::string_view>(field), SizeLimitOf(step));
      return true;
    case CborOp::kBytesOf:
      ReadBytesOfSize(In<ByteSpan>(field), limit, size_refused());
      return true;
    case CborOp::kCopyOf: {
      ByteSpan bytes;
      ReadBytesOfSize(bytes, limit, size_refused());
      std::copy(bytes.begin(), bytes.end(), field);
      return true;
    }
    default:
      return ReadHeadOf(static_cast<CborType>(OpOf(step))) == limit;
  }
}

CborItems::CborItems(ByteSpan encoded) : CborFieldReader(encoded), left_(ReadArrayHead()) {}

bool CborItems::HasNext() {
  if (left_ == 0 || !ok()) return false;
  --left_;
  return true;
}

bool CborItems::HasNextAfter(uint32_t count) {
  for (; HasNext(); --count) {
    if (count == 0) return true;
    SkipItem();
  }
  return false;
}

Status DecodeFields(ByteSpan bytes, void* target, const CborTableWord* table) {
  return DecodeFields(bytes, target, table, nullptr);
}

Status DecodeFields(ByteSpan bytes, void* target, const CborTableWord* table,
                    CborFieldReader::Special special) {
  CborFieldReader reader(bytes, special);
  reader.Read(table, target);
  return reader.Finish();
}

}  // namespace ota::formats
