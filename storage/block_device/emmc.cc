// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/emmc.h"

#include <algorithm>

#include "base/units.h"
#include "storage/block_device/sd_crc.h"

namespace ota::storage {
namespace {

constexpr uint8_t kGoIdle = 0;
constexpr uint8_t kSendOperatingCondition = 1;
constexpr uint8_t kSendAllIdentification = 2;
constexpr uint8_t kSetRelativeAddress = 3;
constexpr uint8_t kSwitch = 6;
constexpr uint8_t kSelect = 7;
constexpr uint8_t kSendExtendedCsd = 8;
constexpr uint8_t kSendCsd = 9;
constexpr uint8_t kStopTransmission = 12;
constexpr uint8_t kSendStatus = 13;
constexpr uint8_t kSetBlockLength = 16;
constexpr uint8_t kReadMultipleBlocks = 18;
constexpr uint8_t kSetBlockCount = 23;
constexpr uint8_t kWriteBlock = 24;
constexpr uint8_t kWriteMultipleBlocks = 25;
constexpr uint8_t kEraseGroupStart = 35;
constexpr uint8_t kEraseGroupEnd = 36;
constexpr uint8_t kErase = 38;

constexpr uint32_t kVoltages = 0x00FF8080;
constexpr uint32_t kSectorMode = 0x40000000;
constexpr uint32_t kPoweredUp = 0x80000000;
constexpr uint32_t kRelativeAddress = 1u << 16;
constexpr uint32_t kReliableWrite = 1u << 31;
constexpr uint32_t kTrim = 1;

// Of the device status: all that tell of an error, SWITCH_ERROR included.
constexpr uint32_t kStatusErrors = 0xFDF90080;
constexpr uint32_t kStatusStates = 0x1E00;
constexpr uint32_t kTransferState = 4u << 9;

// Bytes of the extended CSD.
constexpr uint8_t kFlushCache = 32;
constexpr uint8_t kCacheControl = 33;
constexpr uint8_t kBusWidth = 183;
constexpr uint8_t kHighSpeedTiming = 185;
constexpr size_t kSectorCountAt = 212;
constexpr size_t kCacheSizeAt = 249;  // KiB

constexpr uint32_t kIdentificationHz = 400'000;
constexpr uint32_t kHighSpeedHz = 52'000'000;
constexpr uint8_t kVersionMin = 4;
constexpr uint32_t kSectorCountMax = UINT32_MAX / Emmc::kSectorBytes;

}  // namespace

/// False: no answer, or one with wrong check bits.
bool Emmc::Send(uint8_t index, uint32_t argument, MutableByteSpan response) {
  std::array<uint8_t, 6> frame;
  frame[0] = static_cast<uint8_t>(0x40 | index);
  StoreBe32(&frame[1], argument);
  frame[5] = ComputeSdCrc7(ByteSpan(frame).first(5));
  if (!bus_.Command(frame, response)) return false;
  if (response.empty() || index == kSendOperatingCondition) return true;
  // The long ones are registers, whose own check bits leave out the first byte.
  const ByteSpan checked = response.size() == 6 ? response.first(5) : response.subspan(1, 15);
  return response.back() == ComputeSdCrc7(checked);
}

Status Emmc::Command(uint8_t index, uint32_t argument) {
  ShortResponse response{};
  const bool is_answered = Send(index, argument, response);
  if (is_answered && (LoadBe32(&response[1]) & kStatusErrors) == 0) return Status::kOk;
  ClearErrors();
  return Status::kMediumFailed;
}

/// An error stays in the status until it was told; the next command shall begin without.
void Emmc::ClearErrors() {
  ShortResponse response{};
  (void)Send(kSendStatus, kRelativeAddress, response);  // what it says is known
}

/// Sets a byte of the extended CSD; the part is at work afterwards.
Status Emmc::Switch(uint8_t index, uint8_t value) {
  constexpr uint32_t kWriteByte = 3u << 24;
  OTA_TRY(Command(kSwitch, kWriteByte | uint32_t{index} << 16 | uint32_t{value} << 8));
  is_at_work_ = true;
  return Status::kOk;
}

// --- from power on to the transfer state

Status Emmc::Start() {
  for (;;) {
    switch (step_) {
      case Step::kReset:
        bus_.SetFrequency(kIdentificationHz);
        bus_.SetLineCount(1);
        line_count_ = 1;
        is_cached_ = is_at_work_ = is_reading_ = has_unflushed_ = false;
        (void)Send(kGoIdle, 0, {});  // has no answer
        step_ = Step::kInitialize;
        break;
      case Step::kInitialize:
        OTA_TRY(Initialize());
        step_ = Step::kIdentify;
        break;
      case Step::kIdentify:
        OTA_TRY(Identify());
        OTA_TRY(ReadRegisters());
        OTA_TRY(Switch(kHighSpeedTiming, 1));
        step_ = Step::kSpeedUp;
        break;
      case Step::kSpeedUp:
        OTA_TRY(SpeedUp());
        step_ = Step::kWiden;
        break;
      case Step::kWiden:
        OTA_TRY(Widen());
        step_ = Step::kReady;
        break;
      case Step::kReady:
        return Poll();
    }
  }
}

Status Emmc::Initialize() {
  ShortResponse response{};
  const bool is_there = Send(kSendOperatingCondition, kSectorMode | kVoltages, response);
  const uint32_t condition = LoadBe32(&response[1]);
  if (is_there && (condition & kPoweredUp) == 0) return Status::kBusy;
  const bool is_known = is_there && (condition & kSectorMode) != 0;
  if (!is_known) step_ = Step::kReset;
  return is_known ? Status::kOk : Status::kNotSupported;
}

Status Emmc::Identify() {
  std::array<uint8_t, 17> response;
  const bool is_identified = Send(kSendAllIdentification, 0, response) &&
                             IsOk(Command(kSetRelativeAddress, kRelativeAddress)) &&
                             Send(kSendCsd, kRelativeAddress, response);
  step_ = Step::kReset;  // where it begins again, if what follows fails
  if (!is_identified) return Status::kMediumFailed;
  const uint8_t version = (response[1] >> 2) & 15;
  if (version < kVersionMin) return Status::kNotSupported;
  return Command(kSelect, kRelativeAddress);
}

Status Emmc::ReadRegisters() {
  std::array<uint8_t, kSectorBytes> registers;
  OTA_TRY(Command(kSendExtendedCsd, 0));
  OTA_TRY(ReadData(registers));
  OTA_TRY(Command(kSetBlockLength, kSectorBytes));
  const uint32_t sectors = std::min(LoadLe32(&registers[kSectorCountAt]), kSectorCountMax);
  if (sectors == 0) return Status::kNotSupported;
  if (line_count_ != 1)
    return sectors * kSectorBytes == geometry_.size_bytes ? Status::kOk : Status::kMediumFailed;
  cache_kib_ = LoadLe32(&registers[kCacheSizeAt]);
  geometry_ = Geometry{.size_bytes = sectors * kSectorBytes,
                       .read_unit = kSectorBytes,
                       .program_unit = kSectorBytes,
                       .erase_unit = kSectorBytes,
                       .erased_value = 0,
                       .can_reprogram = true,
                       .needs_erase = false};
  return Status::kOk;
}

Status Emmc::SpeedUp() {
  OTA_TRY(Poll());
  bus_.SetFrequency(kHighSpeedHz);
  const uint32_t wired = bus_.line_count();
  return SwitchLines(wired >= 8 ? 8 : wired >= 4 ? 4 : 1);
}

Status Emmc::SwitchLines(uint32_t count) {
  line_count_ = count;
  return Switch(kBusWidth, count == 8 ? 2 : count == 4 ? 1 : 0);
}

/// Of more lines than one it must be seen that they are there: the registers must come over them as
/// they came over one.
Status Emmc::Widen() {
  const Status switched = Poll();
  if (switched == Status::kBusy) return switched;
  step_ = Step::kReset;  // where it begins again, if what follows fails
  bus_.SetLineCount(line_count_);
  if (line_count_ != 1 && (!IsOk(switched) || !IsOk(ReadRegisters()))) {
    OTA_TRY(SwitchLines(line_count_ == 8 ? 4 : 1));
    step_ = Step::kWiden;
    return Status::kBusy;
  }
  if (cache_kib_ == 0 || writing_ == EmmcWriting::kReliable) return Status::kOk;
  OTA_TRY(Switch(kCacheControl, 1));
  is_cached_ = true;
  return Status::kOk;
}

// --- writing

Status Emmc::StartProgram(uint32_t offset, ByteSpan data) {
  const uint32_t sector = offset / kSectorBytes;
  OTA_TRY(CloseReading());
  if (writing_ == EmmcWriting::kReliable) {
    OTA_TRY(Command(kSetBlockCount, kReliableWrite | 1));
    OTA_TRY(Command(kWriteMultipleBlocks, sector));
  } else {
    OTA_TRY(Command(kWriteBlock, sector));
  }
  has_unflushed_ = is_cached_;
  return WriteData(data);
}

Status Emmc::WriteData(ByteSpan data) {
  is_at_work_ = true;
  const BlockAnswer answer = bus_.WriteBlock(data, ComputeLineCheckBits(data, line_count_));
  if (answer == BlockAnswer::kAccepted) return Status::kOk;
  // The refusal is what counts; the write that it leaves open is ended.
  if (writing_ == EmmcWriting::kReliable) (void)Command(kStopTransmission, 0);
  ClearErrors();
  is_at_work_ = false;
  return Status::kMediumFailed;
}

Status Emmc::StartErase(uint32_t offset) {
  const uint32_t sector = offset / kSectorBytes;
  OTA_TRY(CloseReading());
  OTA_TRY(Command(kEraseGroupStart, sector));
  OTA_TRY(Command(kEraseGroupEnd, sector));
  OTA_TRY(Command(kErase, kTrim));
  is_at_work_ = true;
  return Status::kOk;
}

/// After each piece of work the status is asked for once: it tells whether it went well.
Status Emmc::Poll() {
  if (!is_at_work_) return Status::kOk;
  if (bus_.IsBusy()) return Status::kBusy;
  is_at_work_ = false;
  ShortResponse response{};
  if (!Send(kSendStatus, kRelativeAddress, response)) return Status::kMediumFailed;
  const uint32_t status = LoadBe32(&response[1]);
  const bool is_well = (status & kStatusErrors) == 0 && (status & kStatusStates) == kTransferState;
  return is_well ? Status::kOk : Status::kMediumFailed;
}

Status Emmc::Flush() {
  OTA_TRY(Poll());
  if (!has_unflushed_) return Status::kOk;
  OTA_TRY(CloseReading());
  has_unflushed_ = false;
  OTA_TRY(Switch(kFlushCache, 1));
  return Poll();
}

// --- reading

Status Emmc::ReadData(MutableByteSpan target) {
  LineCheckBits crc{};
  const bool is_sound =
      bus_.ReadBlock(target, crc) && crc == ComputeLineCheckBits(target, line_count_);
  return is_sound ? Status::kOk : Status::kMediumFailed;
}

Status Emmc::OpenReading(uint32_t sector) {
  if (is_reading_ && sector == next_sector_) return Status::kOk;
  OTA_TRY(CloseReading());
  OTA_TRY(Poll());
  is_reading_ = true;
  next_sector_ = sector;
  const Status status = Command(kReadMultipleBlocks, sector);
  if (!IsOk(status)) (void)CloseReading();  // it may have heard the command all the same
  return status;
}

/// Back to the transfer state. Of what the part tells only that it was heard counts: it may have
/// read on beyond its end.
Status Emmc::CloseReading() {
  if (!is_reading_) return Status::kOk;
  is_reading_ = false;
  ShortResponse response{};
  if (Send(kStopTransmission, 0, response)) return Status::kOk;
  ClearErrors();
  return Status::kMediumFailed;
}

Status Emmc::Read(uint32_t offset, MutableByteSpan target) {
  if (target.empty()) return Poll();
  OTA_TRY(OpenReading(offset / kSectorBytes));
  for (size_t at = 0; at < target.size(); at += kSectorBytes) {
    const Status status = ReadData(target.subspan(at, kSectorBytes));
    if (!IsOk(status)) {
      (void)CloseReading();  // the first failure counts
      return status;
    }
    next_sector_ += 1;
  }
  return Status::kOk;
}

// --- reading by DMA

Status EmmcTransfer::StartRead(uint32_t offset, MutableByteSpan target) {
  OTA_TRY(emmc_.OpenReading(offset / Emmc::kSectorBytes));
  sector_count_ = static_cast<uint32_t>(target.size() / Emmc::kSectorBytes);
  bus_.StartBlocks(target);
  return Status::kOk;
}

Status EmmcTransfer::PollRead() {
  const Status status = bus_.PollBlocks();
  if (IsOk(status)) emmc_.next_sector_ += sector_count_;
  if (status == Status::kMediumFailed) (void)emmc_.CloseReading();  // the first failure counts
  return status;
}

void EmmcTransfer::AbandonRead() {
  bus_.StopBlocks();
  (void)emmc_.CloseReading();  // a part that is gone is noticed by what comes next
}

}  // namespace ota::storage
