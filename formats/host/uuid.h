// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// UUIDs (RFC 9562), as SUIT names vendors and classes with them.

namespace ota::formats {

using Uuid = std::array<uint8_t, 16>;

/// Version 5: of a name in a name space.
Uuid ComputeNamedUuid(const Uuid& name_space, std::string_view name);

/// The vendor id of a domain name, e.g. "example.com".
Uuid ComputeVendorId(std::string_view domain);

/// The class id of a class of devices of that vendor, e.g. "board-a".
Uuid ComputeClassId(const Uuid& vendor_id, std::string_view name);

/// "cfbff0d1-9375-5685-968c-48ce8b15ae17" and back. kInvalidArgument: not of that form.
std::string FormatUuid(ByteSpan uuid);
Result<Uuid> ParseUuid(std::string_view text);

}  // namespace ota::formats
