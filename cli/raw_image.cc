// SPDX-License-Identifier: Apache-2.0
#include "cli/raw_image.h"

#include "cli/commands.h"
#include "cli/store_content.h"

namespace ota::cli {
namespace {

class RawImage final : public VolumeImage {
 public:
  explicit RawImage(std::vector<uint8_t> bytes) : VolumeImage(std::move(bytes)) {}

  Status Format(uint32_t erase_unit, uint32_t program_unit) {
    store_ = std::make_unique<RawStoreRegion>(bytes_, erase_unit, program_unit, 0,
                                              static_cast<uint32_t>(bytes_.size()));
    return store_->Format();
  }
  bool Find() {
    store_ = RawStoreRegion::Find(bytes_, 0, static_cast<uint32_t>(bytes_.size()));
    return store_ != nullptr;
  }

  std::string description() const override {
    return "raw model store, erase units of " + std::to_string(store_->geometry().erase_unit) +
           " and program units of " + std::to_string(store_->geometry().program_unit) + " bytes";
  }
  std::vector<ImageEntry> List() override { return store_->content().List(); }
  std::vector<uint8_t> Read(const std::string& name) override {
    return store_->content().Read(name);
  }
  void Add(const std::string& name, const std::vector<uint8_t>& content) override {
    store_->content().Add(name, content);
  }
  uint64_t ReadFreeBytes() override { return store_->content().ReadFreeBytes(); }
  ImageCheck Check(bool) override {
    ImageCheck check;
    store_->content().Check(check);
    return check;
  }

 private:
  std::unique_ptr<RawStoreRegion> store_;
};

}  // namespace

std::unique_ptr<VolumeImage> MakeRawImage(uint32_t size_bytes, uint32_t erase_unit,
                                          uint32_t program_unit) {
  if (program_unit == 0 || erase_unit == 0 || erase_unit % program_unit != 0 ||
      size_bytes % erase_unit != 0) {
    throw CommandError("--size must be a multiple of --erase-unit, that one of --program-unit", 2);
  }
  auto image = std::make_unique<RawImage>(std::vector<uint8_t>(size_bytes, 0xFF));
  const Status status = image->Format(erase_unit, program_unit);
  if (status == Status::kNotSupported) {
    throw CommandError(std::to_string(size_bytes) + " bytes is no size for a model store with " +
                           "erase units of " + std::to_string(erase_unit) +
                           " and program units of " + std::to_string(program_unit) +
                           " bytes; give another --size",
                       2);
  }
  if (status != Status::kOk) {
    throw CommandError("cannot make a model store of these units: " +
                           std::string(StatusSentence(status)) + " Give another --size",
                       2);
  }
  return image;
}

std::unique_ptr<VolumeImage> OpenRawImage(const std::vector<uint8_t>& bytes) {
  auto image = std::make_unique<RawImage>(bytes);
  if (image->Find()) return image;
  return nullptr;
}

}  // namespace ota::cli
