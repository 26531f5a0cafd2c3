#include "autograd/ops/embedding.h"

#include <string>

#include "tensor/kernels/embedding.h"

namespace rapt {

static void require_ids(const char* op, const Tensor& ids) {
  require_shape(ids.defined() && ids.shape().rank() == 1 && ids.dtype() == DType::kI32, [&] {
    return std::string(op) + ": the indices must be [N] i32, got " +
           (ids.defined() ? ids.shape().to_string() + " " + name_of(ids.dtype()) : "none");
  });
}

static void require_rows(const char* op, const Variable& table) {
  require_shape(table.shape().rank() == 2,
                [&] { return std::string(op) + ": the table must be [rows, C], got " + table.shape().to_string(); });
}

static void require_range(const char* op, const Tensor& ids, const Shape& table) {
  const auto span = ids.span<std::int32_t>();
  for (std::size_t n = 0; n < span.size(); ++n) {
    if (span[n] >= 0 && span[n] < table[0]) continue;
    throw std::invalid_argument(std::string(op) + ": index " + std::to_string(span[n]) + " at position " +
                                std::to_string(n) + " is not a row of the table " + table.to_string());
  }
}

static void check_lookups(const std::vector<EmbeddingLookup>& lookups) {
  if (lookups.empty()) throw std::invalid_argument("embedding: there must be at least one table, got none");
  for (const EmbeddingLookup& lookup : lookups) {
    require_ids("embedding", lookup.ids);
    require_rows("embedding", lookup.table);
    const EmbeddingLookup& first = lookups.front();
    require_shape(lookup.ids.shape() == first.ids.shape(), [&] {
      return "embedding: all tables must get the same number of indices, got " + first.ids.shape().to_string() +
             " and " + lookup.ids.shape().to_string();
    });
    require_shape(
        lookup.table.shape().back() == first.table.shape().back() && lookup.table.dtype() == first.table.dtype(), [&] {
          return "embedding: tables must have the same width and type, got " + first.table.shape().to_string() + " " +
                 name_of(first.table.dtype()) + " and " + lookup.table.shape().to_string() + " " +
                 name_of(lookup.table.dtype());
        });
    require_range("embedding", lookup.ids, lookup.table.shape());
  }
}

static void scatter(const Tensor& dy, const Tensor& ids, std::size_t input, Grads& d, std::int32_t padding = -1) {
  if (!d.wants(input)) return;
  Tensor& dtable = d.sum(input);
  dispatch_float(dy.dtype(), [&]<typename T>() {
    kernels::embedding_backward(dtable.data<T>(), dy.data<T>(), ids.data<std::int32_t>(), ids.size(), dtable.shape()[0],
                                dtable.shape()[1], padding);
  });
}

Variable embedding(const std::vector<EmbeddingLookup>& lookups) {
  check_lookups(lookups);
  const Variable& table = lookups.front().table;
  const Dim N = lookups.front().ids.size(), C = table.shape().back();
  Tensor y = Tensor::empty({N, C}, table.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    std::vector<kernels::RowLookup<T>> sources;
    for (const EmbeddingLookup& lookup : lookups) {
      sources.push_back({lookup.ids.data<std::int32_t>(), lookup.table.value().data<T>()});
    }
    kernels::embedding_forward<T>(y.data<T>(), sources, N, C);
  });

  std::vector<Variable> tables;
  std::vector<std::pair<Tensor, std::int32_t>> ids;  // and the padding
  for (const EmbeddingLookup& lookup : lookups) {
    tables.push_back(lookup.table);
    ids.emplace_back(lookup.ids, lookup.padding);
  }
  return record("embedding", y, std::move(tables), [ids = std::move(ids)](const Tensor& dy, Grads d) {
    for (std::size_t i = 0; i < ids.size(); ++i) scatter(dy, ids[i].first, i, d, ids[i].second);
  });
}

Variable gather_rows(const Variable& x, const Tensor& rows) {
  require_ids("gather_rows", rows);
  require_rows("gather_rows", x);
  require_range("gather_rows", rows, x.shape());
  const Dim M = rows.size(), C = x.shape().back();
  Tensor y = Tensor::empty({M, C}, x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    const kernels::RowLookup<T> source = {rows.data<std::int32_t>(), x.value().data<T>()};
    kernels::embedding_forward<T>(y.data<T>(), {&source, 1}, M, C);
  });
  return record("gather_rows", y, {x}, [rows](const Tensor& dy, Grads d) { scatter(dy, rows, 0, d); });
}

}  // namespace rapt
