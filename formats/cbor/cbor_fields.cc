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

constexpr Status ValueRefused(uint32_t statuses) {
  return static_cast<Status>(statuses >> 8 & 0xFFF);
}
constexpr Status SizeRefused(uint32_t statuses) { return static_cast<Status>(statuses >> 20); }

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
  Run(table, static_cast<uint8_t*>(target), 0);
}

void CborFieldReader::Read(const CborTableWord* table, void* target, Special special) {
  const Special outer = std::exchange(special_, special);
  Read(table, target);
  special_ = outer;
}

void CborFieldReader::ReadMember(const CborTableWord* table, int32_t key, void* target) {
  const CborStep statuses = Take(table);
  Take(table);
  RunMember(table, key, static_cast<uint8_t*>(target), statuses);
}

void CborFieldReader::Run(const CborTableWord* at, uint8_t* target, uint32_t statuses) {
  bool is_longer = false;
  for (;;) {
    const CborStep step = Take(at);
    const CborOp op = OpOf(step);
    if (op == CborOp::kEnd || op == CborOp::kKey) return;
    if (op == CborOp::kIfLonger) {
      if (!is_longer) return;
    } else if (op == CborOp::kStatuses) {
      statuses = step;
    } else if (op == CborOp::kAt) {
      target += OffsetOf(step);
    } else if (op == CborOp::kSpecial) {
      FailUnless(special_(*this, LimitOf(step), target), ValueRefused(statuses));
    } else if (op == CborOp::kArray) {
      const uint32_t count = ReadArrayHead();
      is_longer = count == LimitOf(step) >> 4;
      FailUnless(is_longer || count == (LimitOf(step) & 15), ValueRefused(statuses));
    } else if (IsFollowed(op)) {
      RunBlock(step, at, target, statuses);
      at = FindEnd(at);
    } else {
      RunField(step, target + OffsetOf(step), statuses);
    }
  }
}

void CborFieldReader::RunBlock(CborStep step, const CborTableWord* at, uint8_t* target,
                               uint32_t statuses) {
  if (OpOf(step) == CborOp::kMap) return RunMap(step, at, target, statuses);
  if (OpOf(step) == CborOp::kWrapped) {
    const uint8_t* const end = Enter();
    Run(at, target, statuses);
    return Leave(end);
  }
  RunArray(step, at, target, statuses);
}

// Apart, so that its room for an element is not in the frames of maps that lie in each other.
[[gnu::noinline]] void CborFieldReader::RunArray(CborStep step, const CborTableWord* at,
                                                 uint8_t* target, uint32_t statuses) {
  alignas(8) std::array<uint8_t, kCborScratchBytes> scratch = {};
  const size_t begin = position();
  const uint32_t count_max = LimitOf(step);
  const uint32_t count = ReadArrayHead();
  if (count > count_max && count_max != kCborAnyCount) return Fail(ValueRefused(statuses));
  uint8_t* element = scratch.data();
  uint32_t stride = 0;
  if (OpOf(step) == CborOp::kList) {
    const CborStep elements = Take(at);
    element = target + OffsetOf(elements);
    stride = LimitOf(elements);
  }
  for (uint32_t i = 0; i < count; ++i, element += stride) Run(at, element, statuses);
  uint8_t* const field = target + OffsetOf(step);
  if (stride != 0) {
    *field = static_cast<uint8_t>(count);
  } else {
    In<ByteSpan>(field) = encoding_since(begin);
  }
}

void CborFieldReader::RunMap(CborStep step, const CborTableWord* at, uint8_t* target,
                             uint32_t statuses) {
  Map map = BeginMap();
  uint32_t members = 0;
  for (int32_t key; NextKey(map, key);) members |= RunMember(at, key, target, statuses);
  FailUnless((~members & ((1u << LimitOf(step)) - 1)) == 0, static_cast<Status>(OffsetOf(step)));
}

// Gives the bit of the member: that of its place among the others.
uint32_t CborFieldReader::RunMember(const CborTableWord* at, int32_t key, uint8_t* target,
                                    uint32_t statuses) {
  for (uint32_t bit = 1;;) {
    const CborStep step = Take(at);
    if (OpOf(step) == CborOp::kEnd) break;
    if (IsFollowed(OpOf(step))) at = FindEnd(at);
    if (OpOf(step) != CborOp::kKey) continue;
    if (KeyOf(step) == key) {
      Run(at, target, statuses);
      return bit;
    }
    bit <<= 1;
  }
  Fail(ValueRefused(statuses));
  return 0;
}

void CborFieldReader::RunField(CborStep step, uint8_t* field, uint32_t statuses) {
  const uint32_t limit = LimitOf(step);
  const size_t bytes_max = limit == kCborAnySize ? SIZE_MAX : limit * kCborSizeUnitBytes;
  bool is_right = true;
  if (OpOf(step) < CborOp::kEnd) {
    return FailUnless(ReadHeadOf(static_cast<CborType>(OpOf(step))) == limit,
                      ValueRefused(statuses));
  }
  switch (OpOf(step)) {
    case CborOp::kSkip:
      return SkipItem();
    case CborOp::kLeast:
      return FailUnless(IsNextAtLeast(limit), SizeRefused(statuses));
    case CborOp::kInteger32:
      In<int32_t>(field) = ReadInteger();
      return;
    case CborOp::kNumber8: {
      const uint32_t number = ReadNumber();
      is_right = number <= limit;
      *field = static_cast<uint8_t>(number);
      break;
    }
    case CborOp::kOptional32:
      field = reinterpret_cast<uint8_t*>(&In<std::optional<uint32_t>>(field).emplace());
      [[fallthrough]];
    case CborOp::kNumber32:
      In<uint32_t>(field) = ReadNumber();
      return;
    case CborOp::kOptional64:
      field = reinterpret_cast<uint8_t*>(&In<std::optional<uint64_t>>(field).emplace());
      [[fallthrough]];
    case CborOp::kNumber64:
      In<uint64_t>(field) = ReadUnsigned();
      return;
    case CborOp::kBytes:
      return ReadBytes(In<ByteSpan>(field), bytes_max);
    case CborOp::kText:
      return ReadText(In<std::string_view>(field), bytes_max);
    case CborOp::kBytesOf:
      return ReadBytesOfSize(In<ByteSpan>(field), limit, SizeRefused(statuses));
    default: {
      ByteSpan bytes;
      ReadBytesOfSize(bytes, limit, SizeRefused(statuses));
      std::copy(bytes.begin(), bytes.end(), field);
      return;
    }
  }
  FailUnless(is_right, ValueRefused(statuses));
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
