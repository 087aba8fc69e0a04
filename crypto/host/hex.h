// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

// Bytes as people and paths write them: two lower-case hexadecimal digits each.

namespace ota::crypto {

std::string HexText(ByteSpan bytes);

/// kInvalidArgument: not exactly the digits of that many bytes, in lower case; `target` is then not
/// to be used.
Status DecodeHex(std::string_view text, MutableByteSpan target);

}  // namespace ota::crypto
