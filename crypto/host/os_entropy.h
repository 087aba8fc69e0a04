// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/entropy.h"

namespace ota::crypto {

/// The operating system's generator.
class OsEntropy final : public Entropy {
 public:
  Status Fill(MutableByteSpan target) override;
};

}  // namespace ota::crypto
