#include "train/files/weight_average.h"

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

void WeightAverage::add(Module& network, const std::string& where) {
  const std::vector<NamedParameter> parameters = parameters_of(network);
  if (count_ == 0) {
    first_ = where;
    for (const NamedParameter& p : parameters) {
      const auto size = static_cast<std::size_t>(p.variable.value().size());
      sums_.push_back({p.name, p.variable.shape(), std::vector<double>(size)});
    }
  }
  if (parameters.size() != sums_.size()) {
    throw DataError("average: " + escape_for_terminal(where) + " has " + std::to_string(parameters.size()) +
                    " parameters, " + escape_for_terminal(first_) + " has " + std::to_string(sums_.size()) +
                    "; only networks of the same structure can be averaged");
  }
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const NamedParameter& p = parameters[i];
    if (p.name != sums_[i].name || p.variable.shape() != sums_[i].shape) {
      throw DataError("average: " + escape_for_terminal(where) + " has " + p.name + " " +
                      p.variable.shape().to_string() + ", " + escape_for_terminal(first_) + " has " + sums_[i].name +
                      " " + sums_[i].shape.to_string() + "; only networks of the same structure can be averaged");
    }
    dispatch_float(p.variable.dtype(), [&]<typename T>() {
      const auto values = p.variable.value().span<T>();
      for (std::size_t k = 0; k < values.size(); ++k) sums_[i].values[k] += static_cast<double>(values[k]);
    });
  }
  ++count_;
}

void WeightAverage::give(Module& network) const {
  std::vector<NamedParameter> parameters = parameters_of(network);
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    dispatch_float(parameters[i].variable.dtype(), [&]<typename T>() {
      const auto values = parameters[i].variable.value().span<T>();
      for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<T>(sums_[i].values[k] / count_);
    });
    parameters[i].variable.value().changed();
  }
}

Pretrained average_pretrained(const std::vector<std::string>& paths) {
  WeightAverage average;
  Pretrained last;
  for (const std::string& path : paths) {
    last = open_pretrained(path);
    average.add(last.network->module(), last.source);
  }
  average.give(last.network->module());
  return last;
}

}  // namespace rapt
