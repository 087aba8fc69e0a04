// SPDX-License-Identifier: Apache-2.0
#include "simulator/attack/scene.h"

#include <algorithm>

#include "base/byte_source.h"
#include "formats/trust/freshness.h"
#include "formats/trust/root_update.h"

namespace ota::simulator {
namespace {

using formats::ComponentKind;
using formats::Manifest;
using formats::TrustState;

constexpr uint32_t kStepOperations = 300;
constexpr std::array<uint8_t, 16> kVendor = {0xCF, 0xBF, 0xF0, 0xD1, 0x93, 0x75, 0x56, 0x85,
                                             0x96, 0x8C, 0x48, 0xCE, 0x8B, 0x15, 0xAE, 0x17};
constexpr std::array<uint8_t, 16> kClass = {0x5F, 0x36, 0x31, 0x12, 0x95, 0xCF, 0x53, 0x4F,
                                            0xA3, 0xD1, 0xFC, 0x8E, 0xF6, 0xF4, 0x96, 0x2A};
constexpr std::array<uint8_t, 16> kDeviceId = {0xD0};
constexpr std::array<uint8_t, 5> kOperators = {3, 4, 9, 22, 25};

// Runs an operation in steps until it has decided.
template <typename Operation, typename Target>
Status RunToEnd(Operation& operation, Target& target) {
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = operation.Step(kStepOperations, target);
  return status;
}

std::unique_ptr<crypto::PemKey> NewKey() { return std::move(*crypto::PemKey::Generate()); }

Bytes EncodeState(const TrustState& state) {
  Bytes record(formats::kTrustStateBytesMax);
  record.resize(formats::EncodeTrustState(state, record)->size());
  return record;
}

formats::DeviceProfile ProfileOf(const crypto::Sha256Digest& installed,
                                 std::span<const ByteSpan> classes) {
  static constexpr formats::UnitLimits kUnits[] = {{formats::MemoryUnit::kOnChipFlash, 2, 65'536},
                                                   {formats::MemoryUnit::kSpiNor, 4, 1'000'000}};
  formats::DeviceProfile profile;
  profile.vendor_id = kVendor;
  profile.class_ids = classes;
  profile.device_id = kDeviceId;
  profile.kinds = 1u << static_cast<int>(ComponentKind::kModel) |
                  1u << static_cast<int>(ComponentKind::kFirmware);
  profile.units = kUnits;
  profile.engine_version = 1;
  profile.operators = kOperators;
  profile.arena_bytes = 64'000;
  profile.plans = 1u << static_cast<int>(formats::PlanKind::kMapped);
  profile.installed_digest = installed;
  profile.battery_mwh = 1'000;
  return profile;
}

}  // namespace

TrustingDevice::TrustingDevice(ByteSpan root_metadata) {
  TrustState state;
  (void)formats::InitializeTrustState(root_metadata, state);  // the scene's own root decodes
  record_ = EncodeState(state);
}

// Keeps the state if it was a yes; a no must have changed nothing.
Status TrustingDevice::Commit(Status status, const TrustState& state) {
  const Bytes record = EncodeState(state);
  if (status != Status::kOk && record != record_) has_been_swayed_ = true;
  record_ = record;
  return status;
}

Status TrustingDevice::TakeRoot(const Bytes& signed_root) {
  TrustState state;
  OTA_TRY(formats::DecodeTrustState(record_, state));
  formats::RootUpdate update;
  OTA_TRY(update.Begin(state, signed_root));
  return Commit(RunToEnd(update, state), state);
}

Bytes TrustingDevice::AskFreshness() {
  nonce_ = Bytes(16, next_nonce_++);
  return nonce_;
}

Status TrustingDevice::TakeFreshness(const Bytes& answer) {
  TrustState state;
  OTA_TRY(formats::DecodeTrustState(record_, state));
  formats::FreshnessVerification verification;
  OTA_TRY(verification.Begin(state, answer, nonce_));
  const Status status = Commit(RunToEnd(verification, state), state);
  if (status == Status::kOk) {
    clock_s_ = state.trusted_time_s;
    nonce_.clear();
  }
  return status;
}

Status TrustingDevice::TakeRelease(const Bytes& envelope, const Bytes& payload) {
  TrustState state;
  OTA_TRY(formats::DecodeTrustState(record_, state));
  crypto::Sha256Digest image_digest = installed_digest_;
  const Status status = JudgeRelease(state, envelope, payload, image_digest);
  if (status == Status::kOk) installed_digest_ = image_digest;
  return Commit(status, state);
}

Status TrustingDevice::JudgeRelease(TrustState& state, const Bytes& envelope, const Bytes& payload,
                                    crypto::Sha256Digest& image_digest) const {
  formats::ManifestVerification verification;
  OTA_TRY(verification.Begin(state, envelope));
  Manifest manifest;
  OTA_TRY(RunToEnd(verification, manifest));
  const ByteSpan classes[] = {kClass};
  OTA_TRY(CheckManifest(manifest, ProfileOf(installed_digest_, classes), state, clock_s_));
  if (clock_s_ != 0) OTA_TRY(formats::CheckRootExpiry(state, clock_s_));
  MemoryByteSource source(envelope);
  const bool is_integrated = manifest.is_payload_integrated();
  OTA_TRY(const formats::PayloadLocation location,
          FindPayload(source, verification.envelope(),
                      is_integrated ? manifest.uri : std::string_view()));
  const ByteSpan bytes = is_integrated
                             ? ByteSpan(envelope).subspan(location.offset, location.size_bytes)
                             : ByteSpan(payload);
  if (bytes.size() > manifest.payload_size_bytes) return Status::kPayloadTooLarge;
  if (bytes.size() < manifest.payload_size_bytes) return Status::kEndOfInput;
  image_digest = crypto::ComputeSha256(bytes);
  if (!std::equal(image_digest.begin(), image_digest.end(), manifest.image_digest.begin())) {
    return Status::kDigestMismatch;
  }
  return formats::RaiseInstalledSequence(state, manifest.kind, manifest.component_name,
                                         manifest.sequence_number);
}

Draft::Draft(std::string name, uint64_t sequence_number)
    : image(100, static_cast<uint8_t>(sequence_number)), name_(std::move(name)) {
  image[0] = static_cast<uint8_t>(sequence_number >> 8);
  digest_ = crypto::ComputeSha256(image);
  manifest.sequence_number = sequence_number;
  manifest.vendor_id = kVendor;
  manifest.class_ids[0] = kClass;
  manifest.class_id_count = 1;
  manifest.kind = ComponentKind::kModel;
  manifest.component_name = name_;
  manifest.image_digest = digest_;
  manifest.image_size_bytes = static_cast<uint32_t>(image.size());
  manifest.payload_size_bytes = manifest.image_size_bytes;
  manifest.uri = "/models/image.bin";
  manifest.model.operators = ByteSpan(kOperators).first(2);
  manifest.model.arena_plans[0] = {formats::PlanKind::kMapped, 20'000};
  manifest.model.arena_plan_count = 1;
}

Bytes Draft::Sign(const std::vector<crypto::SigningKey*>& signers) const {
  const bool is_integrated = manifest.is_payload_integrated();
  return *formats::SignManifest(Encode(), signers,
                                is_integrated ? manifest.uri : std::string_view(),
                                is_integrated ? ByteSpan(image) : ByteSpan());
}

Scene::Scene()
    : root_keys{NewKey(), NewKey(), NewKey()},
      new_root_key(NewKey()),
      release(NewKey()),
      second_release(NewKey()),
      freshness(NewKey()),
      stranger(NewKey()) {
  root.root.threshold = 2;
  for (const auto& key : root_keys) root.root.keys.push_back(key->public_key());
  root.freshness_key = freshness->public_key();
  root.release_roles.resize(2);
  root.release_roles[0].key_set.keys = {release->public_key()};
  root.release_roles[0].kinds = {ComponentKind::kModel};
  root.release_roles[0].patterns = {"kws", "vision-*"};
  root.release_roles[0].class_ids = {Bytes(kClass.begin(), kClass.end())};
  root.release_roles[1].key_set.threshold = 2;
  root.release_roles[1].key_set.keys = {release->public_key(), second_release->public_key()};
  root.release_roles[1].kinds = {ComponentKind::kFirmware};
  root.release_roles[1].patterns = {"main"};
  device = std::make_unique<TrustingDevice>(*formats::EncodeRoot(root));
}

Bytes Scene::SignRoot(const formats::RootSpec& spec,
                      const std::vector<crypto::SigningKey*>& signers) {
  return *formats::SignRoot(*formats::EncodeRoot(spec), signers);
}

Status Scene::Rotate(const std::function<void(formats::RootSpec&)>& change) {
  formats::RootSpec next = root;
  ++next.version;
  if (change) change(next);
  const Status status = device->TakeRoot(SignRoot(next, RootSigners()));
  if (status == Status::kOk) root = next;
  return status;
}

Bytes Scene::Answer(const Bytes& nonce, uint64_t time_s, uint64_t newest_sequence,
                    crypto::SigningKey& key) {
  formats::FreshnessQuestion question = {nonce, {}};
  if (newest_sequence != 0) question.newest = {{ComponentKind::kModel, "kws", newest_sequence}};
  return (*formats::AnswerFreshness(std::span(&question, 1), time_s, root.version, key))[0];
}

Status Scene::Refresh(uint64_t newest_sequence) {
  return device->TakeFreshness(
      Answer(device->AskFreshness(), ++now_s, newest_sequence, *freshness));
}

Status Scene::Release(uint64_t sequence_number, const std::function<void(Manifest&)>& change) {
  Draft draft("kws", sequence_number);
  if (change) change(draft.manifest);
  return device->TakeRelease(draft.Sign({release.get()}), draft.image);
}

Status Scene::ReleaseAltered(const std::function<void(Bytes&)>& change) {
  const Draft draft("kws", 5);
  Bytes envelope = draft.Sign({release.get()});
  change(envelope);
  return device->TakeRelease(envelope, draft.image);
}

}  // namespace ota::simulator
