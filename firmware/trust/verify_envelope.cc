// SPDX-License-Identifier: Apache-2.0
// Verifies a signed envelope on the board as an agent does, step by step, and fails if memory or
// the longest step is over its budget. The envelope is signed here first, with a key that is no
// secret, so that it is always of the format of this build.
#include <mbedtls/ecdsa.h>
#include <mbedtls/memory_buffer_alloc.h>

#include <algorithm>

#include "crypto/constant_time.h"
#include "firmware/board.h"
#include "firmware/stack_gauge.h"
#include "formats/manifest/envelope.h"
#include "formats/trust/manifest_verification.h"

namespace ota::firmware {
namespace {

constexpr uint32_t kRamBytesMax = OTA_VERIFY_RAM_BYTES_MAX;
constexpr uint64_t kStepInstructionsMax = OTA_VERIFY_STEP_INSTRUCTIONS_MAX;
constexpr uint32_t kStepOperations = OTA_VERIFY_STEP_OPERATIONS;
constexpr size_t kPoolBytes = OTA_VERIFY_POOL_BYTES;
constexpr size_t kSigningPoolBytes = 16 * 1024;

// What verification needs besides the stack.
alignas(8) uint8_t pool[kPoolBytes];
formats::TrustState trust;
formats::ManifestVerification verification;
formats::Manifest manifest;
uint8_t envelope_bytes[512];

alignas(8) uint8_t signing_pool[kSigningPoolBytes];

uint8_t vendor_id[16] = {0xA1};
uint8_t class_id[16] = {0xC1};
uint8_t image_digest[32] = {0xD1};

int FillWithCounter(void* counter, unsigned char* target, size_t bytes) {
  auto& next = *static_cast<uint8_t*>(counter);
  for (size_t i = 0; i < bytes; ++i) target[i] = next++;
  return 0;
}

/// A key of the publisher's, which a board never has.
class Signer {
 public:
  Signer() {
    mbedtls_ecdsa_init(&key_);
    is_ok_ = mbedtls_ecp_group_load(&key_.grp, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
             mbedtls_mpi_lset(&key_.d, 0x5EED) == 0 &&
             mbedtls_ecp_mul(&key_.grp, &key_.Q, &key_.d, &key_.grp.G, FillWithCounter,
                             &counter_) == 0 &&
             mbedtls_mpi_write_binary(&key_.Q.X, public_key.data(), 32) == 0 &&
             mbedtls_mpi_write_binary(&key_.Q.Y, public_key.data() + 32, 32) == 0;
  }
  ~Signer() { mbedtls_ecdsa_free(&key_); }
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  bool Sign(const crypto::Sha256Digest& digest, crypto::Es256Signature& signature) {
    mbedtls_mpi r, s, other;
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    mbedtls_mpi_init(&other);
    bool is_ok = is_ok_ && mbedtls_ecdsa_sign_det_ext(&key_.grp, &r, &s, &key_.d, digest.data(),
                                                      digest.size(), MBEDTLS_MD_SHA256,
                                                      FillWithCounter, &counter_) == 0;
    is_ok = is_ok && mbedtls_mpi_sub_mpi(&other, &key_.grp.N, &s) == 0;
    if (mbedtls_mpi_cmp_mpi(&other, &s) < 0) mbedtls_mpi_swap(&other, &s);
    is_ok = is_ok && mbedtls_mpi_write_binary(&r, signature.data(), 32) == 0 &&
            mbedtls_mpi_write_binary(&s, signature.data() + 32, 32) == 0;
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&other);
    return is_ok;
  }

  crypto::P256PublicKey public_key = {};

 private:
  mbedtls_ecdsa_context key_;
  uint8_t counter_ = 0;
  bool is_ok_ = false;
};

constexpr uint8_t kPatterns[] = {0x81, 0x63, 'k', 'w', 's'};
constexpr uint8_t kEveryClass[] = {0x80};

bool TrustSigner(const Signer& signer) {
  formats::RootMetadata metadata;
  const formats::KeySet keys = {1, 1, {ByteSpan(signer.public_key)}};
  metadata.version = 1;
  metadata.root = keys;
  metadata.freshness = keys;
  metadata.release_role_count = 1;
  metadata.release_roles[0].key_set = keys;
  metadata.release_roles[0].kinds = 1u << static_cast<uint32_t>(formats::ComponentKind::kModel);
  metadata.release_roles[0].patterns = kPatterns;
  metadata.release_roles[0].class_ids = kEveryClass;
  uint8_t buffer[formats::kRootMetadataBytesMax];
  formats::CborWriter writer(buffer);
  WriteRootMetadata(writer, metadata);
  const Result<ByteSpan> bytes = writer.Finish();
  return bytes.ok() && IsOk(InitializeTrustState(*bytes, trust));
}

Result<ByteSpan> MakeEnvelope(Signer& signer) {
  formats::Manifest draft;
  draft.sequence_number = 7;
  draft.vendor_id = vendor_id;
  draft.class_ids[0] = class_id;
  draft.class_id_count = 1;
  draft.kind = formats::ComponentKind::kModel;
  draft.component_name = "kws";
  draft.image_digest = image_digest;
  draft.image_size_bytes = 22'000;
  draft.version = "1.2.0";
  draft.uri = "/models/kws.bin";
  draft.model.self_tests[0] = {{}, 5, ByteSpan(image_digest).first(8)};
  draft.model.self_test_count = 1;
  uint8_t buffer[512];
  formats::CborWriter manifest_writer(buffer);
  WriteManifest(manifest_writer, draft);
  OTA_TRY(const ByteSpan encoded, manifest_writer.Finish());
  const formats::KeyId key_id = formats::ComputeKeyId(signer.public_key);
  formats::EnvelopeSignature signature = {key_id, {}};
  if (!signer.Sign(formats::ComputeSigningDigest(encoded), signature.signature)) {
    return Status::kSignatureMissing;
  }
  formats::CborWriter writer(envelope_bytes);
  WriteEnvelope(writer, encoded, std::span(&signature, 1));
  return writer.Finish();
}

Result<ByteSpan> Prepare() {
  mbedtls_memory_buffer_alloc_init(signing_pool, sizeof signing_pool);
  Result<ByteSpan> envelope = Status::kCryptoMemoryFull;
  {
    Signer signer;
    if (TrustSigner(signer)) envelope = MakeEnvelope(signer);
  }
  mbedtls_memory_buffer_alloc_free();
  return envelope;
}

/// What the agent does with it; counts the longest step.
[[gnu::noinline]] Status Verify(ByteSpan envelope, uint32_t& step_count, uint64_t& longest_step) {
  uint64_t begin = ReadInstructionCounter();
  Status status = verification.Begin(trust, envelope);
  longest_step = ReadInstructionCounter() - begin;
  OTA_TRY(status);
  do {
    begin = ReadInstructionCounter();
    status = verification.Step(kStepOperations, manifest);
    longest_step = std::max(longest_step, ReadInstructionCounter() - begin);
    ++step_count;
  } while (status == Status::kBusy);
  OTA_TRY(status);
  formats::DeviceProfile device;
  const ByteSpan class_ids[] = {class_id};
  const formats::UnitLimits units[] = {{formats::MemoryUnit::kOnChipFlash, 1, 100'000}};
  device.vendor_id = vendor_id;
  device.class_ids = class_ids;
  device.kinds = 1u << static_cast<uint32_t>(formats::ComponentKind::kModel);
  device.units = units;
  return CheckManifest(manifest, device, trust, 0);
}

void Print(std::string_view name, uint64_t value) {
  WriteConsole(name);
  WriteConsole(" ");
  WriteConsole(value);
  WriteConsole("\n");
}

}  // namespace

uint8_t RunApplication() {
  const Result<ByteSpan> envelope = Prepare();
  if (!envelope.ok()) return 2;
  mbedtls_memory_buffer_alloc_init(pool, sizeof pool);
  uint32_t step_count = 0;
  uint64_t longest_step = 0;
  PaintStack();
  const Status status = Verify(*envelope, step_count, longest_step);
  const uint32_t stack_bytes = ReadStackUse();
  const uint32_t object_bytes = sizeof verification + sizeof manifest;
  const uint32_t ram_bytes = stack_bytes + sizeof pool + object_bytes;
  Print("envelope_bytes", envelope->size());
  Print("stack_bytes", stack_bytes);
  Print("pool_bytes", sizeof pool);
  Print("object_bytes", object_bytes);
  Print("trust_state_bytes", sizeof trust);
  Print("ram_bytes", ram_bytes);
  Print("steps", step_count);
  Print("longest_step_instructions", longest_step);
  if (!IsOk(status)) {
    WriteConsole(StatusName(status));
    WriteConsole("\n");
    return 3;
  }
  envelope_bytes[envelope->size() - 40] ^= 1;
  if (IsOk(Verify(*envelope, step_count, longest_step))) return 4;
  return ram_bytes <= kRamBytesMax && longest_step <= kStepInstructionsMax ? 0 : 1;
}

}  // namespace ota::firmware
