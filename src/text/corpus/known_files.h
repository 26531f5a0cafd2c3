// The digests of files that are read more than once.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "text/corpus/input_file.h"

namespace rapt {

/// Remembers the result of the first reading of each file; other bytes in a later reading are an error.
class KnownFiles final {
 public:
  /// Records a reading of file number `index`. \throws DataError  if the file had other bytes before
  void note(std::size_t index, const InputFile& file);
  /// All of `count` files, in order. Those that have not been noted yet are read with `describe`.
  std::vector<InputFile> all(std::size_t count, const std::function<InputFile(std::size_t index)>& describe);

 private:
  std::vector<std::optional<InputFile>> files_;
};

}  // namespace rapt
