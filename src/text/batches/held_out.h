// The held-out documents of a corpus: which ones they are, and where they are kept until the training part is complete.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "text/corpus/corpus.h"
#include "text/corpus/spool.h"

namespace rapt {

/// The last documents of each of up to ten equal stretches, so that every file has a held-out part.
class HeldOut final {
 public:
  /// \param held  number of held-out documents
  HeldOut(std::int64_t documents, std::int64_t held);
  bool operator()(std::int64_t document) const;

 private:
  std::int64_t documents_, held_, stretches_;
};

/// Pieces of a corpus in a temporary file, to be read back in order.
class PiecesAside final {
 public:
  /// \param path  the temporary file is created beside it
  explicit PiecesAside(const std::string& path);

  /// \param follows  whether the piece's document directly follows the previous one in the file
  void add(const CorpusPiece& piece, bool follows);
  /// The next piece, and whether its document follows the last; nothing at the end.
  std::optional<bool> next(CorpusPiece& piece);

 private:
  Spool spool_;
  std::uint64_t taken_ = 0;
};

}  // namespace rapt
