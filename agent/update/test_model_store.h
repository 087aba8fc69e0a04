// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "storage/model_store/model_store.h"

namespace ota::agent {

/// A model store in memory with one candidate, for tests of what drives a store: every call answers
/// kBusy first, Append takes a few bytes at a time, and faults can be asked for.
class TestModelStore final : public storage::ModelStore {
 public:
  uint32_t capacity_bytes = 1 << 20;
  uint32_t failing_append_offset = UINT32_MAX;  ///< the medium fails from here on
  bool is_corrupting = false;                   ///< what is read back differs

  // What happened.
  int begin_count = 0;
  bool is_staged = false;
  storage::StageRequest staging;
  std::string bytes;

  /// As if power had been lost: the tail that was not durable is gone, and Resume is needed.
  void Reboot(uint32_t durable_bytes) {
    bytes.resize(std::min<size_t>(bytes.size(), durable_bytes));
    is_resumed_ = false;
  }

  Status Mount() override { return Status::kOk; }
  Status Format() override { return Status::kOk; }
  Status Begin(const storage::StageRequest& request) override {
    if (IsBusy()) return Status::kBusy;
    if (!request.name.is_valid()) return Status::kNameInvalid;
    if (request.size_bytes == 0) return Status::kInvalidArgument;
    if (request.size_bytes > capacity_bytes) return Status::kStorageFull;
    ++begin_count;
    staging = request;
    bytes.clear();
    is_staging_ = true;
    is_resumed_ = true;
    is_staged = false;
    return Status::kOk;
  }
  Result<uint32_t> Append(ByteSpan data) override {
    if (IsBusy()) return Status::kBusy;
    if (!is_staging_ || !is_resumed_) return Status::kWrongState;
    if (data.size() > staging.size_bytes - bytes.size()) return Status::kOutOfRange;
    if (bytes.size() >= failing_append_offset) return Status::kMediumFailed;
    const size_t count = std::min<size_t>(data.size(), 100);
    bytes.append(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    return static_cast<uint32_t>(count);
  }
  Result<storage::ImageInfo> FindStaging() override {
    if (!is_staging_) return Status::kNotFound;
    storage::ImageInfo info;
    info.name = staging.name;
    info.size_bytes = staging.size_bytes;
    info.digest = staging.digest;
    info.sequence_number = staging.sequence_number;
    info.durable_bytes = static_cast<uint32_t>(bytes.size());
    return info;
  }
  Status Resume() override {
    if (IsBusy()) return Status::kBusy;
    if (!is_staging_) return Status::kNotFound;
    is_resumed_ = true;
    return Status::kOk;
  }
  uint32_t staged_bytes() const override {
    return is_staging_ && is_resumed_ ? static_cast<uint32_t>(bytes.size()) : 0;
  }
  Status Finish() override {
    if (IsBusy()) return Status::kBusy;
    if (!is_staging_ || bytes.size() != staging.size_bytes) return Status::kWrongState;
    is_staging_ = false;
    if (is_corrupting) bytes[0] = static_cast<char>(bytes[0] ^ 1);
    const ByteSpan all(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (crypto::ComputeSha256(all) != staging.digest) return Status::kDigestMismatch;
    is_staged = true;
    return Status::kOk;
  }
  Status Abandon() override {
    is_staging_ = false;
    return Status::kOk;
  }
  Status Activate(const storage::ModelName&) override { return Status::kNotSupported; }
  Status Confirm(const storage::ModelName&) override { return Status::kNotSupported; }
  Status Revert(const storage::ModelName&) override { return Status::kNotSupported; }
  Status Delete(const storage::ModelName&) override { return Status::kNotSupported; }
  uint32_t image_count() const override { return 0; }
  Result<storage::ImageInfo> ReadImageInfo(uint32_t) override { return Status::kOutOfRange; }
  Result<storage::ImageInfo> FindImage(const storage::ModelName& name,
                                       storage::ImageChoice) override {
    if (!is_staged || !(name == staging.name)) return Status::kNotFound;
    storage::ImageInfo info;
    info.name = staging.name;
    info.state = storage::ImageState::kConfirmed;
    info.size_bytes = staging.size_bytes;
    info.digest = staging.digest;
    info.sequence_number = staging.sequence_number;
    return info;
  }
  Result<ByteSource*> Open(const storage::ModelName&, storage::ImageChoice) override {
    return Status::kNotFound;
  }
  void Close(ByteSource*) override {}
  storage::StoreSpace space() override { return {}; }
  uint32_t NeededBytes(uint32_t size_bytes) const override { return size_bytes; }
  Status Scrub(storage::ScrubReport&) override { return Status::kNotSupported; }
  Status WriteNote(uint8_t, ByteSpan) override { return Status::kNotSupported; }
  Result<uint32_t> ReadNote(uint8_t, MutableByteSpan) override { return Status::kNotFound; }

 private:
  bool IsBusy() {
    is_busy_ = !is_busy_;
    return is_busy_;
  }

  bool is_staging_ = false;
  bool is_resumed_ = false;
  bool is_busy_ = false;
};

}  // namespace ota::agent
