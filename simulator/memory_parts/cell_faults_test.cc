// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/cell_faults.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "simulator/memory_parts/part_state.h"

namespace ota::simulator {
namespace {

constexpr uint32_t kSizeBytes = 4096;

std::optional<std::string> Load(const std::string& text, CellFaults& faults, PartFigures& figures) {
  std::istringstream source(text);
  return faults.Load(source, kSizeBytes, figures);
}

TEST(CellFaults, ReadsWhatItWrites) {
  CellFaults faults;
  faults.MakeUnstable(12, 3);
  faults.MarkUnreadable(4095);
  faults.MarkBad(1, BadUnit::kLoud);
  faults.MarkBad(3, BadUnit::kSilent);
  std::ostringstream written;
  faults.Save(written, {100, 2000, 4096, 5, 6, 7});
  CellFaults again;
  PartFigures figures;
  EXPECT_EQ(Load(written.str(), again, figures), std::nullopt);
  EXPECT_EQ(figures.programmed_bytes, 2000u);
  EXPECT_EQ(figures.energy_nj, 7u);
  std::ostringstream rewritten;
  again.Save(rewritten, figures);
  EXPECT_EQ(rewritten.str(), written.str());
}

TEST(CellFaults, TakesFaultsThatWereWrittenByHand) {
  CellFaults faults;
  PartFigures figures;
  EXPECT_EQ(Load("bad 7 1\r\n\n  unstable\t5  255", faults, figures), std::nullopt);
  EXPECT_EQ(faults.FindBad(0, 9), BadUnit::kSilent);
  EXPECT_TRUE(faults.has_unstable_bits());
}

TEST(CellFaults, RefusesADamagedTextAndKeepsNothingOfIt) {
  const std::string sound = "figures 1 2 3 4 5 6\nbad 1 0\n";
  for (const std::string& damaged :
       {std::string("figures 1 2"), std::string("figures 1 2 3 4 5 6 7"), std::string("bad -1 0"),
        std::string("bad 4096 0"), std::string("unstable 5 256"), std::string("unstable 5 x"),
        std::string("unreadable 5"), std::string("other 1 2"), std::string("bad 5 0\0 1", 9),
        std::string("bad 18446744073709551617 0"), std::string(200, ' ')}) {
    SCOPED_TRACE(damaged);
    CellFaults faults;
    PartFigures figures;
    EXPECT_EQ(Load(sound + damaged, faults, figures), "line 3 is none that this part writes");
    EXPECT_EQ(faults.FindBad(0, kSizeBytes), std::nullopt);
    EXPECT_EQ(figures.read_bytes, 0u);
  }
}

TEST(CellFaults, TellsWhichFileIsDamagedAndLeavesIt) {
  const std::string path = testing::TempDir() + "cell_faults_test.faults";
  std::ofstream(path) << "bad 1 0\nbad 1";
  CellFaults faults;
  PartFigures figures;
  std::string message;
  try {
    faults.LoadFile(path, kSizeBytes, figures);
  } catch (const PartFileError& error) {
    message = error.what();
  }
  EXPECT_EQ(message, path +
                         ": line 2 is none that this part writes: it is damaged or another "
                         "part's; mend it, or remove it, and the part has no faults and has done "
                         "nothing yet");
  EXPECT_EQ(std::filesystem::file_size(path), 13u);
  faults.SaveFile(path, figures);
  EXPECT_NO_THROW(faults.LoadFile(path, kSizeBytes, figures));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace ota::simulator
