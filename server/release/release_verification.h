// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/manifest/manifest.h"
#include "formats/trust/trust_state.h"

namespace ota::server {

/// Verifies an envelope as a device with that trust would, but for what concerns one device alone,
/// and for a root that has expired. The payload must travel apart: kNotSupported. `manifest` points
/// into `envelope`. Otherwise statuses of ManifestVerification, FindPayload and CheckRootExpiry.
Status VerifyRelease(const formats::TrustState& trust, ByteSpan envelope,
                     formats::Manifest& manifest);

}  // namespace ota::server
