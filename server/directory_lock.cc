// SPDX-License-Identifier: Apache-2.0
#include "server/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "server/durable_write.h"

namespace ota::server {

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Failure DirectoryLock::Take(const std::string& directory) {
  const std::string path = directory + "/lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) return SystemError("write", path, errno);
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return std::nullopt;
  return Error{"another server uses the data directory " + directory +
               "; stop it, or give another --data"};
}

}  // namespace ota::server
