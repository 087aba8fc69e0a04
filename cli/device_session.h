// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "simulator/board/virtual_board.h"

// What `ota-tinyml device` does with its virtual board, one function a wish. Each prints for people
// or, with is_json, adds to the report; each throws CommandError.

namespace ota::cli {

struct DeviceOptions {
  std::string board = "B1";
  std::string state_directory;
  std::string server_url;
  std::string ca_path;
  std::string trust_path;        ///< signed root metadata, for the first boot
  std::string payload_key_path;  ///< private or group key that payloads may be encrypted for
  bool is_insecure = false;
  bool wants_update = false;
  bool wants_all = false;
  bool wants_proof = false;
  std::string medium_path;  ///< an image to start from; empty: what is in the directory
  std::vector<std::string> fetch_names;
  std::vector<std::string> run_names;
  std::vector<std::string> delete_names;
  std::vector<std::string> inputs;       ///< none, one for all runs, or one for each
  std::vector<std::string> label_paths;  ///< likewise
  bool wants_list = false;
  bool is_json = false;
  uint64_t cut_power_after_bytes = UINT64_MAX;
};

class DeviceSession {
 public:
  /// Boots the board. `options` and `report` must outlive the session.
  DeviceSession(const DeviceOptions& options, nlohmann::json& report);

  void DeleteModels();
  /// Brings the models that were asked for: signed releases, or with is_insecure what is there.
  void FetchModels();
  void RunModels();
  void ListModels();

 private:
  static const simulator::BoardTraits& PrepareBoard(const DeviceOptions& options);
  void BootBoard();
  void FetchInsecurely();
  void UpdateModels();
  std::vector<std::string> ListInstalled();
  void RunModel(const std::string& name, const std::string& input, const std::string& labels);

  const DeviceOptions& options_;
  nlohmann::json& report_;
  simulator::VirtualBoard board_;
};

}  // namespace ota::cli
