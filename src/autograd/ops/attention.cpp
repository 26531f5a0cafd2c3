#include "autograd/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "autograd/ops/operands.h"
#include "tensor/kernels/attention.h"

namespace rapt {
namespace {

using kernels::AttentionGradients;
using kernels::AttentionProblem;

std::string text(Dim x) { return std::to_string(x); }

void check_offsets(const char* op, const Packed& layout, const char* rows_name, Dim rows) {
  const Tensor& offsets = layout.offsets;
  require_shape(offsets.defined() && offsets.shape().rank() == 1 && offsets.size() >= 1, [&] {
    return std::string(op) + ": offsets must be [B + 1], got " +
           (offsets.defined() ? offsets.shape().to_string() : "none");
  });
  const std::span<const std::int32_t> at = offsets.span<std::int32_t>();
  require_shape(at.front() == 0,
                [&] { return std::string(op) + ": offsets must start at 0, got " + text(at.front()); });
  require_shape(at.back() == rows, [&] {
    return std::string(op) + ": offsets must end at " + rows_name + " = " + text(rows) + ", got " + text(at.back());
  });
  const auto fall = std::adjacent_find(at.begin(), at.end(), std::greater<>());
  require_shape(fall == at.end(), [&] {
    return std::string(op) + ": offsets must be non-decreasing, got " + text(fall[1]) + " after " + text(fall[0]);
  });
}

AttentionProblem make_problem(const char* op, const Packed& queries, const Packed& keys, Dim C,
                              const AttentionOptions& options) {
  const Dim heads = options.heads;
  require_shape(heads >= 1 && C >= heads && C % heads == 0, [&] {
    return std::string(op) + ": heads must divide the width, got width " + text(C) + " and " + text(heads) + " heads";
  });
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    throw std::invalid_argument(std::string(op) + ": dropout must be at least 0 and less than 1, got " +
                                std::to_string(options.dropout));
  }
  return {.queries = queries.offsets.span<std::int32_t>(),
          .keys = keys.offsets.span<std::int32_t>(),
          .heads = heads,
          .causal = options.mask == AttentionMask::kCausal,
          .scale = options.scale != 0 ? options.scale : 1 / std::sqrt(static_cast<double>(C / heads)),
          .dropout = kernels::DropoutRule(options.dropout, options.key)};
}

// Columns [first, first + C) of a tensor [rows, width].
template <typename T, typename AnyTensor>
auto columns(AnyTensor& x, Dim first, Dim C) {
  auto* const data = x.template data<T>();
  return Matrix<std::remove_pointer_t<decltype(data)>>(data + first, x.shape()[0], C, x.shape()[1]);
}

// The tensors that the backward pass needs. The offsets are kept because `problem` only points to them.
struct Saved {
  Tensor q, kv;           // operands
  Tensor y, log_sum_exp;  // sums
  Tensor query_offsets, key_offsets;
  AttentionProblem problem;
  Dim q_first, k_first, v_first;  // columns
};

void make_outputs(Saved& s, Dim N, Dim C, DType dtype, bool recording) {
  s.y = Tensor::empty({N, C}, dtype);
  if (recording) s.log_sum_exp = Tensor::empty({N, s.problem.heads}, dtype);
  dispatch_operand(s.q, [&]<typename T, typename Operand>() {
    const Tensor &q = s.q, &kv = s.kv;
    kernels::attention_forward<Operand>(columns<T>(s.y, 0, C), recording ? s.log_sum_exp.data<T>() : nullptr,
                                        columns<Operand>(q, s.q_first, C), columns<Operand>(kv, s.k_first, C),
                                        columns<Operand>(kv, s.v_first, C), s.problem);
  });
}

// Where the gradients of q and kv are written; the tensor of one that is not needed is undefined.
void run_backward(const Saved& s, Dim C, const Tensor& dy, Grads::Slot q, Grads::Slot kv) {
  const Tensor dy_operand = operand_like(s.q, dy);
  dispatch_operand(s.q, [&]<typename T, typename Operand>() {
    AttentionGradients<T> d{.dq = {}, .dk = {}, .dv = {}, .write_q = q.write, .write_kv = kv.write};
    if (q.tensor.defined()) d.dq = columns<T>(q.tensor, s.q_first, C);
    if (kv.tensor.defined()) {
      d.dk = columns<T>(kv.tensor, s.k_first, C);
      d.dv = columns<T>(kv.tensor, s.v_first, C);
    }
    kernels::attention_backward<Operand>(d, columns<Operand>(dy_operand, 0, C), columns<T>(s.y, 0, C),
                                         s.log_sum_exp.data<T>(), columns<Operand>(s.q, s.q_first, C),
                                         columns<Operand>(s.kv, s.k_first, C), columns<Operand>(s.kv, s.v_first, C),
                                         s.problem);
  });
}

}  // namespace

Variable self_attention(const Variable& qkv, const Packed& layout, const AttentionOptions& options) {
  const char* const op = "self_attention";
  const Shape& shape = qkv.shape();
  require_shape(shape.rank() == 2 && shape[1] % 3 == 0,
                [&] { return std::string(op) + ": qkv must be [N, 3C], got " + shape.to_string(); });
  const Dim N = shape[0], C = shape[1] / 3;
  check_offsets(op, layout, "N", N);
  const Tensor operands = operand(qkv.value());
  Saved s{.q = operands,
          .kv = operands,
          .y = {},
          .log_sum_exp = {},
          .query_offsets = layout.offsets,
          .key_offsets = layout.offsets,
          .problem = make_problem(op, layout, layout, C, options),
          .q_first = 0,
          .k_first = C,
          .v_first = 2 * C};
  make_outputs(s, N, C, qkv.dtype(), is_recording({&qkv}));
  const Tensor y = s.y;
  return record(op, y, {qkv}, [s, C](const Tensor& dy, Grads d) {
    const Grads::Slot slot = d.slot(0);
    run_backward(s, C, dy, slot, slot);
  });
}

Variable cross_attention(const Variable& q, const Variable& kv, const Packed& queries, const Packed& keys,
                         const AttentionOptions& options) {
  const char* const op = "cross_attention";
  require_shape(q.shape().rank() == 2 && kv.shape().rank() == 2 && kv.shape()[1] == 2 * q.shape()[1], [&] {
    return std::string(op) + ": q must be [N, C] and kv [S, 2C], got " + q.shape().to_string() + " and " +
           kv.shape().to_string();
  });
  require_shape(q.dtype() == kv.dtype(), [&] {
    return std::string(op) + ": q and kv must have the same element type, got " + name_of(q.dtype()) + " and " +
           name_of(kv.dtype());
  });
  const Dim N = q.shape()[0], C = q.shape()[1];
  check_offsets(op, queries, "N", N);
  check_offsets(op, keys, "S", kv.shape()[0]);
  require_shape(queries.offsets.size() == keys.offsets.size(), [&] {
    return std::string(op) + ": queries and keys must have the same number of sequences, got " +
           text(queries.offsets.size() - 1) + " and " + text(keys.offsets.size() - 1);
  });
  Saved s{.q = operand(q.value()),
          .kv = operand(kv.value()),
          .y = {},
          .log_sum_exp = {},
          .query_offsets = queries.offsets,
          .key_offsets = keys.offsets,
          .problem = make_problem(op, queries, keys, C, options),
          .q_first = 0,
          .k_first = 0,
          .v_first = C};
  make_outputs(s, N, C, q.dtype(), is_recording({&q, &kv}));
  const Tensor y = s.y;
  return record(op, y, {q, kv}, [s, C](const Tensor& dy, Grads d) {
    Grads::Slot to_q{}, to_kv{};
    if (d.wants(0)) to_q = d.slot(0);
    if (d.wants(1)) to_kv = d.slot(1);
    run_backward(s, C, dy, to_q, to_kv);
  });
}

}  // namespace rapt
