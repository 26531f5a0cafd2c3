// Low-rank adapters: two small matrices beside a large one, which learn in its place. Hu, Shen, Wallis, Allen-Zhu, Li,
// Wang, Wang, Chen, "LoRA: Low-Rank Adaptation of Large Language Models", 2021, arXiv 2106.09685.
#pragma once

#include <string>
#include <vector>

#include "nn/context.h"
#include "nn/initializer.h"
#include "nn/module.h"

namespace rapt {

/// Which matrices of a transformer's blocks have adapters, and what these are like.
struct LoraOptions {
  Dim rank = 0;        ///< 0: there are none
  double alpha = 16;   ///< what an adapter adds is multiplied by alpha / rank
  double dropout = 0;  ///< on what goes into an adapter, while training
  bool query = false, key = false, value = false, output = false;  ///< of attention
  bool up = false, down = false;                                   ///< of the feed-forward layer

  bool operator==(const LoraOptions&) const = default;
};

/// One adapter of a linear layer: W + scale * B A for `rows` of W's rows.
struct AdapterOptions {
  std::string name = {};  ///< empty for one that has the layer to itself
  Dim first = 0, rows = 0;
  Dim rank = 1;
  double scale = 1, dropout = 0;
};

/// The adapters of a layer that makes query, key and value side by side, each `width` wide.
std::vector<AdapterOptions> qkv_adapters(const LoraOptions& lora, Dim width);
/// That of a layer with `outputs` outputs; none if it is not wanted.
std::vector<AdapterOptions> whole_adapter(const LoraOptions& lora, bool wanted, Dim outputs);

/// A begins as the paper's code has it, U(-1/sqrt(in), 1/sqrt(in)), and B with zeros: nothing is added at first.
class LowRankAdapter final : public Module {
 public:
  LowRankAdapter(const AdapterOptions& options, Dim in, Initializer& init);

  /// "lora.query", or "lora".
  std::string name() const { return options_.name.empty() ? "lora" : "lora." + options_.name; }

  /// \param y  [N, out], what the layer makes of x
  /// \param x  [N, in]
  /// \return   [N, out]
  Variable add_to(const Variable& y, const Variable& x, Context& ctx) const;
  /// weight += scale * B A, in the adapter's rows. \param weight  [out, in]
  void merge_into(Tensor& weight) const;
  void visit(ParameterVisitor& v) override;

 private:
  AdapterOptions options_;
  Variable a_, b_;  // [rank, in], [rows, rank]
};

/// Adds every adapter of a network to the matrix that it stands beside and takes it away: a network without adapters
/// that says the same. \return  how many there were
int merge_adapters(Module& network);

}  // namespace rapt
