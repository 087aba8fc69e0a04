// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <type_traits>

#include "base/units.h"
#include "engine/kernels/conv_layout.h"
#include "engine/operators/convolution.h"
#include "engine/operators/quantization.h"
#include "engine/operators/weight_pages.h"

namespace ota::engine {

using formats::TensorType;

namespace {

constexpr uint32_t kChunkChannels = 16;
constexpr uint32_t kUnitMacs = 32 * 1024;

float LoadF32(const uint8_t* at) { return std::bit_cast<float>(LoadLe32(at)); }

// Reads `count` values of `bytes` each from the model, a few at a time, and hands them to `use`.
template <typename Use>
Status ForEachConstant(RunContext& context, uint32_t offset, uint32_t bytes, uint32_t count,
                       Use use) {
  uint8_t chunk[kChunkChannels * 8];
  for (uint32_t first = 0; first < count; first += kChunkChannels) {
    const uint32_t length = std::min(kChunkChannels, count - first);
    const uint8_t* at = chunk;
    OTA_TRY(context.FetchConstant(offset + first * bytes, length * bytes, at));
    for (uint32_t i = 0; i < length; ++i) use(first + i, at + i * bytes);
  }
  return Status::kOk;
}

template <typename Term>
Status LoadMultipliers(RunContext& context, const ConvParams& params, uint32_t first,
                       uint32_t count, Term* terms) {
  if (params.scales_offset == 0) {
    const Multiplier multiplier =
        ComputeChannelMultiplier(params.input_scale, params.weight_scale, params.output_scale);
    for (uint32_t i = 0; i < count; ++i) terms[i].multiplier = multiplier;
    return Status::kOk;
  }
  return ForEachConstant(
      context, params.scales_offset + first * 4, 4, count, [&](uint32_t i, const uint8_t* at) {
        terms[i].multiplier =
            ComputeChannelMultiplier(params.input_scale, LoadF32(at), params.output_scale);
      });
}

template <typename Term, typename Load>
Status LoadBiases(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                  Term* terms, Load load) {
  for (uint32_t i = 0; i < count; ++i) terms[i].bias = 0;
  if (params.bias_offset == 0) return Status::kOk;
  const uint32_t bytes = sizeof(terms[0].bias);
  return ForEachConstant(context, params.bias_offset + first * bytes, bytes, count,
                         [&](uint32_t i, const uint8_t* at) { terms[i].bias = load(at); });
}

uint32_t WindowElements(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
}

// One operator in progress: where the tile's parts lie, and which unit comes next. A tile is what
// is in memory of weights and terms; a block is what a kernel takes of it at once. If that is a
// part of the tile, each block runs over the whole image before the next begins; else rows run
// through all of the blocks, so that output may overlap input.
template <typename Types, bool kMayTranspose = true>
class ConvRun {
  using Term = typename Types::Term;
  static constexpr uint32_t kWeightBytes = sizeof(typename Types::Weight);

 public:
  ConvRun(RunContext& context, ConvKind kind)
      : context_(context), params_(context.params<ConvParams>()), kind_(kind) {
    const WindowShape& shape = params_.shape;
    window_ = WindowElements(shape);
    FillJob();
    SelectTiles();
    SelectBlocks();
    units_per_tile_ = shape.batch_count * chunks_ * blocks_;
    tiles_ = (shape.output_channels + tile_channels_ - 1) / tile_channels_;
  }

  Status Run() {
    while (context_.unit() < units_per_tile_ * tiles_) {
      const uint32_t tile = context_.unit() / units_per_tile_;
      const uint32_t rest = context_.unit() % units_per_tile_;
      OTA_TRY(SelectTile(tile, rest == 0));
      const uint32_t chunks = params_.shape.batch_count * chunks_;
      const uint32_t macs = is_block_outer_ ? RunUnit(rest / chunks, rest % chunks)
                                            : RunUnit(rest % blocks_, rest / blocks_);
      if (context_.FinishUnit(macs)) return Status::kBusy;
    }
    return Status::kOk;
  }

 private:
  bool is_transposed() const { return kMayTranspose && kind_ == ConvKind::kTransposed; }
  bool has_fast_kernels() const { return std::is_same_v<Types, ConvS8> && !is_transposed(); }

  uint32_t KernelChannels() const {
    const bool is_full = kind_ == ConvKind::kFull;
    return is_full ? ConvBlockChannelsS8(params_.shape) : DepthwiseBlockChannelsS8(params_.shape);
  }

  // The planned tile, or a larger one if its weights are in memory and the kernels keep its terms.
  void SelectTiles() {
    tile_channels_ = params_.tile_channels;
    if constexpr (std::is_same_v<Types, ConvS8>) {
      const std::span<ChannelTermS8> terms = BlockTermsS8();
      const uint32_t channels = std::min({KernelChannels(), static_cast<uint32_t>(terms.size()),
                                          uint32_t{params_.shape.output_channels}});
      if (!has_fast_kernels() || !context_.is_mapped() || channels <= tile_channels_) return;
      tile_channels_ = channels;
      terms_ = terms.data();
      are_terms_planned_ = false;
    }
  }

  void SelectBlocks() {
    const WindowShape& shape = params_.shape;
    const uint32_t row_macs = shape.output_width * window_;
    if (has_fast_kernels()) {
      block_ = std::min(tile_channels_, KernelChannels());
      is_block_outer_ = block_ < shape.output_channels;
    } else {
      block_ = std::clamp<uint32_t>(RoundUp(kUnitMacs / row_macs + 1, 8), 1, tile_channels_);
    }
    blocks_ = (tile_channels_ + block_ - 1) / block_;
    rows_ = is_block_outer_ || blocks_ == 1 ? CountUnitRows(shape, block_) : 1;
    chunks_ = (shape.output_height + rows_ - 1) / rows_;
  }

  void FillJob() {
    uint8_t* const scratch = context_.Data(params_.scratch);
    terms_ = reinterpret_cast<Term*>(scratch);
    page_ = scratch +
            RoundUp(params_.tile_channels * static_cast<uint32_t>(sizeof(Term)), kTensorAlignment);
    const uint32_t page_count = context_.is_mapped() ? 0 : params_.page_bytes != 0 ? 2 : 1;
    job_.shape = &params_.shape;
    job_.rounding = context_.rounding();
    job_.range = MakeResultRange<Types>(params_);
    job_.scratch =
        page_ + page_count * WeightPageStride(params_.tile_channels * window_ * kWeightBytes);
  }

  Status SelectTile(uint32_t tile, bool is_first_unit) {
    if (tile == selected_tile_) return Status::kOk;
    const uint32_t outputs = params_.shape.output_channels;
    tile_begin_ = tile * tile_channels_;
    tile_count_ = std::min<uint32_t>(tile_channels_, outputs - tile_begin_);
    job_.channel_begin = tile_begin_;
    job_.channel_count = tile_count_;
    job_.terms = terms_;
    job_.weight_stride = context_.is_mapped() ? outputs : tile_count_;
    if (is_first_unit && is_ahead()) OTA_TRY(Pages().Select(tile));
    if (is_first_unit || !are_terms_planned_) {
      OTA_TRY(LoadTerms(context_, params_, tile_begin_, tile_count_, terms_));
    }
    if (is_ahead()) {
      job_.weights = Pages().page(tile);
    } else {
      OTA_TRY(SelectWeights(is_first_unit));
    }
    selected_tile_ = tile;
    return Status::kOk;
  }

  bool is_ahead() const { return params_.page_bytes != 0; }

  // Of tiles that are read ahead.
  WeightPages Pages() const {
    const uint32_t bytes = params_.shape.output_channels * window_ * kWeightBytes;
    return {context_, {params_.weights_offset, bytes, params_.page_bytes, true}, page_};
  }

  // Mapped: the weights in place. Streamed: on the first unit they are read, later they are there.
  Status SelectWeights(bool is_first_unit) {
    const uint32_t channel_bytes = window_ * kWeightBytes;
    const bool is_full = kind_ != ConvKind::kDepthwise;
    const uint32_t first =
        params_.weights_offset + tile_begin_ * (is_full ? channel_bytes : kWeightBytes);
    job_.weights = page_;
    if (!is_first_unit && !context_.is_mapped()) return Status::kOk;
    if (context_.is_mapped() || is_full) {
      return context_.FetchConstant(first, tile_count_ * channel_bytes, job_.weights);
    }
    const uint32_t row_bytes = params_.shape.output_channels * kWeightBytes;
    const uint32_t part_bytes = tile_count_ * kWeightBytes;
    if (part_bytes == row_bytes) {
      return context_.FetchConstant(first, window_ * row_bytes, job_.weights);
    }
    for (uint32_t tap = 0; tap < window_; ++tap) {
      const uint8_t* at = page_ + tap * part_bytes;
      OTA_TRY(context_.FetchConstant(first + tap * row_bytes, part_bytes, at));
    }
    return Status::kOk;
  }

  // Narrows the tile's job to a block of its channels, which may be empty in the last tile.
  ConvRows<Types> BlockJob(uint32_t block) const {
    const uint32_t first = block * block_;
    ConvRows<Types> job = job_;
    job.channel_begin += first;
    job.channel_count = first < tile_count_ ? std::min(block_, tile_count_ - first) : 0;
    job.terms += first;
    const uint32_t weight_skip = kind_ == ConvKind::kDepthwise ? first : first * window_;
    job.weights += weight_skip * kWeightBytes;
    return job;
  }

  void BeginBlock(const ConvRows<Types>& job, uint32_t block) {
    if (is_transposed()) return;
    if constexpr (std::is_same_v<Types, ConvS8>) {
      Term* const terms = terms_ + block * block_;
      kind_ == ConvKind::kFull ? BeginConvTileS8(job, terms) : BeginDepthwiseTileS8(job, terms);
    }
  }

  // Computes some rows of one block; returns the multiply-accumulates.
  uint32_t RunUnit(uint32_t block, uint32_t chunk) {
    const WindowShape& shape = params_.shape;
    ConvRows<Types> job = BlockJob(block);
    if (job.channel_count == 0) return 0;
    if (chunk == 0) BeginBlock(job, block);
    const uint32_t batch = chunk / chunks_;
    job.row_begin = chunk % chunks_ * rows_;
    job.row_count = std::min(rows_, shape.output_height - job.row_begin);
    using Value = typename Types::Activation;
    const uint32_t input_image =
        uint32_t{shape.input_height} * shape.input_width * shape.input_channels;
    const uint32_t output_image =
        uint32_t{shape.output_height} * shape.output_width * shape.output_channels;
    job.input = context_.DataAs<Value>(params_.input) + batch * input_image;
    job.output = context_.DataAs<Value>(params_.output) + batch * output_image;
    RunKernel(job);
    return job.row_count * shape.output_width * job.channel_count * window_;
  }

  void RunKernel(const ConvRows<Types>& job) {
    if constexpr (kMayTranspose) {
      if (is_transposed()) return ReferenceTransposedRows(job);
    }
    const bool is_full = kind_ == ConvKind::kFull;
    if constexpr (std::is_same_v<Types, ConvS8>) {
      is_full ? ConvRowsS8(job) : DepthwiseRowsS8(job);
    } else {
      is_full ? ReferenceConvRows(job) : ReferenceDepthwiseRows(job);
    }
  }

  RunContext& context_;
  const ConvParams& params_;
  const ConvKind kind_;
  ConvRows<Types> job_{};
  Term* terms_ = nullptr;
  bool are_terms_planned_ = true;  ///< in the scratch, where they stay between steps
  uint32_t tile_channels_ = 0;
  uint8_t* page_ = nullptr;
  uint32_t window_ = 0;
  uint32_t block_ = 0;
  uint32_t blocks_ = 0;
  uint32_t rows_ = 0;    ///< of a unit
  uint32_t chunks_ = 0;  ///< units of rows in an image
  bool is_block_outer_ = false;
  uint32_t units_per_tile_ = 0;
  uint32_t tiles_ = 0;
  uint32_t tile_begin_ = 0;
  uint32_t tile_count_ = 0;
  uint32_t selected_tile_ = 0xFFFFFFFF;
};

}  // namespace

// Kernels take four pixels at a time: whole fours, if few rows make them.
uint32_t CountUnitRows(const WindowShape& shape, uint32_t channel_count) {
  const uint32_t row_macs = shape.output_width * WindowElements(shape);
  const uint32_t rows = kUnitMacs / (row_macs * channel_count) + 1;
  const uint32_t width = shape.output_width;
  const uint32_t even_rows = RoundUp(rows, width % 4 == 0 ? 1 : width % 2 == 0 ? 2 : 4);
  return std::min<uint32_t>(even_rows, shape.output_height);
}

Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermS8* terms) {
  OTA_TRY(LoadMultipliers(context, params, first, count, terms));
  return LoadBiases(context, params, first, count, terms,
                    [](const uint8_t* at) { return static_cast<int32_t>(LoadLe32(at)); });
}

Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermS16* terms) {
  OTA_TRY(LoadMultipliers(context, params, first, count, terms));
  return LoadBiases(context, params, first, count, terms,
                    [](const uint8_t* at) { return static_cast<int64_t>(LoadLe64(at)); });
}

Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermF32* terms) {
  return LoadBiases(context, params, first, count, terms, LoadF32);
}

Status RunConvolutionInt8(RunContext& context, ConvKind kind) {
  switch (context.params<ConvParams>().tile_channels) {
    case kTilesAreParts:
      return RunConvolutionInPartsInt8(context);
    case kTilesAreQuads:
      return RunConvolutionInQuads(context);
    default:
      return ConvRun<ConvS8, false>(context, kind).Run();
  }
}

Status RunConvolution(RunContext& context, ConvKind kind) {
  if (context.params<ConvParams>().tile_channels == kTilesAreParts) {
    return RunConvolutionInParts(context);
  }
  switch (context.params<ConvParams>().type) {
    case TensorType::kInt8:
      return kind == ConvKind::kTransposed ? ConvRun<ConvS8>(context, kind).Run()
                                           : RunConvolutionInt8(context, kind);
    case TensorType::kInt16:
      return ConvRun<ConvS16>(context, kind).Run();
    default:
      return ConvRun<ConvF32>(context, kind).Run();
  }
}

}  // namespace ota::engine
