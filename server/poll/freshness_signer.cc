// SPDX-License-Identifier: Apache-2.0
#include "server/poll/freshness_signer.h"

#include <ctime>
#include <utility>

namespace ota::server {

FreshnessSigner::FreshnessSigner(crypto::SigningKey& key, const RootStore& roots,
                                 FreshnessLimits limits)
    : key_(key), roots_(roots), limits_(limits), thread_([this] { Run(); }) {}

FreshnessSigner::~FreshnessSigner() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool FreshnessSigner::Ask(formats::FreshnessQuestion question, Done done) {
  const std::lock_guard lock(mutex_);
  if (questions_.size() >= limits_.batch_max || is_stopping_) return false;
  questions_.push_back(std::move(question));
  waiting_.push_back(std::move(done));
  changed_.notify_all();
  return true;
}

uint64_t FreshnessSigner::signature_count() const {
  const std::lock_guard lock(mutex_);
  return signature_count_;
}

uint64_t FreshnessSigner::answer_count() const {
  const std::lock_guard lock(mutex_);
  return answer_count_;
}

void FreshnessSigner::Run() {
  auto rest_end = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !questions_.empty(); });
    changed_.wait_until(lock, rest_end, [this] { return is_stopping_; });
    if (questions_.empty()) return;  // Only when stopping.
    const std::vector<formats::FreshnessQuestion> questions = std::exchange(questions_, {});
    const std::vector<Done> waiting = std::exchange(waiting_, {});
    ++signature_count_;
    answer_count_ += waiting.size();
    rest_end = std::chrono::steady_clock::now() + limits_.interval;
    lock.unlock();
    Answer(questions, waiting);
    lock.lock();
  }
}

void FreshnessSigner::Answer(const std::vector<formats::FreshnessQuestion>& questions,
                             const std::vector<Done>& waiting) {
  const Result<std::vector<formats::Bytes>> answers = formats::AnswerFreshness(
      questions, static_cast<uint64_t>(time(nullptr)), roots_.newest_version(), key_);
  for (size_t i = 0; i < waiting.size(); ++i) {
    waiting[i](answers.ok() ? Result<formats::Bytes>((*answers)[i]) : answers.status());
  }
}

}  // namespace ota::server
