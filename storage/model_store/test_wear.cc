// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/test_wear.h"

#include <algorithm>
#include <span>

#include "base/prng.h"
#include "storage/model_store/model_rotation.h"
#include "storage/model_store/test_media.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

constexpr uint32_t kCutEvery = 10;
constexpr uint32_t kCutPointsMax = 3000;  // within an update, or behind it in the next
constexpr uint32_t kSeeds = 5;
constexpr int kRestartsMax = 50;

WearSpread Summarize(std::span<const uint32_t> wear) {
  if (wear.empty()) return {};
  uint64_t sum = 0;
  for (const uint32_t count : wear) sum += count;
  const auto [least, most] = std::minmax_element(wear.begin(), wear.end());
  return {static_cast<double>(sum) / static_cast<double>(wear.size()), *least, *most};
}

class WearRun {
 public:
  explicit WearRun(const std::string& world) : world_(MakeWorld(world)) {}

  Status Format() {
    return Drive([&] { return store().Format(); });
  }
  /// Until power lasts, and what was torn and read well at the start is not lost with the first
  /// change: then the store is mounted again.
  Status Restart() {
    Status status = Start();
    for (int left = kRestartsMax; left > 0 && (!is_on() || !IsOk(status)); --left) status = Start();
    return status;
  }
  Status Move(uint32_t update_bytes) {
    return Drive([&] { return rotation_->Move(update_bytes); });
  }
  bool is_on() { return world_->power().is_on(); }
  StoreWorld& world() { return *world_; }
  ModelStore& store() { return world_->store(); }

  /// Stages, activates and confirms, as far as the power lasts; goes on with what a cut interrupted
  /// as the agent does: what has nothing durable is begun anew, at another place.
  Status Install(const std::string& name, const std::vector<uint8_t>& model) {
    const StageRequest request = MakeRequest(name.c_str(), model);
    const Result<ImageInfo> staging = store().FindStaging();
    const bool is_resumed =
        staging.ok() && staging->digest == request.digest && staging->durable_bytes > 0;
    OTA_TRY(Drive([&] { return is_resumed ? store().Resume() : store().Begin(request); }));
    while (store().staged_bytes() < model.size() && is_on()) {
      const Result<uint32_t> taken =
          store().Append(ByteSpan(model).subspan(store().staged_bytes()));
      if (!taken.ok() && taken.status() != Status::kBusy) return taken.status();
    }
    OTA_TRY(Drive([&] { return store().Finish(); }));
    OTA_TRY(Drive([&] { return store().Activate(name.c_str()); }));
    return Drive([&] { return store().Confirm(name.c_str()); });
  }

 private:
  template <typename Function>
  Status Drive(Function function) {
    Status status = Status::kBusy;
    while (status == Status::kBusy && is_on()) status = function();
    return is_on() ? status : Status::kMediumFailed;
  }

  Status Start() {
    world_->Restart();
    rotation_.reset();
    OTA_TRY(Drive([&] { return store().Mount(); }));
    rotation_ = std::make_unique<ModelRotation>(store(), buffer_);
    const Status reverted = Drive([&] { return store().Revert(""); });
    return reverted == Status::kNotFound ? Status::kOk : reverted;
  }

  std::unique_ptr<StoreWorld> world_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(512);
  std::unique_ptr<ModelRotation> rotation_;
};

Status UpdateOften(WearRun& run, const WearRequest& request, WearReport& report) {
  Prng prng(17);
  simulator::PowerSupply& power = run.world().power();
  for (uint32_t update = 0; update < request.update_count; ++update) {
    const bool is_cut = update % kCutEvery == kCutEvery - 1;
    if (is_cut) power.CutAt(power.point_count() + prng.NextBelow(kCutPointsMax), prng.Next());
    const uint32_t model_bytes = request.model_bytes - prng.NextBelow(request.model_bytes / 4);
    const std::vector<uint8_t> model = MakeModel(model_bytes, 2 + update % kSeeds);
    Status status = run.Install("updated", model);
    if (!run.is_on()) {
      OTA_TRY(run.Restart());
      status = run.Install("updated", model);
    }
    if (!IsOk(status) && run.is_on()) report.refused_count += 1;
    const bool moves = run.world().has_raw_store();
    const Status moved = moves ? run.Move(model_bytes) : Status::kOk;
    if (is_cut || !IsOk(status) || !IsOk(moved)) OTA_TRY(run.Restart());
  }
  return run.Restart();
}

}  // namespace

Result<WearReport> MeasureWear(const WearRequest& request) {
  WearRun run(request.world);
  run.world().UseSegments(request.segment_count);
  OTA_TRY(run.Format());
  const auto name = [](uint32_t index) { return "static" + std::to_string(index); };
  for (uint32_t i = 0; i < request.static_count; ++i) {
    OTA_TRY(run.Install(name(i), MakeModel(request.static_model_bytes, 100 + i)));
  }
  OTA_TRY(run.Restart());
  WearReport report;
  OTA_TRY(UpdateOften(run, request, report));
  for (uint32_t i = 0; i < request.static_count; ++i) {
    OTA_TRY(const auto model, ReadModel(run.store(), name(i).c_str()));
    if (model != MakeModel(request.static_model_bytes, 100 + i)) return Status::kDigestMismatch;
  }
  const std::vector<uint32_t> wear = run.world().ReadWear();
  report.all = Summarize(wear);
  if (!run.world().has_raw_store()) return report;
  const Geometry& geometry = run.world().device().geometry();
  const size_t unit_bytes = geometry.size_bytes / wear.size();
  const size_t journal_units = (geometry.size_bytes - run.store().space().total_bytes) / unit_bytes;
  report.journal = Summarize(std::span(wear).first(journal_units));
  report.images = Summarize(std::span(wear).subspan(journal_units));
  return report;
}

}  // namespace ota::storage
