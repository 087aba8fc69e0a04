// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>

#include "agent/transport/payload_source.h"
#include "agent/update/digest_tag.h"
#include "base/entropy.h"
#include "crypto/aes.h"
#include "formats/cose/content_key.h"
#include "formats/manifest/manifest.h"

namespace ota::agent {

/// A key that payloads may be encrypted for: the device's own, or one that a group of devices
/// shares. Which of the two keys counts, `distribution` says.
struct DecryptionKey {
  ByteSpan key_id;
  formats::KeyDistribution distribution = formats::KeyDistribution::kEcdhEs;
  crypto::P256PrivateKey private_key = {};  ///< with kEcdhEs
  crypto::AesKey shared_key = {};           ///< with kAesKeyWrap
};

/// What a fetcher takes a payload from when a manifest says how it travels: from the network or
/// from the envelope at hand, and decrypted on its way if it is encrypted. What comes out is the
/// image, from any offset on: both ciphers are counter modes, so a resumed download goes on in the
/// middle.
///
/// Trust: nothing here proves that the bytes are right. The digest of the image does, which the
/// manifest's signers have signed over the plain bytes and which the store demands; so neither the
/// tag of GCM nor the digest of what travels is looked at, which a resumed download could not check
/// anyway.
class PayloadStage final : public PayloadSource {
 public:
  /// All must outlive the stage. No keys: it refuses what is encrypted.
  PayloadStage(PayloadSource& network, Entropy& entropy, std::span<const DecryptionKey> keys)
      : network_(network), keys_(keys), opening_(entropy) {}
  ~PayloadStage();
  PayloadStage(const PayloadStage&) = delete;
  PayloadStage& operator=(const PayloadStage&) = delete;

  /// Gets ready for the payload of `manifest`; `integrated` are its bytes if it travels in the
  /// envelope, else empty. All that both point to must live until the payload was brought.
  /// kCoseRecipientMissing: it is encrypted, and for none of the keys. kImageSizeMismatch: it has
  /// not as many bytes as the image and what the cipher adds. Otherwise the statuses of
  /// DecodeCoseEncrypt, FindRecipient and ContentKeyOpening::Begin.
  Status Prepare(const formats::Manifest& manifest, ByteSpan integrated);

  /// Opens the content key, in steps of about `operations_max` field multiplications. kBusy: not
  /// done. kOk: the payload may be asked for; at once if it is not encrypted. Otherwise as
  /// ContentKeyOpening::Step.
  Status OpenKey(uint32_t operations_max);

  void Start(const Request& request) override;
  Result<Event> Step() override;
  uint64_t total_bytes() const override;
  uint32_t first_offset() const override;
  std::string_view validator() const override;
  uint32_t retry_after_s() const override { return network_.retry_after_s(); }
  uint16_t http_status() const override { return network_.http_status(); }
  void Close() override { network_.Close(); }

 private:
  static constexpr size_t kPieceBytes = 256;

  Status PrepareKey(const formats::Manifest& manifest);
  Status BeginOpening(const formats::CoseRecipient& recipient, const DecryptionKey& key);
  Result<Event> StepIntegrated();
  Result<Event> StepNetwork();
  Event GivePiece();

  PayloadSource& network_;
  std::span<const DecryptionKey> keys_;
  formats::ContentKeyOpening opening_;

  ByteSpan integrated_;
  bool is_encrypted_ = false;
  bool is_opening_ = false;
  uint32_t image_bytes_ = 0;
  uint32_t payload_bytes_ = 0;
  crypto::AesBlock initial_counter_ = {};
  std::optional<crypto::AesCtr> cipher_;

  bool has_started_ = false;
  uint32_t wanted_offset_ = 0;
  uint32_t at_ = 0;                                     // in the image: the next byte to give
  ByteSpan encrypted_;                                  // what came and is still to be given
  std::array<char, kDigestTagBytes> payload_tag_ = {};  // validator of what travels
  std::array<uint8_t, kPieceBytes> piece_ = {};
};

}  // namespace ota::agent
