// One case of ../shared/golden: its files, and comparisons that report differences.
#pragma once

#include <cmath>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/safetensors.h"
#include "tensor/tensor.h"

namespace rapt::testing {

// The first difference of a case; later ones would repeat it.
struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <typename... Parts>
void require(bool holds, const Parts&... parts) {
  if (holds) return;
  std::ostringstream message;
  message.precision(9);
  (message << ... << parts);
  throw Difference(message.str());
}

struct GoldenCase {
  std::string folder;
  Json expected;
  SafetensorsFile tensors;

  explicit GoldenCase(const std::string& path)
      : folder(path), expected(read_json_file(path + "/expected.json")), tensors(path + "/expected.safetensors") {}

  bool has(const std::string& name) const { return tensors.find(name) != nullptr; }
  std::vector<float> floats(const std::string& name) const {
    const SafetensorsEntry* entry = tensors.find(name);
    require(entry != nullptr, "expected.safetensors has no ", name);
    std::vector<float> values(static_cast<std::size_t>(entry->count()));
    tensors.read_f32(*entry, values);
    return values;
  }
  std::vector<std::int32_t> ints(const std::string& name) const { return plain<std::int32_t>(name, ElementType::kI32); }
  std::vector<double> doubles(const std::string& name) const { return plain<double>(name, ElementType::kF64); }

 private:
  template <typename T>
  std::vector<T> plain(const std::string& name, ElementType type) const {
    const SafetensorsEntry* entry = tensors.find(name);
    require(entry != nullptr && entry->type == type, "expected.safetensors has no ", name, " of the type wanted");
    const std::string bytes = tensors.read_bytes(*entry);
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
};

inline void require_close(const std::string& what, const Tensor& ours, const std::vector<float>& theirs,
                          double tolerance) {
  require(ours.size() == static_cast<Dim>(theirs.size()), what, ": ", ours.size(), " values, expected ", theirs.size());
  const Tensor values = ours.to(DType::kF64);
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const double a = values.data<double>()[i], b = theirs[i];
    require(std::abs(a - b) <= tolerance, what, "[", i, "] is ", a, ", expected ", b);
  }
}

inline void require_loss(const char* what, double ours, double theirs, double tolerance = 1e-6) {
  require(std::abs(ours - theirs) <= tolerance * std::abs(theirs), what, " is ", ours, ", expected ", theirs);
}

}  // namespace rapt::testing
