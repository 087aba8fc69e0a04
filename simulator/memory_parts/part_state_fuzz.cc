// SPDX-License-Identifier: Apache-2.0
// A hostile file of wear: it is taken or refused as FindStateDamage tells, refused untouched; parts
// on one that was taken change, wear and tear without leaving it, and what they leave is taken
// again. The first byte chooses the part.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "simulator/memory_parts/nor_array.h"
#include "simulator/memory_parts/overwrite_array.h"

namespace ota::simulator {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kChangeCount = 24;

/// In memory where there is such, gone at the end of the process.
class Folder {
 public:
  Folder() {
    const fs::path memory = "/dev/shm";
    path_ = (fs::is_directory(memory) ? memory : fs::temp_directory_path()) /
            ("ota_part_state_" + std::to_string(getpid()));
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string part() const { return path_ / "part.bin"; }

 private:
  fs::path path_;
};

std::string PrepareFiles(ByteSpan state) {
  static const Folder folder;
  const std::string path = folder.part();
  for (const char* const end : {"", ".faults"}) fs::remove(path + end);
  std::ofstream(path + ".state", std::ios::binary)
      .write(reinterpret_cast<const char*>(state.data()),
             static_cast<std::streamsize>(state.size()));
  return path;
}

std::vector<uint8_t> ReadState(const std::string& path) {
  std::ifstream file(path + ".state", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Change(NorArray& nor, Prng& prng) {
  const uint32_t unit = nor.traits().program_unit;
  const std::vector<uint8_t> data(unit * 2, static_cast<uint8_t>(prng.Next() >> 8));
  const uint32_t at = prng.NextBelow(nor.traits().size_bytes / unit - 1) * unit;
  const uint32_t erased = prng.NextBelow(nor.unit_count());
  // Whether a change is refused is of no matter here.
  (void)nor.Program(at, data);
  (void)nor.Erase(erased * nor.traits().erase_unit, nor.traits().erase_unit);
}

void Change(OverwriteArray& array, Prng& prng) {
  const uint32_t unit = prng.NextBelow(array.unit_count());
  std::vector<uint8_t> data(array.traits().unit_bytes, static_cast<uint8_t>(prng.Next() >> 8));
  // Whether a change is refused is of no matter here.
  (void)array.Write(unit * array.traits().unit_bytes, data);
  (void)array.Read(unit * array.traits().unit_bytes, data);
}

template <typename Array, typename Traits>
void Run(const Traits& traits, ByteSpan state) {
  const std::string path = PrepareFiles(state);
  PowerSupply power;
  try {
    Array array(traits, power, path);
    Prng prng(7);
    for (uint32_t i = 0; i < kChangeCount; ++i) {
      if (i % 3 == 0) power.CutAt(power.point_count() + i, i);
      Change(array, prng);
      power.Restore();
    }
  } catch (const PartFileError& error) {
    const std::string message = error.what();
    const std::vector<uint8_t> left = ReadState(path);
    if (!message.starts_with(path + ".state: ")) std::abort();
    if (!std::equal(left.begin(), left.end(), state.begin(), state.end())) std::abort();
    return;
  }
  Array again(traits, power, path);  // throws when it is refused
}

}  // namespace
}  // namespace ota::simulator

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::simulator;
  if (size == 0) return 0;
  const ota::ByteSpan state(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      Run<NorArray>(NorTraits{2048, 512, 1, 0, false, 100}, state);
      break;
    case 1:
      Run<NorArray>(NorTraits{2048, 512, 32, 1, true, 100}, state);
      break;
    case 2:
      Run<NorArray>(NorTraits{2048, 512, 4, 2, false, 100}, state);
      break;
    default:
      Run<OverwriteArray>(OverwriteTraits{.size_bytes = 512, .unit_bytes = 64, .reads_wear = true},
                          state);
  }
  return 0;
}
