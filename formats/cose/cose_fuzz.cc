// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "formats/cose/cose_encrypt.h"
#include "formats/cose/cose_sign1.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::formats;
  const ota::ByteSpan bytes(data, size);
  const ota::Result<CoseSign1> message = DecodeCoseSign1(bytes);
  if (message.ok() && message->signature.size() != 64) std::abort();
  const ota::Result<CoseEncrypt> encrypt = DecodeCoseEncrypt(bytes);
  if (!encrypt.ok()) return 0;
  const uint8_t key_id[] = {'k', 'i', 'd', '-', '1'};
  const ota::Result<CoseRecipient> recipient = FindRecipient(*encrypt, key_id);
  if (recipient.ok() && recipient->key_id.size() != sizeof(key_id)) std::abort();
  return 0;
}
