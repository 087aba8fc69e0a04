// SPDX-License-Identifier: Apache-2.0
// What the reader takes, the writer gives back byte for byte: there is one form only.
#include <cstdlib>
#include <vector>

#include "formats/cbor/cbor_cursor.h"
#include "formats/cbor/cbor_writer.h"

namespace ota::formats {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

CborType NextType(const CborCursor& cursor) {
  int type = 0;
  while (!cursor.IsNext(static_cast<CborType>(type))) ++type;
  return static_cast<CborType>(type);
}

// Depth is bounded by ReadItem, which has accepted the bytes before.
void CopyItem(CborCursor& cursor, CborWriter& writer) {
  ByteSpan bytes;
  std::string_view text;
  switch (NextType(cursor)) {
    case CborType::kUnsigned:
      return writer.WriteUnsigned(cursor.ReadUnsigned());
    case CborType::kNegative: {
      CborCursor small = cursor;
      const int32_t value = small.ReadInteger();
      cursor.ReadItem(bytes);
      return small.ok() ? writer.WriteInteger(value) : writer.WriteEncoded(bytes);
    }
    case CborType::kBytes:
      cursor.ReadBytes(bytes);
      return writer.WriteBytes(bytes);
    case CborType::kText:
      cursor.ReadText(text);
      return writer.WriteText(text);
    case CborType::kArray: {
      const uint32_t count = cursor.ReadArrayHead();
      writer.WriteArrayHead(count);
      for (uint32_t i = 0; i < count; ++i) CopyItem(cursor, writer);
      return;
    }
    case CborType::kMap: {
      const uint32_t pairs = cursor.BeginMap().pairs_left;
      writer.WriteMapHead(pairs);
      for (uint32_t i = 2 * pairs; i > 0; --i) CopyItem(cursor, writer);
      return;
    }
    case CborType::kTag:
      writer.WriteTag(cursor.ReadTag());
      return CopyItem(cursor, writer);
    case CborType::kSimple: {
      CborCursor null = cursor;
      null.ReadNull();
      if (!null.ok()) return writer.WriteBool(cursor.ReadBool());
      cursor.ReadNull();
      return writer.WriteNull();
    }
  }
}

// Reads as the types of its items come, whatever they are: nothing is believed after a failure.
void ReadAsTyped(ByteSpan bytes) {
  CborCursor cursor(bytes);
  CborCursor::Map map = cursor.BeginMap();
  for (int32_t key; cursor.NextKey(map, key);) {
    const uint8_t* const end = cursor.Enter();
    ByteSpan inner;
    cursor.ReadItem(inner);
    cursor.Leave(end);
    Require(cursor.ok() || inner.empty() || cursor.status() == Status::kCborTrailingBytes);
  }
  Require(cursor.position() <= bytes.size());
  if (!cursor.ok()) Require(cursor.ReadUnsigned() == 0 && cursor.ReadArrayHead() == 0);
}

}  // namespace
}  // namespace ota::formats

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::formats;
  const ota::ByteSpan bytes(data, size);
  ReadAsTyped(bytes);
  CborCursor checking(bytes);
  ota::ByteSpan item;
  checking.ReadItem(item);
  if (!checking.ok()) return 0;
  CborCursor cursor(bytes);
  std::vector<uint8_t> buffer(size);
  CborWriter writer(buffer);
  CopyItem(cursor, writer);
  Require(cursor.ok() && cursor.position() == item.size());
  const ota::Result<ota::ByteSpan> copy = writer.Finish();
  Require(copy.ok() && std::equal(copy->begin(), copy->end(), item.begin(), item.end()));
  return 0;
}
