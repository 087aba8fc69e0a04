// SPDX-License-Identifier: Apache-2.0
#include "engine/chain_planner.h"

#include <algorithm>
#include <cstdlib>

#include "base/units.h"
#include "engine/plan.h"

namespace ota::engine {

namespace {

using Kind = RowLink::Kind;

constexpr uint64_t kNoCost = UINT64_MAX;
constexpr uint32_t kChainOperatorsMax = 80;
constexpr int32_t kRowsMax = 1 << 20;
/// Cost of one operator begun again, against one byte of weights read again.
constexpr uint32_t kBeginCost = 32;

// The cheapest plan of the operators below an index.
struct Node {
  uint64_t cost;
  uint32_t outside_bytes;  ///< of buffers made before the operator and used by it or later
  uint32_t scratch_bytes;
  uint32_t alive_bytes;  ///< in the plain plan
  uint32_t first_link;
  uint16_t from;  ///< where its last step begins
  uint16_t patch_rows;
  uint32_t unused;
};

// What a tensor must have when its readers have come to row e of the chain's output: the rows
// [scale * e + begin, scale * e + end).
struct Reach {
  int32_t begin;
  int32_t end;
  int32_t scale;  ///< 0: nobody reads it
  uint16_t rows;
  uint16_t is_in_place;  ///< lies where its only reader's output lies
};

uint32_t PlacedBytes(uint32_t bytes) { return RoundUp(bytes, kTensorAlignment); }

class ChainSearch {
 public:
  ChainSearch(const ModelSurvey& survey, uint32_t limit, MutableByteSpan workspace)
      : survey_(survey),
        limit_(limit),
        nodes_(reinterpret_cast<Node*>(workspace.data())),
        reaches_(reinterpret_cast<Reach*>(nodes_ + survey.operator_count + 1)) {}

  static uint64_t WorkspaceBytes(const ModelSurvey& survey) {
    return (survey.operator_count + uint64_t{1}) * sizeof(Node) +
           uint64_t{survey.buffers.count()} * sizeof(Reach);
  }

  Status Run(ChainList& result) {
    FillNodes();
    uint32_t last_over = kNoBuffer;
    for (uint32_t last = 0; last < survey_.operator_count; ++last) {
      if (nodes_[last].alive_bytes <= limit_) {
        Offer(last, last, nodes_[last].cost, 0);
      } else {
        last_over = last;
      }
      if (last_over != kNoBuffer) TryChains(last, last_over);
    }
    return CollectChains(result);
  }

 private:
  const PlannedBuffer& Buffer(uint32_t index) const { return survey_.buffers[index]; }

  void FillNodes() {
    uint32_t link = 0;
    for (uint32_t i = 0; i <= survey_.operator_count; ++i) {
      while (link < survey_.links.size() && survey_.links[link].operator_index < i) ++link;
      nodes_[i] = {};
      nodes_[i].cost = i == 0 ? 0 : kNoCost;
      nodes_[i].first_link = link;
      nodes_[i].alive_bytes = ComputeAliveBytes(survey_.buffers, i);
      FillBytes(i);
    }
  }

  void FillBytes(uint32_t index) {
    for (uint32_t i = 0; i < survey_.buffers.count(); ++i) {
      const PlannedBuffer& buffer = Buffer(i);
      if (buffer.alias_of != kNoBuffer || buffer.state_slot != 0 || buffer.last < index) continue;
      const bool is_scratch = buffer.tensor == kNoBuffer;
      if (is_scratch && buffer.first == index) {
        nodes_[index].scratch_bytes += PlacedBytes(buffer.size_bytes);
      }
      const bool is_before = buffer.first < index || i < survey_.input_count;
      if (!is_scratch && is_before) nodes_[index].outside_bytes += PlacedBytes(buffer.size_bytes);
    }
  }

  // A way to run the operators [first, last].
  void Offer(uint32_t first, uint32_t last, uint64_t cost, uint32_t patch_rows) {
    Node& node = nodes_[last + 1];
    if (nodes_[first].cost == kNoCost || cost >= node.cost) return;
    node.cost = cost;
    node.from = static_cast<uint16_t>(first);
    node.patch_rows = static_cast<uint16_t>(patch_rows);
  }

  std::span<const RowLink> LinksOf(uint32_t index) const {
    const uint32_t first = nodes_[index].first_link;
    return survey_.links.subspan(first, nodes_[index + 1].first_link - first);
  }

  // The link that tells an operator's output; null if it cannot be in a chain.
  const RowLink* FindRowLink(uint32_t index) const {
    const RowLink* found = nullptr;
    for (const RowLink& link : LinksOf(index)) {
      if (link.kind == Kind::kBarrier) return nullptr;
      if (link.kind == Kind::kRows && found == nullptr) found = &link;
    }
    return found;
  }

  // All chains that end with operator `last`; only such as relieve an operator that is too large.
  void TryChains(uint32_t last, uint32_t last_over) {
    const RowLink* const link = FindRowLink(last);
    if (link == nullptr) return;
    uint32_t patches = 2;
    uint32_t rows = link->output_rows;
    while (rows > 1) {
      rows = (link->output_rows + patches - 1u) / patches;
      TryPatches(*link, last, last_over, rows);
      const uint32_t next = patches * 5 / 4 + 1;
      const uint32_t rows_below = rows - 1;
      if (rows_below == 0) break;
      patches = std::max(next, (link->output_rows + rows_below - 1u) / rows_below);
    }
  }

  void TryPatches(const RowLink& end, uint32_t last, uint32_t last_over, uint32_t rows) {
    for (uint32_t i = 0; i < survey_.buffers.count(); ++i) reaches_[i] = {};
    reaches_[end.output] = {0, 0, 1, end.output_rows, 0};
    const uint32_t patches = (end.output_rows + rows - 1) / rows;
    last_ = last;
    first_allowed_ = 0;
    inside_bytes_ = PlacedBytes(Buffer(end.output).size_bytes);
    scratch_bytes_ = 0;
    uint64_t again = 0;
    for (uint32_t first = last + 1; first-- > 0 && last - first < kChainOperatorsMax;) {
      if (LinksOf(first).empty()) continue;
      const RowLink* const link = FindRowLink(first);
      if (link == nullptr || !AddOutput(*link, first, rows) || !AddInputs(first)) return;
      scratch_bytes_ = std::max(scratch_bytes_, nodes_[first].scratch_bytes);
      again += uint64_t{link->pass_bytes} + kBeginCost;
      const uint64_t bytes = inside_bytes_ + uint64_t{scratch_bytes_} + nodes_[first].outside_bytes;
      if (bytes > limit_ || first < first_allowed_ || first > last_over) continue;
      Offer(first, last, nodes_[first].cost + again * (patches - 1), rows);
    }
  }

  // The line buffer of the tensor that operator `index` makes.
  bool AddOutput(const RowLink& link, uint32_t index, uint32_t patch_rows) {
    if (index == last_) return true;
    const Reach& reach = reaches_[link.output];
    const PlannedBuffer& buffer = Buffer(link.output);
    if (reach.scale == 0 || reach.rows != link.output_rows || buffer.last > last_) return false;
    if (reach.is_in_place != 0) return true;
    const int64_t rows = int64_t{reach.scale} * patch_rows + reach.end - reach.begin;
    const uint32_t row_bytes = buffer.size_bytes / reach.rows;
    const auto held = static_cast<uint32_t>(std::clamp<int64_t>(rows, 0, reach.rows));
    inside_bytes_ += PlacedBytes(held * row_bytes);
    return true;
  }

  bool AddInputs(uint32_t index) {
    for (const RowLink& link : LinksOf(index)) {
      if (link.kind == Kind::kWhole) {
        if (link.input >= survey_.input_count) {
          first_allowed_ = std::max<uint32_t>(first_allowed_, Buffer(link.input).first + 1u);
        }
        continue;
      }
      if (!AddInput(link)) return false;
    }
    return true;
  }

  bool AddInput(const RowLink& link) {
    const Reach& output = reaches_[link.output];
    const int32_t stride = link.map.stride;
    const int32_t begin = stride * output.end - link.map.padding;
    const int32_t end = begin - stride + link.map.reach;
    const int32_t scale = std::max<int32_t>(stride * output.scale, 1);
    const bool is_too_far = std::abs(begin) > kRowsMax || std::abs(end) > kRowsMax ||
                            scale > kRowsMax || link.input_rows == 0;
    if (is_too_far) return false;
    Reach& input = reaches_[link.input];
    if (input.scale == 0) {
      input = {std::min(begin, end), end, scale, link.input_rows, IsInPlace(survey_, link)};
      return true;
    }
    input.begin = std::min(input.begin, begin);
    input.end = std::max(input.end, end);
    input.is_in_place = 0;
    return input.scale == scale && input.rows == link.input_rows;
  }

  static uint16_t IsInPlace(const ModelSurvey& survey, const RowLink& link) {
    return CanShareLines(survey.buffers, link) ? 1 : 0;
  }

  Status CollectChains(ChainList& result) const {
    result.count = 0;
    uint32_t at = survey_.operator_count;
    if (nodes_[at].cost == kNoCost) return Status::kArenaTooSmall;
    while (at > 0) {
      const Node& node = nodes_[at];
      if (node.patch_rows != 0) {
        if (result.count == kChainsMax) return Status::kArenaTooSmall;
        result.chains[result.count++] = MakeChain(node, at - 1);
      }
      at = node.from;
    }
    std::reverse(result.chains, result.chains + result.count);
    return Status::kOk;
  }

  Chain MakeChain(const Node& node, uint32_t last) const {
    Chain chain;
    chain.first = node.from;
    chain.last = static_cast<uint16_t>(last);
    chain.patch_rows = node.patch_rows;
    const uint32_t first_link = nodes_[node.from].first_link;
    const auto links = survey_.links.subspan(first_link, nodes_[last + 1].first_link - first_link);
    for (uint32_t i = 0; i < links.size(); ++i) {
      if (links[i].kind != Kind::kRows) continue;
      ++chain.link_count;
      if (!Names(links.first(i), links[i].input)) ++chain.buffer_count;
      if (!Names(links.first(i), links[i].output)) ++chain.buffer_count;
    }
    return chain;
  }

  static bool Names(std::span<const RowLink> links, uint32_t buffer) {
    return std::any_of(links.begin(), links.end(), [buffer](const RowLink& link) {
      return link.kind == Kind::kRows && (link.input == buffer || link.output == buffer);
    });
  }

  const ModelSurvey& survey_;
  const uint32_t limit_;
  Node* nodes_;
  Reach* reaches_;
  uint32_t last_ = 0;
  uint32_t first_allowed_ = 0;
  uint32_t inside_bytes_ = 0;
  uint32_t scratch_bytes_ = 0;
};

}  // namespace

bool CanShareLines(const BufferTable& buffers, const RowLink& link) {
  const PlannedBuffer& input = buffers[link.input];
  const PlannedBuffer& output = buffers[link.output];
  const bool is_named = output.overlap_input == link.input || output.overlap_other == link.input;
  return link.map.is_identity() && is_named && output.overlap_distance == 0 &&
         input.last == link.operator_index && input.size_bytes == output.size_bytes &&
         link.input_rows == link.output_rows;
}

Status FindChains(const ModelSurvey& survey, uint32_t limit_bytes, MutableByteSpan workspace,
                  ChainList& result) {
  const bool fits = ChainSearch::WorkspaceBytes(survey) <= workspace.size();
  if (!fits || survey.operator_count >= kNoBuffer) return Status::kArenaTooSmall;
  return ChainSearch(survey, limit_bytes, workspace).Run(result);
}

}  // namespace ota::engine
