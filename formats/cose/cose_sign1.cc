// SPDX-License-Identifier: Apache-2.0
#include "formats/cose/cose_sign1.h"

#include <array>

#include "formats/cose/cose_labels.h"

namespace ota::formats {
namespace {

constexpr uint8_t kProtectedEs256[] = {0xA1, 0x01, 0x26};
constexpr std::string_view kContext = "Signature1";

Status CheckProtectedHeader(ByteSpan header) {
  if (header.empty()) return Status::kSignatureAlgorithmRefused;
  CborReader reader(header);
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  bool is_algorithm_known = false;
  while (map.has_next()) {
    OTA_TRY(const int64_t label, map.ReadIntegerKey());
    if (label == kCoseLabelCritical) return Status::kCoseHeaderRefused;
    if (label != kCoseLabelAlgorithm) {
      OTA_TRY(reader.ReadItem());
      continue;
    }
    const Result<int64_t> algorithm = reader.ReadInteger();
    is_algorithm_known =
        algorithm.ok() && (*algorithm == kCoseAlgorithmEs256 || *algorithm == kCoseAlgorithmEsp256);
    if (!is_algorithm_known) return Status::kSignatureAlgorithmRefused;
  }
  OTA_TRY(reader.Finish());
  return is_algorithm_known ? Status::kOk : Status::kSignatureAlgorithmRefused;
}

Result<ByteSpan> ReadUnprotectedKeyId(CborReader& reader) {
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  ByteSpan key_id;
  while (map.has_next()) {
    OTA_TRY(const int64_t label, map.ReadIntegerKey());
    if (label == kCoseLabelAlgorithm) return Status::kSignatureAlgorithmRefused;
    if (label != kCoseLabelKeyId) return Status::kCoseHeaderRefused;
    OTA_TRY(key_id, reader.ReadBytes(kCoseKeyIdBytesMax));
    if (key_id.empty()) return Status::kCoseHeaderRefused;
  }
  return key_id;
}

void UpdateWithBytesHead(crypto::Sha256& hash, size_t length) {
  std::array<uint8_t, 9> buffer;
  CborWriter writer(buffer);
  writer.WriteBytesHead(length);
  hash.Update(ByteSpan(buffer).first(writer.size_needed_bytes()));
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

Result<CoseSign1> DecodeCoseSign1(ByteSpan bytes) {
  CborReader reader(bytes);
  OTA_TRY(const uint64_t tag, reader.ReadTag());
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (tag != kCoseTagSign1 || count != 4) return Status::kCborTypeUnexpected;
  CoseSign1 message;
  OTA_TRY(message.protected_header, reader.ReadBytes());
  OTA_TRY(CheckProtectedHeader(message.protected_header));
  OTA_TRY(message.key_id, ReadUnprotectedKeyId(reader));
  OTA_TRY(const CborType payload_type, reader.PeekType());
  if (payload_type == CborType::kBytes) {
    OTA_TRY(message.payload, reader.ReadBytes());
  } else {
    OTA_TRY(reader.ReadNull());
    message.is_detached = true;
  }
  OTA_TRY(message.signature, reader.ReadBytes());
  OTA_TRY(reader.Finish());
  if (message.signature.size() != sizeof(crypto::Es256Signature)) return Status::kSignatureInvalid;
  return message;
}

crypto::Sha256Digest ComputeSign1Digest(ByteSpan protected_header, ByteSpan external_data,
                                        ByteSpan payload) {
  std::array<uint8_t, 16> buffer;
  CborWriter writer(buffer);
  writer.WriteArrayHead(4);
  writer.WriteText(kContext);
  crypto::Sha256 hash;
  hash.Update(ByteSpan(buffer).first(writer.size_needed_bytes()));
  for (const ByteSpan member : {protected_header, external_data, payload}) {
    UpdateWithBytesHead(hash, member.size());
    hash.Update(member);
  }
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
