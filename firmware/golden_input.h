// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "formats/tflite/model_reader.h"

namespace ota::firmware {

/// Makes the inputs with which reference outputs are recorded: case 0 all zero points, 1 all
/// highest values, from 2 on random with seed case - 1; xorshift32, four bytes a word, low byte
/// first. One generator serves all inputs of a case, in their order.
class GoldenInput {
 public:
  explicit GoldenInput(uint32_t golden_case) : case_(golden_case), state_(golden_case - 1) {}

  /// Fills one tensor of integers or float32.
  void Fill(const formats::TensorInfo& tensor, MutableByteSpan target);

 private:
  uint32_t NextWord();
  void FillRandom(MutableByteSpan target);
  void FillRandomFloats(MutableByteSpan target);

  uint32_t case_;
  uint32_t state_;
};

}  // namespace ota::firmware
