// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "storage/model_store/test_media.h"

// The power-cut harness. A scenario is a fixed sequence of operations on a store. A first run
// counts its cut points; then each of them gets a run of its own in which power fails there. After
// the restart the store has to be in the state before the operation that was cut or in the one
// after it, with all bytes right and no space lost; what was staging is resumed, and a next update
// has to work. That recovery may be cut in turn.
//
// A failure is described by one line, which replays it: WORLD SEED CUT[,CUT…], or for operations by
// chance: random WORLD SEED OPERATION.

namespace ota::storage {

/// An image as the harness believes it to be. Its bytes are MakeModel(size_bytes, seed).
struct ExpectedImage {
  uint32_t size_bytes = 0;
  uint32_t seed = 0;
  ImageState state = ImageState::kStaging;

  bool operator==(const ExpectedImage&) const = default;
};

/// All that a store should hold. The second half of a key: whether the image is confirmed.
struct ExpectedStore {
  std::map<std::pair<std::string, bool>, ExpectedImage> images;
  std::map<uint8_t, uint8_t> notes;

  bool operator==(const ExpectedStore&) const = default;
};

struct StoreOperation {
  enum class Kind : uint8_t {
    kBegin,
    kAppend,  ///< up to `size_bytes` more
    kFinish,
    kActivate,
    kConfirm,
    kRevert,
    kDelete,
    kAbandon,
    kNote,
    kRestart,
    kResume,
  };
  Kind kind = Kind::kRestart;
  std::string name;
  uint32_t size_bytes = 0;
  uint32_t seed = 0;
};

/// The operations of a run: what each kind needs at least once, then some by chance.
std::vector<StoreOperation> MakeScenario(uint32_t seed);

class PowerCutRun {
 public:
  PowerCutRun(const std::string& world_name, uint32_t seed);

  /// Runs the scenario without a cut; returns how many cut points it has, those of recovery after
  /// it not counted. 0: it failed, failure() tells how.
  uint64_t CountPoints();

  /// Runs the scenario with power failing at cuts[0]; then recovery, with power failing at cuts[1]
  /// counted from the restart; and so on. False: failure() tells what is wrong.
  bool Run(const std::vector<uint64_t>& cuts);

  /// Performs operations by chance, with restarts and now and then a cut, and compares with what
  /// they should have left. False: failure() tells what is wrong.
  bool RunRandom(uint32_t operation_count);

  /// How often power failed in Run or RunRandom. Less often than Run was asked for: the next cut
  /// lay behind the end.
  uint32_t cut_count() const { return cut_count_; }

  /// Cut points of the recovery that followed the last cut, after Run.
  uint64_t recovery_point_count() const { return recovery_point_count_; }

  const std::string& failure() const { return failure_; }

  static std::string ReplayLine(const std::string& world_name, uint32_t seed,
                                const std::vector<uint64_t>& cuts);

 private:
  enum class Outcome : uint8_t { kDone, kCut, kFailed };

  Outcome Perform(const StoreOperation& operation);
  Outcome RunScenario();
  Outcome Recover();
  Outcome ResumeStaging();
  Outcome UpdateAgain();
  StoreOperation ChooseOperation(Prng& prng) const;
  StoreOperation ChooseStaging(Prng& prng, const std::string& name,
                               const ExpectedImage& image) const;
  bool PerformRandom(const StoreOperation& operation);
  bool RestartAndInspect();
  Status Execute(const StoreOperation& operation);
  template <typename Function>
  Status Drive(Function function);
  bool Mount();
  bool Inspect();
  bool CheckState();
  bool CheckBytes();
  bool CheckSpace();
  bool CheckSecrecy();
  bool ReadState(ExpectedStore& found);
  Outcome Fail(const std::string& what);

  std::string world_name_;
  uint32_t seed_;
  std::vector<uint64_t> cuts_;
  std::unique_ptr<StoreWorld> world_;
  ExpectedStore before_;
  ExpectedStore after_;
  ExpectedStore found_;
  std::vector<ExpectedStore> unpinned_;  ///< may be found too: no change was finished after a cut
  bool needs_resume_ = false;            ///< what is staging was not resumed since the restart
  bool is_random_ = false;
  uint32_t cut_count_ = 0;
  bool is_full_ = false;        ///< the last operation had no room
  bool is_unreadable_ = false;  ///< a record that Mount could read is not readable any more
  uint64_t recovery_point_count_ = 0;
  std::string failure_;
};

}  // namespace ota::storage
