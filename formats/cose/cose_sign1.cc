// SPDX-License-Identifier: Apache-2.0
#include "formats/cose/cose_sign1.h"

#include <array>

#include "formats/cbor/cbor_cursor.h"
#include "formats/cose/cose_labels.h"

namespace ota::formats {
namespace {

constexpr uint8_t kProtectedEs256[] = {0xA1, 0x01, 0x26};
constexpr uint8_t kProtectedEsp256[] = {0xA1, 0x01, 0x28};
// An array of four, and the text that comes first in it.
constexpr uint8_t kSigStructureBegin[] = {0x84, 0x6A, 'S', 'i', 'g', 'n',
                                          'a',  't',  'u', 'r', 'e', '1'};

// There is one form of the header for each algorithm, so bytes can be compared.
Status CheckProtectedHeader(ByteSpan header) {
  if (AreEqual(header, kProtectedEs256) || AreEqual(header, kProtectedEsp256)) return Status::kOk;
  const bool has_algorithm_alone = header.size() < 2 || (header[0] == 0xA1 && header[1] == 0x01);
  return has_algorithm_alone ? Status::kSignatureAlgorithmRefused : Status::kCoseHeaderRefused;
}

void ReadUnprotectedKeyId(CborCursor& cursor, ByteSpan& key_id) {
  CborCursor::Map map = cursor.BeginMap();
  for (int32_t label; cursor.NextKey(map, label);) {
    cursor.FailUnless(label != kCoseLabelAlgorithm, Status::kSignatureAlgorithmRefused);
    cursor.FailUnless(label == kCoseLabelKeyId, Status::kCoseHeaderRefused);
    cursor.ReadBytes(key_id, kCoseKeyIdBytesMax);
    cursor.FailUnless(!key_id.empty(), Status::kCoseHeaderRefused);
  }
}

void WriteHeaders(CborWriter& writer, ByteSpan key_id) {
  writer.WriteTag(kCoseTagSign1);
  writer.WriteArrayHead(4);
  writer.WriteBytes(Es256ProtectedHeader());
  writer.WriteMapHead(key_id.empty() ? 0 : 1);
  if (key_id.empty()) return;
  writer.WriteUnsigned(kCoseLabelKeyId);
  writer.WriteBytes(key_id);
}

}  // namespace

Status DecodeCoseSign1(ByteSpan bytes, CoseSign1& message) {
  message = {};
  CborCursor cursor(bytes);
  cursor.FailUnless(cursor.ReadTag() == kCoseTagSign1, Status::kCborTypeUnexpected);
  cursor.ReadArrayOf(4, Status::kCborTypeUnexpected);
  cursor.ReadBytes(message.protected_header);
  const Status refusal = CheckProtectedHeader(message.protected_header);
  cursor.FailUnless(IsOk(refusal), refusal);
  ReadUnprotectedKeyId(cursor, message.key_id);
  message.is_detached = !cursor.IsNext(CborType::kBytes);
  if (message.is_detached) {
    cursor.ReadNull();
  } else {
    cursor.ReadBytes(message.payload);
  }
  cursor.ReadBytesOfSize(message.signature, sizeof(crypto::Es256Signature),
                         Status::kSignatureInvalid);
  return cursor.Finish();
}

void UpdateWithBytes(crypto::Sha256& hash, ByteSpan bytes) {
  std::array<uint8_t, 9> buffer;
  CborWriter writer(buffer);
  writer.WriteBytesHead(bytes.size());
  hash.Update(ByteSpan(buffer).first(writer.size_needed_bytes()));
  hash.Update(bytes);
}

crypto::Sha256Digest ComputeSign1Digest(ByteSpan protected_header, ByteSpan external_data,
                                        ByteSpan payload) {
  crypto::Sha256 hash;
  hash.Update(kSigStructureBegin);
  UpdateWithBytes(hash, protected_header);
  UpdateWithBytes(hash, external_data);
  UpdateWithBytes(hash, payload);
  return hash.Finish();
}

ByteSpan Es256ProtectedHeader() { return kProtectedEs256; }

void WriteCoseSign1(CborWriter& writer, ByteSpan key_id, ByteSpan payload,
                    const crypto::Es256Signature& signature) {
  WriteHeaders(writer, key_id);
  writer.WriteBytes(payload);
  writer.WriteBytes(signature);
}

void WriteDetachedCoseSign1(CborWriter& writer, ByteSpan key_id,
                            const crypto::Es256Signature& signature) {
  WriteHeaders(writer, key_id);
  writer.WriteNull();
  writer.WriteBytes(signature);
}

}  // namespace ota::formats
