// SPDX-License-Identifier: Apache-2.0
#include "server/durable_write.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ota::server {

namespace {

std::string_view Remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "make room on that disk, or use another one";
    case EACCES:
    case EPERM:
    case EROFS:
      return "see that this user may write there, or use another directory";
    case ENOENT:
    case ENOTDIR:
      return "make the directory first";
    case EEXIST:
      return "it must not exist yet";
    default:
      return "see to that and start again";
  }
}

// Writes all of `text`; 0 or the error number.
int WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return fsync(descriptor) == 0 ? 0 : errno;
}

}  // namespace

Error SystemError(std::string_view verb, std::string_view path, int error) {
  std::string message = "cannot ";
  message.append(verb).append(" ").append(path).append(": ").append(std::strerror(error));
  return Error{message.append("; ").append(Remedy(error))};
}

Failure SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("open", directory, errno);
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  if (error != 0) return SystemError("sync", directory, error);
  return std::nullopt;
}

Failure WriteDurably(const std::string& path, std::string_view text, mode_t mode) {
  std::string beside = path + ".XXXXXX";
  const int descriptor = mkostemp(beside.data(), O_CLOEXEC);
  if (descriptor < 0) return SystemError("write", path, errno);
  int error = WriteAll(descriptor, text);
  if (error == 0 && fchmod(descriptor, mode) != 0) error = errno;
  close(descriptor);
  if (error == 0 && rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    unlink(beside.c_str());
    return SystemError("write", path, error);
  }
  return SyncDirectoryOf(path);
}

}  // namespace ota::server
