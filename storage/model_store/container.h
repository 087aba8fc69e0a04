// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/block_device.h"
#include "storage/file_system/file_system.h"

// A container: one file of a volume, in one run, whose bytes are a RawModelStore's. It is made
// once, when the store is; from then on nobody writes what the volume is described by, so that no
// power cut can touch that, and the store has all that it has on a partition. Others see a file,
// which they may copy or delete, but not move or write.
//
// For FAT and EEFS; SPIFFS moves its pages, and takes FileModelStore.
//
//   FatFileSystem files(card, waiter, sector);
//   if (IsOk(files.Mount())) place = FindContainer(files, card.geometry());
//   Partition models(card, place->offset, place->size_bytes);
//   RawModelStore store(models, workspace);        // from here on nothing waits

namespace ota::storage {

inline constexpr std::string_view kContainerName = "models.ota";

/// The whole erase units of the device that lie in the container: a Partition.
struct ContainerPlace {
  uint32_t offset = 0;
  uint32_t size_bytes = 0;
};

/// Finds the container of a mounted volume on a device of that geometry. Changes nothing.
/// kNotFound: there is none. kCorrupted: it does not lie in one run, or outside of the device, or
/// holds no whole erase unit; a volume may be hostile, and what this returns is inside of the
/// device. Others as FileSystem.
Result<ContainerPlace> FindContainer(FileSystem& files, const Geometry& geometry);

/// Makes the container unless it is there; one that FindContainer calls kCorrupted is made anew.
/// `size_bytes` 0: as many sixteenths of the free space as lie in one run, 15 at most, so that the
/// volume keeps room for others. The store in it is yet to be formatted.
/// kStorageFull: no run is that long. kNotSupported: the format scatters its files.
Result<ContainerPlace> MakeContainer(FileSystem& files, const Geometry& geometry,
                                     uint32_t size_bytes = 0);

}  // namespace ota::storage
