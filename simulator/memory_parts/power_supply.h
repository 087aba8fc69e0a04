// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/prng.h"

namespace ota::simulator {

/// The power that memory parts run on, and the place where it fails. Whatever a part changes is
/// counted in cut points: one for each byte programmed, kErasePoints for each erase. Power fails
/// when the count reaches the point chosen; from then on nothing works until Restore().
class PowerSupply {
 public:
  static constexpr uint32_t kErasePoints = 8;

  bool is_on() const { return is_on_; }
  uint64_t point_count() const { return point_count_; }

  /// Lets power fail in the middle of cut point `point` (counted from 0 at construction). `seed`
  /// decides what is torn, and how.
  void CutAt(uint64_t point, uint32_t seed) {
    cut_at_ = point;
    prng_ = Prng(seed == 0 ? 1 : seed);
  }
  /// A cut that is still to come stays: it was not power that failed before.
  void Restore() { is_on_ = true; }
  void CancelCut() { cut_at_ = kNever; }
  void TurnOff() { is_on_ = false; }

  /// A part is about to go through `count` points. Returns how many are whole before power fails:
  /// `count` if it does not.
  uint64_t Pass(uint64_t count) {
    const uint64_t first = point_count_;
    point_count_ += count;
    if (cut_at_ < first || cut_at_ >= point_count_) return count;
    is_on_ = false;
    return cut_at_ - first;
  }

  /// Chance at the moment of the cut and after it.
  Prng& prng() { return prng_; }

 private:
  static constexpr uint64_t kNever = ~uint64_t{0};

  bool is_on_ = true;
  uint64_t point_count_ = 0;
  uint64_t cut_at_ = kNever;
  Prng prng_{1};
};

}  // namespace ota::simulator
