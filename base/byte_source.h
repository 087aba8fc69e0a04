// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace ota {

/// Random access to bytes that lie somewhere: in memory, on a memory unit, in a file. It is what
/// lets the engine run a model from storage without either knowing the other.
///
/// What it reads must not change while a source is open on it.
class ByteSource {
 public:
  /// Length of the whole, in bytes. Constant over the life of the source.
  virtual uint32_t size_bytes() const = 0;

  /// Fills all of `target` with the bytes from `offset` on.
  /// kOutOfRange: the range lies outside of the source; `target` is unchanged.
  /// kMediumFailed, kCorrupted: the medium could not be read; `target` holds nothing of use, and
  /// the same Read may be tried again.
  virtual Status Read(uint32_t offset, MutableByteSpan target) = 0;

  /// Whether the medium can be read while the processor goes on: StartRead and what follows.
  virtual bool can_read_ahead() const { return false; }

  /// Begins to fill `target` as Read does, and returns at once. `target` must be left alone until
  /// FinishRead has returned something else than kBusy, or AbandonRead was called. Only one read
  /// can be under way; Read may be called meanwhile. kWrongState: one is under way. kNotSupported:
  /// the source cannot. Otherwise as Read.
  virtual Status StartRead(uint32_t /*offset*/, MutableByteSpan /*target*/) {
    return Status::kNotSupported;
  }
  /// kOk: `target` is filled. kBusy: not yet. kWrongState: none is under way. Otherwise as Read.
  /// None is under way any more unless it is kBusy.
  virtual Status FinishRead() { return Status::kWrongState; }
  /// Gives up what StartRead began, if there is such: its `target` is not written any more.
  virtual void AbandonRead() {}

  /// The whole as addressable memory, if the medium is memory mapped; otherwise nothing. The span
  /// lives as long as the source.
  virtual std::optional<ByteSpan> Map() const { return std::nullopt; }
  /// Where that memory begins, or null.
  const uint8_t* mapped_bytes() const;

 protected:
  ~ByteSource() = default;
};

/// A source over bytes in memory, which must outlive it. Memory mapped.
class MemoryByteSource final : public ByteSource {
 public:
  explicit MemoryByteSource(ByteSpan bytes) : bytes_(bytes) {}

  uint32_t size_bytes() const override { return static_cast<uint32_t>(bytes_.size()); }
  Status Read(uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> Map() const override { return bytes_; }

 private:
  ByteSpan bytes_;
};

}  // namespace ota
