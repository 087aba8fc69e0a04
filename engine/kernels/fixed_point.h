// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Functions on fixed-point numbers of 32 bits, as TensorFlow Lite's quantized operators define them
// (the method is that of gemmlowp's fixedpoint: a Taylor series and a product of powers for exp,
// three Newton steps for reciprocals). Qm.n: m integer bits, n fraction bits, and a sign.

namespace ota::engine {

/// exp(a) in Q0.31, of a <= 0 in Qm.(31-m), for m = `integer_bits` up to 5.
int32_t ComputeExpOfNegative(int32_t a, int32_t integer_bits);

/// 1 / (1 + a) in Q0.31, of a in [0, 1) in Q0.31.
int32_t ComputeReciprocalOfOnePlus(int32_t a);

/// 1 / (1 + exp(-a)) in Q0.31, of a in Qm.(31-m).
int32_t ComputeLogistic(int32_t a, int32_t integer_bits);

/// tanh(a) in Q0.31, of a in Qm.(31-m), for m up to 4.
int32_t ComputeTanh(int32_t a, int32_t integer_bits);

/// 1 / x in Q0.31 for a positive x with `integer_bits` integer bits, scaled by 2^bits_over_unit.
struct Reciprocal {
  int32_t value;
  int32_t bits_over_unit;
};
Reciprocal ComputeReciprocal(int32_t x, int32_t integer_bits);

}  // namespace ota::engine
