// A custom op with a gradient check, and a layer that uses it.
#include <cmath>
#include <cstdio>
#include <vector>

#include "autograd/gradcheck.h"
#include "nn/linear.h"

using namespace rapt;

// y = log(1 + e^x), element by element. The form max(x, 0) + log(1 + e^-|x|) cannot overflow.
Variable softplus(const Variable& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(x.dtype(), [&]<typename T>() {
    const T* in = x.value().data<T>();
    for (T& out : y.span<T>()) {
      out = std::max(*in, T(0)) + std::log1p(std::exp(-std::abs(*in)));
      ++in;
    }
  });
  // The backward function keeps tensors, not variables, and adds to the existing gradient: dx += dy * (1 - e^-y).
  return record("softplus", y, {x}, [y](const Tensor& dy, Grads d) {
    dispatch_float(y.dtype(), [&]<typename T>() {
      T* dx = d.data<T>(0);
      for (Dim i = 0; i < y.size(); ++i) dx[i] += dy.data<T>()[i] * -std::expm1(-y.data<T>()[i]);
    });
  });
}

// Two linear layers with softplus between them. visit() lists the members; their names become keys in files.
class SoftplusNetwork final : public Module {
 public:
  SoftplusNetwork(Dim in, Dim inner, Dim out, Initializer& init)
      : up_({.in = in, .out = inner}, init), down_({.in = inner, .out = out}, init) {}

  Variable forward(const Variable& x) const { return down_.forward(softplus(up_.forward(x))); }

  void visit(ParameterVisitor& v) override {
    v.child("up", up_);
    v.child("down", down_);
  }

 private:
  Linear up_, down_;
};

int main() {
  Initializer init(/*seed=*/1, DType::kF64);

  const GradcheckResult op =
      gradcheck([](const std::vector<Variable>& in) { return softplus(in[0]); }, {init.normal({3, 5}, 4.0)});
  std::printf("softplus: %s, worst relative error %.1e\n", op ? "ok" : op.message.c_str(), op.worst);

  SoftplusNetwork network(5, 7, 2, init);
  std::vector<Variable> inputs = {init.normal({3, 5}, 1.0)};
  for (const NamedParameter& parameter : parameters_of(network)) inputs.push_back(parameter.variable);
  const GradcheckResult layer =
      gradcheck([&](const std::vector<Variable>& in) { return network.forward(in[0]); }, inputs);
  std::printf("network with %lld parameters: %s, worst relative error %.1e\n",
              static_cast<long long>(parameter_count(network)), layer ? "ok" : layer.message.c_str(), layer.worst);

  return op && layer ? 0 : 1;
}
