// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace ota {

/// Source of randomness fit for keys and nonces. A board supplies its hardware generator; the
/// simulator supplies the host's, or a repeatable one where nothing depends on secrecy.
class Entropy {
 public:
  /// Fills all of `target`.
  /// kEntropyUnavailable: the source failed; `target` holds nothing of use.
  virtual Status Fill(MutableByteSpan target) = 0;

 protected:
  ~Entropy() = default;
};

}  // namespace ota
