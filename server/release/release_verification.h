// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/manifest/manifest.h"
#include "formats/trust/trust_state.h"

namespace ota::server {

/// Verifies an envelope as a device with that trust would, but for what concerns one device alone,
/// and for a root that has expired. `manifest`, and `integrated_payload` if it travels in the
/// envelope, point into `envelope`. Statuses of ManifestVerification, FindPayload and
/// CheckRootExpiry.
Status VerifyRelease(const formats::TrustState& trust, ByteSpan envelope,
                     formats::Manifest& manifest, ByteSpan& integrated_payload);

}  // namespace ota::server
