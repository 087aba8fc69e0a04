// SPDX-License-Identifier: Apache-2.0
#include "cli/device_trust.h"

#include <fstream>
#include <iterator>
#include <set>

#include "agent/update/trust_record.h"
#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/model_file.h"
#include "crypto/host/os_entropy.h"
#include "engine/operator_table.h"
#include "formats/trust/root_update.h"

namespace ota::cli {
namespace {

using simulator::MemoryUnitKind;
using simulator::RunToEnd;

constexpr uint32_t kSlotsMax = 32;
constexpr int32_t kCustomOperatorCode = 32;

std::string Describe(Status status) {
  return std::string(StatusSentence(status)) + " [" + std::string(StatusName(status)) + ']';
}

formats::MemoryUnit UnitOf(MemoryUnitKind kind) {
  switch (kind) {
    case MemoryUnitKind::kOnChipFlash:
      return formats::MemoryUnit::kOnChipFlash;
    case MemoryUnitKind::kSdCard:
      return formats::MemoryUnit::kSdCard;
    case MemoryUnitKind::kEeprom:
      return formats::MemoryUnit::kEeprom;
    case MemoryUnitKind::kSpiNor:
      return formats::MemoryUnit::kSpiNor;
  }
  return formats::MemoryUnit::kAny;
}

std::vector<uint8_t> OperatorCodes() {
  std::set<uint8_t> codes;
  for (const engine::Operator* const entry : engine::AllOperators()) {
    if (entry->code != kCustomOperatorCode) codes.insert(static_cast<uint8_t>(entry->code));
  }
  return {codes.begin(), codes.end()};
}

// The id of the board that lives in `state_directory`, made at its first start.
formats::Uuid ReadDeviceId(const std::string& state_directory) {
  const std::string path = state_directory + "/device-id";
  std::string text;
  if (std::ifstream(path) >> text) {
    const Result<formats::Uuid> id = formats::ParseUuid(text);
    if (id.ok()) return *id;
    throw CommandError(path + " holds no UUID; remove it to get a new one");
  }
  crypto::OsEntropy entropy;
  formats::Uuid id;
  if (!IsOk(entropy.Fill(id))) throw CommandError("the system's random generator failed");
  constexpr uint8_t kVersion4 = 0x40, kVariant = 0x80;
  id[6] = static_cast<uint8_t>(kVersion4 | (id[6] & 0x0F));
  id[8] = static_cast<uint8_t>(kVariant | (id[8] & 0x3F));
  WriteNewFile(path, formats::FormatUuid(id) + "\n", FileUse::kPublic);
  return id;
}

}  // namespace

DeviceTrust::DeviceTrust(simulator::VirtualBoard& board, const std::string& state_directory,
                         const std::string& anchor_path) {
  agent::TrustRecord record(board.store());
  const Status status = RunToEnd([&] { return record.Load(state_); });
  if (status == Status::kNotFound) {
    Provision(board, anchor_path);
  } else if (!IsOk(status)) {
    throw CommandError("the board's trust state cannot be read: " + Describe(status));
  }
  DescribeBoard(board, state_directory);
}

void DeviceTrust::Provision(simulator::VirtualBoard& board, const std::string& anchor_path) {
  if (anchor_path.empty()) {
    throw CommandError(
        "this board trusts nobody yet, so it can verify nothing. Give it the signed root metadata "
        "with --trust FILE (`ota-tinyml trust init` makes some); it keeps that. Or say --insecure "
        "to take whatever the server sends",
        2);
  }
  const std::vector<uint8_t> bytes = ReadFile(anchor_path);
  Status status = formats::VerifyInitialRoot(bytes);
  if (IsOk(status)) {
    const Result<formats::SignedRoot> root = formats::DecodeSignedRoot(bytes);
    status = formats::InitializeTrustState(root->metadata, state_);
  }
  if (!IsOk(status)) {
    throw CommandError(anchor_path + " cannot be trusted: " + Describe(status) +
                       " Give signed root metadata, as `ota-tinyml trust init` makes it");
  }
  agent::TrustRecord record(board.store());
  status = RunToEnd([&] { return record.Save(state_); });
  if (!IsOk(status)) throw CommandError("the trust state cannot be stored: " + Describe(status));
  was_provisioned_ = true;
}

void DeviceTrust::DescribeBoard(simulator::VirtualBoard& board,
                                const std::string& state_directory) {
  const simulator::BoardTraits& traits = board.traits();
  vendor_id_ = formats::ComputeVendorId(kBoardVendor);
  class_id_bytes_ = {formats::ComputeClassId(vendor_id_, traits.id),
                     formats::ComputeClassId(vendor_id_, kEveryBoardClass)};
  device_id_ = ReadDeviceId(state_directory);
  operators_ = OperatorCodes();
  class_ids_ = {class_id_bytes_[0], class_id_bytes_[1]};
  units_[0] = {UnitOf(traits.unit), kSlotsMax, board.store().space().total_bytes};
  profile_.vendor_id = vendor_id_;
  profile_.class_ids = class_ids_;
  profile_.device_id = device_id_;
  profile_.kinds = 1u << static_cast<uint32_t>(formats::ComponentKind::kModel);
  profile_.units = units_;
  profile_.engine_version = 1;
  profile_.operators = operators_;
  profile_.arena_bytes = traits.arena_bytes();
  const bool is_mapped = traits.unit == MemoryUnitKind::kOnChipFlash;
  const auto plan = is_mapped ? formats::PlanKind::kMapped : formats::PlanKind::kStreamed;
  profile_.plans =
      1u << static_cast<uint32_t>(plan) | 1u << static_cast<uint32_t>(formats::PlanKind::kPatched);
}

uint32_t DeviceTrust::root_version() const {
  const Result<formats::RootMetadata> root = formats::DecodeRootMetadata(state_.root_metadata());
  return root.ok() ? root->version : 0;
}

}  // namespace ota::cli
