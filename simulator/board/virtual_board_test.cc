// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/virtual_board.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/units.h"

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
    EXPECT_GT(board.sram_bytes, kReservedSramBytes) << board.id;
    EXPECT_EQ(FindBoard(board.id), &board);
  }
  EXPECT_EQ(ids.size(), 7u);
  EXPECT_EQ(FindBoard("b4"), FindBoard("B4"));
  EXPECT_EQ(FindBoard("B4")->arena_bytes(), KiB(192) - kReservedSramBytes);
  EXPECT_EQ(FindBoard("B8"), nullptr);
  EXPECT_EQ(FindBoard(""), nullptr);
}

TEST_F(VirtualBoardTest, FormatsABlankUnitOnceAndKeepsWhatIsStored) {
  for (const char* const id : {"B1", "B2"}) {
    fs::remove_all(directory_);
    const std::vector<uint8_t> model(5000, 7);
    {
      VirtualBoard board(*FindBoard(id), directory_);
      ASSERT_EQ(board.Boot(), Status::kOk) << id;
      EXPECT_TRUE(board.was_formatted());
      ASSERT_EQ(StoreModel(board, "kws", model), Status::kOk);
      ASSERT_EQ(RunToEnd([&] { return board.store().Confirm("kws"); }), Status::kOk);
    }
    EXPECT_EQ(fs::file_size(directory_ + "/flash.bin"), MiB(2)) << "the image of the whole part";
    VirtualBoard board(*FindBoard(id), directory_);
    ASSERT_EQ(board.Boot(), Status::kOk);
    EXPECT_FALSE(board.was_formatted());
    const Result<ByteSource*> source = RunToEnd([&] { return board.store().Open("kws"); });
    ASSERT_TRUE(source.ok());
    const std::optional<ByteSpan> bytes = (*source)->Map();
    ASSERT_TRUE(bytes.has_value()) << "run in place from the on-chip flash";
    EXPECT_TRUE(std::equal(bytes->begin(), bytes->end(), model.begin(), model.end()));
    board.store().Close(*source);
  }
}

TEST_F(VirtualBoardTest, RevertsATrialThatWasNotConfirmed) {
  {
    VirtualBoard board(*FindBoard("B1"), directory_);
    ASSERT_EQ(board.Boot(), Status::kOk);
    ASSERT_EQ(StoreModel(board, "kws", std::vector<uint8_t>(100, 1)), Status::kOk);
    ASSERT_EQ(RunToEnd([&] { return board.store().Confirm("kws"); }), Status::kOk);
    ASSERT_EQ(StoreModel(board, "kws", std::vector<uint8_t>(200, 2)), Status::kOk);
  }
  VirtualBoard board(*FindBoard("B1"), directory_);
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_EQ(board.store().image_count(), 1u);
  const auto info = board.store().FindImage("kws", storage::ImageChoice::kInUse);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->size_bytes, 100u);
}

TEST_F(VirtualBoardTest, LeavesAloneWhatItDoesNotKnow) {
  fs::create_directories(directory_);
  std::ofstream(directory_ + "/flash.bin") << std::string(MiB(2), 'x');
  VirtualBoard board(*FindBoard("B1"), directory_);
  EXPECT_EQ(board.Boot(), Status::kCorrupted);
  std::ifstream file(directory_ + "/flash.bin", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(bytes, std::string(MiB(2), 'x'));
}

TEST_F(VirtualBoardTest, SaysWhenItsUnitCannotBeSimulated) {
  for (const BoardTraits& traits : AllBoards()) {
    if (traits.unit == MemoryUnitKind::kOnChipFlash) continue;
    VirtualBoard board(traits, directory_);
    EXPECT_EQ(board.Boot(), Status::kNotSupported) << traits.id;
  }
}

TEST_F(VirtualBoardTest, HasAnArenaOfWhatTheSramLeaves) {
  VirtualBoard board(*FindBoard("B1"), directory_);
  EXPECT_EQ(board.arena().size(), MiB(1) - kReservedSramBytes);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(board.arena().data()) % 16, 0u);
}

}  // namespace
}  // namespace ota::simulator
