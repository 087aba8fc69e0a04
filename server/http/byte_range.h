// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace ota::server {

/// What a Range header (RFC 9110, section 14) asks of a body of known size.
struct ByteRange {
  enum class Kind {
    kWhole,          ///< No range, or one that is to be ignored: answer 200.
    kPart,           ///< One satisfiable range: answer 206.
    kUnsatisfiable,  ///< Lies past the end: answer 416.
  };
  Kind kind = Kind::kWhole;
  uint32_t offset = 0;
  uint32_t length = 0;
};

/// Policy: one range is served; several ranges in one request are answered with the whole, as
/// RFC 9110 allows; what breaks the syntax is ignored, as it demands. Never fails.
ByteRange ParseByteRange(std::string_view header, uint32_t size_bytes);

}  // namespace ota::server
