// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace ota::crypto {

/// Whether both hold the same bytes. The time taken depends on the lengths alone, so that an
/// attacker who guesses a tag or digest learns nothing from how soon a guess is refused.
bool AreEqualInConstantTime(ByteSpan first, ByteSpan second);

/// Overwrites secrets in a way that the compiler does not leave out.
void WipeBytes(MutableByteSpan bytes);

}  // namespace ota::crypto
