// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/sd_card.h"

#include <algorithm>

#include "storage/block_device/sd_crc.h"

namespace ota::storage {
namespace {

constexpr uint8_t kGoIdle = 0;
constexpr uint8_t kSendInterfaceCondition = 8;
constexpr uint8_t kSendCapacity = 9;
constexpr uint8_t kSendStatus = 13;
constexpr uint8_t kSetBlockLength = 16;
constexpr uint8_t kReadBlocks = 18;
constexpr uint8_t kStopReading = 12;
constexpr uint8_t kWriteBlocks = 25;
constexpr uint8_t kSendOperatingCondition = 41;  // application command
constexpr uint8_t kApplicationCommand = 55;
constexpr uint8_t kReadOperatingCondition = 58;
constexpr uint8_t kCheckBits = 59;

constexpr uint8_t kIdle = 0x01;            // R1
constexpr uint8_t kIllegalCommand = 0x04;  // R1
constexpr uint8_t kNoAnswer = 0xFF;

constexpr uint8_t kReadToken = 0xFE;
constexpr uint8_t kWriteToken = 0xFC;
constexpr uint8_t kStopToken = 0xFD;
constexpr uint8_t kDataAccepted = 0x05;
constexpr uint8_t kDataAnswerMask = 0x1F;

constexpr uint32_t kAnswerBytesMax = 16;       // a card answers within 8
constexpr uint32_t kReadTokenWaitMax = 60000;  // bytes; 100 ms at 5 MHz
constexpr uint32_t kTokenPollBytes = 8;
constexpr uint32_t kVoltageAndPattern = 0x1AA;
constexpr uint32_t kHighCapacity = 0x40000000;
constexpr uint32_t kPowerUpBytes = 10;  // 80 clocks without select
constexpr uint64_t kBlockCountMax = (uint64_t{1} << 32) / SdCard::kBlockBytes - 1;

}  // namespace

uint8_t SdCard::ReadByte() {
  uint8_t byte;
  bus_.Read(MutableByteSpan(&byte, 1));
  return byte;
}

/// Leaves the card selected, for what follows the answer.
uint8_t SdCard::Command(uint8_t index, uint32_t argument) {
  std::array<uint8_t, 6> frame;
  frame[0] = static_cast<uint8_t>(0x40 | index);
  StoreBe32(&frame[1], argument);
  frame[5] = ComputeSdCrc7(ByteSpan(frame).first(5));
  bus_.Select();
  ReadByte();
  bus_.Write(frame);
  if (index == kStopReading) ReadByte();  // a stuff byte
  for (uint32_t i = 0; i < kAnswerBytesMax; ++i) {
    const uint8_t answer = ReadByte();
    if ((answer & 0x80) == 0) return answer;
  }
  return kNoAnswer;
}

uint8_t SdCard::ApplicationCommand(uint8_t index, uint32_t argument) {
  const uint8_t answer = Command(kApplicationCommand, 0);
  EndCommand();
  return answer > kIdle ? answer : Command(index, argument);
}

/// The card lets go of the line only with a clock after the deselect.
void SdCard::EndCommand() {
  bus_.Deselect();
  ReadByte();
}

Status SdCard::Start() {
  if (step_ == Step::kReset) OTA_TRY(Reset());
  if (step_ == Step::kInitialize) OTA_TRY(Initialize());
  return Status::kOk;
}

Status SdCard::Reset() {
  is_reading_ = is_writing_ = is_ending_ = false;
  bus_.Deselect();
  for (uint32_t i = 0; i < kPowerUpBytes; ++i) ReadByte();
  uint8_t answer = Command(kGoIdle, 0);
  EndCommand();
  if (answer != kIdle) return Status::kNotSupported;
  std::array<uint8_t, 4> echo{};
  answer = Command(kSendInterfaceCondition, kVoltageAndPattern);
  if (answer == kIdle) bus_.Read(echo);
  EndCommand();
  is_version2_ = answer == kIdle;
  if (is_version2_ && (LoadBe32(echo.data()) & 0xFFF) != kVoltageAndPattern) {
    return Status::kNotSupported;
  }
  if (!is_version2_ && (answer & kIllegalCommand) == 0) return Status::kMediumFailed;
  answer = Command(kCheckBits, 1);
  EndCommand();
  if (answer != kIdle) return Status::kMediumFailed;
  step_ = Step::kInitialize;
  return Status::kOk;
}

Status SdCard::Initialize() {
  uint8_t answer = ApplicationCommand(kSendOperatingCondition, is_version2_ ? kHighCapacity : 0);
  EndCommand();
  if (answer == kIdle) return Status::kBusy;
  if (answer != 0) return Status::kNotSupported;
  std::array<uint8_t, 4> condition{};
  answer = Command(kReadOperatingCondition, 0);
  if (answer == 0) bus_.Read(condition);
  EndCommand();
  if (answer != 0) return Status::kMediumFailed;
  is_block_addressed_ = is_version2_ && (condition[0] & 0x40) != 0;
  answer = Command(kSetBlockLength, kBlockBytes);
  EndCommand();
  if (answer != 0) return Status::kMediumFailed;
  OTA_TRY(ReadCapacity());
  step_ = Step::kReady;
  return Status::kOk;
}

/// Card specific data, version 1 and 2: chapter 5.3 of the specification.
Status SdCard::ReadCapacity() {
  std::array<uint8_t, 16> csd{};
  const uint8_t answer = Command(kSendCapacity, 0);
  const Status status = answer == 0 ? ReadData(csd) : Status::kMediumFailed;
  EndCommand();
  OTA_TRY(status);
  uint64_t block_count = 0;
  if ((csd[0] >> 6) == 1) {
    const uint32_t size = (uint32_t{csd[7] & 0x3Fu} << 16) | LoadBe16(&csd[8]);
    block_count = (uint64_t{size} + 1) * 1024;
  } else {
    const uint32_t size = ((csd[6] & 3u) << 10) | (uint32_t{csd[7]} << 2) | (csd[8] >> 6);
    const uint32_t factor = ((csd[9] & 3u) << 1) | (csd[10] >> 7);
    const uint32_t length = csd[5] & 15u;
    block_count = (uint64_t{size} + 1) << (factor + 2 + length - 9);
  }
  geometry_ = Geometry{
      .size_bytes = static_cast<uint32_t>(std::min(block_count, kBlockCountMax)) * kBlockBytes,
      .read_unit = kBlockBytes,
      .program_unit = kBlockBytes,
      .erase_unit = kBlockBytes,
      .erased_value = 0,
      .can_reprogram = true,
      .needs_erase = false};
  return Status::kOk;
}

uint32_t SdCard::BlockArgument(uint32_t block) const {
  return is_block_addressed_ ? block : block * kBlockBytes;
}

bool SdCard::IsLineBusy() { return ReadByte() != 0xFF; }

// --- writing

Status SdCard::StartWriting(uint32_t block) {
  if (Command(kWriteBlocks, BlockArgument(block)) != 0) {
    EndCommand();
    return Status::kMediumFailed;
  }
  is_writing_ = true;
  next_block_ = block;
  return Status::kOk;
}

Status SdCard::StartProgram(uint32_t offset, ByteSpan data) {
  const uint32_t block = offset / kBlockBytes;
  if (is_reading_) EndReading();
  if (is_writing_ && block != next_block_) OTA_TRY(EndWriting());
  if (!is_writing_) OTA_TRY(StartWriting(block));
  std::array<uint8_t, 2> crc;
  StoreBe16(crc.data(), ComputeSdCrc16(data));
  const uint8_t start[2] = {0xFF, kWriteToken};
  bus_.Write(start);
  bus_.Write(data);
  bus_.Write(crc);
  next_block_ += 1;
  if ((ReadByte() & kDataAnswerMask) == kDataAccepted) return Status::kOk;
  (void)EndWriting();  // the block's refusal is what counts
  return Status::kMediumFailed;
}

Status SdCard::StartErase(uint32_t offset) {
  static constexpr std::array<uint8_t, kBlockBytes> kZeros{};
  return StartProgram(offset, kZeros);
}

Status SdCard::Poll() {
  if (is_ending_) return EndWriting();
  if (!is_writing_) return Status::kOk;
  return IsLineBusy() ? Status::kBusy : Status::kOk;
}

Status SdCard::Flush() { return is_writing_ || is_ending_ ? EndWriting() : Status::kOk; }

/// Ends the multiple block write, waits for the card by kBusy, and asks how it went.
Status SdCard::EndWriting() {
  if (!is_ending_) {
    if (IsLineBusy()) return Status::kBusy;
    const uint8_t stop[2] = {kStopToken, 0xFF};
    bus_.Write(stop);
    is_writing_ = false;
    is_ending_ = true;
  }
  if (IsLineBusy()) return Status::kBusy;
  is_ending_ = false;
  EndCommand();
  const uint8_t answer = Command(kSendStatus, 0);
  const uint8_t second = ReadByte();
  EndCommand();
  return answer == 0 && second == 0 ? Status::kOk : Status::kMediumFailed;
}

// --- reading

Status SdCard::ReadData(MutableByteSpan target) {
  uint8_t token = 0xFF;
  for (uint32_t i = 0; i < kReadTokenWaitMax && token == 0xFF; ++i) token = ReadByte();
  if (token != kReadToken) return Status::kMediumFailed;
  std::array<uint8_t, 2> crc;
  bus_.Read(target);
  bus_.Read(crc);
  return LoadBe16(crc.data()) == ComputeSdCrc16(target) ? Status::kOk : Status::kMediumFailed;
}

/// Leaves the card selected.
Status SdCard::OpenReading(uint32_t block) {
  if (is_reading_ && block == next_block_) return Status::kOk;
  OTA_TRY(Flush());
  if (is_reading_) EndReading();
  is_reading_ = true;
  next_block_ = block;
  if (Command(kReadBlocks, BlockArgument(block)) == 0) return Status::kOk;
  EndReading();
  return Status::kMediumFailed;
}

void SdCard::EndReading() {
  Command(kStopReading, 0);
  for (uint32_t i = 0; i < kReadTokenWaitMax && IsLineBusy(); ++i) {
  }
  EndCommand();
  is_reading_ = false;
}

Status SdCard::Read(uint32_t offset, MutableByteSpan target) {
  if (target.empty()) return Flush();
  OTA_TRY(OpenReading(offset / kBlockBytes));
  for (size_t at = 0; at < target.size(); at += kBlockBytes) {
    const Status status = ReadData(target.subspan(at, kBlockBytes));
    if (!IsOk(status)) {
      EndReading();
      return status;
    }
    next_block_ += 1;
  }
  return Status::kOk;
}

// --- reading by DMA

Status SdCardTransfer::StartRead(uint32_t offset, MutableByteSpan target) {
  target_ = target;
  at_ = 0;
  has_token_ = false;
  waited_bytes_ = 0;
  return card_.OpenReading(offset / SdCard::kBlockBytes);
}

Status SdCardTransfer::PollRead() {
  if (has_token_ && bus_.IsReading()) return Status::kBusy;
  Status status = has_token_ ? TakeBlock() : Status::kOk;
  if (IsOk(status) && at_ < target_.size()) status = PollToken();
  if (status == Status::kMediumFailed) card_.EndReading();
  return status;
}

/// Looks for the token in some bytes, and starts the block that is behind it. kBusy, unless it
/// fails.
Status SdCardTransfer::PollToken() {
  for (uint32_t i = 0; i < kTokenPollBytes; ++i) {
    const uint8_t token = card_.ReadByte();
    if (token == 0xFF) continue;
    if (token != kReadToken) return Status::kMediumFailed;
    has_token_ = true;
    bus_.StartRead(block());
    return Status::kBusy;
  }
  waited_bytes_ += kTokenPollBytes;
  return waited_bytes_ < kReadTokenWaitMax ? Status::kBusy : Status::kMediumFailed;
}

Status SdCardTransfer::TakeBlock() {
  std::array<uint8_t, 2> crc;
  bus_.Read(crc);
  if (LoadBe16(crc.data()) != ComputeSdCrc16(block())) return Status::kMediumFailed;
  card_.next_block_ += 1;
  at_ += SdCard::kBlockBytes;
  has_token_ = false;
  waited_bytes_ = 0;
  return Status::kOk;
}

void SdCardTransfer::AbandonRead() {
  if (has_token_) bus_.StopReading();
  card_.EndReading();
}

}  // namespace ota::storage
