// Low-rank adapters: two small matrices beside a large one, trained in its place. Hu, Shen, Wallis, Allen-Zhu, Li,
// Wang, Wang, Chen, "LoRA: Low-Rank Adaptation of Large Language Models", 2021, arXiv 2106.09685.
#pragma once

#include <string>
#include <vector>

#include "nn/context.h"
#include "nn/initializer.h"
#include "nn/module.h"

namespace rapt {

/// Which matrices of a transformer's blocks have adapters, and the settings of the adapters.
struct LoraOptions {
  Dim rank = 0;        ///< 0: no adapters
  double alpha = 16;   ///< an adapter's output is multiplied by alpha / rank
  double dropout = 0;  ///< dropout of an adapter's input during training
  bool query = false, key = false, value = false, output = false;  ///< of attention
  bool up = false, down = false;                                   ///< of the feed-forward layer

  bool operator==(const LoraOptions&) const = default;
};

/// One adapter of a linear layer: W + scale * B A for `rows` rows of W.
struct AdapterOptions {
  std::string name = {};  ///< empty if it is the layer's only adapter
  Dim first = 0, rows = 0;
  Dim rank = 1;
  double scale = 1, dropout = 0;
};

/// The adapters of a layer that computes query, key and value side by side, each `width` wide.
std::vector<AdapterOptions> qkv_adapters(const LoraOptions& lora, Dim width);
/// The adapter of a layer with `outputs` outputs; none if it is not selected.
std::vector<AdapterOptions> whole_adapter(const LoraOptions& lora, bool wanted, Dim outputs);

/// A is initialised as in the paper's code, U(-1/sqrt(in), 1/sqrt(in)), and B with zeros, so the initial adapter adds
/// nothing.
class LowRankAdapter final : public Module {
 public:
  LowRankAdapter(const AdapterOptions& options, Dim in, Initializer& init);

  /// "lora.query", or "lora".
  std::string name() const { return options_.name.empty() ? "lora" : "lora." + options_.name; }

  /// \param y  [N, out], the layer's output for x
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

/// Merges every adapter of a network into its matrix and removes it. The result is a network without adapters that
/// computes the same.
///
/// \return  the number of adapters
int merge_adapters(Module& network);

}  // namespace rapt
