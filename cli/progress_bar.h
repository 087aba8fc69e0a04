// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ota::cli {

/// A one-line progress bar on stderr for a transfer, drawn at most ten times a second and only when
/// stderr is a terminal; elsewhere it prints nothing.
class ProgressBar {
 public:
  /// `label` stands before the bar. `total_bytes` 0: unknown, only the count is shown.
  ProgressBar(std::string label, uint64_t total_bytes);
  /// Leaves the last state on a line of its own.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void SetTotal(uint64_t total_bytes) { total_bytes_ = total_bytes; }
  void Update(uint64_t done_bytes);

 private:
  void Draw();

  std::string label_;
  uint64_t total_bytes_;
  uint64_t done_bytes_ = 0;
  bool is_terminal_;
  bool was_drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_drawn_;
};

/// 1536 -> "1.5 KiB"; for people.
std::string FormatBytes(uint64_t bytes);

}  // namespace ota::cli
