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

// All that a program is compiled for: sizes, strides, transposition, and whether it adds.
struct Product {
  Dim M, N, K, stride_a, stride_b, stride_c;
  bool transposes_a, transposes_b, adds;

  bool operator==(const Product&) const = default;
};

struct HashOfProduct {
  std::size_t operator()(const Product& p) const {
    std::uint64_t hash = p.transposes_a + 2 * p.transposes_b + 4 * p.adds;
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

dnnl::memory::desc describe(Dim rows, Dim cols, Dim stride, bool transposed) {
  return {{rows, cols},
          dnnl::memory::data_type::f32,
          transposed ? dnnl::memory::dims{1, stride} : dnnl::memory::dims{stride, 1}};
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
  void multiply(const Product& product, const float* a, const float* b, float* c) {
    Program& program = find(product);
    program.a.set_data_handle(const_cast<float*>(a));
    program.b.set_data_handle(const_cast<float*>(b));
    program.c.set_data_handle(c);
    program.scratch.set_data_handle(scratch(program.scratch_bytes));
    program.run.execute(stream_, {{DNNL_ARG_SRC, program.a},
                                  {DNNL_ARG_WEIGHTS, program.b},
                                  {DNNL_ARG_DST, program.c},
                                  {DNNL_ARG_SCRATCHPAD, program.scratch}});
  }

 private:
  // Packed batches have other sizes in each update, so old programs are thrown away. They are cheap to compile.
  static constexpr std::size_t kMost = 4096;

  Program& find(const Product& product) {
    if (const auto known = programs_.find(product); known != programs_.end()) return known->second;
    if (programs_.size() >= kMost) programs_.clear();
    return programs_.emplace(product, compile(product)).first->second;
  }

  Program compile(const Product& p) const {
    const dnnl::memory::desc a = describe(p.M, p.K, p.stride_a, p.transposes_a);
    const dnnl::memory::desc b = describe(p.K, p.N, p.stride_b, p.transposes_b);
    const dnnl::memory::desc c = describe(p.M, p.N, p.stride_c, false);
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

bool prefers_onednn() {
  // Without AVX-512, oneDNN 2.6 has no kernels of this kind.
  static const bool prefers =
      dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core && simd_target().starts_with("AVX3");
  return prefers;
}

void onednn_gemm(Matrix<float> c, Matrix<const float> a, Transpose op_a, Matrix<const float> b, Transpose op_b,
                 Write write) {
  const bool transposes_a = op_a == Transpose::kYes, transposes_b = op_b == Transpose::kYes;
  const Dim K = transposes_a ? a.rows : a.cols;
  thread_local Programs programs;
  programs.multiply({c.rows, c.cols, K, a.stride, b.stride, c.stride, transposes_a, transposes_b, write == Write::kAdd},
                    a.data, b.data, c.data);
}

std::string onednn_version() {
  const dnnl::version_t* const v = dnnl::version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

}  // namespace rapt
