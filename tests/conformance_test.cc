// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/golden.h"

// Whole models against the golden vectors of the reference implementation, where the folder with
// them stands beside the repository.

namespace ota {
namespace {

namespace fs = std::filesystem;

const fs::path kShared = OTA_SHARED_DIR;

std::vector<int> InvokePicture(const std::string& name) {
  cli::ModelFile model(kShared / "models/tflm/person_detect.tflite", {});
  model.Prepare();
  cli::FillInputsFromFile(model.interpreter(), kShared / "data" / name);
  EXPECT_EQ(model.interpreter().Invoke(), Status::kOk);
  std::vector<int> scores;
  for (const uint8_t byte : model.interpreter().output(0))
    scores.push_back(static_cast<int8_t>(byte));
  return scores;
}

void ExpectConforms(const std::string& model, const cli::GoldenRun& run) {
  const fs::path golden = (kShared / "golden" / model).replace_extension(".json");
  const fs::path layers = kShared / "golden/layers" / golden.filename();
  const cli::GoldenOutcome outcome =
      cli::CompareWithGolden(kShared / "models" / model, golden, layers, run);
  EXPECT_TRUE(outcome.has_passed()) << model << ": " << outcome.failure;
  EXPECT_GE(outcome.case_count, 5u);
}

const char* const kQuickModels[] = {
    "article/magic_wand.tflite",
    "article/micro_speech_quantized.tflite",
    "article/cnn_s_quantized.tflite",
    "mlperf_tiny/ad01_int8.tflite",
    "mlperf_tiny/kws_ref_model.tflite",
    "mlperf_tiny/str_ww_ref_model.tflite",
    "revisions/ds_cnn_s_quantized_int16.tflite",
    "revisions/rnnoise_INT8.tflite",
    "tflm/hello_world_float.tflite",
    "tflm/hello_world_int8.tflite",
    "tflm/operators/add0.tflite",
    "tflm/operators/conv5.tflite",
    "tflm/operators/leaky_relu3.tflite",
    "tflm/operators/pad7.tflite",
    "tflm/operators/strided_slice9.tflite",
    "tflm/operators/sub1.tflite",
    "tflm/operators/transpose_conv2.tflite",
};

TEST(Conformance, PersonDetectSeesThePersonAndOnlyThere) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no models beside the repository";
  EXPECT_EQ(InvokePicture("person_96x96.bmp"), (std::vector<int>{-113, 113}));
  EXPECT_EQ(InvokePicture("no_person_96x96.bmp"), (std::vector<int>{57, -57}));
}

TEST(Conformance, ModelsInPlaceGiveTheGoldenOutputs) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no models beside the repository";
  for (const char* const model : kQuickModels) ExpectConforms(model, {});
}

TEST(Conformance, StreamedModelsGiveTheGoldenOutputs) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no models beside the repository";
  for (const uint32_t page : {256u, 512u, 1000u, 65536u}) {
    for (const char* const model : kQuickModels) ExpectConforms(model, {{false, page}, 0});
  }
}

TEST(Conformance, StepsGiveTheGoldenOutputs) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "no models beside the repository";
  for (const uint32_t budget : {1u, 1000u, 100000u}) {
    for (const char* const model : kQuickModels) ExpectConforms(model, {{}, budget});
  }
}

}  // namespace
}  // namespace ota
