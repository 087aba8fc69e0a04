// SPDX-License-Identifier: Apache-2.0
// Power cuts on every world in turn, until each has had its share; and the replay of a single one.
//
//   power_cut_exhaustive [CUTS [JOB JOB_COUNT]]     one part of several, JOB from 1 on
//   power_cut_exhaustive world WORLD CUTS
//   power_cut_exhaustive replay WORLD SEED CUT[,CUT…]
//   power_cut_exhaustive random WORLD SEED OPERATION_COUNT
//
// Exits with 1 if anything was lost; each loss is one line that replays it. A run that crashes or
// does not end is told the same way.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <numeric>
#include <sstream>

#include "base/prng.h"
#include "storage/model_store/test_power_cut.h"

namespace ota::storage {
namespace {

constexpr uint64_t kTurnCuts = 100;      // of one world, then the next one has its turn
constexpr unsigned kRunSecondsMax = 60;  // a run lasts milliseconds
constexpr uint64_t kProgressLines = 4;
constexpr uint64_t kDeepCutsMax = 10;
constexpr uint64_t kSoon = 60;  // points
constexpr uint64_t kBehindTheEnd = ~uint64_t{0} >> 1;

using Cuts = std::vector<uint64_t>;

char running[256];  // for OnSignal, which must not allocate

extern "C" void OnSignal(int signal) {
  const char* const what = signal == SIGALRM ? ": does not end\n" : ": crashes\n";
  (void)!write(STDOUT_FILENO, running, std::strlen(running));
  (void)!write(STDOUT_FILENO, what, std::strlen(what));
  _exit(1);
}

/// The `index`-th of 0 … count - 1 in an order that any number of which is spread over all.
uint64_t Scatter(uint64_t index, uint64_t count) {
  uint64_t step = std::max<uint64_t>(1, count * 618 / 1000);
  while (std::gcd(step, count) != 1) ++step;
  return index % count * step % count;
}

/// The cuts of a world, in an order of its own: the points of a seed's scenario, each once; among
/// them those of the recovery after one first cut, again each once, then after another; and now and
/// then three and more deep by chance. Then the next seed.
class CutPlan {
 public:
  explicit CutPlan(const std::string& world) : world_(world) { StartSeed(); }

  PowerCutRun& run() { return run_; }
  uint32_t seed() const { return seed_; }
  /// Of the seed's scenario. 0: it fails without any cut.
  uint64_t point_count() const { return point_count_; }

  Cuts Next() {
    if (single_index_ == point_count_) {
      ++seed_;
      StartSeed();
    }
    const uint64_t turn = turn_++ % 16;
    if (turn == 7 || turn == 15) return NextOfRecovery();
    if (turn == 11) return NextDeep();
    return {Scatter(single_index_++, point_count_)};
  }

 private:
  void StartSeed() {
    run_ = PowerCutRun(world_, seed_);
    point_count_ = run_.CountPoints();
    single_index_ = 0;
    prng_ = Prng(seed_ * 31 + 1);
    StartRecovery();
  }

  void StartRecovery() {
    if (point_count_ == 0) return;
    first_ = Chance(point_count_);
    run_.Run({first_, kBehindTheEnd});
    recovery_count_ = std::max<uint64_t>(1, run_.recovery_point_count());
    recovery_index_ = 0;
  }

  Cuts NextOfRecovery() {
    if (recovery_index_ == recovery_count_) StartRecovery();
    return {first_, Scatter(recovery_index_++, recovery_count_)};
  }

  /// Three to ten deep. Half of the further cuts come soon after the restart, while the journal
  /// moves.
  Cuts NextDeep() {
    Cuts cuts = {Chance(point_count_)};
    for (uint64_t left = 2 + Chance(kDeepCutsMax - 2); left > 0; --left) {
      cuts.push_back(Chance(Chance(2) == 0 ? std::min(kSoon, recovery_count_) : recovery_count_));
    }
    return cuts;
  }

  uint64_t Chance(uint64_t bound) { return prng_.NextBelow(static_cast<uint32_t>(bound)); }

  std::string world_;
  uint32_t seed_ = 1;
  PowerCutRun run_{world_, 1};
  uint64_t point_count_ = 0;
  uint64_t single_index_ = 0;
  uint64_t first_ = 0;  ///< the cut whose recovery is gone through
  uint64_t recovery_count_ = 1;
  uint64_t recovery_index_ = 0;
  uint64_t turn_ = 0;
  Prng prng_{1};
};

/// One world's share of the cuts, of which every `job_count`-th is this job's.
class WorldShare {
 public:
  WorldShare(const std::string& world, uint64_t share, uint64_t job, uint64_t job_count)
      : world_(world),
        share_((share + job_count - 1) / job_count),
        job_(job),
        job_count_(job_count),
        plan_(world) {
    if (plan_.point_count() == 0) Lose(plan_.run().failure());
  }

  uint64_t scenario_points() const { return points_of_first_seed_; }
  uint64_t cut_count() const { return cut_count_; }
  uint64_t loss_count() const { return loss_count_; }
  bool is_done() const { return cut_count_ >= share_ || plan_.point_count() == 0; }

  /// Goes on for kTurnCuts cuts.
  void TakeTurn() {
    const std::clock_t start = std::clock();
    const uint64_t lines = cut_count_ * kProgressLines / share_;
    for (uint64_t taken = 0; taken < kTurnCuts * job_count_ && !is_done(); ++taken) {
      const Cuts cuts = plan_.Next();
      if (plan_.point_count() == 0) return Lose(plan_.run().failure());
      if (taken % job_count_ == job_) Take(cuts);
    }
    seconds_ += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    if (cut_count_ * kProgressLines / share_ != lines) Print();
  }

  void Print() const {
    std::printf("%-24s %8llu cuts, seed %u of %llu points, %llu losses, %.0f cuts/s\n",
                world_.c_str(), static_cast<unsigned long long>(cut_count_), plan_.seed(),
                static_cast<unsigned long long>(plan_.point_count()),
                static_cast<unsigned long long>(loss_count_),
                seconds_ > 0 ? static_cast<double>(cut_count_) / seconds_ : 0.0);
  }

 private:
  void Take(const Cuts& cuts) {
    PowerCutRun& run = plan_.run();
    const std::string replay_line = PowerCutRun::ReplayLine(world_, plan_.seed(), cuts);
    std::snprintf(running, sizeof running, "%s", replay_line.c_str());
    alarm(kRunSecondsMax);
    const bool is_good = run.Run(cuts);
    alarm(0);
    if (!is_good) return Lose(run.failure());
    if (run.cut_count() == cuts.size()) ++cut_count_;
    // Further cuts may lie behind the end of a recovery; the first one never does.
    if (run.cut_count() == 0) Lose(replay_line + "\n  power did not fail");
  }

  void Lose(const std::string& failure) {
    ++loss_count_;
    std::printf("%s\n", failure.c_str());
  }

  std::string world_;
  uint64_t share_;  ///< of this job
  uint64_t job_;
  uint64_t job_count_;
  CutPlan plan_;
  uint64_t points_of_first_seed_ = plan_.point_count();
  uint64_t cut_count_ = 0;
  uint64_t loss_count_ = 0;
  double seconds_ = 0;  ///< of the processor
};

/// `cut_count` cuts over `worlds`, of which `job` of `job_count`, from 0 on, takes its part.
int Sweep(const std::vector<std::string>& worlds, uint64_t cut_count, uint64_t job,
          uint64_t job_count) {
  const uint64_t share = (cut_count + worlds.size() - 1) / worlds.size();
  std::vector<WorldShare> shares;
  shares.reserve(worlds.size());
  for (const std::string& world : worlds) shares.emplace_back(world, share, job, job_count);
  // Small geometries first: their cuts are gone through as a whole.
  std::stable_sort(shares.begin(), shares.end(), [](const WorldShare& a, const WorldShare& b) {
    return a.scenario_points() < b.scenario_points();
  });
  const auto is_done = [](const WorldShare& world) { return world.is_done(); };
  while (!std::all_of(shares.begin(), shares.end(), is_done)) {
    for (WorldShare& world : shares) world.TakeTurn();
  }
  uint64_t total = 0;
  uint64_t losses = 0;
  for (const WorldShare& world : shares) {
    total += world.cut_count();
    losses += world.loss_count();
  }
  std::printf("job %llu of %llu: %llu cuts on %zu worlds, %llu losses\n",
              static_cast<unsigned long long>(job) + 1, static_cast<unsigned long long>(job_count),
              static_cast<unsigned long long>(total), worlds.size(),
              static_cast<unsigned long long>(losses));
  return losses == 0 ? 0 : 1;
}

int Report(const PowerCutRun& run, bool is_good) {
  std::printf("%s\n", is_good ? "no loss" : run.failure().c_str());
  return is_good ? 0 : 1;
}

int Replay(const char* world, const char* seed, const char* cuts_text) {
  Cuts cuts;
  std::istringstream text(cuts_text);
  for (std::string cut; std::getline(text, cut, ',');) cuts.push_back(std::stoull(cut));
  PowerCutRun run(world, static_cast<uint32_t>(std::stoul(seed)));
  return Report(run, run.Run(cuts));
}

int RunRandom(const char* world, const char* seed, const char* operation_count) {
  PowerCutRun run(world, static_cast<uint32_t>(std::stoul(seed)));
  return Report(run, run.RunRandom(static_cast<uint32_t>(std::stoul(operation_count))));
}

int Main(const std::vector<const char*>& arguments) {
  const size_t count = arguments.size();
  const std::string command = count == 0 ? "" : arguments[0];
  if (count == 4 && command == "replay") return Replay(arguments[1], arguments[2], arguments[3]);
  if (count == 4 && command == "random") return RunRandom(arguments[1], arguments[2], arguments[3]);
  for (const int signal : {SIGALRM, SIGSEGV, SIGABRT, SIGBUS, SIGFPE}) {
    (void)std::signal(signal, OnSignal);  // it cannot fail for these
  }
  if (count == 3 && command == "world")
    return Sweep({arguments[1]}, std::stoull(arguments[2]), 0, 1);
  const uint64_t cuts = count > 0 ? std::stoull(arguments[0]) : 1'000'000;
  const uint64_t job = count == 3 ? std::stoull(arguments[1]) : 1;
  const uint64_t job_count = count == 3 ? std::stoull(arguments[2]) : 1;
  if (job < 1 || job > job_count) {
    std::fprintf(stderr, "power_cut_exhaustive: JOB goes from 1 to JOB_COUNT\n");
    return 2;
  }
  return Sweep(WorldNames(), cuts, job - 1, job_count);
}

}  // namespace
}  // namespace ota::storage

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return ota::storage::Main({argv + 1, argv + argc});
}
