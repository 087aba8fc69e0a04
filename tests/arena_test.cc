// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cli/golden.h"

// How little memory whole models run in: arenas that they must not exceed, and models that fit only
// in patches.

namespace ota {
namespace {

namespace fs = std::filesystem;

const fs::path kShared = OTA_SHARED_DIR;
const fs::path kSource = OTA_SOURCE_DIR;

struct ArenaBudget {
  const char* model;
  uint32_t arena_bytes;
};

void ExpectWithin(const fs::path& folder, const ArenaBudget& budget) {
  cli::ModelFile model(folder / budget.model, {});
  EXPECT_LE(model.ComputeNeeds().arena_bytes, budget.arena_bytes) << budget.model;
}

TEST(Arena, StaysWithinTheBudgetOfEveryModel) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no models beside the repository";
  const ArenaBudget kBudgets[] = {{"mlperf_tiny/kws_ref_model.tflite", 18000},
                                  {"mlperf_tiny/pretrainedResnet_quant.tflite", 50000},
                                  {"mlperf_tiny/vww_96_int8.tflite", 57000},
                                  {"mlperf_tiny/ad01_int8.tflite", 1300},
                                  {"article/micro_speech_quantized.tflite", 6200},
                                  {"tflm/person_detect.tflite", 57000}};
  for (const ArenaBudget& budget : kBudgets) ExpectWithin(kShared / "models", budget);
}

TEST(Arena, StaysWithinTheBudgetOfOurOwnModels) {
  ExpectWithin(kSource / "models", {"digits/digits.tflite", 4000});
  ExpectWithin(kSource / "models", {"sine/sine.tflite", 400});
}

// The golden outputs, in patches.
void ExpectGoldenInPatches(const fs::path& model, const fs::path& golden,
                           const cli::SourceChoice& source, uint32_t arena_bytes) {
  const cli::GoldenRun run{source, 0, arena_bytes};
  const cli::GoldenOutcome outcome = cli::CompareWithGolden(model, golden, "", run);
  EXPECT_TRUE(outcome.has_passed()) << model << ": " << outcome.failure;
  EXPECT_LE(outcome.arena_bytes, arena_bytes);
  EXPECT_GT(outcome.patch_count, 0u);
}

TEST(Arena, OfHalfAMegabyteHoldsMobileNetV2) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no models beside the repository";
  const std::string name = "tflm/mobilenet_v2_quantized_1x3x224x224";
  for (const cli::SourceChoice source : {cli::SourceChoice{}, cli::SourceChoice{false, 1024}}) {
    ExpectGoldenInPatches(kShared / "models" / (name + ".tflite"),
                          kShared / "golden" / (name + ".json"), source, 512 * 1024);
  }
}

// A twentieth as wide as Wav2letter; the whole is in `make test-exhaustive`.
TEST(Arena, ThatIsTooSmallForThePlainPlanHoldsTheSliceOfWav2letter) {
  const std::string name = "networks/wav2letter_5";
  for (const uint32_t page : {256u, 1024u}) {
    for (const uint32_t arena : {13400u, 14000u}) {
      ExpectGoldenInPatches(kSource / "tests/models" / (name + ".tflite"),
                            kSource / "tests/golden" / (name + ".json"), {false, page}, arena);
    }
  }
}

}  // namespace
}  // namespace ota
