// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "cli/program_for_test.h"

// `ota-tinyml image` as people run it.

namespace ota::cli {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kModels = " models/digits/digits.tflite wave=models/sine/sine.tflite ";

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ImageCommandTest : public ProgramTest {
 protected:
  std::string Build(const std::string& options) {
    return Shell("ota image build -o $D/image " + options + kModels);
  }

  /// Changes a bit of the image where a run of the model's bytes lies in it.
  void FlipBitOf(const std::string& model_path) {
    const std::string model = ReadText(model_path);
    std::string image = ReadText(directory_ + "/image");
    size_t at = std::string::npos;
    // A run may be broken where a page of a file system ends.
    for (size_t i = 1000; i < 1300 && at == std::string::npos; i += 20) {
      at = image.find(model.substr(i, 40));
    }
    ASSERT_NE(at, std::string::npos) << "the model is not in the image";
    image[at + 20] = static_cast<char>(image[at + 20] ^ 1);
    std::ofstream(directory_ + "/image", std::ios::binary) << image;
  }
};

struct Kind {
  const char* name;
  const char* options;
  const char* description;
  bool has_files;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.options; }

class ImageKinds : public ImageCommandTest, public testing::WithParamInterface<Kind> {
 protected:
  /// What the first model is called on it, and how the command calls such a thing.
  std::string digits() const { return GetParam().has_files ? "digits.tflite" : "digits"; }
  std::string what() const { return GetParam().has_files ? "file " : "model "; }
};

INSTANTIATE_TEST_SUITE_P(
    ImageCommand, ImageKinds,
    testing::Values(Kind{"raw", "--fs raw --size 256K", "raw model store, erase units", false},
                    Kind{"raw_plain", "--fs raw --size 256K --plain", "raw model store", false},
                    Kind{"fat", "--fs fat --size 1M", "FAT12, clusters of 512 bytes, a", false},
                    Kind{"eefs", "--fs eefs --size 256K", "EEFS, a model store", false},
                    Kind{"spiffs", "--fs spiffs --size 256K", "SPIFFS, pages of 256", false},
                    Kind{"fat_plain", "--fs fat --size 1M --plain", "FAT12, clusters of", true},
                    Kind{"eefs_plain", "--fs eefs --size 256K --plain", "EEFS", true},
                    Kind{"spiffs_plain", "--fs spiffs --size 256K --plain", "SPIFFS", true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(ImageKinds, ListWhatWasBuiltAndGiveTheVeryBytesBack) {
  const std::string built = Build(GetParam().options);
  ASSERT_EQ(exit_code_, 0) << built;
  EXPECT_THAT(built, HasSubstr(std::string("image: ") + GetParam().description));
  EXPECT_THAT(built, ContainsRegex(", 2 models, [1-9][0-9]* bytes free\n$"));

  const std::string list = Shell("ota image list $D/image");
  EXPECT_EQ(exit_code_, 0);
  EXPECT_THAT(list, HasSubstr(std::string("image: ") + GetParam().description));
  EXPECT_THAT(list, ContainsRegex(" 10560  .* " + digits() + "\n"));
  EXPECT_THAT(list, ContainsRegex(" 2976  .* wave\n"));
  EXPECT_EQ(list.find("confirmed") == std::string::npos, GetParam().has_files);

  const std::string extracted =
      Shell("ota image extract $D/image -d $D/out && cmp $D/out/" + digits() +
            " models/digits/digits.tflite && " + "cmp $D/out/wave models/sine/sine.tflite");
  EXPECT_EQ(exit_code_, 0) << extracted;
  EXPECT_EQ(fs::exists(directory_ + "/out/models.sha256"), GetParam().has_files);
  if (GetParam().has_files) {
    EXPECT_THAT(Shell("cd $D/out && sha256sum -c models.sha256"), HasSubstr("wave: OK"));
  }
  const std::string one = Shell("ota image extract $D/image wave -d $D/one && ls $D/one");
  EXPECT_EQ(exit_code_, 0) << one;
  EXPECT_TRUE(one.ends_with("/one/wave\nwave\n")) << one;
}

TEST_P(ImageKinds, AreCheckedAndTheDamagedModelIsNamed) {
  Build(GetParam().options);
  const std::string sound = Shell("ota image check $D/image");
  EXPECT_EQ(exit_code_, 0) << sound;
  EXPECT_TRUE(sound.ends_with("\nsound\n")) << sound;

  FlipBitOf("models/digits/digits.tflite");
  const std::string damaged = Shell("ota image check $D/image");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(damaged, HasSubstr("\n  " + what() + digits() + " "));
  EXPECT_THAT(damaged, HasSubstr("image is not sound"));
  EXPECT_THAT(damaged, Not(HasSubstr("wave")));
  FlipBitOf("models/sine/sine.tflite");
  const std::string both = Shell("ota image check $D/image");
  EXPECT_THAT(both, HasSubstr("\n  " + what() + digits() + " "));
  EXPECT_THAT(both, HasSubstr("\n  " + what() + "wave "));

  const std::string repaired = Shell("ota image check --repair $D/image");
  EXPECT_EQ(exit_code_, 1) << "a digest does not bring the bytes back: " << repaired;
  EXPECT_THAT(repaired, HasSubstr("but for what is listed as damaged"));
}

TEST_P(ImageKinds, AreNotWrittenWhenTheModelsDoNotFit) {
  const std::string options = GetParam().options;
  const size_t size = options.find("--size ") + 7;
  const std::string small = options.substr(0, size) + "8K" +
                            options.substr(std::min(options.find(' ', size), options.size()));
  for (const std::string& too_small : {small, options + " $D/large"}) {
    const std::string output = Shell("head -c 2M /dev/zero >$D/large; ota image build " +
                                     too_small + kModels + " -o $D/image");
    EXPECT_NE(exit_code_, 0) << too_small;
    EXPECT_THAT(output, testing::StartsWith("ota-tinyml: "));
    EXPECT_THAT(output, HasSubstr("--size")) << too_small;
    EXPECT_FALSE(fs::exists(directory_ + "/image")) << too_small;
  }
}

TEST_P(ImageKinds, ListTheSameForPrograms) {
  Build(GetParam().options);
  const std::string output = Shell("ota image list --json $D/image");
  ASSERT_EQ(exit_code_, 0) << output;
  const auto list = nlohmann::json::parse(output);
  EXPECT_THAT(list["kind"].get<std::string>(), testing::StartsWith(GetParam().description));
  EXPECT_GT(list["free_bytes"], 0);
  ASSERT_EQ(list["files"].size(), GetParam().has_files ? 3u : 2u);
  EXPECT_EQ(list["files"][0]["name"], digits());
  EXPECT_EQ(list["files"][0]["bytes"], 10560);
  EXPECT_EQ(list["files"][0].contains("state"), !GetParam().has_files);
}

TEST_F(ImageCommandTest, SaysWhichListedModelIsMissing) {
  Shell(
      "printf '%064d  gone.tflite\\n' 0 >$D/listing; "
      "ota image build --fs eefs --size 64K -o $D/list --plain x=$D/listing");
  EXPECT_EQ(exit_code_, 0);
  // Such a list cannot be built, so give it the other one's name in the table of files.
  std::string image = ReadText(directory_ + "/list");
  const size_t list = image.find("models.sha256");
  const size_t file = image.find(std::string("x\0", 2));
  ASSERT_NE(list, std::string::npos);
  ASSERT_LT(file, list);
  image.replace(list, 13, "other.sha2567");
  image.replace(file, 13, "models.sha256");
  std::ofstream(directory_ + "/list", std::ios::binary) << image;
  const std::string output = Shell("ota image check $D/list");
  EXPECT_EQ(exit_code_, 1) << output;
  EXPECT_THAT(output, HasSubstr("gone.tflite, which models.sha256 names, cannot be read"));
}

TEST_F(ImageCommandTest, DoesNotHandOutADamagedModelOfAStore) {
  Build("--fs raw --size 256K");
  FlipBitOf("models/digits/digits.tflite");
  const std::string output = Shell("ota image extract $D/image digits -d $D/out");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(output, HasSubstr("digits is damaged: its bytes do not have their digest"));
  EXPECT_FALSE(fs::exists(directory_ + "/out/digits"));
  Shell("ota image extract $D/image wave -d $D/out && cmp $D/out/wave models/sine/sine.tflite");
  EXPECT_EQ(exit_code_, 0) << "the other one is sound";
}

struct Misuse {
  const char* arguments;
  int exit_code;
  const char* message;
};

TEST_F(ImageCommandTest, SaysWhatIsWrongAndWritesNothing) {
  const Misuse misuses[] = {
      {"build --fs raw --size 64K none.tflite", 1, "cannot open none.tflite; check the path"},
      {"build --fs raw --size 64K models", 1, "models is a folder; give a file"},
      {"build --fs ntfs --size 64K models/sine/sine.tflite", 2,
       "'ntfs' is no kind of image; say fat, spiffs, eefs or raw"},
      {"build --fs raw --size big models/sine/sine.tflite", 2, "'big' is no size"},
      {"build --fs raw --size 8K models/sine/sine.tflite", 2,
       "8192 bytes is no size for a model store with erase units of 4096"},
      {"build --fs raw --size 5000 models/sine/sine.tflite", 2, "multiple of --erase-unit"},
      {"build --fs fat --size 1K models/sine/sine.tflite", 2, "1024 bytes is no size for this"},
      {"build --fs fat --size 1M --fat 13 models/sine/sine.tflite", 2, "13 not in {12,16,32}"},
      {"build --fs raw --size 64K --colour models/sine/sine.tflite", 2, "not expected: --colour"},
      {"build --fs raw --size 64K", 2, "models is required"},
      {"build --fs raw --size 64K a=models/sine/sine.tflite a=models/digits/digits.tflite", 2,
       "two models are called 'a'; NAME=FILE calls one otherwise"},
      {"build --fs raw --size 64K =models/sine/sine.tflite", 1, "name is empty, too long or has"},
  };
  for (const Misuse& misuse : misuses) {
    const std::string output = Shell("ota image " + std::string(misuse.arguments) + " -o $D/image");
    EXPECT_EQ(exit_code_, misuse.exit_code) << misuse.arguments;
    EXPECT_THAT(output, HasSubstr(misuse.message));
    EXPECT_FALSE(fs::exists(directory_ + "/image")) << misuse.arguments;
  }
  EXPECT_THAT(Shell("ota image build --fs raw --size 64K models/sine/sine.tflite -o $D/none/image"),
              HasSubstr("none/image; check the folder, permissions and free space"));
  EXPECT_EQ(exit_code_, 1);
}

TEST_F(ImageCommandTest, SaysThatThereIsNoImage) {
  for (const char* const command : {"list", "extract", "check"}) {
    const std::string ota = "ota image " + std::string(command);
    EXPECT_THAT(Shell(ota + " $D/none"), HasSubstr("none; check the path and permissions"));
    EXPECT_EQ(exit_code_, 1);
    EXPECT_THAT(Shell(ota + " models"), HasSubstr("models is a folder; give a file"));
    EXPECT_EQ(exit_code_, 1);
    EXPECT_THAT(Shell(ota + " models/sine/sine.tflite"), HasSubstr("holds no FAT, SPIFFS or EEFS"));
    EXPECT_EQ(exit_code_, 1);
    EXPECT_THAT(Shell(ota), HasSubstr("image is required"));
    EXPECT_EQ(exit_code_, 2);
  }
  Build("--fs raw --size 64K");
  EXPECT_THAT(Shell("ota image extract $D/image none -d $D/out"), HasSubstr("cannot find none"));
  EXPECT_EQ(exit_code_, 1);
}

TEST_F(ImageCommandTest, ExplainsItsCommandsAndTheirOptions) {
  const std::string commands = Shell("ota image --help");
  EXPECT_EQ(exit_code_, 0);
  for (const char* const command : {"build", "list", "extract", "check"}) {
    EXPECT_THAT(commands, ContainsRegex("\n  " + std::string(command) + " +[A-Z]"));
    EXPECT_THAT(Shell("ota image " + std::string(command) + " --help"),
                HasSubstr("Usage: ota-tinyml image " + std::string(command)));
    EXPECT_EQ(exit_code_, 0) << command;
  }
  EXPECT_THAT(Shell("ota image build --help"), HasSubstr("--plain"));
  EXPECT_THAT(Shell("ota image"), HasSubstr("A subcommand is required"));
  EXPECT_EQ(exit_code_, 2);
}

}  // namespace
}  // namespace ota::cli
