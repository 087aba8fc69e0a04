// SPDX-License-Identifier: Apache-2.0
#include "server/release/release_verification.h"

#include <ctime>

#include "formats/manifest/envelope.h"
#include "formats/trust/manifest_verification.h"
#include "formats/trust/root_update.h"

namespace ota::server {

Status VerifyRelease(const formats::TrustState& trust, ByteSpan envelope,
                     formats::Manifest& manifest, ByteSpan& integrated_payload) {
  OTA_TRY(formats::CheckRootExpiry(trust, static_cast<uint64_t>(time(nullptr))));
  formats::ManifestVerification verification;
  OTA_TRY(verification.Begin(trust, envelope));
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = verification.Step(0, manifest);
  OTA_TRY(status);
  const bool is_integrated = manifest.is_payload_integrated();
  MemoryByteSource source(envelope);
  OTA_TRY(const formats::PayloadLocation payload,
          formats::FindPayload(source, verification.envelope(),
                               is_integrated ? manifest.uri : std::string_view()));
  integrated_payload = envelope.subspan(payload.offset, payload.size_bytes);
  return Status::kOk;
}

}  // namespace ota::server
