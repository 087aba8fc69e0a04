// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/dense.h"

namespace ota::engine {

template <typename Types>
typename Types::Activation FinishDense(typename Types::Accumulator sum, uint32_t channel,
                                       const DenseRows<Types>& job) {
  return ReferenceFinish<Types>(sum, job.TermOf(channel), job.range, job.rounding);
}

template <typename Types>
void ReferenceDenseRows(const DenseRows<Types>& job) {
  for (uint32_t pixel = 0; pixel < job.pixel_count; ++pixel) {
    for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
      const uint8_t* const row = job.weights + channel * job.depth * sizeof(typename Types::Weight);
      const auto sum =
          ReferenceAccumulate<Types>(0, job.input + pixel * job.depth, row, job.depth, job.range);
      job.output[pixel * job.output_step + channel] = FinishDense(sum, channel, job);
    }
  }
}

template int8_t FinishDense<ConvS8>(int32_t, uint32_t, const DenseRows<ConvS8>&);
template int16_t FinishDense<ConvS16>(int64_t, uint32_t, const DenseRows<ConvS16>&);
template float FinishDense<ConvF32>(float, uint32_t, const DenseRows<ConvF32>&);
template void ReferenceDenseRows<ConvS8>(const DenseRows<ConvS8>& job);
template void ReferenceDenseRows<ConvS16>(const DenseRows<ConvS16>& job);
template void ReferenceDenseRows<ConvF32>(const DenseRows<ConvF32>& job);

}  // namespace ota::engine
