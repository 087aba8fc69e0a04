// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/prepare_context.h"
#include "engine/run_context.h"

// A row of a constant matrix that an operator multiplies with a vector: used in place where the
// source is memory mapped, else brought in through a page.

namespace ota::engine {

/// Where the rows of a constant matrix of one- or two-byte elements lie in the file.
struct StreamedMatrix {
  uint32_t offset;
  uint32_t row_bytes;
};

/// `tensor` must be constant, of two dimensions, `rows` x `columns`.
/// kNotSupported: not constant. kUnsupportedShape. kModelMalformed: its bytes are not all there.
inline Result<StreamedMatrix> DescribeMatrix(const formats::TensorInfo& tensor, uint32_t rows,
                                             uint32_t columns) {
  if (!tensor.is_constant) return Status::kNotSupported;
  const bool is_matrix = tensor.rank == 2 && static_cast<uint32_t>(tensor.dimension(0)) == rows &&
                         static_cast<uint32_t>(tensor.dimension(1)) == columns;
  if (!is_matrix) return Status::kUnsupportedShape;
  if (tensor.constant_bytes != tensor.size_bytes) return Status::kModelMalformed;
  return StreamedMatrix{tensor.constant_offset, columns * formats::ElementBytes(tensor.type)};
}

/// Calls `use(bytes, first, count)` with the elements of row `row`, some at a time. `page` holds
/// `page_bytes`, a multiple of two; neither matters when mapped. Fails with what the source
/// returned.
template <typename Use>
Status ForEachPieceOfRow(RunContext& context, const StreamedMatrix& matrix, uint32_t row,
                         uint32_t element_bytes, uint8_t* page, uint32_t page_bytes, Use use) {
  const uint32_t offset = matrix.offset + row * matrix.row_bytes;
  const uint32_t piece_max = context.is_mapped() ? matrix.row_bytes : page_bytes;
  for (uint32_t done = 0; done < matrix.row_bytes;) {
    const uint32_t piece =
        matrix.row_bytes - done < piece_max ? matrix.row_bytes - done : piece_max;
    const uint8_t* bytes = page;
    OTA_TRY(context.FetchConstant(offset + done, piece, bytes));
    use(bytes, done / element_bytes, piece / element_bytes);
    done += piece;
  }
  return Status::kOk;
}

/// Sum of row `row` of int8 weights times `vector` less its zero point; wraps as two's complement.
Result<int32_t> DotRowS8(RunContext& context, const StreamedMatrix& matrix, uint32_t row,
                         const int8_t* vector, int32_t zero_point, uint8_t* page,
                         uint32_t page_bytes);

/// Bytes of the page for rows of at most `row_bytes`: 0 when the source is mapped.
inline uint32_t RowPageBytes(const PrepareContext& context, uint32_t row_bytes) {
  if (context.is_mapped()) return 0;
  return row_bytes < context.page_bytes() ? (row_bytes + 1) & ~1u : context.page_bytes() & ~1u;
}

}  // namespace ota::engine
