// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

// The few Armv7E-M instructions that the kernels are made of, each as a function, and the same in
// plain C++ where the core has none, so that the kernels run and are tested on a host too. Names
// and effects: Arm C Language Extensions, 9.5; Armv7-M Architecture Reference Manual, A7.

namespace ota::engine::dsp {

/// Two signed halves of a word, and a word of them.
constexpr int32_t LowHalf(uint32_t pair) { return static_cast<int16_t>(pair); }
constexpr int32_t HighHalf(uint32_t pair) { return static_cast<int16_t>(pair >> 16); }
constexpr uint32_t PackHalves(int32_t low, int32_t high) {
  return (static_cast<uint32_t>(low) & 0xFFFF) | (static_cast<uint32_t>(high) << 16);
}

/// A word from any address.
inline uint32_t LoadWord(const void* at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

#if defined(__ARM_FEATURE_DSP)

/// Bytes of a widened weight.
inline constexpr uint32_t kQuadTapBytes = 2;

/// Copies four bytes between any addresses.
inline void CopyWord(const int8_t* source, int8_t* target) {
  const uint32_t word = LoadWord(source);
  std::memcpy(target, &word, sizeof word);
}

/// Bytes 0 and 2 of a word as signed halves; bytes 1 and 3.
inline uint32_t WidenEven(uint32_t bytes) {
  uint32_t pair;
  asm("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
  return pair;
}
inline uint32_t WidenOdd(uint32_t bytes) {
  uint32_t pair;
  asm("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
  return pair;
}

/// Bytes 0 and 2 of a word as signed halves, plus those of `halves`; bytes 1 and 3.
inline uint32_t AddEven(uint32_t halves, uint32_t bytes) {
  uint32_t pair;
  asm("sxtab16 %0, %1, %2" : "=r"(pair) : "r"(halves), "r"(bytes));
  return pair;
}
inline uint32_t AddOdd(uint32_t halves, uint32_t bytes) {
  uint32_t pair;
  asm("sxtab16 %0, %1, %2, ror #8" : "=r"(pair) : "r"(halves), "r"(bytes));
  return pair;
}

/// sum + low * low + high * high
inline int32_t MultiplyPairs(uint32_t a, uint32_t b, int32_t sum) {
  asm("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}
/// sum + the named half of a * the named half of b
inline int32_t MultiplyLowLow(uint32_t a, uint32_t b, int32_t sum) {
  asm("smlabb %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}
inline int32_t MultiplyHighHigh(uint32_t a, uint32_t b, int32_t sum) {
  asm("smlatt %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}
inline int32_t MultiplyLowHigh(uint32_t a, uint32_t b, int32_t sum) {
  asm("smlabt %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}
inline int32_t MultiplyHighLow(uint32_t a, uint32_t b, int32_t sum) {
  asm("smlatb %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}

/// Low halves of both, high halves of both: the first one's below.
inline uint32_t PackLow(uint32_t a, uint32_t b) {
  uint32_t pair;
  asm("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(a), "r"(b));
  return pair;
}
inline uint32_t PackHigh(uint32_t a, uint32_t b) {
  uint32_t pair;
  asm("pkhtb %0, %2, %1, asr #16" : "=r"(pair) : "r"(a), "r"(b));
  return pair;
}

/// x * m / 2^31, rounded half up, of a multiplier 2 m - 2^32 with m in [2^30, 2^31). |x| < 2^29.
inline int32_t MultiplyHigh(int32_t x, int32_t multiplier) {
  int32_t high;
  asm("smmlar %0, %1, %2, %1" : "=r"(high) : "r"(x), "r"(multiplier));
  return high;
}

/// To [-128, 127].
inline int32_t SaturateToByte(int32_t value) {
  int32_t result;
  asm("ssat %0, #8, %1" : "=r"(result) : "r"(value));
  return result;
}

#else

inline constexpr uint32_t kQuadTapBytes = 4;

inline void CopyWord(const int8_t* source, int8_t* target) {
  const int8_t bytes[4] = {source[0], source[1], source[2], source[3]};
  for (uint32_t i = 0; i < 4; ++i) target[i] = bytes[i];
}

inline uint32_t WidenEven(uint32_t bytes) {
  return PackHalves(static_cast<int8_t>(bytes), static_cast<int8_t>(bytes >> 16));
}
inline uint32_t WidenOdd(uint32_t bytes) { return WidenEven(bytes >> 8); }

inline uint32_t AddEven(uint32_t halves, uint32_t bytes) {
  const uint32_t wide = WidenEven(bytes);
  return PackHalves(LowHalf(halves) + LowHalf(wide), HighHalf(halves) + HighHalf(wide));
}
inline uint32_t AddOdd(uint32_t halves, uint32_t bytes) { return AddEven(halves, bytes >> 8); }

inline int32_t MultiplyLowLow(uint32_t a, uint32_t b, int32_t sum) {
  return static_cast<int32_t>(static_cast<uint32_t>(sum) +
                              static_cast<uint32_t>(LowHalf(a) * LowHalf(b)));
}
inline int32_t MultiplyHighHigh(uint32_t a, uint32_t b, int32_t sum) {
  return MultiplyLowLow(a >> 16, b >> 16, sum);
}
inline int32_t MultiplyLowHigh(uint32_t a, uint32_t b, int32_t sum) {
  return MultiplyLowLow(a, b >> 16, sum);
}
inline int32_t MultiplyHighLow(uint32_t a, uint32_t b, int32_t sum) {
  return MultiplyLowLow(a >> 16, b, sum);
}
inline int32_t MultiplyPairs(uint32_t a, uint32_t b, int32_t sum) {
  return MultiplyHighHigh(a, b, MultiplyLowLow(a, b, sum));
}
inline uint32_t PackLow(uint32_t a, uint32_t b) { return (a & 0xFFFF) | (b << 16); }
inline uint32_t PackHigh(uint32_t a, uint32_t b) { return (a >> 16) | (b & 0xFFFF0000); }
// From products of halves, for cores that have none of words: none of the sums here overflows.
inline int32_t MultiplyHigh(int32_t x, int32_t multiplier) {
  const uint32_t m = static_cast<uint32_t>(multiplier) >> 1;
  const auto m_high = static_cast<int32_t>(m >> 16);
  const auto m_low = static_cast<int32_t>(m & 0xFFFF);
  const int32_t x_low = static_cast<int16_t>(x);
  const int32_t x_high = (x - x_low) >> 16;
  const int32_t middle = x_low * m_high + x_high * m_low + ((x_low * m_low) >> 16);
  return 2 * x_high * m_high + ((middle + (1 << 14)) >> 15);
}
inline int32_t SaturateToByte(int32_t value) {
  return value < -128 ? -128 : (value > 127 ? 127 : value);
}

#endif

}  // namespace ota::engine::dsp
