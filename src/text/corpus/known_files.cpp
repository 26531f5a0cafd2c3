#include "text/corpus/known_files.h"

#include "tensor/error.h"

namespace rapt {

void KnownFiles::note(std::size_t index, const InputFile& file) {
  if (files_.size() <= index) files_.resize(index + 1);
  std::optional<InputFile>& known = files_[index];
  if (known && known->digest != file.digest) {
    throw DataError(file.name + ": must not change while it is used, got other bytes in a second reading; run the " +
                    "command again when nothing writes to the file");
  }
  known = file;
}

std::vector<InputFile> KnownFiles::all(std::size_t count, const std::function<InputFile(std::size_t index)>& describe) {
  if (files_.size() < count) files_.resize(count);
  std::vector<InputFile> all;
  for (std::size_t i = 0; i < count; ++i) {
    if (!files_[i]) files_[i] = describe(i);
    all.push_back(*files_[i]);
  }
  return all;
}

}  // namespace rapt
