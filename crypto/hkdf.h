// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace ota::crypto {

/// HKDF with SHA-256 (RFC 5869): fills `key` from `secret`. An empty `salt` stands for 32 zeros.
/// kOutOfRange: `key` is longer than 8160 bytes. kCryptoMemoryFull: `key` holds nothing of use.
Status DeriveKey(ByteSpan secret, ByteSpan salt, ByteSpan info, MutableByteSpan key);

}  // namespace ota::crypto
