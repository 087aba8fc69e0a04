// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
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

std::vector<fs::path> FindModels(const std::vector<fs::path>& folders) {
  std::vector<fs::path> models;
  for (const fs::path& folder : folders) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".tflite") models.push_back(entry.path());
    }
  }
  std::sort(models.begin(), models.end());
  return models;
}

std::vector<uint8_t> RunOn(const fs::path& path, const cli::SourceChoice& source,
                           uint32_t arena_bytes) {
  cli::ModelFile model(path, source);
  model.Prepare(arena_bytes);
  cli::FillInputs(model.interpreter(), "random:1");
  EXPECT_EQ(model.interpreter().Invoke(), Status::kOk);
  std::vector<uint8_t> outputs;
  for (uint32_t i = 0; i < model.interpreter().output_count(); ++i) {
    const ByteSpan output = model.interpreter().output(i);
    outputs.insert(outputs.end(), output.begin(), output.end());
  }
  return outputs;
}

// Every operator in every type: models of the kinds that stand beside the repository, but our own.
TEST(Conformance, OurOwnModelsOfEveryOperatorGiveTheGoldenOutputs) {
  const fs::path models = "tests/models", golden = "tests/golden";
  uint32_t compared = 0;
  for (const fs::path& model : FindModels({models})) {
    SCOPED_TRACE(model);
    const fs::path vectors = golden / fs::relative(model, models).replace_extension(".json");
    for (const cli::GoldenRun& run : {cli::GoldenRun{}, cli::GoldenRun{{false, 256}, 5000}}) {
      const cli::GoldenOutcome outcome = cli::CompareWithGolden(model, vectors, {}, run);
      EXPECT_TRUE(outcome.has_passed()) << outcome.failure;
      EXPECT_GE(outcome.case_count, 1u);
      ++compared;
    }
  }
  EXPECT_GE(compared, 2 * 146u);
}

void ExpectArenaIsExact(const fs::path& path, const cli::SourceChoice& source) {
  cli::ModelFile model(path, source);
  const uint32_t needed = model.ComputeNeeds().arena_bytes;
  cli::AlignedBytes arena(needed);
  engine::Interpreter& interpreter = model.interpreter();
  const engine::PrepareOptions options = {.page_bytes = source.page_bytes};
  EXPECT_EQ(interpreter.Prepare(model.source(), arena.span(), options), Status::kOk);
  EXPECT_EQ(interpreter.Prepare(model.source(), arena.span().first(needed - 1), options),
            Status::kArenaTooSmall);
  const uint32_t told = interpreter.arena_bytes_needed();
  EXPECT_TRUE(told == needed || told == 0) << told << " instead of " << needed;
}

TEST(Conformance, EveryModelNeedsExactlyTheArenaThatWasComputed) {
  for (const fs::path& path : FindModels({"tests/models", "models", kShared / "models"})) {
    SCOPED_TRACE(path);
    ExpectArenaIsExact(path, {});
    ExpectArenaIsExact(path, {false, 256});
  }
}

TEST(Conformance, AnyPageAndArenaGiveTheSameBytes) {
  for (const fs::path& path : FindModels({"tests/models/operators", "models"})) {
    SCOPED_TRACE(path);
    const std::vector<uint8_t> expected = RunOn(path, {}, 0);
    for (const uint32_t page : {256u, 257u, 512u, 1000u, 4096u, 65536u}) {
      EXPECT_EQ(RunOn(path, {false, page}, 0), expected) << "page " << page;
    }
    const uint32_t needed = cli::ModelFile(path, {false, 0}).ComputeNeeds().arena_bytes;
    for (const uint32_t more : {0u, 1u, 100u, 1000u, needed, 7 * needed}) {
      EXPECT_EQ(RunOn(path, {false, 0}, needed + more), expected) << "arena + " << more;
    }
  }
}

// Fails one read, counted from the moment it is told.
class FailingSource final : public ByteSource {
 public:
  explicit FailingSource(ByteSource& source) : source_(source) {}
  uint32_t size_bytes() const override { return source_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    if (reads_before_failure_-- == 0) return Status::kMediumFailed;
    return source_.Read(offset, target);
  }
  void FailAfter(int64_t reads) { reads_before_failure_ = reads; }

 private:
  ByteSource& source_;
  int64_t reads_before_failure_ = -1;
};

void ExpectUsableWhicheverReadFails(const fs::path& path) {
  SCOPED_TRACE(path);
  cli::ModelFile model(path, {false, 256});
  FailingSource source(model.source());
  engine::Interpreter& interpreter = model.interpreter();
  cli::AlignedBytes arena(model.ComputeNeeds().arena_bytes);
  ASSERT_EQ(interpreter.Prepare(source, arena.span(), {.page_bytes = 256}), Status::kOk);
  ASSERT_EQ(interpreter.summary().state_bytes, 0u);
  const std::vector<uint8_t> expected = RunOn(path, {}, 0);
  Status status = Status::kMediumFailed;
  for (int64_t reads = 0; status == Status::kMediumFailed; ++reads) {
    cli::FillInputs(interpreter, "random:2");
    source.FailAfter(reads);
    status = interpreter.Invoke();
    source.FailAfter(-1);
    cli::FillInputs(interpreter, "random:1");
    ASSERT_EQ(interpreter.Invoke(), Status::kOk);
    const ByteSpan output = interpreter.output(0);
    ASSERT_TRUE(std::equal(output.begin(), output.end(), expected.begin())) << "read " << reads;
  }
  EXPECT_EQ(status, Status::kOk);
}

TEST(Conformance, ModelsAreUsableAgainWhicheverReadFails) {
  for (const fs::path& path : FindModels({"models"})) ExpectUsableWhicheverReadFails(path);
  for (const char* const name : {"conv_2d_same_s8", "depthwise_conv_2d_wide_s8",
                                 "fully_connected_rows_s8", "transpose_conv_same_s8"}) {
    ExpectUsableWhicheverReadFails(fs::path("tests/models/operators") /
                                   (name + std::string(".tflite")));
  }
}

}  // namespace
}  // namespace ota
