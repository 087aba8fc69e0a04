// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota {

/// Marsaglia's xorshift32 (13, 17, 5): repeatable test data, never for secrets. The generated
/// inputs of self-tests and golden vectors are defined by it.
class Prng {
 public:
  /// `seed` must not be 0, which would be a fixed point.
  explicit constexpr Prng(uint32_t seed) : state_(seed) {}

  constexpr uint32_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
  }

  /// A number in [0, bound); slightly biased, which tests do not mind. `bound` must not be 0.
  constexpr uint32_t NextBelow(uint32_t bound) { return Next() % bound; }

 private:
  uint32_t state_;
};

}  // namespace ota
