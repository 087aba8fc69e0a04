// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/memory_image.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace ota::simulator {
namespace {

[[noreturn]] void Throw(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

uint8_t* MapMemory(size_t size_bytes, int flags, int file, const std::string& path) {
  void* const data = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, flags, file, 0);
  if (data == MAP_FAILED) Throw(path);
  return static_cast<uint8_t*>(data);
}

/// What is going to be filled gets its blocks now: a full disk is then an error here, and no bus
/// error later.
void Grow(int file, off_t old_size, off_t new_size, uint8_t erased_value, const std::string& path) {
  if (erased_value == 0) {
    if (ftruncate(file, new_size) != 0) Throw(path);
    return;
  }
  const int error = posix_fallocate(file, old_size, new_size - old_size);
  if (error == 0) return;
  (void)ftruncate(file, old_size);  // as it was before; the error to tell is the first
  errno = error;
  Throw(path);
}

}  // namespace

MemoryImage::MemoryImage(uint32_t size_bytes, uint8_t erased_value) : size_bytes_(size_bytes) {
  data_ = MapMemory(size_bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, "memory image");
  Fill(0, erased_value);
}

MemoryImage::MemoryImage(uint32_t size_bytes, uint8_t erased_value, const std::string& path)
    : size_bytes_(size_bytes) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) Throw(path);
  struct stat status {};
  if (fstat(file, &status) != 0) Throw(path);
  const auto old_size = static_cast<uint32_t>(std::min<off_t>(status.st_size, size_bytes));
  if (status.st_size < off_t{size_bytes})
    Grow(file, status.st_size, size_bytes, erased_value, path);
  data_ = MapMemory(size_bytes, MAP_SHARED, file, path);
  close(file);
  Fill(old_size, erased_value);
}

MemoryImage::~MemoryImage() { munmap(data_, size_bytes_); }

void MemoryImage::Fill(uint32_t first, uint8_t erased_value) {
  if (erased_value != 0) std::memset(data_ + first, erased_value, size_bytes_ - first);
}

}  // namespace ota::simulator
