// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"

// The audio front end: from samples to the logarithm of a mel filter bank, all in fixed point, with
// the results of TensorFlow Lite Micro's signal library bit for bit. What a function needs of its
// arguments is checked when the operator is prepared.

namespace ota::engine {

/// A complex number of 15 fraction bits.
struct ComplexS16 {
  int16_t real;
  int16_t imaginary;
};

/// output = input * window >> shift, saturated. `shift` in [0, 31].
void ApplyWindow(const int16_t* input, const int16_t* window, uint32_t count, uint32_t shift,
                 int16_t* output);

/// Shifts all samples left by as many bits as the largest of them allows; returns how many.
int32_t AutoScale(const int16_t* input, uint32_t count, int16_t* output);

/// Bounds of the lengths that ComputeRealFft takes; they must be powers of two.
constexpr uint32_t kFftLengthMin = 8;
constexpr uint32_t kFftLengthMax = 2048;

/// Spectrum of `length` real samples, of which `input_count` are given and the rest are 0: length/2
/// + 1 numbers, scaled down by `length`. `scratch` holds length/2 numbers; none of the three
/// overlaps another.
///
/// A mixed-radix (4, then 2) decimation in time of the samples taken as half as many complex ones,
/// each stage scaled down by its radix, as KISS FFT defines it for 16-bit fixed point.
void ComputeRealFft(const int16_t* input, uint32_t input_count, uint32_t length,
                    ComplexS16* scratch, ComplexS16* output);

/// output[i] = |input[i]|^2 for i in [begin, end).
void ComputeEnergy(const ComplexS16* input, uint32_t begin, uint32_t end, uint32_t* output);

/// A mel filter bank: triangles that overlap by half, so that each frequency counts for two
/// channels, by its weight for one and by its unweight for the next. Arrays of `channel_count` + 1.
struct FilterBank {
  const int16_t* weights;
  const int16_t* unweights;
  const int16_t* frequency_starts;
  const int16_t* weight_starts;
  const int16_t* widths;
  uint32_t channel_count;
};
void AccumulateFilterBank(const FilterBank& bank, const uint32_t* input, uint64_t* output);

/// Square root rounded to nearest; of numbers below 2^32 saturated to 16 bits.
uint32_t ComputeSquareRoot(uint64_t value);

/// Settings of spectral subtraction; numbers in [0, 1] have `bits` fraction bits. Even channels use
/// the first, odd ones the second of the two smoothings.
struct SpectralSubtraction {
  uint32_t smoothing[2];
  uint32_t one_minus_smoothing[2];
  uint32_t min_signal_remaining;
  uint32_t smoothing_bits;  ///< below 32
  uint32_t bits;            ///< below 64
  uint32_t is_clamping;
};
/// Subtracts a running estimate of the noise, which is updated.
void SubtractNoise(const SpectralSubtraction& settings, const uint32_t* input, uint32_t count,
                   uint32_t* output, uint32_t* noise_estimate);

/// Entries that a gain table must have.
constexpr uint32_t kGainTableEntries = 125;
/// Per-channel amplitude normalisation with automatic gain control. `shift` in [0, 63].
uint32_t ApplyGainControl(uint32_t energy, uint32_t noise_estimate, const int16_t* gain_table,
                          uint32_t shift);

/// output_scale * ln(value << correction_bits), saturated to int16; 0 for what is below 2.
/// `correction_bits` in [0, 31].
int16_t ComputeLogarithm(uint32_t value, uint32_t output_scale, uint32_t correction_bits);

}  // namespace ota::engine
