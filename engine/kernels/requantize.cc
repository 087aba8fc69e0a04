// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/requantize.h"

namespace ota::engine {

int32_t Requantize(int32_t x, const Multiplier& multiplier, RoundingMode rounding) {
  return rounding == RoundingMode::kDouble ? RequantizeDouble(x, multiplier)
                                           : RequantizeSingle(x, multiplier);
}

}  // namespace ota::engine
