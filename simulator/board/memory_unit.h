// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulator/board/board_table.h"
#include "simulator/memory_parts/part_figures.h"
#include "simulator/memory_parts/power_supply.h"
#include "simulator/memory_parts/simulated_clock.h"
#include "storage/model_store/model_store.h"

namespace ota::simulator {

/// A model that lay on a medium as the file NAME.tflite.
struct AdoptedFile {
  enum class Verdict : uint8_t {
    kVerified,  ///< it has the digest that the medium's list gives: now in the store
    kUnlisted,  ///< the medium gives no digest for it: in the store with the one it has
    kRefused,   ///< it has another digest: not taken
  };
  std::string name;
  Verdict verdict;
};

/// The list of digests on a medium: a file in the root, with lines as sha256sum writes them.
inline constexpr const char* kDigestListName = "models.sha256";

/// A board's memory unit with all that makes it a model store: part, driver, partition, container
/// or file system, store. The part's bytes live in a file. Calls but those of the store wait.
class MemoryUnit {
 public:
  virtual ~MemoryUnit() = default;

  /// Brings the part up. To be called first. kBusy: call again. Others as the part's driver.
  virtual Status Start() = 0;

  /// Finds the store. Statuses as ModelStore::Mount and, where it lies on a volume, as FileSystem.
  virtual Status Mount() = 0;

  /// Makes an empty store, and before it a volume where there is none; what else is on a volume
  /// stays. Statuses as Mount.
  virtual Status Format() = 0;

  /// Only after a successful Mount or Format.
  virtual storage::ModelStore& store() = 0;

  /// Whether nothing was ever written where the store lies.
  virtual bool is_blank() = 0;

  /// Whether the medium has a file system, and no store on it: a medium that others have made.
  virtual bool HasFilesOnly() { return false; }

  /// Stages and confirms each file NAME.tflite of the root as NAME, after a look at the list of
  /// digests; the files stay. Statuses as the file system and the store.
  virtual Result<std::vector<AdoptedFile>> AdoptFiles() { return std::vector<AdoptedFile>(); }

  virtual const PartFigures& figures() const = 0;
};

/// The unit of `traits`, with its bytes under `state_directory`. `clock` and `power` must outlive
/// it. Throws std::system_error with the path, or PartFileError.
std::unique_ptr<MemoryUnit> MakeMemoryUnit(const BoardTraits& traits,
                                           const std::string& state_directory,
                                           SimulatedClock& clock, PowerSupply& power);

/// The file with the bytes of a board's part, and where in them models lie: what `image build` is
/// to make for it.
struct MediumPlace {
  std::string path;
  uint32_t offset = 0;
  uint32_t size_bytes = 0;
  bool takes_smaller = false;  ///< an image may be smaller, as a card's partition may
  const char* image_options = "";
};
/// Whether all of `bytes` are `erased_value`.
bool IsBlank(ByteSpan bytes, uint8_t erased_value);

MediumPlace FindMediumPlace(const BoardTraits& traits, const std::string& state_directory);

}  // namespace ota::simulator
