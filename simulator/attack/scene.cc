// SPDX-License-Identifier: Apache-2.0
#include "simulator/attack/scene.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "agent/update/test_port.h"
#include "agent/update/update_agent.h"
#include "engine/operator_table.h"
#include "formats/tflite/test_model_writer.h"
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
Status Decide(Operation& operation, Target& target) {
  return RunToEnd([&] { return operation.Step(kStepOperations, target); });
}

// Goes on whenever it is looked at, so that pauses and patience end.
class RunningClock final : public Clock {
 public:
  uint64_t now_ms() const override { return time_ms_ += 20; }

 private:
  mutable uint64_t time_ms_ = 1000;
};

// A small model that the device can run; its weights are the number.
Bytes MakeModel(uint64_t number) {
  using namespace formats;  // the words of a model
  std::vector<int8_t> weights(8);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<int8_t>(number >> 8 * i);
  SubgraphSpec graph;
  graph.tensors = {{TensorType::kInt8, {1, 4}, {0.5f}, 3},
                   {TensorType::kInt8, {2, 4}, {0.25f}, 0, ToBytes<int8_t>(weights)},
                   {TensorType::kInt32, {2}, {0.125f}, 0, ToBytes<int32_t>({100, -100})},
                   {TensorType::kInt8, {1, 2}, {1.0f}, -1}};
  graph.operators = {{OperatorCode::kFullyConnected, {0, 1, 2}, {3}, {OptionU8(0, 1)}}};
  graph.inputs = {0};
  graph.outputs = {3};
  return WriteModel(graph);
}

std::unique_ptr<crypto::PemKey> NewKey() { return std::move(*crypto::PemKey::Generate()); }

Bytes EncodeState(const TrustState& state) {
  Bytes record(formats::kTrustStateBytesMax);
  record.resize(formats::EncodeTrustState(state, record)->size());
  return record;
}

formats::DeviceProfile ProfileOf(std::span<const ByteSpan> classes) {
  static constexpr formats::UnitLimits kUnits[] = {{formats::MemoryUnit::kOnChipFlash, 2, 65'536},
                                                   {formats::MemoryUnit::kSpiNor, 4, 1'000'000}};
  formats::DeviceProfile profile;
  profile.vendor_id = kVendor;
  profile.class_ids = classes;
  profile.device_id = kDeviceId;
  profile.kinds = 1u << static_cast<int>(ComponentKind::kModel);
  profile.units = kUnits;
  profile.engine_version = 1;
  profile.operators = kOperators;
  profile.arena_bytes = 64'000;
  profile.plans = 1u << static_cast<int>(formats::PlanKind::kMapped);
  profile.battery_mwh = 1'000;
  return profile;
}

}  // namespace

/// What a board without a clock or a network of its own supplies.
class DevicePort {
 public:
  RunningClock clock;
  agent::TestCalendar calendar;  // knows no time
  agent::TestEntropy entropy;    // the keys of a scene do not come from here
  agent::NoNetwork network;
  agent::Port port{clock, calendar, entropy, network};
};

TrustingDevice::TrustingDevice(ByteSpan root_metadata) : port_(std::make_unique<DevicePort>()) {
  std::string pattern = std::filesystem::temp_directory_path() / "ota-attack-XXXXXX";
  directory_ = mkdtemp(pattern.data());
  board_ = std::make_unique<VirtualBoard>(*FindBoard("B1"), directory_);
  TrustState state;
  const bool is_ready = IsOk(board_->Boot()) &&
                        IsOk(formats::InitializeTrustState(root_metadata, state)) &&
                        IsOk(Save(state));
  has_been_swayed_ = !is_ready;  // no case passes then
}

TrustingDevice::~TrustingDevice() {
  board_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Status TrustingDevice::Load(TrustState& state) {
  agent::TrustRecord record(board_->store());
  return RunToEnd([&] { return record.Load(state); });
}

Status TrustingDevice::Save(const TrustState& state) {
  agent::TrustRecord record(board_->store());
  return RunToEnd([&] { return record.Save(state); });
}

Status TrustingDevice::TakeRoot(const Bytes& signed_root) {
  TrustState state;
  OTA_TRY(Load(state));
  const Bytes before = EncodeState(state);
  formats::RootUpdate update;
  OTA_TRY(update.Begin(state, signed_root));
  const Status status = Decide(update, state);
  if (IsOk(status)) return Save(state);
  has_been_swayed_ = has_been_swayed_ || EncodeState(state) != before;
  return status;
}

Bytes TrustingDevice::AskFreshness() {
  nonce_ = Bytes(16, next_nonce_++);
  return nonce_;
}

Status TrustingDevice::TakeFreshness(const Bytes& answer) {
  TrustState state;
  OTA_TRY(Load(state));
  const Bytes before = EncodeState(state);
  formats::FreshnessVerification verification;
  OTA_TRY(verification.Begin(state, answer, nonce_));
  const Status status = Decide(verification, state);
  if (!IsOk(status)) {
    has_been_swayed_ = has_been_swayed_ || EncodeState(state) != before;
    return status;
  }
  clock_s_ = state.trusted_time_s;
  nonce_.clear();
  return Save(state);
}

Status TrustingDevice::TakeRelease(const Bytes& envelope, const Bytes& payload) {
  MemoryPayloadSource source;
  source.payload = payload;
  return TakeRelease(envelope, source);
}

Status TrustingDevice::TakeRelease(const Bytes& envelope, MemoryPayloadSource& source) {
  TrustState state;
  OTA_TRY(Load(state));
  if (clock_s_ != 0) OTA_TRY(formats::CheckRootExpiry(state, clock_s_));
  const Bytes before = EncodeState(state);
  const crypto::Sha256Digest installed = installed_digest();
  const Status status = RunRelease(state, envelope, source);
  if (IsOk(status)) return status;
  TrustState stored;
  OTA_TRY(Load(stored));
  const bool is_same = EncodeState(state) == before && EncodeState(stored) == before &&
                       installed_digest() == installed;
  has_been_swayed_ = has_been_swayed_ || !is_same;
  return status;
}

Status TrustingDevice::RunRelease(TrustState& state, const Bytes& envelope,
                                  MemoryPayloadSource& source) {
  agent::PayloadStage stage(source, port_->entropy, {});
  agent::Fetcher fetcher(port_->port, stage, board_->store(), {}, nullptr);
  agent::TrustRecord record(board_->store());
  agent::Updater updater(fetcher, board_->store(), state, record, engine::AllOperators(),
                         board_->arena(), {kStepOperations, 100'000}, &stage);
  const ByteSpan classes[] = {kClass};
  updater.Start(envelope, ProfileOf(classes), clock_s_);
  return RunToEnd([&] { return updater.Step(); });
}

Status TrustingDevice::Poll(MemoryServer& server, MemoryPayloadSource& source, bool wants_proof) {
  return Poll(port_->port, server, source, wants_proof);
}

Status TrustingDevice::Poll(const agent::Port& port, agent::MessageExchange& server,
                            agent::PayloadSource& source, bool wants_proof) {
  TrustState state;
  OTA_TRY(Load(state));
  std::array<uint8_t, agent::Poller::kAnswerBytes> answer;
  std::array<uint8_t, agent::Poller::kMessageBytes> envelope;
  agent::PayloadStage stage(source, port_->entropy, {});
  agent::Fetcher fetcher(port, stage, board_->store(), {}, nullptr);
  agent::UpdateAgent agent(port, server, fetcher, board_->store(), state, {engine::AllOperators()},
                           {answer, envelope, board_->arena()}, {kStepOperations, 100'000}, nullptr,
                           &stage);
  const crypto::Sha256Digest installed = installed_digest();
  const ByteSpan classes[] = {kClass};
  const std::string_view names[] = {"kws"};
  agent.Start(ProfileOf(classes), {.model_names = names, .wants_proof = wants_proof});
  const Status status = RunToEnd([&] { return agent.Step(); });
  if (agent.poller().now_s() != 0) clock_s_ = agent.poller().now_s();
  const bool is_same = IsOk(status) || installed_digest() == installed;
  has_been_swayed_ = has_been_swayed_ || !is_same;
  return status;
}

Status TrustingDevice::Delete(const std::string& name) {
  return RunToEnd([&] { return board_->store().Delete(name.c_str()); });
}

crypto::Sha256Digest TrustingDevice::installed_digest() {
  crypto::Sha256 hash;
  for (uint32_t i = 0; i < board_->store().image_count(); ++i) {
    const auto info = RunToEnd([&] { return board_->store().ReadImageInfo(i); });
    const bool is_installed = info.ok() && info->state == storage::ImageState::kConfirmed &&
                              info->name.view() != agent::TrustRecord::kName;
    if (is_installed) hash.Update(info->digest);
  }
  return hash.Finish();
}

Draft::Draft(std::string name, uint64_t sequence_number)
    : image(MakeModel(sequence_number)), name_(std::move(name)) {
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
  manifest.uri = formats::kUriByDigest;
  manifest.model.operators = ByteSpan(kOperators).first(2);
  manifest.model.arena_bytes_of(formats::PlanKind::kMapped) = 20'000;
}

Bytes Draft::Sign(const std::vector<crypto::SigningKey*>& signers) const {
  const bool is_integrated = manifest.is_payload_integrated();
  return *formats::SignManifest(Encode(), signers,
                                is_integrated ? manifest.uri : std::string_view(),
                                is_integrated ? ByteSpan(image) : ByteSpan());
}

Scene::Scene() : Scene(NewKey(), nullptr) {}

Scene::Scene(const crypto::P256PublicKey& freshness_key) : Scene(NewKey(), &freshness_key) {}

Scene::Scene(std::unique_ptr<crypto::PemKey> own_freshness, const crypto::P256PublicKey* named)
    : root_keys{NewKey(), NewKey(), NewKey()},
      new_root_key(NewKey()),
      release(NewKey()),
      second_release(NewKey()),
      freshness(std::move(own_freshness)),
      stranger(NewKey()) {
  root.root.threshold = 2;
  for (const auto& key : root_keys) root.root.keys.push_back(key->public_key());
  root.freshness_key = named != nullptr ? *named : freshness->public_key();
  root.release_roles.resize(2);
  root.release_roles[0].key_set.keys = {release->public_key()};
  root.release_roles[0].kinds = {ComponentKind::kModel};
  root.release_roles[0].patterns = {"kws", "vision-*"};
  root.release_roles[0].class_ids = {Bytes(kClass.begin(), kClass.end())};
  root.release_roles[1].key_set.threshold = 2;
  root.release_roles[1].key_set.keys = {release->public_key(), second_release->public_key()};
  root.release_roles[1].kinds = {ComponentKind::kModel};
  root.release_roles[1].patterns = {"main"};
  device = std::make_unique<TrustingDevice>(*formats::EncodeRoot(root));
  signed_roots.push_back(SignRoot(root, RootSigners()));
}

Bytes Scene::SignRoot(const formats::RootSpec& spec,
                      const std::vector<crypto::SigningKey*>& signers) {
  return *formats::SignRoot(*formats::EncodeRoot(spec), signers);
}

Status Scene::Rotate(const std::function<void(formats::RootSpec&)>& change) {
  formats::RootSpec next = root;
  ++next.version;
  if (change) change(next);
  const Bytes signed_root = SignRoot(next, RootSigners());
  const Status status = device->TakeRoot(signed_root);
  if (status != Status::kOk) return status;
  root = next;
  signed_roots.push_back(signed_root);
  return status;
}

MemoryServer Scene::MakeServer(uint64_t sequence_number) {
  MemoryServer server;
  server.freshness_key = freshness.get();
  server.time_s = ++now_s;
  server.roots = signed_roots;
  server.root_version = root.version;
  if (sequence_number == 0) return server;
  const Draft draft("kws", sequence_number);
  server.releases.push_back(
      {{ComponentKind::kModel, "kws", sequence_number}, draft.Sign({release.get()})});
  return server;
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
