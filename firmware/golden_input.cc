// SPDX-License-Identifier: Apache-2.0
#include "firmware/golden_input.h"

#include <bit>

namespace ota::firmware {
namespace {

constexpr uint32_t kZeroCase = 0;
constexpr uint32_t kMaxCase = 1;

using formats::TensorType;

/// All bits but the sign of the last byte of an element; floats are 1.0.
void FillWithHighest(TensorType type, MutableByteSpan target) {
  if (type == TensorType::kFloat32) {
    for (size_t at = 0; at + 4 <= target.size(); at += 4) {
      StoreLe32(target.data() + at, std::bit_cast<uint32_t>(1.0f));
    }
    return;
  }
  const uint32_t element_bytes = formats::ElementBytes(type);
  const bool is_signed = type != TensorType::kUint8;
  for (size_t at = 0; at < target.size(); ++at) {
    const bool is_top = is_signed && at % element_bytes == element_bytes - 1;
    target[at] = is_top ? 0x7F : 0xFF;
  }
}

void FillWithZeroPoint(const formats::TensorInfo& tensor, MutableByteSpan target) {
  const uint32_t element_bytes = formats::ElementBytes(tensor.type);
  const auto value = static_cast<uint32_t>(tensor.zero_point);
  for (size_t at = 0; at < target.size(); ++at) {
    const size_t shift = at % element_bytes * 8;
    target[at] = shift < 32 ? static_cast<uint8_t>(value >> shift) : 0;
  }
}

}  // namespace

void GoldenInput::Fill(const formats::TensorInfo& tensor, MutableByteSpan target) {
  if (case_ == kZeroCase) return FillWithZeroPoint(tensor, target);
  if (case_ == kMaxCase) return FillWithHighest(tensor.type, target);
  if (tensor.type == TensorType::kFloat32) return FillRandomFloats(target);
  FillRandom(target);
}

uint32_t GoldenInput::NextWord() {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 17;
  state_ ^= state_ << 5;
  return state_;
}

void GoldenInput::FillRandom(MutableByteSpan target) {
  uint32_t word = 0;
  for (size_t at = 0; at < target.size(); ++at) {
    if (at % 4 == 0) word = NextWord();
    target[at] = static_cast<uint8_t>(word >> (at % 4 * 8));
  }
}

void GoldenInput::FillRandomFloats(MutableByteSpan target) {
  for (size_t at = 0; at + 4 <= target.size(); at += 4) {
    const float value = static_cast<float>(NextWord() >> 8) * (1.0f / 8388608.0f) - 1.0f;
    StoreLe32(target.data() + at, std::bit_cast<uint32_t>(value));
  }
}

}  // namespace ota::firmware
