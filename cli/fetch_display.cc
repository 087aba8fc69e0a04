// SPDX-License-Identifier: Apache-2.0
#include "cli/fetch_display.h"

#include <cstdio>

namespace ota::cli {

void FetchDisplay::SetName(const std::string& name) {
  bar_.reset();
  name_ = name;
  summary = {};
  last_staged_bytes_ = 0;
  has_started_ = false;
}

void FetchDisplay::OnStart(uint32_t first_offset, uint32_t total_bytes) {
  if (first_offset > 0) {
    std::fprintf(stderr, "%s: resumes at byte %u of %u\n", name_.c_str(), first_offset,
                 total_bytes);
    if (!has_started_) summary.resumed_at = first_offset;
  }
  has_started_ = true;
  last_staged_bytes_ = first_offset;
  bar_ = std::make_unique<ProgressBar>(name_, total_bytes);
}

void FetchDisplay::OnProgress(uint32_t staged_bytes, uint32_t /*total_bytes*/) {
  bar_->Update(staged_bytes);
  staged_in_session_ += staged_bytes - last_staged_bytes_;
  last_staged_bytes_ = staged_bytes;
  if (staged_in_session_ >= bytes_until_cut_) power_.CutAt(power_.point_count(), 1);
}

void FetchDisplay::OnRetry(Status why, uint32_t attempt_count, uint32_t wait_ms) {
  bar_.reset();
  ++summary.retry_count;
  const std::string sentence(StatusSentence(why));
  std::fprintf(stderr, "%s: %s Attempt %u follows in %u ms.\n", name_.c_str(), sentence.c_str(),
               attempt_count + 1, wait_ms);
}

void FetchDisplay::OnStartOver() {
  bar_.reset();
  std::fprintf(stderr, "%s: the artifact has changed at the server; starting over\n",
               name_.c_str());
}

}  // namespace ota::cli
