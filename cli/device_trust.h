// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "formats/host/uuid.h"
#include "formats/trust/manifest_verification.h"
#include "formats/trust/trust_state.h"
#include "simulator/board/virtual_board.h"

namespace ota::cli {

/// What vendor the virtual boards are of. Each is of two classes: its id, e.g. "B1", and the class
/// of all of them.
inline constexpr const char* kBoardVendor = "boards.ota-tinyml.example";
inline constexpr const char* kEveryBoardClass = "every-board";

/// Who a virtual board is and whom it trusts. The trust anchor comes with the first boot and is
/// kept on the board from then on, with all that follows from it.
class DeviceTrust {
 public:
  /// Loads the trust state that the board keeps, or begins one with the signed root metadata in
  /// the file `anchor_path`; a board that has one does not look at the file. The board's own id is
  /// kept in `state_directory`. `board`, booted, must outlive it.
  /// CommandError: the board has no trust state and there is no file (exit code 2), or one of them
  /// cannot be used.
  DeviceTrust(simulator::VirtualBoard& board, const std::string& state_directory,
              const std::string& anchor_path);
  DeviceTrust(const DeviceTrust&) = delete;
  DeviceTrust& operator=(const DeviceTrust&) = delete;

  formats::TrustState& state() { return state_; }
  const formats::DeviceProfile& profile() const { return profile_; }
  uint32_t root_version() const;
  bool was_provisioned() const { return was_provisioned_; }  ///< just now, from the file

 private:
  void Provision(simulator::VirtualBoard& board, const std::string& anchor_path);
  void DescribeBoard(simulator::VirtualBoard& board, const std::string& state_directory);

  formats::TrustState state_;
  bool was_provisioned_ = false;
  formats::Uuid vendor_id_ = {};
  std::array<formats::Uuid, 2> class_id_bytes_ = {};
  formats::Uuid device_id_ = {};
  std::array<ByteSpan, 2> class_ids_;
  formats::UnitLimits units_[1];
  std::vector<uint8_t> operators_;
  formats::DeviceProfile profile_;
};

}  // namespace ota::cli
