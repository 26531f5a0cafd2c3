#include "train/optimise/finite_check.h"

#include <optional>

#include "tensor/kernels/optimizer.h"

namespace rapt {
namespace {

// "nan", "inf", "-inf": the first number of a tensor that is not finite; empty if all are.
std::string bad_number(const Tensor& x) {
  if (!x.defined() || x.dtype() == DType::kI32) return "";
  return dispatch_float(x.dtype(), [&]<typename T>() -> std::string {
    const Dim at = kernels::first_not_finite<T>(x.data<T>(), x.size());
    return at < 0 ? "" : name_of_not_finite(static_cast<double>(x.data<T>()[at]));
  });
}

// "input [64, 96]", "input 2 [64, 96]" if there are several.
std::string input_text(std::size_t index, std::size_t count, const Shape& shape) {
  return "input " + (count > 1 ? std::to_string(index + 1) + " " : "") + shape.to_string();
}

// The position of an op in the network: its own parameter, or the last one used.
std::string place_text(const std::string& own, const char* side, const std::string& last) {
  if (!own.empty()) return " (" + own + ")";
  return last.empty() ? "" : std::string(" (") + side + " " + last + ")";
}

}  // namespace

std::string first_bad_weight(const FlatParameters& parameters) {
  for (const FlatParameters::Entry& entry : parameters.entries()) {
    const std::string bad = bad_number(entry.variable.value());
    if (!bad.empty()) return bad + " in " + entry.name;
  }
  return "";
}

FiniteCheck::FiniteCheck(const FlatParameters& parameters) {
  for (const FlatParameters::Entry& entry : parameters.entries()) {
    parameters_.emplace(entry.variable.gradient().get(), entry.name);
  }
}

std::string FiniteCheck::name_of(const Gradient* input) const {
  const auto known = parameters_.find(input);
  return known == parameters_.end() ? "" : known->second;
}

void FiniteCheck::forward_done(const char* op, std::span<const Variable> inputs, std::span<const Tensor> outputs) {
  if (!found_.empty()) return;
  std::string own;  // the op's first parameter
  for (const Variable& input : inputs) {
    if (own.empty()) own = name_of(input.gradient().get());
  }
  const std::string where = op + place_text(own, "after", after_);
  if (!own.empty()) after_ = own;
  for (const Tensor& output : outputs) {
    const std::string bad = bad_number(output);
    if (bad.empty()) continue;
    found_ = bad + " in the output " + output.shape().to_string() + " of " + where + ", with finite inputs";
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string given = inputs[i].defined() ? bad_number(inputs[i].value()) : "";
      if (!given.empty()) found_ = given + " in " + input_text(i, inputs.size(), inputs[i].shape()) + " of " + where;
    }
    return;
  }
}

void FiniteCheck::backward_done(const char* op, std::span<const std::shared_ptr<Gradient>> inputs) {
  if (!found_.empty()) return;
  std::string own;
  for (const auto& input : inputs) {
    if (own.empty()) own = name_of(input.get());
  }
  const std::string where = op + place_text(own, "before", before_);
  if (!own.empty()) before_ = own;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string bad = inputs[i] == nullptr ? "" : bad_number(inputs[i]->sum);
    if (bad.empty()) continue;
    const std::string parameter = name_of(inputs[i].get());
    found_ = bad + " in the gradient of " +
             (parameter.empty() ? input_text(i, inputs.size(), inputs[i]->shape) : parameter) + ", computed by " +
             where;
    return;
  }
}

}  // namespace rapt
