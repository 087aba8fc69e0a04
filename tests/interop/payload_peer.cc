// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "agent/update/payload_stage.h"
#include "crypto/hex_for_test.h"
#include "crypto/host/os_entropy.h"
#include "crypto/host/pem_key.h"

// Our side of encrypted payloads, for interop.py: seals with the publisher's code, opens with the
// device's.
//
//   payload_peer seal ctr|gcm wrap|ecdh KEY_HEX KEY_ID_HEX FOLDER   image → info, payload
//   payload_peer open - wrap|ecdh KEY_HEX KEY_ID_HEX FOLDER         info, payload → opened
//
// KEY is the shared key, or the recipient's public key (seal) or private one (open).

namespace ota {
namespace {

using Bytes = std::vector<uint8_t>;
using formats::KeyDistribution;

crypto::OsEntropy entropy;

void Require(bool is_right, const char* what) {
  if (is_right) return;
  std::fprintf(stderr, "payload_peer: %s\n", what);
  std::exit(1);
}

Bytes ReadAll(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  Require(stream.good(), path.c_str());
  return {std::istreambuf_iterator<char>(stream), {}};
}

void WriteAll(const std::string& path, ByteSpan bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

template <size_t kBytes>
std::array<uint8_t, kBytes> ArrayOf(const Bytes& bytes) {
  Require(bytes.size() == kBytes, "a key has the wrong size");
  std::array<uint8_t, kBytes> array;
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}

formats::CoseRecipient WrapFor(bool is_ecdh, const Bytes& key, const crypto::AesKey& content_key) {
  formats::CoseRecipient recipient;
  if (!is_ecdh) {
    recipient.wrapped_key = crypto::WrapAesKey(ArrayOf<16>(key), content_key);
    return recipient;
  }
  recipient.distribution = KeyDistribution::kEcdhEs;
  const auto ephemeral = std::move(*crypto::PemKey::Generate());
  crypto::EcdhAgreement agreement(entropy);
  crypto::EcdhSecret secret;
  recipient.ephemeral_key = ephemeral->public_key();
  Require(IsOk(agreement.Begin(*ephemeral->private_key(), ArrayOf<64>(key))) &&
              IsOk(agreement.Step(0, secret)) &&
              IsOk(formats::WrapContentKey(secret, content_key, recipient.wrapped_key)),
          "the content key cannot be wrapped");
  return recipient;
}

// Encrypts `payload` in place and gives what has to be known of that.
Bytes Seal(bool is_gcm, formats::CoseRecipient recipient, const crypto::AesKey& content_key,
           Bytes& payload) {
  Bytes iv(is_gcm ? crypto::kGcmNonceBytes : crypto::kAesBlockBytes);
  Require(IsOk(entropy.Fill(iv)), "no entropy");
  if (is_gcm) {
    crypto::AesBlock tag;
    Require(IsOk(crypto::EncryptAesGcm(content_key, ArrayOf<12>(iv), formats::kGcmAssociatedData,
                                       payload, tag)),
            "GCM failed");
    payload.insert(payload.end(), tag.begin(), tag.end());
  } else {
    crypto::AesCtr(content_key, ArrayOf<16>(iv)).Apply(0, payload);
  }
  Bytes info(512);
  formats::CborWriter writer(info);
  const auto cipher = is_gcm ? formats::ContentCipher::kAesGcm : formats::ContentCipher::kAesCtr;
  formats::WriteCoseEncrypt(writer, cipher, iv, std::span(&recipient, 1));
  info.resize(writer.size_needed_bytes());
  return info;
}

// What it takes is in the envelope, so there is nothing to ask for.
class NoNetwork final : public agent::PayloadSource {
 public:
  void Start(const Request&) override {}
  Result<Event> Step() override { return Status::kConnectionLost; }
  uint64_t total_bytes() const override { return 0; }
  uint32_t first_offset() const override { return 0; }
  std::string_view validator() const override { return {}; }
  uint32_t retry_after_s() const override { return 0; }
  uint16_t http_status() const override { return 0; }
  void Close() override {}
};

// As a device takes it: by the code of its update agent.
Bytes Open(const agent::DecryptionKey& key, ByteSpan info, ByteSpan payload) {
  formats::CoseEncrypt message;
  Require(IsOk(formats::DecodeCoseEncrypt(info, message)), "the encryption info is refused");
  const size_t tag_bytes = message.cipher == formats::ContentCipher::kAesGcm ? 16 : 0;
  const crypto::Sha256Digest digest = crypto::ComputeSha256(payload);
  formats::Manifest manifest;
  manifest.encryption_info = info;
  manifest.payload_digest = digest;
  manifest.payload_size_bytes = static_cast<uint32_t>(payload.size());
  manifest.image_size_bytes = static_cast<uint32_t>(payload.size() - tag_bytes);
  NoNetwork network;
  agent::PayloadStage stage(network, entropy, std::span(&key, 1));
  Require(IsOk(stage.Prepare(manifest, payload)), "the payload is refused");
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = stage.OpenKey(0);
  Require(IsOk(status), "the content key does not open");
  Bytes opened;
  stage.Start({});
  for (;;) {
    const auto event = stage.Step();
    Require(event.ok(), "the payload does not come");
    if (event->kind == agent::PayloadSource::EventKind::kEnd) return opened;
    opened.insert(opened.end(), event->data.begin(), event->data.end());
  }
}

int Run(const std::vector<std::string>& words) {
  Require(words.size() == 6, "six arguments are wanted");
  const bool is_ecdh = words[2] == "ecdh";
  const Bytes key = BytesOfHex(words[3]), key_id = BytesOfHex(words[4]);
  const std::string& folder = words[5];
  if (words[0] == "seal") {
    crypto::AesKey content_key;
    Require(IsOk(entropy.Fill(content_key)), "no entropy");
    formats::CoseRecipient recipient = WrapFor(is_ecdh, key, content_key);
    recipient.key_id = key_id;
    Bytes payload = ReadAll(folder + "/image");
    WriteAll(folder + "/info", Seal(words[1] == "gcm", recipient, content_key, payload));
    WriteAll(folder + "/payload", payload);
    return 0;
  }
  agent::DecryptionKey own;
  own.key_id = key_id;
  own.distribution = is_ecdh ? KeyDistribution::kEcdhEs : KeyDistribution::kAesKeyWrap;
  if (is_ecdh) {
    own.private_key = ArrayOf<32>(key);
  } else {
    own.shared_key = ArrayOf<16>(key);
  }
  WriteAll(folder + "/opened", Open(own, ReadAll(folder + "/info"), ReadAll(folder + "/payload")));
  return 0;
}

}  // namespace
}  // namespace ota

int main(int count, char** words) { return ota::Run({words + 1, words + count}); }
