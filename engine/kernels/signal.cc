// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/signal.h"

#include <algorithm>
#include <array>
#include <bit>

namespace ota::engine {
namespace {

// Tables are computed by the compiler: series are summed until a term no longer counts.

constexpr double kPi = 3.14159265358979323846;

constexpr double SumSineSeries(double angle) {
  double term = angle;
  double sum = angle;
  for (int n = 1; n < 20; ++n) {
    term *= -angle * angle / ((2 * n) * (2 * n + 1));
    sum += term;
  }
  return sum;
}

/// log2(1 + x) for x in [0, 1], from the series of artanh.
constexpr double SumLog2Series(double x) {
  constexpr double kLn2 = 0.693147180559945309417;
  const double t = x / (2 + x);
  double power = t;
  double sum = 0;
  for (int n = 1; n < 80; n += 2) {
    sum += power / n;
    power *= t * t;
  }
  return 2 * sum / kLn2;
}

constexpr uint32_t kQuarterTurn = kFftLengthMax / 4;

/// 32767 sin of the first quarter of a turn, in steps of 1/kFftLengthMax of a turn.
constexpr auto kSineTable = [] {
  std::array<int16_t, kQuarterTurn + 1> table{};
  for (uint32_t i = 0; i <= kQuarterTurn; ++i) {
    table[i] = static_cast<int16_t>(SumSineSeries(2 * kPi * i / kFftLengthMax) * 32767 + 0.5);
  }
  return table;
}();

constexpr uint32_t kLogTableSegments = 128;
constexpr uint32_t kLogFractionBits = 16;

/// 65536 (log2(1 + i/128) - i/128): by how much the logarithm's curve lies above its chord. One
/// entry more, so that the segment after the last can be read.
constexpr auto kLogTable = [] {
  std::array<uint16_t, kLogTableSegments + 2> table{};
  for (uint32_t i = 0; i < kLogTableSegments; ++i) {
    const double x = static_cast<double>(i) / kLogTableSegments;
    table[i] = static_cast<uint16_t>((SumLog2Series(x) - x) * (1u << kLogFractionBits) + 0.5);
  }
  return table;
}();

/// 32767 sin(2 pi turn / kFftLengthMax).
int16_t Sine(uint32_t turn) {
  turn %= kFftLengthMax;
  const bool is_negative = turn >= 2 * kQuarterTurn;
  turn %= 2 * kQuarterTurn;
  const uint32_t folded = turn <= kQuarterTurn ? turn : 2 * kQuarterTurn - turn;
  return static_cast<int16_t>(is_negative ? -kSineTable[folded] : kSineTable[folded]);
}

/// e^(-2 pi i turn / kFftLengthMax).
ComplexS16 Twiddle(uint32_t turn) {
  return {Sine(turn + kQuarterTurn), Sine(turn + 2 * kQuarterTurn)};
}

int16_t Round15(int32_t product) { return static_cast<int16_t>((product + (1 << 14)) >> 15); }

ComplexS16 Multiply(ComplexS16 a, ComplexS16 b) {
  return {Round15(a.real * b.real - a.imaginary * b.imaginary),
          Round15(a.real * b.imaginary + a.imaginary * b.real)};
}

ComplexS16 DivideBy(ComplexS16 a, int32_t divisor) {
  const int32_t factor = 32767 / divisor;
  return {Round15(a.real * factor), Round15(a.imaginary * factor)};
}

ComplexS16 Add(ComplexS16 a, ComplexS16 b) {
  return {static_cast<int16_t>(a.real + b.real), static_cast<int16_t>(a.imaginary + b.imaginary)};
}

ComplexS16 Subtract(ComplexS16 a, ComplexS16 b) {
  return {static_cast<int16_t>(a.real - b.real), static_cast<int16_t>(a.imaginary - b.imaginary)};
}

/// -i * a.
ComplexS16 TurnBack(ComplexS16 a) { return {a.imaginary, static_cast<int16_t>(-a.real)}; }

/// Joins two spectra of `m` numbers. `turn` is the angle of one step of the result.
void JoinTwo(ComplexS16* data, uint32_t m, uint32_t turn) {
  for (uint32_t k = 0; k < m; ++k) {
    const ComplexS16 even = DivideBy(data[k], 2);
    const ComplexS16 odd = Multiply(DivideBy(data[k + m], 2), Twiddle(k * turn));
    data[k + m] = Subtract(even, odd);
    data[k] = Add(even, odd);
  }
}

void JoinFour(ComplexS16* data, uint32_t m, uint32_t turn) {
  for (uint32_t k = 0; k < m; ++k) {
    const ComplexS16 first = DivideBy(data[k], 4);
    const ComplexS16 a = Multiply(DivideBy(data[k + m], 4), Twiddle(k * turn));
    const ComplexS16 b = Multiply(DivideBy(data[k + 2 * m], 4), Twiddle(2 * k * turn));
    const ComplexS16 c = Multiply(DivideBy(data[k + 3 * m], 4), Twiddle(3 * k * turn));
    const ComplexS16 sum = Add(first, b);
    const ComplexS16 difference = Subtract(first, b);
    const ComplexS16 outer_sum = Add(a, c);
    const ComplexS16 outer_difference = TurnBack(Subtract(a, c));
    data[k] = Add(sum, outer_sum);
    data[k + m] = Add(difference, outer_difference);
    data[k + 2 * m] = Subtract(sum, outer_sum);
    data[k + 3 * m] = Subtract(difference, outer_difference);
  }
}

/// Radices are 4 as long as they divide, the last may be 2.
uint32_t RadixOf(uint32_t count) { return count % 4 == 0 ? 4 : 2; }

/// Where element `index` of the output of the decimation comes from.
uint32_t DecimatedIndex(uint32_t index, uint32_t count) {
  uint32_t source = 0;
  uint32_t stride = 1;
  while (count > 1) {
    const uint32_t radix = RadixOf(count);
    count /= radix;
    source += index / count * stride;
    index %= count;
    stride *= radix;
  }
  return source;
}

/// Spectrum of the `count` numbers in `data`, which are already decimated.
void JoinStages(ComplexS16* data, uint32_t count) {
  const bool has_radix_two = std::countr_zero(count) % 2 == 1;
  uint32_t done = 1;
  while (done < count) {
    const uint32_t radix = done == 1 && has_radix_two ? 2 : 4;
    const uint32_t turn = kFftLengthMax / (done * radix);
    for (uint32_t at = 0; at < count; at += done * radix) {
      radix == 2 ? JoinTwo(data + at, done, turn) : JoinFour(data + at, done, turn);
    }
    done *= radix;
  }
}

/// One number of the real spectrum and its mirror, from those of the packed one.
void Unpack(const ComplexS16* packed, uint32_t half, uint32_t k, uint32_t turn,
            ComplexS16* output) {
  const ComplexS16 mirror = packed[half - k];
  const ComplexS16 a = DivideBy(packed[k], 2);
  const ComplexS16 b = DivideBy({mirror.real, static_cast<int16_t>(-mirror.imaginary)}, 2);
  const ComplexS16 even = Add(a, b);
  // A quarter turn more than k steps: e^(-2 pi i k / length) times -i.
  const ComplexS16 odd = Multiply(Subtract(a, b), Twiddle(k * turn + kQuarterTurn));
  output[k] = {static_cast<int16_t>((even.real + odd.real) >> 1),
               static_cast<int16_t>((even.imaginary + odd.imaginary) >> 1)};
  output[half - k] = {static_cast<int16_t>((even.real - odd.real) >> 1),
                      static_cast<int16_t>((odd.imaginary - even.imaginary) >> 1)};
}

}  // namespace

void ApplyWindow(const int16_t* input, const int16_t* window, uint32_t count, uint32_t shift,
                 int16_t* output) {
  for (uint32_t i = 0; i < count; ++i) {
    const int32_t product = (int32_t{input[i]} * window[i]) >> shift;
    output[i] = static_cast<int16_t>(std::clamp<int32_t>(product, INT16_MIN, INT16_MAX));
  }
}

int32_t AutoScale(const int16_t* input, uint32_t count, int16_t* output) {
  int16_t largest = 0;
  for (uint32_t i = 0; i < count; ++i) {
    // -32768 has no positive counterpart: the narrowing makes it itself again.
    if (input[i] > largest) largest = input[i];
    if (-input[i] > largest) largest = static_cast<int16_t>(-input[i]);
  }
  const auto bits = static_cast<uint32_t>(int32_t{largest});
  const int32_t width = bits == 0 ? 32 : static_cast<int32_t>(std::bit_width(bits));
  const int32_t shift = std::max(15 - width, 0);
  for (uint32_t i = 0; i < count; ++i) output[i] = static_cast<int16_t>(input[i] * (1 << shift));
  return shift;
}

void ComputeRealFft(const int16_t* input, uint32_t input_count, uint32_t length,
                    ComplexS16* scratch, ComplexS16* output) {
  const uint32_t half = length / 2;
  const auto sample = [&](uint32_t i) { return i < input_count ? input[i] : int16_t{0}; };
  for (uint32_t i = 0; i < half; ++i) {
    const uint32_t source = 2 * DecimatedIndex(i, half);
    scratch[i] = {sample(source), sample(source + 1)};
  }
  JoinStages(scratch, half);
  const ComplexS16 first = DivideBy(scratch[0], 2);
  output[0] = {static_cast<int16_t>(first.real + first.imaginary), 0};
  output[half] = {static_cast<int16_t>(first.real - first.imaginary), 0};
  for (uint32_t k = 1; k <= half / 2; ++k) {
    Unpack(scratch, half, k, kFftLengthMax / length, output);
  }
}

void ComputeEnergy(const ComplexS16* input, uint32_t begin, uint32_t end, uint32_t* output) {
  for (uint32_t i = begin; i < end; ++i) {
    const auto real = static_cast<uint32_t>(input[i].real * input[i].real);
    const auto imaginary = static_cast<uint32_t>(input[i].imaginary * input[i].imaginary);
    output[i] = real + imaginary;
  }
}

void AccumulateFilterBank(const FilterBank& bank, const uint32_t* input, uint64_t* output) {
  uint64_t carried = 0;  // what the channel before gave by its unweights
  for (uint32_t channel = 0; channel <= bank.channel_count; ++channel) {
    uint64_t weighted = carried;
    uint64_t unweighted = 0;
    const int16_t* weights = bank.weights + bank.weight_starts[channel];
    const int16_t* unweights = bank.unweights + bank.weight_starts[channel];
    const uint32_t* energies = input + bank.frequency_starts[channel];
    for (int16_t i = 0; i < bank.widths[channel]; ++i) {
      weighted += static_cast<uint64_t>(int64_t{weights[i]}) * energies[i];
      unweighted += static_cast<uint64_t>(int64_t{unweights[i]}) * energies[i];
    }
    // Channel 0 only serves to carry its unweights on.
    if (channel > 0) output[channel - 1] = weighted;
    carried = unweighted;
  }
}

uint32_t ComputeSquareRoot(uint64_t value) {
  if (value == 0) return 0;
  const uint64_t root_max = value >> 32 == 0 ? 0xFFFF : 0xFFFFFFFF;
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << ((static_cast<uint32_t>(std::bit_width(value)) - 1) & ~1u);
       bit != 0; bit >>= 2) {
    const bool is_set = value >= root + bit;
    if (is_set) value -= root + bit;
    root = (root >> 1) + (is_set ? bit : 0);
  }
  if (value > root && root != root_max) ++root;
  return static_cast<uint32_t>(root);
}

void SubtractNoise(const SpectralSubtraction& settings, const uint32_t* input, uint32_t count,
                   uint32_t* output, uint32_t* noise_estimate) {
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t scaled = input[i] << settings.smoothing_bits;
    const uint64_t smoothed = uint64_t{scaled} * settings.smoothing[i & 1] +
                              uint64_t{noise_estimate[i]} * settings.one_minus_smoothing[i & 1];
    noise_estimate[i] = static_cast<uint32_t>(smoothed >> settings.bits);
    const uint32_t estimate = std::min(noise_estimate[i], scaled);
    if (settings.is_clamping != 0) noise_estimate[i] = estimate;
    const auto floor = static_cast<uint32_t>((uint64_t{input[i]} * settings.min_signal_remaining) >>
                                             settings.bits);
    output[i] = std::max((scaled - estimate) >> settings.smoothing_bits, floor);
  }
}

namespace {

/// A function given by parabolas over intervals that double: entry 4 * interval - 6 and the two
/// after it are the coefficients of the interval of numbers with that many bits.
int16_t InterpolateGain(uint32_t x, const int16_t* table) {
  if (x <= 2) return table[x];
  const auto interval = static_cast<uint32_t>(std::bit_width(x));
  const int16_t* entry = table + (4 * interval - 6);
  const auto fraction =
      static_cast<int32_t>((interval < 11 ? x << (11 - interval) : x >> (interval - 11)) & 0x3FF);
  const int32_t slope =
      ((entry[2] * fraction) >> 5) + static_cast<int32_t>(static_cast<uint32_t>(entry[1]) << 5);
  const auto product = static_cast<int32_t>(
      static_cast<uint32_t>(slope) * static_cast<uint32_t>(fraction) + (1u << 14));
  return static_cast<int16_t>((product >> 15) + entry[0]);
}

/// Signal to noise with 12 fraction bits to a result with 6: x^2 / 4 below 2, x - 1 above.
uint32_t Shrink(uint32_t x) { return x < (2u << 12) ? (x * x) >> 20 : (x >> 6) - (1u << 6); }

}  // namespace

uint32_t ApplyGainControl(uint32_t energy, uint32_t noise_estimate, const int16_t* gain_table,
                          uint32_t shift) {
  const auto gain = static_cast<uint32_t>(int32_t{InterpolateGain(noise_estimate, gain_table)});
  return Shrink(static_cast<uint32_t>((uint64_t{energy} * gain) >> shift));
}

int16_t ComputeLogarithm(uint32_t value, uint32_t output_scale, uint32_t correction_bits) {
  const uint32_t scaled = value << correction_bits;
  if (scaled <= 1) return 0;
  constexpr uint32_t kLn2 = 45426;  // ln 2 with 16 fraction bits
  constexpr uint32_t kHalf = 1u << (kLogFractionBits - 1);
  const auto integer = static_cast<uint32_t>(std::bit_width(scaled)) - 1;
  const uint32_t mantissa = scaled - (1u << integer);
  const uint32_t fraction = integer < kLogFractionBits ? mantissa << (kLogFractionBits - integer)
                                                       : mantissa >> (integer - kLogFractionBits);
  constexpr uint32_t kSegmentBits = kLogFractionBits - std::bit_width(kLogTableSegments) + 1;
  const uint32_t segment = fraction >> kSegmentBits;
  const auto in_segment = static_cast<int32_t>(fraction - (segment << kSegmentBits));
  const int32_t rise = kLogTable[segment + 1] - kLogTable[segment];
  const int32_t above = kLogTable[segment] + ((rise * in_segment) >> kLogFractionBits);
  const uint32_t log2 = (integer << kLogFractionBits) + fraction + static_cast<uint32_t>(above);
  const auto natural = static_cast<uint32_t>((uint64_t{kLn2} * log2 + kHalf) >> kLogFractionBits);
  const uint32_t result = (output_scale * natural + kHalf) >> kLogFractionBits;
  return static_cast<int16_t>(std::min<uint32_t>(result, INT16_MAX));
}

}  // namespace ota::engine
