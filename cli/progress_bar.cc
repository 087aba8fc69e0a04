// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace ota::cli {

using std::chrono::steady_clock;

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text = {};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

ProgressBar::ProgressBar(std::string label, uint64_t total_bytes)
    : label_(std::move(label)),
      total_bytes_(total_bytes),
      is_terminal_(isatty(STDERR_FILENO) == 1),
      start_(steady_clock::now()),
      last_drawn_(start_) {}

ProgressBar::~ProgressBar() {
  if (!is_terminal_ || !was_drawn_) return;
  Draw();
  std::fputc('\n', stderr);
}

void ProgressBar::Update(uint64_t done_bytes) {
  done_bytes_ = done_bytes;
  if (!is_terminal_) return;
  const steady_clock::time_point now = steady_clock::now();
  if (was_drawn_ && now - last_drawn_ < std::chrono::milliseconds(100)) return;
  last_drawn_ = now;
  Draw();
}

void ProgressBar::Draw() {
  constexpr size_t kWidth = 30;
  was_drawn_ = true;
  const double seconds = std::chrono::duration<double>(steady_clock::now() - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_bytes_) / seconds : 0;
  const std::string speed = FormatBytes(static_cast<uint64_t>(rate)) + "/s";
  if (total_bytes_ == 0) {
    std::fprintf(stderr, "\r\033[K%s %s %s", label_.c_str(), FormatBytes(done_bytes_).c_str(),
                 speed.c_str());
    return;
  }
  const uint64_t done = std::min(done_bytes_, total_bytes_);
  const auto filled = static_cast<size_t>(done * kWidth / total_bytes_);
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
  std::fprintf(stderr, "\r\033[K%s [%s] %3u%% of %s %s", label_.c_str(), bar.c_str(),
               static_cast<unsigned>(done * 100 / total_bytes_), FormatBytes(total_bytes_).c_str(),
               speed.c_str());
}

}  // namespace ota::cli
