// SPDX-License-Identifier: Apache-2.0
// Refers to all of manifest and trust that a device runs, so that the linker's map says what it
// costs. Never run: the input is whatever lies in memory.
#include "firmware/board.h"
#include "firmware/trust/payload_key.h"
#include "formats/trust/freshness.h"
#include "formats/trust/manifest_verification.h"
#include "formats/trust/poll.h"
#include "formats/trust/root_update.h"

namespace ota::firmware {
namespace {

class InputSource final : public ByteSource {
 public:
  uint32_t size_bytes() const override { return 1024; }
  Status Read(uint32_t, MutableByteSpan) override { return Status::kMediumFailed; }
};

formats::TrustState trust;
formats::ManifestVerification verification;
formats::RootUpdate root_update;
formats::FreshnessVerification freshness;
formats::Manifest manifest;
uint8_t record[formats::kTrustStateBytesMax];

Status UseTrust(ByteSpan input) {
  OTA_TRY(formats::InitializeTrustState(input, trust));
  OTA_TRY(formats::DecodeTrustState(input, trust));
  OTA_TRY(root_update.Begin(trust, input));
  OTA_TRY(root_update.Step(0, trust));
  OTA_TRY(formats::CheckRootExpiry(trust, input[0]));
  OTA_TRY(freshness.Begin(trust, input, input));
  OTA_TRY(freshness.Step(0, trust));
  return formats::EncodeTrustState(trust, record).status();
}

Status UseManifest(ByteSpan input) {
  OTA_TRY(verification.Begin(trust, input));
  OTA_TRY(verification.Step(0, manifest));
  InputSource source;
  formats::PayloadLocation payload;
  OTA_TRY(formats::FindPayload(source, verification.envelope(), manifest.uri, payload));
  OTA_TRY(formats::CheckManifest(manifest, {}, trust, input[0]));
  return formats::RaiseInstalledSequence(trust, manifest.kind, manifest.component_name,
                                         manifest.sequence_number);
}

Status UsePoll(ByteSpan input) {
  formats::CborWriter writer(record);
  formats::PollQuestion question;
  question.vendor_id = input;
  formats::WritePollQuestion(writer, question);
  OTA_TRY(writer.Finish());
  formats::PollAnswer answer;
  formats::PollOffer offer;
  OTA_TRY(formats::DecodePollAnswer(input, answer));
  OTA_TRY(formats::FindPollOffer(answer, 0, offer));
  return formats::VerifyLogProof(offer, freshness.log(), input);
}

}  // namespace

uint8_t RunApplication() {
  const ByteSpan input = non_volatile_memory().first(1024);
  const bool is_ok = IsOk(UseTrust(input)) && IsOk(UseManifest(input)) && IsOk(UsePoll(input)) &&
                     IsOk(UsePayloadKey(input, input));
  return is_ok ? 0 : 1;
}

}  // namespace ota::firmware
