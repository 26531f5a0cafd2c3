// Writes embeddings: .npy, .h5, JSON lines.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tensor/types.h"

namespace rapt::app {

/// Receives one vector after the other, in the order of the texts. A file appears completely, with finish(), or not at
/// all.
class EmbeddingOutput {
 public:
  virtual ~EmbeddingOutput() = default;
  virtual void add(std::string_view text, std::span<const float> vector) = 0;
  virtual void finish() = 0;
};

/// By the ending of the name: .npy, .h5 (a dataset `embeddings` [rows, width]), .jsonl; empty: JSON lines to standard
/// output.
/// \throws UsageError  for any other name; CannotCreateError, IoError
std::unique_ptr<EmbeddingOutput> open_embedding_output(const std::string& path, Dim width);

}  // namespace rapt::app
