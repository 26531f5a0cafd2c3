#include "tensor/matmul_onednn.h"

#include <array>
#include <cstddef>
#include <dnnl.hpp>
#include <memory>
#include <new>
#include <unordered_map>

#include "tensor/instruction_set.h"

namespace rapt {
namespace {

using Type = dnnl::memory::data_type;

template <typename T>
constexpr Type kType = Type::f32;
template <>
constexpr Type kType<Bf16> = Type::bf16;

// All that a program is compiled for: the operands' type, sizes, strides, transposition, and whether it adds.
struct Product {
  Type type;
  Dim M, N, K, stride_a, stride_b, stride_c;
  bool transposes_a, transposes_b, adds;

  bool operator==(const Product&) const = default;
};

struct HashOfProduct {
  std::size_t operator()(const Product& p) const {
    std::uint64_t hash = p.transposes_a + 2 * p.transposes_b + 4 * p.adds + 8 * static_cast<unsigned>(p.type);
    for (const Dim x : {p.M, p.N, p.K, p.stride_a, p.stride_b, p.stride_c}) {
      hash = (hash ^ static_cast<std::uint64_t>(x)) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

struct FreeAligned {
  void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};

dnnl::memory::desc describe(Type type, Dim rows, Dim cols, Dim stride, bool transposed) {
  return {{rows, cols}, type, transposed ? dnnl::memory::dims{1, stride} : dnnl::memory::dims{stride, 1}};
}

// A program and the memory objects that it is called with.
struct Program {
  dnnl::matmul run;
  dnnl::memory a, b, c, scratch;
  std::size_t scratch_bytes;
};

// The programs of one thread.
class Programs {
 public:
  Programs() { dnnl::set_primitive_cache_capacity(kMost); }  // oneDNN's own, of all threads

  void multiply(const Product& product, const void* a, const void* b, float* c) {
    Program& program = find(product);
    program.a.set_data_handle(const_cast<void*>(a));
    program.b.set_data_handle(const_cast<void*>(b));
    program.c.set_data_handle(c);
    program.scratch.set_data_handle(scratch(program.scratch_bytes));
    program.run.execute(stream_, {{DNNL_ARG_SRC, program.a},
                                  {DNNL_ARG_WEIGHTS, program.b},
                                  {DNNL_ARG_DST, program.c},
                                  {DNNL_ARG_SCRATCHPAD, program.scratch}});
  }

 private:
  // Packed batches have other sizes in each update, and a program takes 100 KB, so old ones are thrown away. They are
  // cheap to compile: 3 % of the time of a run that compiles nearly all of its programs anew.
  static constexpr int kMost = 256;

  Program& find(const Product& product) {
    if (const auto known = programs_.find(product); known != programs_.end()) return known->second;
    if (programs_.size() >= std::size_t{kMost}) programs_.clear();
    return programs_.emplace(product, compile(product)).first->second;
  }

  Program compile(const Product& p) const {
    const dnnl::memory::desc a = describe(p.type, p.M, p.K, p.stride_a, p.transposes_a);
    const dnnl::memory::desc b = describe(p.type, p.K, p.N, p.stride_b, p.transposes_b);
    const dnnl::memory::desc c = describe(Type::f32, p.M, p.N, p.stride_c, false);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (p.adds) {
      dnnl::post_ops sum;
      sum.append_sum(1);
      attributes.set_post_ops(sum);
    }
    const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, b, c), attributes, engine_);
    const auto object = [&](const dnnl::memory::desc& desc) { return dnnl::memory(desc, engine_, nullptr); };
    return {dnnl::matmul(description),
            object(a),
            object(b),
            object(c),
            object(description.scratchpad_desc()),
            description.scratchpad_desc().get_size()};
  }

  std::byte* scratch(std::size_t bytes) {
    if (bytes > scratch_bytes_) {
      scratch_.reset(static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{64})));
      scratch_bytes_ = bytes;
    }
    return scratch_.get();
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::unordered_map<Product, Program, HashOfProduct> programs_;
  std::unique_ptr<std::byte[], FreeAligned> scratch_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace

template <typename T>
bool prefers_onednn() {
  // With less, oneDNN 2.6 has no kernels of this kind.
  constexpr auto kLeast = kType<T> == Type::bf16 ? dnnl::cpu_isa::avx512_core_bf16 : dnnl::cpu_isa::avx512_core;
  static const bool prefers = dnnl::get_effective_cpu_isa() >= kLeast && simd_target().starts_with("AVX3");
  return prefers;
}
template bool prefers_onednn<float>();
template bool prefers_onednn<Bf16>();

template <typename T>
void onednn_gemm(Matrix<float> c, Matrix<const T> a, Transpose op_a, Matrix<const T> b, Transpose op_b, Write write) {
  const bool transposes_a = op_a == Transpose::kYes, transposes_b = op_b == Transpose::kYes;
  const Dim K = transposes_a ? a.rows : a.cols;
  thread_local Programs programs;
  programs.multiply(
      {kType<T>, c.rows, c.cols, K, a.stride, b.stride, c.stride, transposes_a, transposes_b, write == Write::kAdd},
      a.data, b.data, c.data);
}
template void onednn_gemm(Matrix<float>, Matrix<const float>, Transpose, Matrix<const float>, Transpose, Write);
template void onednn_gemm(Matrix<float>, Matrix<const Bf16>, Transpose, Matrix<const Bf16>, Transpose, Write);

std::string onednn_version() {
  const dnnl::version_t* const v = dnnl::version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

}  // namespace rapt
