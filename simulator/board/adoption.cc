// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/adoption.h"

#include <array>

#include "crypto/host/hex.h"
#include "crypto/sha256.h"
#include "simulator/board/digest_list.h"
#include "simulator/board/virtual_board.h"

namespace ota::simulator {
namespace {

constexpr std::string_view kModelSuffix = ".tflite";

AdoptedFile::Verdict JudgeFile(const DigestList& digests, const std::string& file_name,
                               ByteSpan bytes) {
  const auto found = digests.find(file_name);
  if (found == digests.end()) return AdoptedFile::Verdict::kUnlisted;
  return found->second == crypto::HexText(crypto::ComputeSha256(bytes))
             ? AdoptedFile::Verdict::kVerified
             : AdoptedFile::Verdict::kRefused;
}

Result<std::vector<std::string>> FindModelFiles(storage::FileSystem& files) {
  std::vector<std::string> found;
  std::array<char, 256> name;
  OTA_TRY(storage::Directory root, files.OpenDirectory(""));
  for (;;) {
    const Result<storage::FileInfo> info = files.ReadDirectory(root, name);
    if (info.status() == Status::kEndOfInput) return found;
    if (info.status() == Status::kBufferTooSmall) continue;
    OTA_TRY(info.status());
    if (!info->is_directory && info->name.ends_with(kModelSuffix)) found.emplace_back(info->name);
  }
}

Result<std::vector<uint8_t>> ReadWholeFile(storage::FileSystem& files, const std::string& file_name,
                                           uint32_t file_bytes_max) {
  OTA_TRY(storage::File file, files.Open(file_name));
  if (file.size_bytes > file_bytes_max) return Status::kCorrupted;
  std::vector<uint8_t> bytes(file.size_bytes);
  OTA_TRY(files.Read(file, 0, bytes));
  return bytes;
}

Status StoreModel(storage::ModelStore& store, const std::string& name, ByteSpan bytes) {
  const storage::ModelName model{name};
  const storage::StageRequest request = {.name = model,
                                         .size_bytes = static_cast<uint32_t>(bytes.size()),
                                         .digest = crypto::ComputeSha256(bytes)};
  OTA_TRY(RunToEnd([&] { return store.Begin(request); }));
  for (ByteSpan rest = bytes; !rest.empty();) {
    OTA_TRY(const uint32_t taken, RunToEnd([&] { return store.Append(rest); }));
    rest = rest.subspan(taken);
  }
  OTA_TRY(RunToEnd([&] { return store.Finish(); }));
  OTA_TRY(RunToEnd([&] { return store.Activate(model); }));
  return RunToEnd([&] { return store.Confirm(model); });
}

}  // namespace

Result<std::vector<AdoptedFile>> AdoptFiles(storage::FileSystem& files, storage::ModelStore& store,
                                            uint32_t file_bytes_max) {
  const Result<std::vector<uint8_t>> list = ReadWholeFile(files, kDigestListName, file_bytes_max);
  if (!list.ok() && list.status() != Status::kNotFound) return list.status();
  const auto digests = list.ok() ? ParseDigestList({list->begin(), list->end()}) : DigestList();
  OTA_TRY(const std::vector<std::string> names, FindModelFiles(files));
  std::vector<AdoptedFile> adopted;
  for (const std::string& name : names) {
    OTA_TRY(const std::vector<uint8_t> bytes, ReadWholeFile(files, name, file_bytes_max));
    const std::string model = name.substr(0, name.size() - kModelSuffix.size());
    const bool is_model = storage::ModelName(model).is_valid() && !bytes.empty();
    const AdoptedFile::Verdict verdict =
        is_model ? JudgeFile(digests, name, bytes) : AdoptedFile::Verdict::kRefused;
    if (verdict != AdoptedFile::Verdict::kRefused) OTA_TRY(StoreModel(store, model, bytes));
    adopted.push_back({model, verdict});
  }
  return adopted;
}

}  // namespace ota::simulator
