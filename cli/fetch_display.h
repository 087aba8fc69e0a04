// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "agent/update/fetcher.h"
#include "cli/progress_bar.h"
#include "simulator/memory_parts/power_supply.h"

namespace ota::cli {

/// What a fetch came to.
struct FetchSummary {
  bool was_present = false;  ///< the store had this very image already
  uint32_t total_bytes = 0;
  uint64_t received_bytes = 0;  ///< over the link, over all attempts
  uint32_t resumed_at = 0;      ///< bytes that the store had from before
  uint32_t retry_count = 0;
};

/// Shows on stderr what fetches do, and cuts a board's power when so many bytes were staged.
class FetchDisplay final : public agent::FetchObserver {
 public:
  /// `power` must outlive it. `cut_after_bytes` UINT64_MAX: the power stays.
  FetchDisplay(simulator::PowerSupply& power, uint64_t cut_after_bytes)
      : power_(power), bytes_until_cut_(cut_after_bytes) {}

  /// The model that is fetched from now on; its summary begins anew.
  void SetName(const std::string& name);

  /// Ends the progress bar of the current model.
  void Finish() { bar_.reset(); }

  void OnStart(uint32_t first_offset, uint32_t total_bytes) override;
  void OnProgress(uint32_t staged_bytes, uint32_t total_bytes) override;
  void OnRetry(Status why, uint32_t attempt_count, uint32_t wait_ms) override;
  void OnStartOver() override;

  uint64_t cut_after_bytes() const { return bytes_until_cut_; }

  FetchSummary summary;

 private:
  std::string name_;
  simulator::PowerSupply& power_;
  uint64_t bytes_until_cut_;
  std::unique_ptr<ProgressBar> bar_;
  uint32_t last_staged_bytes_ = 0;
  uint64_t staged_in_session_ = 0;
  bool has_started_ = false;
};

}  // namespace ota::cli
