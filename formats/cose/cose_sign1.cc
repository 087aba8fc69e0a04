// SPDX-License-Identifier: Apache-2.0
#include "formats/cose/cose_sign1.h"

#include <array>

#include "formats/cbor/cbor_fields.h"
#include "formats/cose/cose_labels.h"

namespace ota::formats {
namespace {

constexpr uint8_t kProtectedEs256[] = {0xA1, 0x01, 0x26};
constexpr uint8_t kEncodedEsp256 = 0x28;
// An array of four, and the text that comes first in it.
constexpr uint8_t kSigStructureBegin[] = {0x84, 0x6A, 'S', 'i', 'g', 'n',
                                          'a',  't',  'u', 'r', 'e', '1'};

constexpr uint32_t kSpecialProtectedHeader = 0;
constexpr uint32_t kSpecialAlgorithm = 1;
constexpr uint32_t kSpecialPayload = 2;

constexpr auto kTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected), CborTag(kCoseTagSign1), CborArray(4),
              CborBytes(OTA_CBOR_PLACE(CoseSign1, protected_header)),
              CborStatuses(Status::kCoseHeaderRefused, Status::kSignatureInvalid),
              CborSpecial(kSpecialProtectedHeader), CborMap(Status::kOk, 0),
              CborKey(kCoseLabelAlgorithm),  // which nobody has signed
              CborSpecial(kSpecialAlgorithm), CborKey(kCoseLabelKeyId),
              CborStatuses(Status::kCoseHeaderRefused), kCborNotZero,
              CborBytes(OTA_CBOR_PLACE(CoseSign1, key_id), kCoseKeyIdBytesMax), kCborEnd,
              CborSpecial(kSpecialPayload),
              CborBytesOf(OTA_CBOR_PLACE(CoseSign1, signature), sizeof(crypto::Es256Signature)),
              kCborEnd>();

// There is one form of the header for each algorithm, so bytes can be compared. False: it holds
// something besides the algorithm.
bool CheckAlgorithm(CborFieldReader& reader, ByteSpan header, bool is_protected) {
  const bool has_algorithm_alone =
      header.size() < 2 || (header[0] == kProtectedEs256[0] && header[1] == kProtectedEs256[1]);
  if (!has_algorithm_alone) return false;
  const bool is_right = is_protected && header.size() == sizeof(kProtectedEs256) &&
                        (header[2] == kProtectedEs256[2] || header[2] == kEncodedEsp256);
  reader.FailUnless(is_right, Status::kSignatureAlgorithmRefused);
  return true;
}

bool ReadSpecial(CborFieldReader& reader, uint32_t number, void* target) {
  CoseSign1& message = *static_cast<CoseSign1*>(target);
  if (number != kSpecialPayload) {
    return CheckAlgorithm(reader, message.protected_header, number == kSpecialProtectedHeader);
  }
  message.is_detached = !reader.IsNext(CborType::kBytes);
  if (message.is_detached) {
    reader.ReadNull();
  } else {
    reader.ReadBytes(message.payload);
  }
  return true;
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
  return DecodeFields(bytes, &message, kTable.data(), ReadSpecial);
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
