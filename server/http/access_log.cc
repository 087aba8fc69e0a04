// SPDX-License-Identifier: Apache-2.0
#include "server/http/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace ota::server {

namespace {

constexpr size_t kFieldCharsMax = 256;

// What a peer sent, made fit for a quoted field.
std::string Escaped(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string escaped;
  for (const char c : text.substr(0, kFieldCharsMax)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
      escaped += c;
      continue;
    }
    escaped += "\\x";
    escaped += kDigits[byte >> 4];
    escaped += kDigits[byte & 15];
  }
  return text.size() > kFieldCharsMax ? escaped + "..." : escaped;
}

std::string TimeText(std::chrono::system_clock::time_point now) {
  const auto since_epoch = now.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch - seconds);
  const time_t time = seconds.count();
  struct tm parts;
  gmtime_r(&time, &parts);
  char text[64];
  const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(ms.count()));
  return text;
}

int OpenLog(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

Error OpenError(const std::string& path) {
  return Error{"cannot open the access log " + path + ": " + std::strerror(errno) +
               "; give another --access-log"};
}

}  // namespace

std::string FormatAccessRecord(const AccessRecord& record,
                               std::chrono::system_clock::time_point now) {
  char number[32];
  snprintf(number, sizeof number, "%.1f", static_cast<double>(record.duration.count()) / 1000.0);
  std::string line = TimeText(now) + " " + (record.remote.empty() ? "-" : record.remote) + " \"";
  if (!record.method.empty()) line += Escaped(record.method) + " " + Escaped(record.target);
  line += "\" " + (record.status == 0 ? std::string("-") : std::to_string(record.status)) + " " +
          std::to_string(record.sent_bytes) + " " + number + "ms \"" + Escaped(record.agent) + "\"";
  if (!record.note.empty()) line += " \"" + Escaped(record.note) + "\"";
  return line;
}

Expected<std::unique_ptr<AccessLog>> AccessLog::Open(const std::string& path) {
  const int descriptor = path.empty() ? STDERR_FILENO : OpenLog(path);
  if (descriptor < 0) return OpenError(path);
  return std::unique_ptr<AccessLog>(new AccessLog(path, descriptor));
}

AccessLog::~AccessLog() {
  if (!path_.empty()) close(descriptor_);
}

void AccessLog::Append(const AccessRecord& record) {
  const std::string line = FormatAccessRecord(record, std::chrono::system_clock::now()) + "\n";
  const std::lock_guard lock(mutex_);
  // One write, so that a line stays whole even when another process appends too.
  const ssize_t count = write(descriptor_, line.data(), line.size());
  const bool is_whole = count == static_cast<ssize_t>(line.size());
  if (!is_whole && !has_failed_) {
    fprintf(stderr, "ota-tinyml: cannot write the access log %s: %s; requests are not logged\n",
            path_.empty() ? "(stderr)" : path_.c_str(),
            count < 0 ? std::strerror(errno) : "no space left");
  }
  has_failed_ = !is_whole;
}

Failure AccessLog::Reopen() {
  if (path_.empty()) return std::nullopt;
  const int descriptor = OpenLog(path_);
  if (descriptor < 0) return OpenError(path_);
  const std::lock_guard lock(mutex_);
  close(descriptor_);
  descriptor_ = descriptor;
  return std::nullopt;
}

}  // namespace ota::server
