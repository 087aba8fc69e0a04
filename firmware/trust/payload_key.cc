// SPDX-License-Identifier: Apache-2.0
#include "firmware/trust/payload_key.h"

#include "formats/cose/content_key.h"

namespace ota::firmware {
namespace {

class NoEntropy final : public Entropy {
 public:
  Status Fill(MutableByteSpan) override { return Status::kEntropyUnavailable; }
};

NoEntropy entropy;
formats::ContentKeyOpening opening(entropy);

}  // namespace

Status UsePayloadKey(ByteSpan encryption_info, ByteSpan key_id) {
  formats::CoseEncrypt message;
  formats::CoseRecipient recipient;
  OTA_TRY(formats::DecodeCoseEncrypt(encryption_info, message));
  OTA_TRY(formats::FindRecipient(message, key_id, recipient));
  OTA_TRY(opening.Begin(recipient, crypto::AesKey{}));
  OTA_TRY(opening.Begin(recipient, crypto::P256PrivateKey{}));
  crypto::AesKey key;
  return opening.Step(0, key);
}

}  // namespace ota::firmware
