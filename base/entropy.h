// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace ota {

/// Unpredictable bytes: keys, nonces, blinding. A board supplies its hardware generator; the
/// simulator supplies the host's; tests supply one that repeats itself or fails.
class Entropy {
 public:
  /// Fills all of `target`.
  /// kEntropyUnavailable: the generator failed; `target` holds nothing of use.
  virtual Status Fill(MutableByteSpan target) = 0;

 protected:
  ~Entropy() = default;
};

}  // namespace ota
