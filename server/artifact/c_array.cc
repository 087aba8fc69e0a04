// SPDX-License-Identifier: Apache-2.0
#include "server/artifact/c_array.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace ota::server {

namespace {

// A line of xxd -i: two blanks, twelve times "0x00," with a blank between, the line's end.
constexpr uint32_t kBytesPerLine = 12;
constexpr uint32_t kIndentChars = 2;
constexpr uint32_t kByteChars = 6;  // "0x00, "; behind the last one of a line the blank is its end.
constexpr uint32_t kLineChars = kIndentChars + kBytesPerLine * kByteChars;
constexpr uint64_t kTextBytesMax =
    (uint64_t{kArtifactBytesMax} / kBytesPerLine + 1) * kLineChars + 4096;
static_assert(kTextBytesMax <= UINT32_MAX);

constexpr std::array<std::string_view, 109> kKeywords = {"_Alignas",
                                                         "_Alignof",
                                                         "_Atomic",
                                                         "_Bool",
                                                         "_Complex",
                                                         "_Generic",
                                                         "_Imaginary",
                                                         "_Noreturn",
                                                         "_Static_assert",
                                                         "_Thread_local",
                                                         "alignas",
                                                         "alignof",
                                                         "and",
                                                         "and_eq",
                                                         "asm",
                                                         "auto",
                                                         "bitand",
                                                         "bitor",
                                                         "bool",
                                                         "break",
                                                         "case",
                                                         "catch",
                                                         "char",
                                                         "char16_t",
                                                         "char32_t",
                                                         "char8_t",
                                                         "class",
                                                         "co_await",
                                                         "co_return",
                                                         "co_yield",
                                                         "compl",
                                                         "concept",
                                                         "const",
                                                         "const_cast",
                                                         "consteval",
                                                         "constexpr",
                                                         "constinit",
                                                         "continue",
                                                         "decltype",
                                                         "default",
                                                         "delete",
                                                         "do",
                                                         "double",
                                                         "dynamic_cast",
                                                         "else",
                                                         "enum",
                                                         "explicit",
                                                         "export",
                                                         "extern",
                                                         "false",
                                                         "float",
                                                         "for",
                                                         "friend",
                                                         "goto",
                                                         "i386",
                                                         "if",
                                                         "inline",
                                                         "int",
                                                         "linux",
                                                         "long",
                                                         "main",
                                                         "mutable",
                                                         "namespace",
                                                         "new",
                                                         "noexcept",
                                                         "not",
                                                         "not_eq",
                                                         "nullptr",
                                                         "operator",
                                                         "or",
                                                         "or_eq",
                                                         "private",
                                                         "protected",
                                                         "public",
                                                         "register",
                                                         "reinterpret_cast",
                                                         "requires",
                                                         "restrict",
                                                         "return",
                                                         "short",
                                                         "signed",
                                                         "sizeof",
                                                         "static",
                                                         "static_assert",
                                                         "static_cast",
                                                         "struct",
                                                         "switch",
                                                         "template",
                                                         "this",
                                                         "thread_local",
                                                         "throw",
                                                         "true",
                                                         "try",
                                                         "typedef",
                                                         "typeid",
                                                         "typename",
                                                         "typeof",
                                                         "typeof_unqual",
                                                         "union",
                                                         "unix",
                                                         "unsigned",
                                                         "using",
                                                         "virtual",
                                                         "void",
                                                         "volatile",
                                                         "wchar_t",
                                                         "while",
                                                         "xor",
                                                         "xor_eq"};

uint32_t LinesBytes(uint32_t model_bytes) {
  const uint32_t line_count = (model_bytes + kBytesPerLine - 1) / kBytesPerLine;
  // Each line has an indent, each byte six characters; the last byte has no comma.
  return line_count * kIndentChars + model_bytes * kByteChars - 1;
}

// Writes the line that shows `bytes`; returns its length.
uint32_t FormatLine(ByteSpan bytes, bool is_last, char* line) {
  static constexpr char kDigits[] = "0123456789abcdef";
  char* at = line;
  *at++ = ' ';
  *at++ = ' ';
  for (const uint8_t byte : bytes) {
    *at++ = '0';
    *at++ = 'x';
    *at++ = kDigits[byte >> 4];
    *at++ = kDigits[byte & 15];
    *at++ = ',';
    *at++ = ' ';
  }
  if (is_last) --at;
  at[-1] = '\n';
  return static_cast<uint32_t>(at - line);
}

// Copies what [offset, offset + target.size()) shares with `text`, which starts at `text_offset`.
void CopyShared(std::string_view text, uint32_t text_offset, uint32_t offset,
                MutableByteSpan target) {
  const uint64_t begin = std::max<uint64_t>(text_offset, offset);
  const uint64_t end =
      std::min<uint64_t>(uint64_t{text_offset} + text.size(), uint64_t{offset} + target.size());
  if (begin >= end) return;
  std::memcpy(target.data() + (begin - offset), text.data() + (begin - text_offset), end - begin);
}

}  // namespace

std::string CIdentifier(std::string_view name) {
  std::string identifier;
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') identifier = "__";
  for (const char c : name) identifier += (c == '-' || c == '.') ? '_' : c;
  if (std::find(kKeywords.begin(), kKeywords.end(), identifier) != kKeywords.end()) {
    identifier += "_model";
  }
  return identifier;
}

CArray::CArray(std::shared_ptr<Artifact> artifact) : artifact_(std::move(artifact)) {
  const std::string identifier = CIdentifier(artifact_->name());
  head_ = "// Model " + artifact_->name() + ", " + std::to_string(artifact_->size_bytes()) +
          " bytes.\n// SHA-256 " + HexText(artifact_->digest()) +
          "\n#pragma once\n\n#ifndef __cplusplus\n#include <stdalign.h>\n#endif\n\n"
          "alignas(16) const unsigned char " +
          identifier + "[] = {\n";
  tail_ = "};\nconst unsigned int " + identifier +
          "_len = " + std::to_string(artifact_->size_bytes()) + ";\n";
}

uint32_t CArray::lines_bytes() const { return LinesBytes(artifact_->size_bytes()); }

uint32_t CArray::size_bytes() const {
  return static_cast<uint32_t>(head_.size() + lines_bytes() + tail_.size());
}

Status CArray::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), size_bytes())) return Status::kOutOfRange;
  const auto head_bytes = static_cast<uint32_t>(head_.size());
  CopyShared(head_, 0, offset, target);
  CopyShared(tail_, head_bytes + lines_bytes(), offset, target);
  const uint64_t begin = std::max<uint64_t>(offset, head_bytes);
  const uint64_t end =
      std::min<uint64_t>(uint64_t{offset} + target.size(), uint64_t{head_bytes} + lines_bytes());
  if (begin >= end) return Status::kOk;
  return ReadLines(static_cast<uint32_t>(begin - head_bytes),
                   target.subspan(begin - offset, end - begin));
}

Status CArray::ReadLines(uint32_t offset, MutableByteSpan target) {
  constexpr uint32_t kLinesAtOnce = 64;
  std::array<uint8_t, kLinesAtOnce * kBytesPerLine> bytes;
  std::array<char, kLineChars> line;
  const uint64_t end = uint64_t{offset} + target.size();
  uint32_t line_index = offset / kLineChars;
  while (uint64_t{line_index} * kLineChars < end) {
    const uint32_t first_byte = line_index * kBytesPerLine;
    const uint32_t lines_left = static_cast<uint32_t>(
        (end - uint64_t{line_index} * kLineChars + kLineChars - 1) / kLineChars);
    const uint32_t count = std::min(std::min(kLinesAtOnce, lines_left) * kBytesPerLine,
                                    artifact_->size_bytes() - first_byte);
    OTA_TRY(artifact_->Read(first_byte, MutableByteSpan(bytes).first(count)));
    for (uint32_t done = 0; done < count; done += kBytesPerLine, ++line_index) {
      const uint32_t shown = std::min(kBytesPerLine, count - done);
      const bool is_last = first_byte + done + shown == artifact_->size_bytes();
      const uint32_t length =
          FormatLine(ByteSpan(bytes).subspan(done, shown), is_last, line.data());
      CopyShared({line.data(), length}, line_index * kLineChars, offset, target);
    }
  }
  return Status::kOk;
}

}  // namespace ota::server
