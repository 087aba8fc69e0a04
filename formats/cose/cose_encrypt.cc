// SPDX-License-Identifier: Apache-2.0
#include "formats/cose/cose_encrypt.h"

#include <algorithm>

#include "formats/cbor/cbor_fields.h"
#include "formats/cose/cose_labels.h"

namespace ota::formats {
namespace {

constexpr uint8_t kProtectedGcm[] = {0xA1, 0x01, 0x01};
constexpr uint8_t kProtectedEcdhEs[] = {0xA1, 0x01, 0x38, 0x1C};

constexpr auto kContentTable = CborTable<
    CborStatuses(Status::kCborTypeUnexpected), CborTag(kCoseTagEncrypt), CborArray(4),
    CborBytes(OTA_CBOR_PLACE(CoseEncrypt, protected_header)),
    CborStatuses(Status::kCoseHeaderRefused), CborMap(Status::kOk, 0), CborKey(kCoseLabelAlgorithm),
    CborInteger(OTA_CBOR_PLACE(CoseEncrypt, algorithm)), CborKey(kCoseLabelIv),
    CborBytes(OTA_CBOR_PLACE(CoseEncrypt, iv), crypto::kAesBlockBytes), kCborEnd, kCborNull,
    CborItemsOf(OTA_CBOR_PLACE(CoseEncrypt, recipients)), kCborSkip, kCborEnd, kCborEnd>();

using Coordinate = std::array<uint8_t, crypto::kP256CoordinateBytes>;
constexpr uint16_t kKeyOffset = offsetof(CoseRecipient, ephemeral_key);

constexpr auto kRecipientTable = CborTable<
    CborStatuses(Status::kNotSupported), CborArray(3),
    CborBytes(OTA_CBOR_PLACE(CoseRecipient, protected_header)),
    CborStatuses(Status::kCoseHeaderRefused, Status::kKeyInvalid), CborMap(Status::kOk, 0),
    CborKey(kCoseLabelAlgorithm), CborInteger(OTA_CBOR_PLACE(CoseRecipient, algorithm)),
    CborKey(kCoseLabelKeyId), CborBytes(OTA_CBOR_PLACE(CoseRecipient, key_id)),
    CborKey(kCoseLabelEphemeralKey),  // COSE_Key of kind EC2, with both coordinates
    CborMap(Status::kKeyInvalid, 4), CborKey(kCoseKeyLabelType),
    CborStatuses(Status::kNotSupported), CborEqual(kCoseKeyTypeEc2), CborKey(kCoseKeyLabelCurve),
    kCborNotZero, CborInteger(OTA_CBOR_PLACE(CoseRecipient, curve)), CborKey(kCoseKeyLabelX),
    CborCopyOf(CborPlace<Coordinate>{kKeyOffset}), CborKey(kCoseKeyLabelY),
    CborCopyOf(CborPlace<Coordinate>{kKeyOffset + crypto::kP256CoordinateBytes}), kCborEnd,
    kCborEnd, CborStatuses(Status::kNotSupported),
    CborCopyOf(OTA_CBOR_PLACE(CoseRecipient, wrapped_key)), kCborEnd>();

Status SetDistribution(CoseRecipient& read) {
  const bool is_wrap = read.protected_header.empty();
  read.distribution = is_wrap ? KeyDistribution::kAesKeyWrap : KeyDistribution::kEcdhEs;
  const bool is_known = read.algorithm == (is_wrap ? kCoseAlgorithmAesKeyWrap128 : 0) &&
                        read.curve == (is_wrap ? 0 : kCoseCurveP256) &&
                        (is_wrap || AreEqual(read.protected_header, kProtectedEcdhEs));
  return is_known ? Status::kOk : Status::kNotSupported;
}

void WriteRecipient(CborWriter& writer, const CoseRecipient& recipient) {
  const bool is_ecdh = recipient.distribution == KeyDistribution::kEcdhEs;
  writer.WriteArrayHead(3);
  writer.WriteBytes(is_ecdh ? ByteSpan(kProtectedEcdhEs) : ByteSpan());
  writer.WriteMapHead(2);
  if (!is_ecdh) {
    writer.WriteInteger(kCoseLabelAlgorithm);
    writer.WriteInteger(kCoseAlgorithmAesKeyWrap128);
  }
  writer.WriteInteger(kCoseLabelKeyId);
  writer.WriteBytes(recipient.key_id);
  if (is_ecdh) {
    const ByteSpan key = recipient.ephemeral_key;
    writer.WriteInteger(kCoseLabelEphemeralKey);
    writer.WriteMapHead(4);
    writer.WriteInteger(kCoseKeyLabelType);
    writer.WriteInteger(kCoseKeyTypeEc2);
    writer.WriteInteger(kCoseKeyLabelCurve);
    writer.WriteInteger(kCoseCurveP256);
    writer.WriteInteger(kCoseKeyLabelX);
    writer.WriteBytes(key.first(crypto::kP256CoordinateBytes));
    writer.WriteInteger(kCoseKeyLabelY);
    writer.WriteBytes(key.last(crypto::kP256CoordinateBytes));
  }
  writer.WriteBytes(recipient.wrapped_key);
}

}  // namespace

Status DecodeCoseEncrypt(ByteSpan bytes, CoseEncrypt& message) {
  message = {};
  OTA_TRY(DecodeFields(bytes, &message, kContentTable.data()));
  const bool is_ctr = message.protected_header.empty();
  message.cipher = is_ctr ? ContentCipher::kAesCtr : ContentCipher::kAesGcm;
  const bool is_known = message.algorithm == (is_ctr ? kCoseAlgorithmAesCtr128 : 0) &&
                        (is_ctr || AreEqual(message.protected_header, kProtectedGcm));
  if (!is_known) return Status::kNotSupported;
  const size_t iv_bytes = is_ctr ? crypto::kAesBlockBytes : crypto::kGcmNonceBytes;
  return message.iv.size() == iv_bytes ? Status::kOk : Status::kCoseHeaderRefused;
}

Status FindRecipient(const CoseEncrypt& message, ByteSpan key_id, CoseRecipient& recipient) {
  for (CborItems items(message.recipients); items.HasNext();) {
    ByteSpan item;
    items.ReadItem(item);
    recipient = {};
    const Status status = DecodeFields(item, &recipient, kRecipientTable.data());
    if (!AreEqual(recipient.key_id, key_id)) continue;  // what it is concerns others
    return IsOk(status) ? SetDistribution(recipient) : status;
  }
  return Status::kCoseRecipientMissing;
}

void WriteCoseEncrypt(CborWriter& writer, ContentCipher cipher, ByteSpan iv,
                      std::span<const CoseRecipient> recipients) {
  const bool is_gcm = cipher == ContentCipher::kAesGcm;
  writer.WriteTag(kCoseTagEncrypt);
  writer.WriteArrayHead(4);
  writer.WriteBytes(is_gcm ? ByteSpan(kProtectedGcm) : ByteSpan());
  writer.WriteMapHead(is_gcm ? 1 : 2);
  if (!is_gcm) {
    writer.WriteInteger(kCoseLabelAlgorithm);
    writer.WriteInteger(kCoseAlgorithmAesCtr128);
  }
  writer.WriteInteger(kCoseLabelIv);
  writer.WriteBytes(iv);
  writer.WriteNull();
  writer.WriteArrayHead(recipients.size());
  for (const CoseRecipient& recipient : recipients) WriteRecipient(writer, recipient);
}

}  // namespace ota::formats
