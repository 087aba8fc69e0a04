// SPDX-License-Identifier: Apache-2.0
#include "firmware/trust/payload_key.h"

namespace ota::firmware {

Status UsePayloadKey(ByteSpan, ByteSpan) { return Status::kNotSupported; }

}  // namespace ota::firmware
