// SPDX-License-Identifier: Apache-2.0
// What the reader takes, the writer gives back byte for byte: there is one form only.
#include <cstdlib>
#include <vector>

#include "formats/cbor/cbor_reader.h"
#include "formats/cbor/cbor_writer.h"

namespace ota::formats {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Depth is bounded by ReadItem, which has accepted the bytes before.
void CopyItem(CborReader& reader, CborWriter& writer) {
  switch (*reader.PeekType()) {
    case CborType::kUnsigned:
      return writer.WriteUnsigned(*reader.ReadUnsigned());
    case CborType::kNegative: {
      const Result<int64_t> value = reader.ReadInteger();
      if (value.ok()) return writer.WriteInteger(*value);
      return writer.WriteEncoded(*reader.ReadItem());
    }
    case CborType::kBytes:
      return writer.WriteBytes(*reader.ReadBytes());
    case CborType::kText:
      return writer.WriteText(*reader.ReadText());
    case CborType::kArray: {
      const uint32_t count = *reader.ReadArrayHead();
      writer.WriteArrayHead(count);
      for (uint32_t i = 0; i < count; ++i) CopyItem(reader, writer);
      return;
    }
    case CborType::kMap: {
      Result<CborMapReader> map = CborMapReader::Open(reader);
      writer.WriteMapHead(map->pairs_left());
      for (uint32_t i = 2 * map->pairs_left(); i > 0; --i) CopyItem(reader, writer);
      return;
    }
    case CborType::kTag:
      writer.WriteTag(*reader.ReadTag());
      return CopyItem(reader, writer);
    case CborType::kSimple:
      if (reader.ReadNull() == Status::kOk) return writer.WriteNull();
      return writer.WriteBool(*reader.ReadBool());
  }
}

}  // namespace
}  // namespace ota::formats

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::formats;
  const ota::ByteSpan bytes(data, size);
  CborReader checking(bytes);
  const ota::Result<ota::ByteSpan> item = checking.ReadItem();
  if (!item.ok()) return 0;
  CborReader reader(bytes);
  std::vector<uint8_t> buffer(size);
  CborWriter writer(buffer);
  CopyItem(reader, writer);
  Require(reader.position() == item->size());
  const ota::Result<ota::ByteSpan> copy = writer.Finish();
  Require(copy.ok() && std::equal(copy->begin(), copy->end(), item->begin(), item->end()));
  return 0;
}
