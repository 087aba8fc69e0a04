// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/fat/fat_time.h"

namespace ota::storage {
namespace {

constexpr uint32_t kDaySeconds = 86400;
constexpr uint32_t kDaysTo1980 = 3652;
constexpr uint32_t kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

constexpr bool IsLeapYear(uint32_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}
constexpr uint32_t DaysOfYear(uint32_t year) { return IsLeapYear(year) ? 366 : 365; }
constexpr uint32_t DaysOfMonth(uint32_t year, uint32_t month) {
  return kMonthDays[month - 1] + (month == 2 && IsLeapYear(year) ? 1 : 0);
}

}  // namespace

FatTime EncodeFatTime(uint32_t seconds) {
  uint32_t days = seconds / kDaySeconds;
  if (days < kDaysTo1980) return {(1 << 5) | 1, 0};
  days -= kDaysTo1980;
  uint32_t year = 1980;
  while (days >= DaysOfYear(year)) days -= DaysOfYear(year++);
  uint32_t month = 1;
  while (days >= DaysOfMonth(year, month)) days -= DaysOfMonth(year, month++);
  const uint32_t rest = seconds % kDaySeconds;
  return {static_cast<uint16_t>(((year - 1980) << 9) | (month << 5) | (days + 1)),
          static_cast<uint16_t>((rest / 3600 << 11) | (rest / 60 % 60 << 5) | (rest % 60 / 2))};
}

uint32_t DecodeFatTime(FatTime fields) {
  const uint32_t year_last = 1980 + (uint32_t{fields.date} >> 9);
  const uint32_t month_last = (fields.date >> 5) & 15u;
  const uint32_t day = fields.date & 31u;
  if (month_last < 1 || month_last > 12 || day < 1 || day > DaysOfMonth(year_last, month_last)) {
    return 0;
  }
  uint32_t days = kDaysTo1980 + day - 1;
  for (uint32_t year = 1980; year < year_last; ++year) days += DaysOfYear(year);
  for (uint32_t month = 1; month < month_last; ++month) days += DaysOfMonth(year_last, month);
  const uint32_t of_day = (uint32_t{fields.time} >> 11) * 3600 + ((fields.time >> 5) & 63u) * 60 +
                          (fields.time & 31u) * 2;
  return days * kDaySeconds + of_day;
}

}  // namespace ota::storage
