// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/test_power_cut.h"

#include <algorithm>

#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

using Kind = StoreOperation::Kind;

constexpr size_t kPieceBytes = 333;
constexpr uint8_t kNoteLength = 24;
constexpr int kAttempts = 50;

void AddInstall(std::vector<StoreOperation>& operations, const std::string& name,
                uint32_t size_bytes, uint32_t seed) {
  operations.push_back({Kind::kBegin, name, size_bytes, seed});
  operations.push_back({Kind::kAppend, name, size_bytes, seed});
  operations.push_back({Kind::kFinish, name, 0, 0});
  operations.push_back({Kind::kActivate, name, 0, 0});
}

/// What the operation makes of the store, if it happens.
ExpectedStore Apply(const ExpectedStore& before, const StoreOperation& operation) {
  ExpectedStore after = before;
  const std::pair<std::string, bool> candidate{operation.name, false};
  const std::pair<std::string, bool> confirmed{operation.name, true};
  const auto drop_staging = [&after] {
    std::erase_if(after.images,
                  [](const auto& item) { return item.second.state == ImageState::kStaging; });
  };
  switch (operation.kind) {
    case Kind::kBegin:
      drop_staging();
      after.images[candidate] = {operation.size_bytes, operation.seed, ImageState::kStaging};
      break;
    case Kind::kFinish:
      after.images[candidate].state = ImageState::kStaged;
      break;
    case Kind::kActivate:
      after.images[candidate].state = ImageState::kTrial;
      break;
    case Kind::kConfirm:
      after.images[confirmed] = after.images[candidate];
      after.images[confirmed].state = ImageState::kConfirmed;
      after.images.erase(candidate);
      break;
    case Kind::kRevert:
      after.images.erase(candidate);
      break;
    case Kind::kDelete:
      after.images.erase(candidate);
      after.images.erase(confirmed);
      break;
    case Kind::kAbandon:
      drop_staging();
      break;
    case Kind::kNote:
      after.notes[static_cast<uint8_t>(operation.size_bytes)] =
          static_cast<uint8_t>(operation.seed);
      break;
    case Kind::kAppend:
    case Kind::kRestart:
    case Kind::kResume:
      break;
  }
  return after;
}

std::vector<uint8_t> MakeNote(uint8_t seed) { return std::vector<uint8_t>(kNoteLength, seed); }

std::string Describe(const ExpectedStore& store) {
  std::string text;
  for (const auto& [key, image] : store.images) {
    text += " " + key.first + ":" + std::to_string(static_cast<int>(image.state)) + "/" +
            std::to_string(image.size_bytes) + "#" + std::to_string(image.seed);
  }
  for (const auto& [key, seed] : store.notes) {
    text += " note" + std::to_string(key) + "=" + std::to_string(seed);
  }
  return text;
}

}  // namespace

std::vector<StoreOperation> MakeScenario(uint32_t seed) {
  Prng prng(seed * 7919 + 1);
  const auto size = [&prng] { return 200 + prng.NextBelow(5000); };
  std::vector<StoreOperation> operations;
  AddInstall(operations, "a", size(), 1);
  operations.push_back({Kind::kConfirm, "a", 0, 0});
  AddInstall(operations, "b", size(), 2);
  operations.push_back({Kind::kConfirm, "b", 0, 0});
  operations.push_back({Kind::kNote, "", 1, 11});
  operations.push_back({Kind::kRestart, "", 0, 0});
  AddInstall(operations, "a", size(), 3);
  operations.push_back({Kind::kRevert, "a", 0, 0});
  AddInstall(operations, "a", size(), 4);
  operations.push_back({Kind::kRestart, "", 0, 0});
  operations.push_back({Kind::kConfirm, "a", 0, 0});
  const uint32_t resumed = 9000 + size() / 8;
  operations.push_back({Kind::kBegin, "b", resumed, 5});
  operations.push_back({Kind::kAppend, "b", resumed / 2 + 700, 5});
  operations.push_back({Kind::kRestart, "", 0, 0});
  operations.push_back({Kind::kResume, "", 0, 0});
  operations.push_back({Kind::kAppend, "b", resumed, 5});
  operations.push_back({Kind::kFinish, "b", 0, 0});
  operations.push_back({Kind::kActivate, "b", 0, 0});
  operations.push_back({Kind::kNote, "", 1, 12});
  operations.push_back({Kind::kConfirm, "b", 0, 0});
  operations.push_back({Kind::kBegin, "c", size(), 6});
  operations.push_back({Kind::kAppend, "c", 150, 6});
  operations.push_back({Kind::kAbandon, "c", 0, 0});
  AddInstall(operations, "c", size(), 7);
  operations.push_back({Kind::kDelete, "b", 0, 0});
  operations.push_back({Kind::kConfirm, "c", 0, 0});
  for (uint32_t i = 0; i < 3; ++i) {  // fills segments, so that they go round
    operations.push_back({Kind::kNote, "", i, 20 + i});
    AddInstall(operations, prng.NextBelow(2) == 0 ? "a" : "c", size(), 8 + i);
    operations.push_back({Kind::kConfirm, operations.back().name, 0, 0});
  }
  return operations;
}

PowerCutRun::PowerCutRun(const std::string& world_name, uint32_t seed)
    : world_name_(world_name), seed_(seed) {}

std::string PowerCutRun::ReplayLine(const std::string& world_name, uint32_t seed,
                                    const std::vector<uint64_t>& cuts) {
  std::string line = world_name + " " + std::to_string(seed) + " ";
  for (size_t i = 0; i < cuts.size(); ++i) line += (i ? "," : "") + std::to_string(cuts[i]);
  return line;
}

PowerCutRun::Outcome PowerCutRun::Fail(const std::string& what) {
  if (!failure_.empty()) return Outcome::kFailed;
  failure_ = (is_random_ ? "replay: random " : "replay: ") + ReplayLine(world_name_, seed_, cuts_) +
             "\n  " + what + "\n  before:" + Describe(before_) + "\n  after: " + Describe(after_);
  return Outcome::kFailed;
}

uint64_t PowerCutRun::CountPoints() {
  cuts_.clear();
  world_ = MakeWorld(world_name_);
  before_ = after_ = found_ = ExpectedStore{};
  unpinned_.clear();
  if (!IsOk(RunToEnd([&] { return world_->store().Format(); }))) return Fail("Format"), 0;
  world_->AddForeignFile();
  const uint64_t first = world_->power().point_count();
  if (RunScenario() != Outcome::kDone) return 0;
  const uint64_t count = world_->power().point_count() - first;
  if (!CheckState() || !CheckBytes() || !CheckSpace()) return 0;
  return count;
}

bool PowerCutRun::Run(const std::vector<uint64_t>& cuts) {
  cuts_ = cuts;
  cut_count_ = 0;
  failure_.clear();
  world_ = MakeWorld(world_name_);
  before_ = after_ = found_ = ExpectedStore{};
  unpinned_.clear();
  if (!IsOk(RunToEnd([&] { return world_->store().Format(); }))) return Fail("Format"), false;
  world_->AddForeignFile();
  Outcome outcome = Outcome::kDone;
  for (size_t i = 0; i <= cuts.size() && outcome != Outcome::kFailed; ++i) {
    simulator::PowerSupply& power = world_->power();
    const uint64_t first = power.point_count();
    if (i < cuts.size()) {
      uint64_t mixed = (first + cuts[i]) * 0x9E3779B97F4A7C15u + seed_;
      power.CutAt(first + cuts[i], static_cast<uint32_t>(mixed >> 32));
    }
    outcome = i == 0 ? RunScenario() : Recover();
    recovery_point_count_ = power.point_count() - first;
    if (outcome == Outcome::kDone) break;  // the cut lay behind the end
    if (outcome != Outcome::kCut) continue;
    ++cut_count_;
    world_->Restart();
  }
  if (outcome != Outcome::kFailed && world_->violation_count() != 0) {
    outcome = Fail("the part was misused " + std::to_string(world_->violation_count()) + " times");
  }
  return outcome != Outcome::kFailed;
}

PowerCutRun::Outcome PowerCutRun::RunScenario() {
  for (const StoreOperation& operation : MakeScenario(seed_)) {
    const Outcome outcome = Perform(operation);
    if (outcome != Outcome::kDone) return outcome;
  }
  return Outcome::kDone;
}

PowerCutRun::Outcome PowerCutRun::Perform(const StoreOperation& operation) {
  after_ = Apply(before_, operation);
  const Status status = Execute(operation);
  if (!world_->power().is_on()) return Outcome::kCut;
  is_full_ = status == Status::kStorageFull;
  if (!IsOk(status)) {
    return Fail("operation " + std::to_string(static_cast<int>(operation.kind)) + " on " +
                operation.name + ": " + std::string(StatusName(status)));
  }
  before_ = found_ = after_;
  return Outcome::kDone;
}

/// Asks again while the answer is kBusy and there is power.
template <typename Function>
Status PowerCutRun::Drive(Function function) {
  Status status = Status::kBusy;
  while (status == Status::kBusy && world_->power().is_on()) status = function();
  return status;
}

Status PowerCutRun::Execute(const StoreOperation& operation) {
  ModelStore& store = world_->store();
  const ModelName name(operation.name.c_str());
  switch (operation.kind) {
    case Kind::kBegin: {
      const auto model = MakeModel(operation.size_bytes, operation.seed);
      const StageRequest request = MakeRequest(name, model);
      return Drive([&] { return store.Begin(request); });
    }
    case Kind::kAppend: {
      auto model = MakeModel(before_.images[{operation.name, false}].size_bytes, operation.seed);
      model.resize(std::min<size_t>(model.size(), operation.size_bytes));
      while (store.staged_bytes() < model.size() && world_->power().is_on()) {
        const ByteSpan rest = ByteSpan(model).subspan(store.staged_bytes());
        const Result<uint32_t> taken = store.Append(rest.first(std::min(kPieceBytes, rest.size())));
        if (!taken.ok() && taken.status() != Status::kBusy) return taken.status();
      }
      return Status::kOk;
    }
    case Kind::kFinish:
      return Drive([&] { return store.Finish(); });
    case Kind::kActivate:
      return Drive([&] { return store.Activate(name); });
    case Kind::kConfirm:
      return Drive([&] { return store.Confirm(name); });
    case Kind::kRevert:
      return Drive([&] { return store.Revert(name); });
    case Kind::kDelete:
      return Drive([&] { return store.Delete(name); });
    case Kind::kAbandon:
      return Drive([&] { return store.Abandon(); });
    case Kind::kResume:
      return Drive([&] { return store.Resume(); });
    case Kind::kNote: {
      const auto key = static_cast<uint8_t>(operation.size_bytes);
      const auto note = MakeNote(static_cast<uint8_t>(operation.seed));
      return Drive([&] { return store.WriteNote(key, note); });
    }
    case Kind::kRestart:
      world_->Restart();
      return Drive([&] { return world_->store().Mount(); });
  }
  return Status::kNotSupported;
}

/// What an application does after a restart: mount, go on with what was staging, update again.
PowerCutRun::Outcome PowerCutRun::Recover() {
  // Twice, since a torn record may read differently the second time.
  if (!Inspect() || !Inspect()) return Outcome::kFailed;
  const ExpectedStore before = before_;
  const ExpectedStore after = after_;
  Outcome outcome = Outcome::kFailed;
  for (int attempt = 0; attempt < kAttempts && outcome == Outcome::kFailed; ++attempt) {
    // A torn record that Mount could read may have become unreadable. The first change then fails,
    // and the store is mounted again; after the first change nothing is torn any more.
    before_ = before;
    after_ = after;
    if (!Inspect()) return Outcome::kFailed;
    before_ = after_ = found_;
    failure_.clear();
    const StoreOperation note{Kind::kNote, "", 2, 98};
    outcome = Perform(note);
    if (outcome != Outcome::kCut) continue;
    // What was torn before is not pinned, and may read differently after this cut too.
    unpinned_.insert(unpinned_.end(), {before, after, Apply(before, note), Apply(after, note)});
  }
  if (outcome == Outcome::kDone) unpinned_.clear();
  if (outcome == Outcome::kDone) outcome = ResumeStaging();
  if (outcome == Outcome::kDone) outcome = UpdateAgain();
  if (outcome != Outcome::kDone) return outcome;
  if (const std::string fault = world_->FindFault(); !fault.empty()) return Fail(fault);
  if (!CheckSecrecy()) return Outcome::kFailed;
  world_->Restart();
  return Inspect() ? Outcome::kDone : Outcome::kFailed;
}

/// Mounts and compares all that is there with what may be there.
bool PowerCutRun::Inspect() {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    failure_.clear();
    if (!Mount()) return false;
    if (CheckState() && CheckBytes() && CheckSpace()) return true;
    if (!is_unreadable_) return false;
  }
  return false;
}

PowerCutRun::Outcome PowerCutRun::ResumeStaging() {
  for (const auto& [key, image] : ExpectedStore(before_).images) {
    if (image.state != ImageState::kStaging) continue;
    for (const Kind kind : {Kind::kResume, Kind::kAppend, Kind::kFinish}) {
      const Outcome outcome = Perform({kind, key.first, image.size_bytes, image.seed});
      if (outcome != Outcome::kDone) return outcome;
    }
  }
  return Outcome::kDone;
}

PowerCutRun::Outcome PowerCutRun::UpdateAgain() {
  std::vector<StoreOperation> operations;
  AddInstall(operations, "next", 700, 99);
  operations.push_back({Kind::kConfirm, "next", 0, 0});
  operations.push_back({Kind::kNote, "", 3, 99});
  for (const StoreOperation& operation : operations) {
    const Outcome outcome = Perform(operation);
    if (outcome != Outcome::kDone) return outcome;
  }
  return Outcome::kDone;
}

bool PowerCutRun::Mount() {
  is_unreadable_ = false;
  const Status status = RunToEnd([&] { return world_->store().Mount(); });
  if (IsOk(status)) return true;
  Fail("Mount: " + std::string(StatusName(status)));
  return false;
}

bool PowerCutRun::ReadState(ExpectedStore& found) {
  ModelStore& store = world_->store();
  for (uint32_t index = 0; index < store.image_count(); ++index) {
    const Result<ImageInfo> info = store.ReadImageInfo(index);
    if (!info.ok()) {
      is_unreadable_ = info.status() == Status::kCorrupted;
      Fail("ReadImageInfo: " + std::string(StatusName(info.status())));
      return false;
    }
    const std::string name(info->name.view());
    ExpectedImage image{info->size_bytes, 0, info->state};
    const auto look_for_seed = [&](const ExpectedStore& known) {
      for (const auto& [key, expected] : known.images) {
        const bool is_it =
            key.first == name &&
            ComputeModelDigest(MakeModel(expected.size_bytes, expected.seed)) == info->digest;
        if (is_it) image.seed = expected.seed;
      }
    };
    look_for_seed(before_);
    look_for_seed(after_);
    std::for_each(unpinned_.begin(), unpinned_.end(), look_for_seed);
    found.images[{name, info->state == ImageState::kConfirmed}] = image;
  }
  for (uint8_t key = 0; key < kNoteKeyCount; ++key) {
    std::vector<uint8_t> note(kNoteBytesMax);
    const Result<uint32_t> length = store.ReadNote(key, note);
    if (length.ok()) found.notes[key] = *length == kNoteLength ? note[7] : 0;
    if (length.status() == Status::kCorrupted) {
      is_unreadable_ = true;
      Fail("ReadNote: Corrupted");
      return false;
    }
  }
  return true;
}

/// The store is as it was before the operation that was cut, or as it is after it.
bool PowerCutRun::CheckState() {
  found_ = ExpectedStore{};
  if (!ReadState(found_)) return false;
  if (found_ == after_ || found_ == before_) return true;
  if (std::find(unpinned_.begin(), unpinned_.end(), found_) != unpinned_.end()) return true;
  Fail("found: " + Describe(found_));
  return false;
}

bool PowerCutRun::CheckBytes() {
  for (const auto& [key, image] : found_.images) {
    if (image.state == ImageState::kStaging) continue;
    const auto choice = key.second ? ImageChoice::kConfirmed : ImageChoice::kCandidate;
    const auto bytes = ReadModel(world_->store(), key.first.c_str(), choice);
    if (bytes.ok() && *bytes == MakeModel(image.size_bytes, image.seed)) continue;
    is_unreadable_ = bytes.status() == Status::kCorrupted;
    Fail("bytes of " + key.first + ": " + std::string(StatusName(bytes.status())));
    return false;
  }
  return true;
}

bool PowerCutRun::CheckSpace() {
  const StoreSpace space = world_->store().space();
  uint32_t used_bytes = 0;
  for (const auto& [key, image] : found_.images) {
    used_bytes += world_->store().NeededBytes(image.size_bytes);
  }
  if (space.free_bytes + used_bytes == space.total_bytes) return true;
  Fail("space: " + std::to_string(space.free_bytes) + " free of " +
       std::to_string(space.total_bytes) + ", " + std::to_string(used_bytes) + " used");
  return false;
}

bool PowerCutRun::CheckSecrecy() {
  if (!world_->is_encrypted()) return true;
  for (const auto& [key, image] : before_.images) {
    if (!HasPlainBytes(*world_, MakeModel(image.size_bytes, image.seed))) continue;
    Fail("plain bytes of " + key.first);
    return false;
  }
  return true;
}

}  // namespace ota::storage
