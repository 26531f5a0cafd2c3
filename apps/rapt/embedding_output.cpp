#include "embedding_output.h"

#include <fmt/format.h>

#include "io/durable_file.h"
#include "io/hdf5.h"
#include "io/hdf5_stream.h"
#include "io/json.h"
#include "io/npy.h"
#include "tensor/error.h"
#include "terminal.h"

namespace rapt::app {
namespace {

class NpyOutput final : public EmbeddingOutput {
 public:
  NpyOutput(const std::string& path, Dim width) : writer_(path, width) {}
  void add(std::string_view /*text*/, std::span<const float> vector) override { writer_.append(vector); }
  void finish() override { writer_.finish(); }

 private:
  NpyWriter writer_;
};

// HDF5 needs the number of rows before the first one is written, so rows are kept in memory.
class Hdf5Output final : public EmbeddingOutput {
 public:
  Hdf5Output(const std::string& path, Dim width) : file_(path), width_(width) {}

  void add(std::string_view /*text*/, std::span<const float> vector) override {
    values_.insert(values_.end(), vector.begin(), vector.end());
  }

  void finish() override {
    Hdf5Layout layout;
    layout.add_dataset("embeddings", ElementType::kF32, {static_cast<Dim>(values_.size()) / width_, width_});
    write_hdf5(file_, layout.draw(file_.path()),
               [&](std::size_t, const ByteSink& sink) { sink(values_.data(), values_.size() * sizeof(float)); });
    file_.commit();
  }

 private:
  DurableFile file_;
  Dim width_;
  std::vector<float> values_;
};

class JsonLinesOutput final : public EmbeddingOutput {
 public:
  explicit JsonLinesOutput(const std::string& path) {
    if (!path.empty()) file_ = std::make_unique<DurableFile>(path);
  }

  void add(std::string_view text, std::span<const float> vector) override {
    const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
    // The shortest numbers that read back as the same floats; JSON would print them as doubles.
    const std::string line = fmt::format("{{\"text\":{},\"embedding\":[{}]}}\n", quoted, fmt::join(vector, ","));
    if (file_ == nullptr) return out(line);
    file_->append(line);
  }
  void finish() override {
    if (file_ != nullptr) file_->commit();
  }

 private:
  std::unique_ptr<DurableFile> file_;
};

}  // namespace

std::unique_ptr<EmbeddingOutput> open_embedding_output(const std::string& path, Dim width) {
  if (path.ends_with(".npy")) return std::make_unique<NpyOutput>(path, width);
  if (path.ends_with(".h5") || path.ends_with(".hdf5")) return std::make_unique<Hdf5Output>(path, width);
  if (path.empty() || path.ends_with(".jsonl")) return std::make_unique<JsonLinesOutput>(path);
  throw UsageError("--out must end with .npy, .h5 or .jsonl, got " + path);
}

}  // namespace rapt::app
