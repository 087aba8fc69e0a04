// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/virtual_board.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/units.h"
#include "simulator/board/memory_unit.h"
#include "simulator/memory_parts/part_state.h"
#include "storage/block_device/memory_block_device.h"
#include "storage/file_system/fat/fat_file_system.h"

namespace ota::simulator {
namespace {

namespace fs = std::filesystem;

class VirtualBoardTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(directory_); }

  Status StoreModel(VirtualBoard& board, const char* name, const std::vector<uint8_t>& model) {
    storage::ModelStore& store = board.store();
    const storage::StageRequest request = {.name = name,
                                           .size_bytes = static_cast<uint32_t>(model.size()),
                                           .digest = crypto::ComputeSha256(model)};
    OTA_TRY(RunToEnd([&] { return store.Begin(request); }));
    for (size_t at = 0; at < model.size();) {
      OTA_TRY(const uint32_t taken,
              RunToEnd([&] { return store.Append(ByteSpan(model).subspan(at)); }));
      at += taken;
    }
    OTA_TRY(RunToEnd([&] { return store.Finish(); }));
    return RunToEnd([&] { return store.Activate(name); });
  }

  const std::string directory_ =
      (fs::temp_directory_path() / ("board_test_" + std::to_string(getpid()) + '_' +
                                    testing::UnitTest::GetInstance()->current_test_info()->name()))
          .string();
};

TEST(BoardTable, HoldsTheSevenBoardsOfTheArticle) {
  ASSERT_EQ(AllBoards().size(), 7u);
  std::set<std::string_view> ids;
  for (const BoardTraits& board : AllBoards()) {
    ids.insert(board.id);
    EXPECT_GT(board.sram_bytes, kReservedSramBytes + UnitSramBytes(board.unit)) << board.id;
    EXPECT_EQ(FindBoard(board.id), &board);
  }
  EXPECT_EQ(ids.size(), 7u);
  EXPECT_EQ(FindBoard("b4"), FindBoard("B4"));
  EXPECT_EQ(FindBoard("B4")->arena_bytes(), KiB(192) - kReservedSramBytes - KiB(5));
  EXPECT_EQ(FindBoard("B8"), nullptr);
  EXPECT_EQ(FindBoard(""), nullptr);
}

/// On each board.
class EveryBoardTest : public VirtualBoardTest, public testing::WithParamInterface<const char*> {
 protected:
  const BoardTraits& traits() const { return *FindBoard(GetParam()); }
  std::string medium_path() const { return FindMediumPlace(traits(), directory_).path; }

  std::vector<uint8_t> ReadModel(VirtualBoard& board, const char* name) {
    const Result<ByteSource*> source = RunToEnd([&] { return board.store().Open(name); });
    EXPECT_EQ(source.status(), Status::kOk) << GetParam();
    if (!source.ok()) return {};
    std::vector<uint8_t> bytes((*source)->size_bytes());
    EXPECT_EQ(RunToEnd([&] { return (*source)->Read(0, bytes); }), Status::kOk);
    const bool is_mapped = (*source)->Map().has_value();
    EXPECT_EQ(is_mapped, traits().unit == MemoryUnitKind::kOnChipFlash) << "run in place";
    board.store().Close(*source);
    return bytes;
  }
  Status InstallModel(VirtualBoard& board, const char* name, const std::vector<uint8_t>& model) {
    OTA_TRY(StoreModel(board, name, model));
    return RunToEnd([&] { return board.store().Confirm(name); });
  }
};

INSTANTIATE_TEST_SUITE_P(Boards, EveryBoardTest,
                         testing::Values("B1", "B2", "B3", "B4", "B5", "B6", "B7"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(EveryBoardTest, FormatsABlankUnitOnceAndKeepsWhatIsStored) {
  const std::vector<uint8_t> model(5000, 7);
  {
    VirtualBoard board(traits(), directory_);
    ASSERT_EQ(board.Boot(), Status::kOk);
    EXPECT_TRUE(board.was_formatted());
    ASSERT_EQ(InstallModel(board, "kws", model), Status::kOk);
    EXPECT_GE(board.figures().programmed_bytes, model.size());
    EXPECT_GT(board.figures().energy_nj, 0u);
    EXPECT_GT(board.medium_clock().now_ns(), 1'000'000u) << "it took its time";
  }
  VirtualBoard board(traits(), directory_);
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_FALSE(board.was_formatted());
  EXPECT_EQ(ReadModel(board, "kws"), model);
}

TEST_P(EveryBoardTest, StartsThoughPowerFailedInItsFirstStart) {
  constexpr uint64_t kCutCount = 8;
  uint64_t point_count = 0;
  for (uint64_t cut = 0; cut <= kCutCount; ++cut) {
    SCOPED_TRACE("cut " + std::to_string(cut));
    fs::remove_all(directory_);
    if (cut > 0) {
      VirtualBoard board(traits(), directory_);
      board.power().CutAt(point_count * (cut - 1) / kCutCount, static_cast<uint32_t>(cut));
      EXPECT_NE(board.Boot(), Status::kOk);
      EXPECT_FALSE(board.power().is_on());
    }
    VirtualBoard board(traits(), directory_);
    ASSERT_EQ(board.Boot(), Status::kOk);
    EXPECT_EQ(board.store().image_count(), 0u);
    point_count = std::max<uint64_t>(point_count, board.power().point_count());
  }
  VirtualBoard board(traits(), directory_);
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_FALSE(board.was_formatted());
}

TEST_P(EveryBoardTest, RevertsATrialThatWasNotConfirmed) {
  {
    VirtualBoard board(traits(), directory_);
    ASSERT_EQ(board.Boot(), Status::kOk);
    ASSERT_EQ(InstallModel(board, "kws", std::vector<uint8_t>(100, 1)), Status::kOk);
    ASSERT_EQ(StoreModel(board, "kws", std::vector<uint8_t>(200, 2)), Status::kOk);
  }
  VirtualBoard board(traits(), directory_);
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_EQ(board.store().image_count(), 1u);
  const auto info = board.store().FindImage("kws", storage::ImageChoice::kInUse);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->size_bytes, 100u);
}

TEST_P(EveryBoardTest, KeepsTheConfirmedModelWhenPowerFailsInAnUpdate) {
  const std::vector<uint8_t> model(3000, 1);
  {
    VirtualBoard board(traits(), directory_);
    ASSERT_EQ(board.Boot(), Status::kOk);
    ASSERT_EQ(InstallModel(board, "kws", model), Status::kOk);
    board.power().CutAt(board.power().point_count() + 2500, 5);
    EXPECT_NE(InstallModel(board, "kws", std::vector<uint8_t>(4000, 2)), Status::kOk);
    EXPECT_FALSE(board.power().is_on());
  }
  VirtualBoard board(traits(), directory_);
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_EQ(ReadModel(board, "kws"), model);
  ASSERT_EQ(InstallModel(board, "kws", std::vector<uint8_t>(4000, 2)), Status::kOk);
  EXPECT_EQ(ReadModel(board, "kws"), std::vector<uint8_t>(4000, 2));
}

TEST_P(EveryBoardTest, LeavesAloneWhatItDoesNotKnow) {
  fs::create_directories(directory_);
  const std::string content(MiB(2), 'x');
  std::ofstream(medium_path()) << content;
  VirtualBoard board(traits(), directory_);
  EXPECT_EQ(board.Boot(), Status::kCorrupted);
  std::ifstream file(medium_path(), std::ios::binary);
  std::string bytes(content.size(), ' ');
  const auto size = std::min<size_t>(content.size(), FindMediumPlace(traits(), "").size_bytes);
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  EXPECT_EQ(bytes.substr(0, size), content.substr(0, size));
}

TEST_P(EveryBoardTest, TellsWhichFileOfItsUnitIsDamaged) {
  fs::create_directories(directory_);
  for (const char* const end : {".state", ".faults"}) {
    std::ofstream(medium_path() + end) << "damaged";
    std::string message;
    try {
      VirtualBoard board(traits(), directory_);
    } catch (const PartFileError& error) {
      message = error.what();
    }
    EXPECT_TRUE(message.starts_with(medium_path() + end + ": ")) << message;
    fs::remove(medium_path() + end);
  }
  VirtualBoard board(traits(), directory_);
  EXPECT_EQ(board.Boot(), Status::kOk);
}

TEST_F(VirtualBoardTest, TakesTheModelsOfAMediumThatOthersHaveMade) {
  const std::vector<uint8_t> model(5000, 7);
  fs::create_directories(directory_);
  {
    std::vector<uint8_t> bytes(MiB(8));
    storage::MemoryBlockDevice device(bytes, {MiB(8), 512, 512, 512, 0, true, false});
    storage::SpinWaiter waiter;
    std::array<uint8_t, 512> buffer;
    storage::FatFileSystem files(device, waiter, buffer);
    ASSERT_EQ(files.Format(), Status::kOk);
    const auto write = [&](const char* name, ByteSpan content) {
      Result<storage::File> file = files.Create(name, 0);
      ASSERT_TRUE(file.ok());
      ASSERT_EQ(files.Append(*file, content), Status::kOk);
      ASSERT_EQ(files.Sync(*file), Status::kOk);
    };
    // sha256sum of 5000 bytes of value 7.
    const std::string list =
        "f302a3f85503eeb1a105c81a5fbea0aa461417fb3893919572949cadbfee86a7  good.tflite\n"
        "0000000000000000000000000000000000000000000000000000000000000000  bad.tflite\r\n"
        "a line of another form\n";
    write("kws.tflite", model);
    write("good.tflite", model);
    write("bad.tflite", model);
    write("no name of a model.tflite", model);
    write("empty.tflite", {});
    write("notes.txt", model);
    write(kDigestListName, {reinterpret_cast<const uint8_t*>(list.data()), list.size()});
    std::ofstream(directory_ + "/sd.bin", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), MiB(8));
  }
  for (const bool is_first : {true, false}) {
    VirtualBoard board(*FindBoard("B7"), directory_);
    ASSERT_EQ(board.Boot(), Status::kOk);
    std::map<std::string, AdoptedFile::Verdict> verdicts;
    for (const AdoptedFile& file : board.adopted()) verdicts[file.name] = file.verdict;
    EXPECT_EQ(verdicts.size(), is_first ? 5u : 0u);
    if (is_first) {
      EXPECT_EQ(verdicts["kws"], AdoptedFile::Verdict::kUnlisted);
      EXPECT_EQ(verdicts["good"], AdoptedFile::Verdict::kVerified);
      EXPECT_EQ(verdicts["bad"], AdoptedFile::Verdict::kRefused);
      EXPECT_EQ(verdicts["no name of a model"], AdoptedFile::Verdict::kRefused);
      EXPECT_EQ(verdicts["empty"], AdoptedFile::Verdict::kRefused);
    }
    EXPECT_EQ(board.store().image_count(), 2u);
    const auto info = board.store().FindImage("kws", storage::ImageChoice::kConfirmed);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->digest, crypto::ComputeSha256(model));
  }
}

TEST_P(EveryBoardTest, RefusesAModelThatItsUnitCannotHold) {
  VirtualBoard board(traits(), directory_);
  ASSERT_EQ(board.Boot(), Status::kOk);
  const storage::StoreSpace space = board.store().space();
  const storage::StageRequest request = {.name = "huge", .size_bytes = space.free_bytes + 1};
  EXPECT_EQ(RunToEnd([&] { return board.store().Begin(request); }), Status::kStorageFull);
  EXPECT_GT(board.store().NeededBytes(request.size_bytes), space.free_bytes);
}

TEST_P(EveryBoardTest, HasAnArenaOfWhatTheSramLeaves) {
  VirtualBoard board(traits(), directory_);
  EXPECT_EQ(board.arena().size(),
            traits().sram_bytes - kReservedSramBytes - UnitSramBytes(traits().unit));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(board.arena().data()) % 16, 0u);
}

}  // namespace
}  // namespace ota::simulator
