// SPDX-License-Identifier: Apache-2.0
#include "agent/update/self_test_run.h"

#include <algorithm>

#include "base/prng.h"
#include "crypto/sha256.h"

namespace ota::agent {

Status SelfTestRun::Begin(ByteSource& source, MutableByteSpan arena,
                          const formats::ModelRequirements& requirements) {
  requirements_ = nullptr;
  engine::PrepareOptions options;
  options.rounding = requirements.rounding == formats::RoundingMode::kSingle
                         ? engine::RoundingMode::kSingle
                         : engine::RoundingMode::kDouble;
  options.patch_planner = patch_planner_;
  OTA_TRY(interpreter_.Prepare(source, arena, options));
  requirements_ = &requirements;
  test_index_ = 0;
  is_running_ = false;
  return Status::kOk;
}

Status SelfTestRun::Step(uint32_t mac_budget) {
  if (requirements_ == nullptr) return Status::kWrongState;
  if (test_index_ == requirements_->self_test_count) return Status::kOk;
  const formats::SelfTest& test = requirements_->self_tests[test_index_];
  if (!is_running_) {
    interpreter_.ResetState();
    OTA_TRY(FillInputs(test));
    is_running_ = true;
  }
  OTA_TRY(interpreter_.Step(mac_budget));
  OTA_TRY(CompareOutputs(test));
  is_running_ = false;
  ++test_index_;
  return test_index_ == requirements_->self_test_count ? Status::kOk : Status::kBusy;
}

/// The inputs one after the other take the test's bytes, or the lowest byte of each number that the
/// generator gives.
Status SelfTestRun::FillInputs(const formats::SelfTest& test) {
  ByteSpan rest = test.input;
  Prng generator(test.seed | (test.seed == 0 ? 1u : 0u));
  for (uint32_t i = 0; i < interpreter_.input_count(); ++i) {
    const MutableByteSpan input = interpreter_.input(i);
    if (test.input.empty()) {
      for (uint8_t& byte : input) byte = static_cast<uint8_t>(generator.Next());
      continue;
    }
    if (rest.size() < input.size()) return Status::kSelfTestFailed;
    std::copy_n(rest.begin(), input.size(), input.begin());
    rest = rest.subspan(input.size());
  }
  return rest.empty() ? Status::kOk : Status::kSelfTestFailed;
}

Status SelfTestRun::CompareOutputs(const formats::SelfTest& test) {
  crypto::Sha256 hash;
  for (uint32_t i = 0; i < interpreter_.output_count(); ++i) hash.Update(interpreter_.output(i));
  const crypto::Sha256Digest digest = hash.Finish();
  const ByteSpan wanted = test.output_digest;
  if (wanted.size() < formats::kOutputDigestBytesMin || wanted.size() > digest.size()) {
    return Status::kSelfTestFailed;
  }
  return std::equal(wanted.begin(), wanted.end(), digest.begin()) ? Status::kOk
                                                                  : Status::kSelfTestFailed;
}

}  // namespace ota::agent
