// SPDX-License-Identifier: Apache-2.0
#include "cli/medium.h"

#include <filesystem>
#include <fstream>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "simulator/board/memory_unit.h"
#include "simulator/board/virtual_board.h"

namespace ota::cli {

namespace fs = std::filesystem;

void InstallMedium(const simulator::BoardTraits& traits, const std::string& state_directory,
                   const std::string& image_path) {
  const simulator::MediumPlace place = simulator::FindMediumPlace(traits, state_directory);
  if (fs::exists(place.path)) {
    throw CommandError("--medium: " + place.path +
                       " is there already; give a new --state, or leave --medium out");
  }
  const std::vector<uint8_t> image = ReadFile(image_path);
  const bool fits =
      image.size() == place.size_bytes || (place.takes_smaller && image.size() < place.size_bytes);
  if (!fits) {
    throw CommandError(image_path + " has " + std::to_string(image.size()) + " bytes, board " +
                       std::string(traits.id) + " keeps models in " +
                       std::to_string(place.size_bytes) + "; make it with: image build " +
                       place.image_options);
  }
  fs::create_directories(state_directory);
  simulator::VirtualBoard::ForgetSetup(state_directory);
  std::ofstream file(place.path, std::ios::binary);
  const std::string before(place.offset, '\xFF');
  file.write(before.data(), static_cast<std::streamsize>(before.size()));
  file.write(reinterpret_cast<const char*>(image.data()),
             static_cast<std::streamsize>(image.size()));
  file.close();
  if (!file) {
    std::error_code ignored;  // what went wrong first counts
    fs::remove(place.path, ignored);
    throw CommandError("cannot write " + place.path +
                       "; check the folder, permissions and free space");
  }
}

}  // namespace ota::cli
