#include "nn/lora.h"

#include <cmath>
#include <vector>

#include "autograd/ops/dropout.h"
#include "autograd/ops/low_rank.h"
#include "nn/linear.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/matmul.h"

namespace rapt {

static AdapterOptions adapter(const LoraOptions& lora, const char* name, Dim first, Dim rows) {
  return {.name = name,
          .first = first,
          .rows = rows,
          .rank = lora.rank,
          .scale = lora.alpha / static_cast<double>(lora.rank),
          .dropout = lora.dropout};
}

std::vector<AdapterOptions> qkv_adapters(const LoraOptions& lora, Dim width) {
  std::vector<AdapterOptions> adapters;
  if (lora.rank == 0) return adapters;
  if (lora.query) adapters.push_back(adapter(lora, "query", 0, width));
  if (lora.key) adapters.push_back(adapter(lora, "key", width, width));
  if (lora.value) adapters.push_back(adapter(lora, "value", 2 * width, width));
  return adapters;
}

std::vector<AdapterOptions> whole_adapter(const LoraOptions& lora, bool wanted, Dim outputs) {
  if (lora.rank == 0 || !wanted) return {};
  return {adapter(lora, "", 0, outputs)};
}

LowRankAdapter::LowRankAdapter(const AdapterOptions& options, Dim in, Initializer& init)
    : options_(options),
      a_(init.uniform({options.rank, in}, 1 / std::sqrt(static_cast<double>(in)))),
      b_(init.zeros({options.rows, options.rank})) {}

Variable LowRankAdapter::add_to(const Variable& y, const Variable& x, Context& ctx) const {
  const DropoutKey key = ctx.dropout_key();
  return add_low_rank(y, dropout(x, ctx.training ? options_.dropout : 0.0, key), a_, b_, options_.first,
                      options_.scale);
}

void LowRankAdapter::merge_into(Tensor& weight) const {
  const Dim in = weight.shape()[1];
  Tensor rows = weight.slice(options_.first, options_.first + options_.rows), b = b_.value().clone();
  dispatch_float(weight.dtype(), [&]<typename T>() {
    kernels::scale<T>(b.data<T>(), b.data<T>(), options_.scale, b.size(), Write::kAssign);
    matmul<T>({rows.data<T>(), options_.rows, in}, {b.data<T>(), options_.rows, options_.rank}, Transpose::kNo,
              {a_.value().data<T>(), options_.rank, in}, Transpose::kNo, Write::kAdd);
  });
}

void LowRankAdapter::visit(ParameterVisitor& v) {
  v.parameter("a", a_);
  v.parameter("b", b_);
}

int merge_adapters(Module& network) {
  std::vector<Linear*> layers;  // collected first: adapters are in the list of modules, too, and are destroyed when
                                // they are merged
  for (Module* const module : modules_of(network)) {
    if (auto* const linear = dynamic_cast<Linear*>(module)) layers.push_back(linear);
  }
  int merged = 0;
  for (Linear* const linear : layers) merged += linear->merge_adapters();
  return merged;
}

}  // namespace rapt
