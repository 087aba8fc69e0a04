// SPDX-License-Identifier: Apache-2.0
// Our own models: the engine gives the committed answers on the committed inputs, and the model
// cards tell the truth about the files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/hex_for_test.h"
#include "crypto/sha256.h"
#include "engine/interpreter.h"

namespace ota {
namespace {

constexpr uint32_t kArenaBytes = 64 * 1024;
constexpr double kSineErrorMax = 0.1;

std::filesystem::path Folder(const std::string& model) {
  return std::filesystem::path(OTA_SOURCE_DIR) / "models" / model;
}

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<uint8_t> ReadBytes(const std::filesystem::path& path) {
  const std::string text = ReadText(path);
  return {text.begin(), text.end()};
}

/// A line of inputs.tsv.
struct Example {
  std::string file;
  std::string expected;
  std::vector<uint8_t> output;
};

std::vector<Example> ReadExamples(const std::string& model) {
  std::istringstream lines(ReadText(Folder(model) / "inputs.tsv"));
  std::vector<Example> examples;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream columns(line);
    Example example;
    std::string hex;
    columns >> example.file >> example.expected >> hex;
    example.output = BytesOfHex(hex);
    examples.push_back(example);
  }
  return examples;
}

/// The same bytes without an address, as on a memory unit that must be read.
class UnmappedByteSource final : public ByteSource {
 public:
  explicit UnmappedByteSource(ByteSpan bytes) : memory_(bytes) {}
  uint32_t size_bytes() const override { return memory_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    return memory_.Read(offset, target);
  }

 private:
  MemoryByteSource memory_;
};

/// One of our models in the engine, from a source of either kind.
template <typename Source>
class LoadedModel {
 public:
  explicit LoadedModel(const std::string& name)
      : bytes_(ReadBytes(Folder(name) / (name + ".tflite"))), source_(bytes_) {
    EXPECT_EQ(interpreter_.Prepare(source_, arena_), Status::kOk) << name;
  }

  std::vector<uint8_t> Run(const std::vector<uint8_t>& input) {
    EXPECT_EQ(input.size(), interpreter_.input(0).size());
    std::copy_n(input.begin(), interpreter_.input(0).size(), interpreter_.input(0).begin());
    EXPECT_EQ(interpreter_.Invoke(), Status::kOk);
    const ByteSpan output = interpreter_.output(0);
    return {output.begin(), output.end()};
  }

  engine::Interpreter& interpreter() { return interpreter_; }

 private:
  std::vector<uint8_t> bytes_;
  Source source_;
  alignas(engine::kArenaAlignment) std::array<uint8_t, kArenaBytes> arena_{};
  engine::Interpreter interpreter_{engine::AllOperators()};
};

class OwnModel : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, OwnModel, testing::Values("sine", "digits"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(OwnModel, AnswersTheCommittedInputsBitForBit) {
  LoadedModel<MemoryByteSource> mapped(GetParam());
  LoadedModel<UnmappedByteSource> streamed(GetParam());
  const std::vector<Example> examples = ReadExamples(GetParam());
  ASSERT_GE(examples.size(), 8u);
  for (const Example& example : examples) {
    const std::vector<uint8_t> input = ReadBytes(Folder(GetParam()) / example.file);
    EXPECT_EQ(mapped.Run(input), example.output) << example.file;
    EXPECT_EQ(streamed.Run(input), example.output) << example.file;
  }
}

TEST_P(OwnModel, HasACardWithTheDigestAndSizeOfTheFile) {
  const std::string name = GetParam();
  const std::string card = ReadText(Folder(name) / "MODEL_CARD.md");
  const std::vector<uint8_t> bytes = ReadBytes(Folder(name) / (name + ".tflite"));
  const std::string digest = HexOf(crypto::ComputeSha256(bytes));
  EXPECT_THAT(card, testing::HasSubstr("| SHA-256 | " + digest + " |"));
  EXPECT_THAT(card, testing::HasSubstr("| file size, bytes | " + std::to_string(bytes.size())));
}

TEST_P(OwnModel, HasTheFilesThatItsCardNames) {
  const std::string card = ReadText(Folder(GetParam()) / "MODEL_CARD.md");
  const std::regex file_pattern(R"(`([A-Za-z_/]+\.(tflite|txt|tsv|json|py))`)");
  size_t count = 0;
  for (std::sregex_iterator it(card.begin(), card.end(), file_pattern), end; it != end; ++it) {
    const std::string file = (*it)[1];
    const auto root = std::filesystem::path(OTA_SOURCE_DIR);
    EXPECT_TRUE(exists(Folder(GetParam()) / file) || exists(root / file)) << file;
    ++count;
  }
  EXPECT_GE(count, 3u);
  for (const Example& example : ReadExamples(GetParam())) {
    EXPECT_TRUE(exists(Folder(GetParam()) / example.file)) << example.file;
  }
}

TEST(Sine, IsCloseToTheTrueSine) {
  LoadedModel<MemoryByteSource> model("sine");
  const auto info = model.interpreter().ReadOutputInfo(0);
  ASSERT_TRUE(info.ok());
  for (const Example& example : ReadExamples("sine")) {
    const auto code = static_cast<int8_t>(model.Run(ReadBytes(Folder("sine") / example.file))[0]);
    const double value = (code - info->zero_point) * double{info->scale};
    EXPECT_NEAR(value, std::stod(example.expected), kSineErrorMax) << example.file;
  }
}

TEST(Digits, NamesTheDigitOfEachPicture) {
  std::vector<std::string> labels;
  std::istringstream lines(ReadText(Folder("digits") / "labels.txt"));
  for (std::string line; std::getline(lines, line);) labels.push_back(line);
  LoadedModel<MemoryByteSource> model("digits");
  ASSERT_EQ(labels.size(), model.interpreter().output(0).size());
  for (const Example& example : ReadExamples("digits")) {
    const auto output = model.Run(ReadBytes(Folder("digits") / example.file));
    const auto best = std::max_element(output.begin(), output.end(), [](uint8_t a, uint8_t b) {
      return static_cast<int8_t>(a) < static_cast<int8_t>(b);
    });
    EXPECT_EQ(labels[static_cast<size_t>(best - output.begin())], example.expected) << example.file;
  }
}

}  // namespace
}  // namespace ota
