// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "simulator/board/memory_unit.h"
#include "storage/file_system/file_system.h"

namespace ota::simulator {

/// Stages and confirms each file NAME.tflite of the root as NAME, after a look at the list of
/// digests; the files stay. A file of more than `file_bytes_max` is kCorrupted. Other statuses as
/// the file system and the store.
Result<std::vector<AdoptedFile>> AdoptFiles(storage::FileSystem& files, storage::ModelStore& store,
                                            uint32_t file_bytes_max);

}  // namespace ota::simulator
