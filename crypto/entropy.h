// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace ota::crypto {

/// Unpredictable bytes: nonces, ephemeral keys, blinding. A board supplies its hardware generator;
/// tests supply one that repeats itself or fails.
class Entropy {
 public:
  /// Fills all of `target`.
  /// kEntropyUnavailable: the generator failed its own test; `target` holds nothing of use.
  virtual Status Fill(MutableByteSpan target) = 0;

 protected:
  ~Entropy() = default;
};

}  // namespace ota::crypto
