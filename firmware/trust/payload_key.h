// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/status.h"

namespace ota::firmware {

/// Refers to what opens the keys of encrypted payloads, in an image of a device that takes them;
/// to nothing in an image of one that does not.
Status UsePayloadKey(ByteSpan encryption_info, ByteSpan key_id);

}  // namespace ota::firmware
