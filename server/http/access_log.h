// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "server/expected.h"

namespace ota::server {

/// One answered request, or one connection that ended before it had made one (method empty).
struct AccessRecord {
  std::string remote;
  std::string method;
  std::string target;
  int status = 0;
  uint64_t sent_bytes = 0;
  std::chrono::microseconds duration{};
  std::string agent;
  std::string note;  ///< What went wrong, if anything.
};

/// One line, without its end: time, remote, "method target", status, bytes, ms, "agent", note.
/// Whatever the peer sent is escaped, so that it can forge neither fields nor lines.
std::string FormatAccessRecord(const AccessRecord& record,
                               std::chrono::system_clock::time_point now);

/// Where the records go: one line each, whole lines even with several threads. Thread-safe. When
/// the log cannot be written (disk full) the server goes on, and says so once on stderr.
class AccessLog {
 public:
  /// Appends to `path`; empty means stderr. Error: it cannot be opened.
  static Expected<std::unique_ptr<AccessLog>> Open(const std::string& path);
  ~AccessLog();

  void Append(const AccessRecord& record);

  /// Opens the path anew, after it was rotated. Keeps the old one if that fails.
  Failure Reopen();

 private:
  AccessLog(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  const std::string path_;
  std::mutex mutex_;  // guards what follows
  int descriptor_;
  bool has_failed_ = false;
};

}  // namespace ota::server
