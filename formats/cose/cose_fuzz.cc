// SPDX-License-Identifier: Apache-2.0
// What decodes comes back from the writer byte for byte: there is one form only.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "formats/cbor/cbor_cursor.h"
#include "formats/cose/cose_encrypt.h"
#include "formats/cose/cose_sign1.h"

namespace {

using namespace ota;
using namespace ota::formats;

void Require(bool holds) {
  if (!holds) std::abort();
}

void RequireSame(const CborWriter& writer, ByteSpan bytes) {
  const Result<ByteSpan> again = writer.Finish();
  Require(again.ok() && AreEqual(*again, bytes));
}

void TrySign1(ByteSpan bytes) {
  CoseSign1 message;
  if (!IsOk(DecodeCoseSign1(bytes, message))) return;
  crypto::Es256Signature signature;
  Require(message.signature.size() == signature.size());
  std::copy(message.signature.begin(), message.signature.end(), signature.begin());
  if (!AreEqual(message.protected_header, Es256ProtectedHeader())) return;  // ESP256 is not written
  std::vector<uint8_t> buffer(bytes.size());
  CborWriter writer(buffer);
  if (message.is_detached) {
    WriteDetachedCoseSign1(writer, message.key_id, signature);
  } else {
    WriteCoseSign1(writer, message.key_id, message.payload, signature);
  }
  RequireSame(writer, bytes);
}

void TryEncrypt(ByteSpan bytes) {
  const Result<CoseEncrypt> message = DecodeCoseEncrypt(bytes);
  if (!message.ok()) return;
  const uint8_t key_id[] = {'k', 'i', 'd', '-', '1'};
  const Result<CoseRecipient> recipient = FindRecipient(*message, key_id);
  if (!recipient.ok()) return;
  Require(AreEqual(recipient->key_id, key_id));
  if (CborCursor(message->recipients).ReadArrayHead() != 1) return;
  std::vector<uint8_t> buffer(bytes.size());
  CborWriter writer(buffer);
  WriteCoseEncrypt(writer, message->cipher, message->iv, std::span(&*recipient, 1));
  RequireSame(writer, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteSpan bytes(data, size);
  TrySign1(bytes);
  TryEncrypt(bytes);
  return 0;
}
