// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/emmc_part.h"

#include <algorithm>

#include "base/units.h"
#include "storage/block_device/sd_crc.h"

namespace ota::simulator {

const EmmcTraits kEmmc4G = {.name = "eMMC 4 GB", .size_bytes = MiB(3584)};

namespace {

using storage::BlockAnswer;

// Device status, table 68 of the standard.
constexpr uint32_t kAddressOutOfRange = 1u << 31;
constexpr uint32_t kBlockLengthError = 1u << 29;
constexpr uint32_t kEraseSequenceError = 1u << 28;
constexpr uint32_t kEraseParameter = 1u << 27;
constexpr uint32_t kCommandCheckBits = 1u << 23;
constexpr uint32_t kIllegalCommand = 1u << 22;
constexpr uint32_t kReadFailed = 1u << 21;
constexpr uint32_t kError = 1u << 19;
constexpr uint32_t kReadyForData = 1u << 8;
constexpr uint32_t kSwitchError = 1u << 7;

constexpr uint32_t kOperatingCondition = 0x40FF8080;  // addressed by sectors
constexpr uint32_t kPoweredUp = 0x80000000;
constexpr uint32_t kReliableRequest = 1u << 31;
constexpr uint32_t kOpenEnded = UINT32_MAX;
constexpr uint32_t kTrim = 1;

constexpr uint32_t kIdentificationHzMax = 400'000;
constexpr uint32_t kDefaultHzMax = 26'000'000;
constexpr uint32_t kHighSpeedHzMax = 52'000'000;
constexpr uint64_t kCommandBits = 48 + 8;
constexpr uint64_t kBlockBits = 1 + 16 + 1;  // beside the data
constexpr uint64_t kFlushSectorNs = 100'000;

EmmcTraits Resize(EmmcTraits traits, uint32_t size_bytes) {
  if (size_bytes != 0) traits.size_bytes = size_bytes;
  return traits;
}

}  // namespace

EmmcPart::EmmcPart(const EmmcTraits& traits, SimulatedClock& clock, PowerSupply& power,
                   const std::string& path, uint32_t size_bytes)
    : traits_(Resize(traits, size_bytes)),
      clock_(clock),
      cells_({.size_bytes = traits_.size_bytes,
              .group_bytes = traits_.group_bytes,
              .cached_sectors_max = std::max(1u, traits_.cache_kib * 2),
              .group_endurance = traits_.group_endurance},
             power, path) {
  Reset();
}

void EmmcPart::Reset() {
  cells_.DropCache();
  incoming_ = {};
  state_ = State::kIdle;
  status_ = 0;
  is_high_speed_ = is_cached_ = is_reliable_ = false;
  line_count_ = 1;
  cached_count_ = block_count_ = 0;
  erase_step_ = 0;
  busy_until_ns_ = 0;
  ready_at_ns_ = clock_.now_ns() + traits_.initialize_ns;
}

EmmcPart::State EmmcPart::state() {
  const bool is_over = state_ == State::kProgramming && clock_.now_ns() >= busy_until_ns_;
  if (is_over) state_ = blocks_left_ == 0 ? State::kTransfer : State::kReceiving;
  return state_;
}

void EmmcPart::Transfer(uint64_t bit_count) {
  const uint64_t ns = bit_count * 1'000'000'000 / frequency_hz_;
  if (!incoming_.empty()) collision_count_ += 1;
  clock_.AdvanceNs(ns);
  Account(ns);
}

void EmmcPart::Account(uint64_t ns) {
  array().figures().transfer_ns += ns;
  array().figures().energy_nj += ComputeEnergyNj(traits_.read_ua, traits_.voltage_mv, ns);
}

void EmmcPart::BeBusy(uint64_t ns) {
  state_ = State::kProgramming;
  busy_until_ns_ = clock_.now_ns() + ns;
  array().figures().busy_ns += ns;
  array().figures().energy_nj += ComputeEnergyNj(traits_.write_ua, traits_.voltage_mv, ns);
}

bool EmmcPart::IsBusy() {
  Transfer(8);
  if (!array().power().is_on() || state() != State::kProgramming) return false;
  if (clock_.skips_waits()) clock_.AdvanceTo(busy_until_ns_);
  return true;
}

bool EmmcPart::IsClockLegal() const {
  const bool is_identified = state_ > State::kIdentification;
  const uint32_t max = !is_identified   ? kIdentificationHzMax
                       : is_high_speed_ ? kHighSpeedHzMax
                                        : kDefaultHzMax;
  return frequency_hz_ <= max;
}

// --- commands

bool EmmcPart::Command(ByteSpan frame, MutableByteSpan response) {
  Transfer(kCommandBits + 8 * response.size());
  if (!array().power().is_on() || !IsClockLegal()) return false;
  if (storage::ComputeSdCrc7(frame.first(5)) != frame[5]) return Refuse(kCommandCheckBits);
  const auto index = static_cast<uint8_t>(frame[0] & 0x3F);
  const bool is_answered = Execute(index, LoadBe32(&frame[1]), response);
  if (is_answered && corrupt_count_ != 0 && !response.empty()) {
    corrupt_count_ -= 1;
    response.back() ^= 2;
  }
  return is_answered;
}

/// The command is not carried out and has no answer; the status of the next one tells why.
bool EmmcPart::Refuse(uint32_t status_bit) {
  status_ |= status_bit;
  return false;
}

bool EmmcPart::IsLegal(uint8_t index) {
  switch (state()) {
    case State::kIdle:
      return index == 1;
    case State::kReady:
      return index == 2;
    case State::kIdentification:
      return index == 3;
    case State::kStandby:
      return index == 7 || index == 9 || index == 10 || index == 13;
    case State::kTransfer:
      return index == 6 || index == 7 || index == 8 || index == 13 ||
             (index >= 16 && index <= 18) || (index >= 23 && index <= 25) || index == 35 ||
             index == 36 || index == 38;
    case State::kSending:
    case State::kReceiving:
      return index == 12 || index == 13;
    case State::kProgramming:
      return index == 13 || (index == 12 && blocks_left_ != 0);
  }
  return false;
}

bool EmmcPart::Execute(uint8_t index, uint32_t argument, MutableByteSpan response) {
  const bool has_register = index == 2 || index == 9 || index == 10;
  if (response.size() != (index == 0 ? 0u : has_register ? 17u : 6u)) return false;
  if (index == 0) {
    Reset();
    return true;
  }
  if (!IsLegal(index)) return Refuse(kIllegalCommand);
  if (state_ < State::kStandby) return StartUp(index, argument, response);
  const bool is_addressed = index == 7 || index == 9 || index == 10 || index == 13;
  const bool is_meant = argument >> 16 == relative_address_;
  if (is_addressed && !is_meant && index != 7) return false;
  if (index == 9 || index == 10) {
    // Version 4 of the commands; the capacity is in the extended CSD alone.
    Register csd = {0xD0, 0x0F, 0x01, 0x32, 0x8F, 0x59, 0x03, 0xFF, 0xFF, 0xFF, 0xEF};
    Register cid = {0x00, 1, 0, 'O', 'T', 'S', 'I', 'M', '0', 0x10, 0, 0, 0, 1, 0xB9};
    AnswerRegister(index == 9 ? csd : cid, response);
    return true;
  }
  AnswerStatus(index, response);
  if (index == 7) {
    state_ = is_meant ? State::kTransfer : State::kStandby;
    return is_meant;
  }
  if (index == 13) return true;
  const bool is_done = ExecuteTransfer(index, argument);
  if (!is_done) AnswerStatus(index, response);  // its own answer tells what was wrong
  return true;
}

/// Before it has an address.
bool EmmcPart::StartUp(uint8_t index, uint32_t argument, MutableByteSpan response) {
  if (index == 1) {
    if (clock_.skips_waits()) clock_.AdvanceNs(traits_.initialize_ns / 4);
    const bool is_up = clock_.now_ns() >= ready_at_ns_;
    const bool is_known = (argument & kOperatingCondition & 0xFFFF80) != 0;
    if (is_up && is_known) state_ = State::kReady;
    response[0] = 0x3F;
    StoreBe32(&response[1], kOperatingCondition | (is_up ? kPoweredUp : 0));
    response[5] = 0xFF;
    return true;
  }
  if (index == 2) {
    state_ = State::kIdentification;
    AnswerRegister({0x00, 1, 0, 'O', 'T', 'S', 'I', 'M', '0', 0x10, 0, 0, 0, 1, 0xB9}, response);
    return true;
  }
  relative_address_ = static_cast<uint16_t>(argument >> 16);
  AnswerStatus(index, response);
  state_ = State::kStandby;
  return true;
}

/// False: an error, which is in the status now.
bool EmmcPart::ExecuteTransfer(uint8_t index, uint32_t argument) {
  const uint32_t count = block_count_ == 0 ? kOpenEnded : block_count_;
  const bool is_reliable = is_reliable_;
  block_count_ = 0;
  is_reliable_ = false;
  if (index < 35 && index != 13) erase_step_ = 0;
  switch (index) {
    case 6:
      return SetRegister(argument);
    case 8:
      sends_registers_ = true;
      return StartData(State::kSending, 0, 1);
    case 12:
      blocks_left_ = 0;
      return state_ == State::kProgramming || Move(State::kTransfer);
    case 16:
      return argument == kSectorBytes || Refuse(kBlockLengthError);
    case 17:
    case 18:
      return StartData(State::kSending, argument, index == 17 ? 1 : count);
    case 23:
      block_count_ = argument & 0xFFFF;
      is_reliable_ = (argument & kReliableRequest) != 0;
      return true;
    case 24:
    case 25:
      writes_reliably_ = index == 25 && is_reliable;
      return StartData(State::kReceiving, argument, index == 24 ? 1 : count);
    case 38:
      return Erase(argument);
    default:
      return SelectErase(index, argument);
  }
}

bool EmmcPart::Move(State next) {
  state_ = next;
  return true;
}

bool EmmcPart::StartData(State next, uint32_t sector, uint32_t count) {
  if (sector >= cells_.sector_count()) return Refuse(kAddressOutOfRange);
  sector_ = sector;
  blocks_left_ = count;
  has_started_ = false;
  return Move(next);
}

/// Whether that byte of the extended CSD can be set to that value.
bool EmmcPart::HasRegister(uint32_t index, uint32_t value) const {
  switch (index) {
    case 32:
    case 33:
      return traits_.cache_kib != 0 && value <= 1;
    case 183:  // lines at double rate are not among them
      return value <= 2;
    case 185:
      return value <= 1;
    default:
      return false;
  }
}

/// CMD6: writes one byte of the extended CSD.
bool EmmcPart::SetRegister(uint32_t argument) {
  const uint32_t access = (argument >> 24) & 3;
  const uint32_t index = (argument >> 16) & 0xFF;
  const uint32_t value = (argument >> 8) & 0xFF;
  if (access != 3 || !HasRegister(index, value)) {
    status_ |= kSwitchError;
    BeBusy(0);
    return true;
  }
  uint64_t ns = 1000;
  const bool is_flush = (index == 32 && value == 1) || (index == 33 && value == 0);
  if (is_flush) {
    ns = traits_.flush_ns + cached_count_ * kFlushSectorNs;
    cached_count_ = 0;
    if (!IsOk(cells_.Flush())) status_ |= kError;
  }
  if (index == 33) is_cached_ = value == 1;
  if (index == 183) line_count_ = value == 0 ? 1 : 4 * value;
  if (index == 185) is_high_speed_ = value == 1;
  BeBusy(ns);
  return true;
}

// --- erasing

bool EmmcPart::SelectErase(uint8_t index, uint32_t sector) {
  const bool is_next = index == 35 || erase_step_ == 1;
  erase_step_ = 0;
  if (!is_next) return Refuse(kEraseSequenceError);
  if (sector >= cells_.sector_count()) return Refuse(kEraseParameter);
  (index == 35 ? erase_first_ : erase_last_) = sector;
  erase_step_ = index == 35 ? 1 : 2;
  return true;
}

/// With argument 0 whole erase groups, with 1 (trim) just the sectors.
bool EmmcPart::Erase(uint32_t argument) {
  const bool is_sound = erase_step_ == 2 && erase_first_ <= erase_last_ && argument <= kTrim;
  erase_step_ = 0;
  if (!is_sound) return Refuse(kEraseSequenceError);
  uint32_t first = erase_first_;
  uint32_t last = erase_last_;
  if (argument != kTrim) {
    first = first / kGroupSectors * kGroupSectors;
    last =
        std::min(last / kGroupSectors * kGroupSectors + kGroupSectors, cells_.sector_count()) - 1;
  }
  if (!IsOk(cells_.Erase(first, last))) status_ |= kError;
  blocks_left_ = 0;
  BeBusy(traits_.erase_ns);
  return true;
}

// --- data

bool EmmcPart::ReadBlock(MutableByteSpan data, storage::LineCheckBits& crc) {
  if (!array().power().is_on() || state_ != State::kSending) return false;
  if (!has_started_) clock_.AdvanceNs(traits_.read_ns);
  has_started_ = true;
  Transfer(8 * data.size() / host_line_count_ + kBlockBits);
  return SendBlock(data, crc);
}

/// What comes of a block once its time is over.
bool EmmcPart::SendBlock(MutableByteSpan data, storage::LineCheckBits& crc) {
  if (!array().power().is_on() || state_ != State::kSending) return false;
  if (sends_registers_) {
    FillExtendedCsd(data);
  } else {
    const Status status = cells_.Read(sector_, data);
    if (!IsOk(status)) {
      status_ |= status == Status::kOutOfRange ? kAddressOutOfRange : kReadFailed;
      if (blocks_left_ == 1) state_ = State::kTransfer;
      return false;
    }
  }
  sends_registers_ = false;
  crc = ComputeCrc(data);
  if (!is_heard()) data[0] ^= 0x55;
  EndBlock();
  if (blocks_left_ == 0) state_ = State::kTransfer;
  return true;
}

uint64_t EmmcPart::BlockNs() const {
  return (8 * kSectorBytes / host_line_count_ + kBlockBits) * 1'000'000'000 / frequency_hz_;
}

void EmmcPart::StartBlocks(MutableByteSpan data) {
  if (!incoming_.empty()) collision_count_ += 1;
  incoming_ = data;
  incoming_from_ns_ = clock_.now_ns() + (has_started_ ? 0 : traits_.read_ns);
  has_started_ = true;
}

Status EmmcPart::PollBlocks() {
  const uint64_t end_ns = incoming_from_ns_ + incoming_.size() / kSectorBytes * BlockNs();
  if (array().power().is_on() && clock_.now_ns() < end_ns) {
    if (clock_.skips_waits()) clock_.AdvanceTo(end_ns);
    return Status::kBusy;
  }
  const MutableByteSpan data = incoming_;
  incoming_ = {};
  for (size_t at = 0; at < data.size(); at += kSectorBytes) {
    const MutableByteSpan block = data.subspan(at, kSectorBytes);
    storage::LineCheckBits crc{};
    Account(BlockNs());
    const bool is_sound =
        SendBlock(block, crc) && crc == storage::ComputeLineCheckBits(block, host_line_count_);
    if (!is_sound) return Status::kMediumFailed;
  }
  return Status::kOk;
}

/// The blocks that have come until now.
void EmmcPart::StopBlocks() {
  const uint64_t now_ns = std::max(clock_.now_ns(), incoming_from_ns_);
  const size_t come = (now_ns - incoming_from_ns_) / BlockNs() * kSectorBytes;
  const MutableByteSpan data = incoming_.first(std::min(come, incoming_.size()));
  incoming_ = {};
  for (size_t at = 0; at < data.size(); at += kSectorBytes) {
    storage::LineCheckBits crc{};
    Account(BlockNs());
    (void)SendBlock(data.subspan(at, kSectorBytes), crc);  // nobody wants them any more
  }
}

storage::LineCheckBits EmmcPart::ComputeCrc(ByteSpan data) {
  storage::LineCheckBits crc = storage::ComputeLineCheckBits(data, host_line_count_);
  if (corrupt_count_ == 0) return crc;
  corrupt_count_ -= 1;
  crc[corrupt_count_ % host_line_count_] ^= 1;
  return crc;
}

void EmmcPart::EndBlock() {
  sector_ += 1;
  if (blocks_left_ != kOpenEnded) blocks_left_ -= 1;
}

BlockAnswer EmmcPart::WriteBlock(ByteSpan data, const storage::LineCheckBits& crc) {
  Transfer(8 * data.size() / host_line_count_ + kBlockBits + 8);
  if (!array().power().is_on() || state() != State::kReceiving) return BlockAnswer::kNone;
  if (!is_heard() || storage::ComputeLineCheckBits(data, line_count_) != crc) {
    if (blocks_left_ == 1) state_ = State::kTransfer;
    return BlockAnswer::kWrongCheckBits;
  }
  Store(data);
  EndBlock();
  return BlockAnswer::kAccepted;
}

void EmmcPart::Store(ByteSpan data) {
  const bool goes_to_cache = is_cached_ && !writes_reliably_;
  Status status = goes_to_cache || !writes_reliably_ ? cells_.Write(sector_, data)
                                                     : cells_.WriteReliably(sector_, data);
  if (goes_to_cache) cached_count_ += 1;
  if (!goes_to_cache && IsOk(status)) status = cells_.Flush();
  if (!IsOk(status)) status_ |= status == Status::kOutOfRange ? kAddressOutOfRange : kError;
  BeBusy(goes_to_cache ? traits_.cached_write_ns : traits_.program_ns);
}

/// What hosts look at; all else is 0.
void EmmcPart::FillExtendedCsd(MutableByteSpan data) const {
  std::fill(data.begin(), data.end(), uint8_t{0});
  data[33] = is_cached_ ? 1 : 0;
  data[166] = 0x04;  // reliable writes of single sectors
  data[175] = 1;     // erase groups as byte 224 says
  data[181] = 0;     // what is erased reads as 0
  data[185] = is_high_speed_ ? 1 : 0;
  data[192] = 8;     // revision 5.1
  data[196] = 0x03;  // 26 and 52 MHz
  StoreLe32(&data[212], cells_.sector_count());
  data[222] = 1;  // sectors of a reliable write
  data[224] = kGroupSectors * kSectorBytes / KiB(512);
  data[231] = 0x10;  // trim
  StoreLe32(&data[249], traits_.cache_kib);
}

// --- answers

void EmmcPart::AnswerStatus(uint8_t index, MutableByteSpan response) {
  const bool is_ready = state_ != State::kProgramming;
  response[0] = index;
  StoreBe32(&response[1],
            status_ | static_cast<uint32_t>(state_) << 9 | (is_ready ? kReadyForData : 0));
  status_ = 0;
  Finish(response, 0);
}

void EmmcPart::AnswerRegister(Register content, MutableByteSpan response) {
  response[0] = 0x3F;
  std::copy(content.begin(), content.end(), response.begin() + 1);
  Finish(response, 1);
}

/// The check bits leave out the first `skipped` bytes.
void EmmcPart::Finish(MutableByteSpan response, size_t skipped) {
  const ByteSpan checked = ByteSpan(response).subspan(skipped, response.size() - 1 - skipped);
  response.back() = storage::ComputeSdCrc7(checked);
}

}  // namespace ota::simulator
