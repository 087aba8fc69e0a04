// SPDX-License-Identifier: Apache-2.0
#include "formats/cose/cose_encrypt.h"

#include <algorithm>

#include "formats/cbor/cbor_fields.h"
#include "formats/cose/cose_labels.h"

namespace ota::formats {
namespace {

constexpr uint8_t kProtectedGcm[] = {0xA1, 0x01, 0x01};
constexpr uint8_t kProtectedEcdhEs[] = {0xA1, 0x01, 0x38, 0x1C};

struct Content {
  CoseEncrypt message;
  ByteSpan protected_header;
  int32_t algorithm = 0;
};

constexpr auto kContentTable = CborTable<
    CborStatuses(Status::kCborTypeUnexpected), CborTag(kCoseTagEncrypt), CborArray(4),
    CborBytes(OTA_CBOR_PLACE(Content, protected_header)), CborStatuses(Status::kCoseHeaderRefused),
    CborMap(Status::kOk, 0), CborKey(kCoseLabelAlgorithm),
    CborInteger(OTA_CBOR_PLACE(Content, algorithm)), CborKey(kCoseLabelIv),
    CborBytes(OTA_CBOR_PLACE(Content, message.iv), crypto::kAesBlockBytes), kCborEnd, kCborNull,
    CborItemsOf(OTA_CBOR_PLACE(Content, message.recipients)), kCborSkip, kCborEnd, kCborEnd>();

struct Recipient {
  CoseRecipient recipient;
  ByteSpan protected_header;
  int32_t algorithm = 0;
  int32_t curve = 0;  // of the ephemeral key; 0: there is none
};

using Coordinate = std::array<uint8_t, crypto::kP256CoordinateBytes>;
constexpr uint16_t kKeyOffset = offsetof(Recipient, recipient.ephemeral_key);

constexpr auto kRecipientTable = CborTable<
    CborStatuses(Status::kNotSupported), CborArray(3),
    CborBytes(OTA_CBOR_PLACE(Recipient, protected_header)),
    CborStatuses(Status::kCoseHeaderRefused, Status::kKeyInvalid), CborMap(Status::kOk, 0),
    CborKey(kCoseLabelAlgorithm), CborInteger(OTA_CBOR_PLACE(Recipient, algorithm)),
    CborKey(kCoseLabelKeyId), CborBytes(OTA_CBOR_PLACE(Recipient, recipient.key_id)),
    CborKey(kCoseLabelEphemeralKey),  // COSE_Key of kind EC2, with both coordinates
    CborMap(Status::kKeyInvalid, 4), CborKey(kCoseKeyLabelType),
    CborStatuses(Status::kNotSupported), CborEqual(kCoseKeyTypeEc2), CborKey(kCoseKeyLabelCurve),
    kCborNotZero, CborInteger(OTA_CBOR_PLACE(Recipient, curve)), CborKey(kCoseKeyLabelX),
    CborCopyOf(CborPlace<Coordinate>{kKeyOffset}), CborKey(kCoseKeyLabelY),
    CborCopyOf(CborPlace<Coordinate>{kKeyOffset + crypto::kP256CoordinateBytes}), kCborEnd,
    kCborEnd, CborStatuses(Status::kNotSupported),
    CborCopyOf(OTA_CBOR_PLACE(Recipient, recipient.wrapped_key)), kCborEnd>();

Status SetDistribution(Recipient& read) {
  const bool is_ecdh = read.curve == kCoseCurveP256 && read.algorithm == 0 &&
                       AreEqual(read.protected_header, kProtectedEcdhEs);
  const bool is_wrap = read.curve == 0 && read.algorithm == kCoseAlgorithmAesKeyWrap128 &&
                       read.protected_header.empty();
  read.recipient.distribution = is_wrap ? KeyDistribution::kAesKeyWrap : KeyDistribution::kEcdhEs;
  return is_wrap || is_ecdh ? Status::kOk : Status::kNotSupported;
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
  Content content;
  OTA_TRY(DecodeFields(bytes, &content, kContentTable.data()));
  const bool is_gcm = content.algorithm == 0 && AreEqual(content.protected_header, kProtectedGcm);
  const bool is_ctr =
      content.algorithm == kCoseAlgorithmAesCtr128 && content.protected_header.empty();
  if (!is_gcm && !is_ctr) return Status::kNotSupported;
  message = content.message;
  message.cipher = is_gcm ? ContentCipher::kAesGcm : ContentCipher::kAesCtr;
  const size_t iv_bytes = is_gcm ? crypto::kGcmNonceBytes : crypto::kAesBlockBytes;
  return message.iv.size() == iv_bytes ? Status::kOk : Status::kCoseHeaderRefused;
}

Status FindRecipient(const CoseEncrypt& message, ByteSpan key_id, CoseRecipient& recipient) {
  for (CborItems items(message.recipients); items.HasNext();) {
    ByteSpan item;
    items.ReadItem(item);
    Recipient read;
    const Status status = DecodeFields(item, &read, kRecipientTable.data());
    if (!AreEqual(read.recipient.key_id, key_id)) continue;  // what it is concerns others
    OTA_TRY(status);
    OTA_TRY(SetDistribution(read));
    recipient = read.recipient;
    return Status::kOk;
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
