// SPDX-License-Identifier: Apache-2.0
// Every cut point of every world, again with other seeds until enough were seen; and the replay of
// a single one.
//
//   power_cut_exhaustive [CUTS_MIN [JOB JOB_COUNT]]
//   power_cut_exhaustive sweep WORLD SEED
//   power_cut_exhaustive replay WORLD SEED CUT[,CUT…]
//   power_cut_exhaustive random WORLD SEED OPERATION_COUNT
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/prng.h"
#include "storage/model_store/test_power_cut.h"

namespace ota::storage {
namespace {

constexpr uint64_t kNestedPerSeed = 2000;

int Replay(const char* world, const char* seed, const char* cuts_text) {
  std::vector<uint64_t> cuts;
  std::istringstream text(cuts_text);
  for (std::string cut; std::getline(text, cut, ',');) cuts.push_back(std::stoull(cut));
  PowerCutRun run(world, static_cast<uint32_t>(std::stoul(seed)));
  const bool is_good = run.Run(cuts);
  std::printf("%s\n", is_good ? "no loss" : run.failure().c_str());
  return is_good ? 0 : 1;
}

/// All cut points of the scenario; then cuts in its recovery, all of them for one first cut in
/// each scenario, and three deep by chance.
struct Sweep {
  uint64_t job = 0;
  uint64_t job_count = 1;
  uint64_t cut_count = 0;
  uint64_t failure_count = 0;

  void Take(PowerCutRun& run, const std::vector<uint64_t>& cuts) {
    cut_count += cuts.size();
    if (run.Run(cuts)) return;
    failure_count += 1;
    std::printf("%s\n", run.failure().c_str());
  }

  void Go(const std::string& world, uint32_t seed) {
    PowerCutRun run(world, seed);
    const uint64_t count = run.CountPoints();
    if (count == 0) {
      std::printf("%s\n", run.failure().c_str());
      failure_count += 1;
    }
    for (uint64_t cut = job; cut < count; cut += job_count) Take(run, {cut});
    Prng prng(seed * 31 + static_cast<uint32_t>(job) + 1);
    const auto chance = [&prng](uint64_t bound) {
      return uint64_t{prng.NextBelow(static_cast<uint32_t>(bound))};
    };
    const uint64_t first = chance(count);
    run.Run({first, ~uint64_t{0} >> 1});
    const uint64_t recovery_count = run.recovery_point_count();
    for (uint64_t second = 0; second < recovery_count; ++second) Take(run, {first, second});
    for (uint64_t i = 0; i < kNestedPerSeed / job_count; ++i) {
      Take(run, {chance(count), chance(recovery_count), chance(recovery_count)});
    }
    std::printf("%-24s seed %u: %llu points, %llu cuts so far, %llu losses\n", world.c_str(), seed,
                static_cast<unsigned long long>(count), static_cast<unsigned long long>(cut_count),
                static_cast<unsigned long long>(failure_count));
  }
};

}  // namespace
}  // namespace ota::storage

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  using namespace ota::storage;  // NOLINT: a program of its own
  if (argc == 5 && std::strcmp(argv[1], "replay") == 0) return Replay(argv[2], argv[3], argv[4]);
  if (argc == 5 && std::strcmp(argv[1], "random") == 0) {
    PowerCutRun run(argv[2], static_cast<uint32_t>(std::stoul(argv[3])));
    const bool is_good = run.RunRandom(static_cast<uint32_t>(std::stoul(argv[4])));
    std::printf("%s\n", is_good ? "no loss" : run.failure().c_str());
    return is_good ? 0 : 1;
  }
  if (argc == 4 && std::strcmp(argv[1], "sweep") == 0) {
    Sweep one;
    one.Go(argv[2], static_cast<uint32_t>(std::stoul(argv[3])));
    return one.failure_count == 0 ? 0 : 1;
  }
  const uint64_t cuts_min = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  Sweep sweep;
  if (argc == 4) {
    sweep.job = std::strtoull(argv[2], nullptr, 10);
    sweep.job_count = std::strtoull(argv[3], nullptr, 10);
  }
  for (uint32_t seed = 1; sweep.cut_count < cuts_min / sweep.job_count; ++seed) {
    for (const std::string& world : WorldNames()) sweep.Go(world, seed);
  }
  std::printf("job %" PRIu64 " of %" PRIu64 ": %" PRIu64 " cut points, %" PRIu64 " losses\n",
              sweep.job + 1, sweep.job_count, sweep.cut_count, sweep.failure_count);
  return sweep.failure_count == 0 ? 0 : 1;
}
