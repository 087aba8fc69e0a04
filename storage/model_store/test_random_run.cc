// SPDX-License-Identifier: Apache-2.0
// The half of PowerCutRun that goes by chance.
#include "storage/model_store/test_power_cut.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

using Kind = StoreOperation::Kind;

constexpr const char* kNames[] = {"a", "b", "c"};
constexpr uint32_t kCutEvery = 6;
constexpr uint32_t kCutPointsMax = 400;  // within an operation

}  // namespace

StoreOperation PowerCutRun::ChooseStaging(Prng& prng, const std::string& name,
                                          const ExpectedImage& image) const {
  if (needs_resume_) return {Kind::kResume, name, 0, 0};
  const uint32_t staged = world_->store().staged_bytes();
  const uint32_t rest = image.size_bytes - staged;
  if (prng.NextBelow(12) == 0) return {Kind::kAbandon, name, 0, 0};
  if (rest == 0) return {Kind::kFinish, name, 0, 0};
  return {Kind::kAppend, name, staged + 1 + prng.NextBelow(rest), image.seed};
}

/// One that can be done in the state that the store is in.
StoreOperation PowerCutRun::ChooseOperation(Prng& prng) const {
  if (prng.NextBelow(15) == 0) return {Kind::kRestart, "", 0, 0};
  if (prng.NextBelow(8) == 0) {
    return {Kind::kNote, "", prng.NextBelow(kNoteKeyCount), 1 + prng.NextBelow(200)};
  }
  for (const auto& [key, image] : before_.images) {
    if (image.state == ImageState::kStaging) return ChooseStaging(prng, key.first, image);
  }
  const std::string name = kNames[prng.NextBelow(3)];
  const auto candidate = before_.images.find({name, false});
  if (candidate != before_.images.end() && prng.NextBelow(6) != 0) {
    if (prng.NextBelow(5) == 0) return {Kind::kRevert, name, 0, 0};
    const bool is_staged = candidate->second.state == ImageState::kStaged;
    return {is_staged ? Kind::kActivate : Kind::kConfirm, name, 0, 0};
  }
  const bool is_there = candidate != before_.images.end() || before_.images.contains({name, true});
  if (is_there && prng.NextBelow(8) == 0) return {Kind::kDelete, name, 0, 0};
  return {Kind::kBegin, name, 100 + prng.NextBelow(4000), 1 + prng.NextBelow(50)};
}

bool PowerCutRun::RestartAndInspect() {
  world_->Restart();
  before_ = after_ = found_;
  needs_resume_ = true;
  return Inspect();
}

bool PowerCutRun::PerformRandom(const StoreOperation& operation) {
  if (operation.kind == Kind::kRestart) return RestartAndInspect();
  Outcome outcome = Perform(operation);
  if (outcome == Outcome::kCut) {
    cut_count_ += 1;
    world_->Restart();
    outcome = Recover();
    needs_resume_ = true;
    return outcome == Outcome::kDone;
  }
  if (outcome == Outcome::kFailed && operation.kind == Kind::kBegin && is_full_) {
    failure_.clear();
    after_ = before_;
    return true;
  }
  world_->power().CancelCut();
  if (operation.kind == Kind::kResume || operation.kind == Kind::kBegin) needs_resume_ = false;
  return outcome == Outcome::kDone;
}

bool PowerCutRun::RunRandom(uint32_t operation_count) {
  is_random_ = true;
  failure_.clear();
  world_ = MakeWorld(world_name_);
  before_ = after_ = found_ = ExpectedStore{};
  unpinned_.clear();
  needs_resume_ = false;
  if (!IsOk(RunToEnd([&] { return world_->store().Format(); }))) return Fail("Format"), false;
  world_->AddForeignFile();
  Prng prng(seed_ * 2246822519u + 1);
  for (uint32_t i = 0; i < operation_count; ++i) {
    cuts_ = {i};
    simulator::PowerSupply& power = world_->power();
    if (prng.NextBelow(kCutEvery) == 0) {
      power.CutAt(power.point_count() + prng.NextBelow(kCutPointsMax), prng.Next());
    }
    if (!PerformRandom(ChooseOperation(prng))) return false;
  }
  return RestartAndInspect();
}

}  // namespace ota::storage
