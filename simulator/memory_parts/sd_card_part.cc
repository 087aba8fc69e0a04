// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/sd_card_part.h"

#include <algorithm>
#include <array>

#include "base/units.h"
#include "storage/block_device/sd_crc.h"

namespace ota::simulator {

const SdCardTraits kSdsc64M = {
    .name = "SD 64 MB", .size_bytes = MiB(64), .is_high_capacity = false};
const SdCardTraits kSdhc2G = {.name = "SDHC", .size_bytes = MiB(2048)};

namespace {

constexpr uint8_t kR1Idle = 0x01;
constexpr uint8_t kR1Illegal = 0x04;
constexpr uint8_t kR1BadCheckBits = 0x08;
constexpr uint8_t kR1EraseSequence = 0x10;
constexpr uint8_t kR1Address = 0x20;
constexpr uint8_t kR1Parameter = 0x40;
constexpr uint8_t kReadToken = 0xFE;
constexpr uint8_t kReadErrorToken = 0x08;  // the card's own error correction failed
constexpr uint8_t kSingleToken = 0xFE;
constexpr uint8_t kMultipleToken = 0xFC;
constexpr uint8_t kStopToken = 0xFD;
constexpr uint8_t kAccepted = 0xE5;
constexpr uint8_t kRefusedCheckBits = 0xEB;
constexpr uint8_t kRefusedWrite = 0xED;
constexpr uint32_t kReadAheadBlocks = 1;
constexpr uint32_t kGapBytes = 7;  // between two blocks: more than a command takes

SdCardTraits Resize(SdCardTraits traits, uint32_t size_bytes) {
  if (size_bytes != 0) traits.size_bytes = size_bytes;
  return traits;
}

}  // namespace

SdCardPart::SdCardPart(const SdCardTraits& traits, SimulatedClock& clock, PowerSupply& power,
                       const std::string& path, uint32_t size_bytes)
    : SpiPart(clock, traits.frequency_hz),
      traits_(Resize(traits, size_bytes)),
      cells_({.size_bytes = traits_.size_bytes,
              .group_bytes = traits_.group_bytes,
              .group_endurance = traits_.group_endurance},
             power, path) {}

void SdCardPart::Reset() {
  DropIncoming();
  cells_.DropCache();
  in_.clear();
  out_.clear();
  mode_ = Mode::kSpiUnknown;
  receive_ = Receive::kCommand;
  checks_bits_ = is_application_ = is_multiple_ = is_reading_many_ = has_failed_ = false;
  erase_step_ = 0;
  busy_until_ns_ = 0;
}

void SdCardPart::OnDeselect() {
  in_.clear();
  if (!is_reading_many_) out_.clear();
}

uint8_t SdCardPart::Exchange(uint8_t in) {
  if (!array().power().is_on()) return 0xFF;
  if (receive_ == Receive::kData) {
    TakeDataByte(in);
    return 0xFF;
  }
  const uint8_t out = NextOut();
  if (receive_ == Receive::kToken && in_.empty() && (in & 0xC0) != 0x40) {
    TakeToken(in);
  } else {
    TakeCommandByte(in);
  }
  return out;
}

uint8_t SdCardPart::NextOut() {
  if (out_.empty() && is_reading_many_ && gap_count_++ == kGapBytes) QueueSector(sector_++);
  if (!out_.empty()) {
    if (out_.front() == kReadToken && clock().now_ns() < block_at_ns_) {
      if (clock().skips_waits()) clock().AdvanceTo(block_at_ns_);
      return 0xFF;
    }
    const uint8_t byte = out_.front();
    out_.pop_front();
    return byte;
  }
  if (!IsBusy()) return 0xFF;
  if (clock().skips_waits()) clock().AdvanceTo(busy_until_ns_);
  return 0x00;
}

void SdCardPart::TakeCommandByte(uint8_t in) {
  if (in_.empty() && (in & 0xC0) != 0x40) return;  // idle clocks
  in_.push_back(in);
  if (in_.size() < 6) return;
  const std::vector<uint8_t> frame = std::move(in_);
  in_.clear();
  const auto index = static_cast<uint8_t>(frame[0] & 0x3F);
  const bool is_checked = checks_bits_ || index == 0 || index == 8;
  if (is_checked && storage::ComputeSdCrc7(ByteSpan(frame).first(5)) != frame[5]) {
    Answer(static_cast<uint8_t>((mode_ == Mode::kReady ? 0u : kR1Idle) | kR1BadCheckBits));
    return;
  }
  Execute(index, LoadBe32(&frame[1]));
}

void SdCardPart::Answer(uint8_t r1) {
  out_.push_back(0xFF);  // one byte of thinking
  if (corrupt_count_ != 0) {
    corrupt_count_ -= 1;
    r1 = static_cast<uint8_t>(r1 | kR1BadCheckBits);
  }
  out_.push_back(r1);
}

void SdCardPart::Execute(uint8_t index, uint32_t argument) {
  if (index != 12) out_.clear();
  const bool is_application = is_application_;
  is_application_ = false;
  if (index == 0) {
    Reset();
    mode_ = Mode::kIdle;
    ready_at_ns_ = clock().now_ns() + traits_.initialize_ns;
    Answer(kR1Idle);
    return;
  }
  if (mode_ == Mode::kSpiUnknown) return;  // in SD mode until CMD0: it says nothing
  if (is_application) {
    ExecuteApplication(index, argument);
    return;
  }
  const uint8_t idle = IdleBit();
  switch (index) {
    case 1:
      Initialize(true);
      return;
    case 8:
      Answer(idle);
      for (const uint32_t shift : {24u, 16u, 8u, 0u}) {
        out_.push_back(static_cast<uint8_t>((argument & 0xFFF) >> shift));
      }
      return;
    case 55:
      is_application_ = true;
      Answer(idle);
      return;
    case 58:
      Answer(idle);
      out_.push_back(static_cast<uint8_t>((mode_ == Mode::kReady ? 0x80 : 0) |
                                          (traits_.is_high_capacity ? 0x40 : 0)));
      for (const int byte : {0xFF, 0x80, 0x00}) out_.push_back(static_cast<uint8_t>(byte));
      return;
    case 59:
      checks_bits_ = (argument & 1) != 0;
      Answer(idle);
      return;
    default:
      break;
  }
  if (mode_ == Mode::kReady) {
    ExecuteReady(index, argument);
  } else {
    Answer(static_cast<uint8_t>(kR1Idle | kR1Illegal));
  }
}

void SdCardPart::ExecuteApplication(uint8_t index, uint32_t argument) {
  if (index == 41) {
    Initialize((argument & 0x40000000) != 0 || !traits_.is_high_capacity);
  } else if (mode_ == Mode::kReady && index == 13) {
    Answer(0);
    out_.push_back(0);
    QueueBlock(std::array<uint8_t, 64>{});
  } else if (mode_ == Mode::kReady && index == 22) {
    std::array<uint8_t, 4> count;
    StoreBe32(count.data(), written_count_);
    Answer(0);
    QueueBlock(count);
  } else if (mode_ == Mode::kReady && index == 23) {
    Answer(0);  // how many blocks follow is only a hint
  } else {
    Answer(static_cast<uint8_t>(IdleBit() | kR1Illegal));
  }
}

/// A host that does not say that it knows high capacity is kept waiting by cards that have it.
void SdCardPart::Initialize(bool is_welcome) {
  if (is_welcome && clock().skips_waits()) clock().AdvanceNs(traits_.initialize_ns / 4);
  if (is_welcome && clock().now_ns() >= ready_at_ns_) mode_ = Mode::kReady;
  Answer(IdleBit());
}

void SdCardPart::ExecuteReady(uint8_t index, uint32_t argument) {
  switch (index) {
    case 9:
      QueueCapacity();
      return;
    case 10:
      QueueIdentification();
      return;
    case 12:
      is_reading_many_ = false;
      out_.clear();
      out_.push_back(0xFF);
      Answer(0);
      return;
    case 13:
      Answer(0);
      out_.push_back(has_failed_ ? 0x04 : 0x00);
      has_failed_ = false;
      return;
    case 16:
      Answer(argument == kBlockBytes ? 0 : kR1Parameter);
      return;
    case 17:
    case 18:
      StartReading(index, argument);
      return;
    case 24:
    case 25:
      StartWriting(index, argument);
      return;
    case 32:
    case 33:
      SelectErase(index, argument);
      return;
    case 38:
      EraseSelected();
      return;
    default:
      Answer(kR1Illegal);
      return;
  }
}

void SdCardPart::StartReading(uint8_t index, uint32_t argument) {
  if (!traits_.is_high_capacity && argument % kBlockBytes != 0) return Answer(kR1Address);
  sector_ = traits_.is_high_capacity ? argument : argument / kBlockBytes;
  if (sector_ >= cells_.sector_count()) return Answer(kR1Parameter);
  Answer(0);
  block_at_ns_ = clock().now_ns() + traits_.read_ns;
  QueueSector(sector_);
  is_reading_many_ = index == 18;
  sector_ += kReadAheadBlocks;
}

void SdCardPart::QueueSector(uint32_t sector) {
  std::array<uint8_t, kBlockBytes> data;
  if (!IsOk(cells_.Read(sector, data))) {
    out_.push_back(kReadErrorToken);
    return;
  }
  QueueBlock(data);
}

void SdCardPart::QueueBlock(ByteSpan data) {
  gap_count_ = 0;
  out_.push_back(0xFF);
  out_.push_back(kReadToken);
  out_.insert(out_.end(), data.begin(), data.end());
  uint16_t crc = storage::ComputeSdCrc16(data);
  if (corrupt_count_ != 0) {
    corrupt_count_ -= 1;
    crc ^= 1;
  }
  out_.push_back(static_cast<uint8_t>(crc >> 8));
  out_.push_back(static_cast<uint8_t>(crc));
}

/// Card specific data of version 2, or of version 1 with blocks of 512 bytes.
void SdCardPart::QueueCapacity() {
  std::array<uint8_t, 16> csd{};
  const uint32_t blocks = cells_.sector_count();
  if (traits_.is_high_capacity) {
    csd[0] = 0x40;
    const uint32_t size = blocks / 1024 - 1;
    csd[7] = static_cast<uint8_t>(size >> 16);
    StoreBe16(&csd[8], static_cast<uint16_t>(size));
  } else {
    const uint32_t size = blocks / 512 - 1;  // times 2^(7 + 2)
    csd[5] = 9;
    csd[6] = static_cast<uint8_t>(size >> 10);
    csd[7] = static_cast<uint8_t>(size >> 2);
    csd[8] = static_cast<uint8_t>(size << 6);
    csd[9] = 3;
    csd[10] = 0x80;
  }
  csd[15] = storage::ComputeSdCrc7(ByteSpan(csd).first(15));
  Answer(0);
  QueueBlock(csd);
}

/// Maker, name, revision, serial number, date: what identifies a card.
void SdCardPart::QueueIdentification() {
  std::array<uint8_t, 16> cid = {0x00, 'O', 'T', 'S', 'I', 'M',  'S',  'D',
                                 0x10, 0,   0,   0,   1,   0x01, 0x4A, 0};
  cid[15] = storage::ComputeSdCrc7(ByteSpan(cid).first(15));
  Answer(0);
  QueueBlock(cid);
}

// --- writing

void SdCardPart::StartWriting(uint8_t index, uint32_t argument) {
  if (!traits_.is_high_capacity && argument % kBlockBytes != 0) return Answer(kR1Address);
  sector_ = traits_.is_high_capacity ? argument : argument / kBlockBytes;
  if (sector_ >= cells_.sector_count()) return Answer(kR1Parameter);
  is_multiple_ = index == 25;
  written_count_ = 0;
  receive_ = Receive::kToken;
  Answer(0);
}

void SdCardPart::TakeToken(uint8_t in) {
  if (IsBusy()) return;
  if (in == (is_multiple_ ? kMultipleToken : kSingleToken)) {
    receive_ = Receive::kData;
    in_.clear();
  } else if (in == kStopToken && is_multiple_) {
    receive_ = Receive::kCommand;
    FlushCache();
    BeBusy(traits_.flush_ns);
  }
}

void SdCardPart::TakeDataByte(uint8_t in) {
  in_.push_back(in);
  if (in_.size() < kBlockBytes + 2) return;
  receive_ = is_multiple_ ? Receive::kToken : Receive::kCommand;
  AcceptBlock();
  in_.clear();
}

void SdCardPart::AcceptBlock() {
  const ByteSpan data = ByteSpan(in_).first(kBlockBytes);
  if (checks_bits_ && storage::ComputeSdCrc16(data) != LoadBe16(&in_[kBlockBytes])) {
    out_.push_back(kRefusedCheckBits);
    return;
  }
  if (sector_ >= cells_.sector_count()) {
    out_.push_back(kRefusedWrite);
    return;
  }
  if (!IsOk(cells_.Write(sector_++, data))) has_failed_ = true;
  written_count_ += 1;
  out_.push_back(kAccepted);
  if (!is_multiple_) FlushCache();
  BeBusy(is_multiple_ ? traits_.write_ns : traits_.flush_ns);
}

void SdCardPart::FlushCache() {
  if (!IsOk(cells_.Flush())) has_failed_ = true;
}

// --- erasing

/// CMD32, CMD33: where it begins and ends.
void SdCardPart::SelectErase(uint8_t index, uint32_t argument) {
  const uint32_t sector = traits_.is_high_capacity ? argument : argument / kBlockBytes;
  const bool is_next = index == 32 || erase_step_ == 1;
  erase_step_ = 0;
  if (!is_next) return Answer(kR1EraseSequence);
  if (sector >= cells_.sector_count()) return Answer(kR1Parameter);
  (index == 32 ? erase_first_ : erase_last_) = sector;
  erase_step_ = index == 32 ? 1 : 2;
  Answer(0);
}

void SdCardPart::EraseSelected() {
  const bool is_sound = erase_step_ == 2 && erase_first_ <= erase_last_;
  erase_step_ = 0;
  if (!is_sound) return Answer(kR1EraseSequence);
  Answer(0);
  if (!IsOk(cells_.Erase(erase_first_, erase_last_))) has_failed_ = true;
  BeBusy(traits_.flush_ns);
}

void SdCardPart::SpendTransfer(uint64_t ns) {
  array().figures().transfer_ns += ns;
  array().figures().energy_nj += ComputeEnergyNj(traits_.read_ua, traits_.voltage_mv, ns);
}

void SdCardPart::BeBusy(uint64_t ns) {
  busy_until_ns_ = clock().now_ns() + ns;
  array().figures().busy_ns += ns;
  array().figures().energy_nj += ComputeEnergyNj(traits_.write_ua, traits_.voltage_mv, ns);
}

}  // namespace ota::simulator
