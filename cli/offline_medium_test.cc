// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "cli/program_for_test.h"

// Media as a user meets them: made by `ota-tinyml image build`, looked at with the tools of others,
// and started from by boards that are never online.

namespace ota::cli {
namespace {

using testing::HasSubstr;

class OfflineMediumTest : public ProgramTest {};

struct BoardMedium {
  const char* board;
  const char* options;
};

TEST_F(OfflineMediumTest, BoardsRunTheModelsOfAMediumThatWasBuiltForThem) {
  const BoardMedium media[] = {
      {"B1", "--fs raw --size 1536K --erase-unit 4K --program-unit 1"},
      {"B2", "--fs raw --size 1536K --erase-unit 128K --program-unit 32"},
      {"B3", "--fs fat --size 24M"},
      {"B4", "--fs eefs --size 512K --little-endian"},
      {"B5", "--fs spiffs --size 3008K"},
      {"B6", "--fs eefs --size 512K --little-endian"},
      {"B7", "--fs fat --size 24M --partitioned"},
  };
  for (const BoardMedium& medium : media) {
    for (const std::string& plain : {std::string(), std::string(" --plain")}) {
      SCOPED_TRACE(medium.board + plain);
      const std::string id(medium.board);
      const std::string output = Shell(
          "rm -rf $D/*; ota image build " + std::string(medium.options) + plain +
          " models/*/*.tflite -o $D/image && ota image check $D/image && ota device --board " + id +
          " --state $D/state --medium $D/image --run digits" +
          " --input models/digits/inputs/3.bin && ota device --board " + id +
          " --state $D/state --run digits --input models/digits/inputs/7.bin");
      EXPECT_EQ(exit_code_, 0) << output;
      EXPECT_THAT(output, HasSubstr("\nsound\n"));
      EXPECT_THAT(output, HasSubstr("3.bin): index 3"));
      EXPECT_THAT(output, HasSubstr("7.bin): index 7"));
    }
  }
}

TEST_F(OfflineMediumTest, OthersFindACleanVolumeWithOneFileOnACard) {
  if (std::system("command -v fsck.fat mdir mcopy >/dev/null") != 0) {
    GTEST_SKIP() << "needs dosfstools and mtools: tools/install_packages.sh test";
  }
  const std::string output = Shell(
      "ota image build --fs fat --size 24M models/*/*.tflite -o $D/card && fsck.fat -n $D/card && "
      "mdir -b -i $D/card ::/ && mcopy -i $D/card models/digits/labels.txt ::notes.txt && "
      "ota image list $D/card && ota image extract $D/card -d $D/out && "
      "cmp $D/out/digits models/digits/digits.tflite && "
      "cmp $D/out/notes.txt models/digits/labels.txt && "
      "ota device --board B7 --state $D/state --medium $D/card --run sine --input random:1 && "
      "mcopy -i $D/state/sd.bin ::notes.txt - | cmp - models/digits/labels.txt && "
      "dd if=$D/state/sd.bin of=$D/back bs=1M count=24 status=none && fsck.fat -n $D/back");
  EXPECT_EQ(exit_code_, 0) << output;
  EXPECT_THAT(output, HasSubstr("::/models.ota\n"));
  EXPECT_THAT(output, testing::ContainsRegex("confirmed +sine"));
  EXPECT_THAT(output, HasSubstr("notes.txt"));
}

TEST_F(OfflineMediumTest, ABoardTakesModelsFromACardThatOthersFilledAndLeavesTheirFiles) {
  if (std::system("command -v mkfs.fat mcopy fsck.fat >/dev/null") != 0) {
    GTEST_SKIP() << "needs dosfstools and mtools: tools/install_packages.sh test";
  }
  const std::string output = Shell(
      "truncate -s 64M $D/card && mkfs.fat $D/card && head -c 5M /dev/urandom >$D/film && "
      "mcopy -i $D/card $D/film ::film.avi && "
      "mcopy -i $D/card models/digits/digits.tflite ::digits.tflite && "
      "ota device --board B3 --state $D/state --medium $D/card --list && "
      "ota device --board B3 --state $D/state --run digits --input models/digits/inputs/4.bin && "
      "dd if=$D/state/sd.bin of=$D/back bs=1M count=64 status=none && fsck.fat -n $D/back && "
      "mcopy -i $D/back ::film.avi - | cmp - $D/film && ota image check $D/back");
  EXPECT_EQ(exit_code_, 0) << output;
  EXPECT_THAT(output, HasSubstr("4.bin): index 4"));
  EXPECT_THAT(output, HasSubstr("1 models\nsound\n"));
}

}  // namespace
}  // namespace ota::cli
