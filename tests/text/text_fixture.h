// Shared by tests of corpora: files in a temporary folder, gzip.
#pragma once

#include <zlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "io/temporary_folder.h"

namespace rapt {

/// Writes a file below the folder, creating folders as needed, and returns its path.
inline std::string write_in(const TemporaryFolder& folder, const std::string& name, const std::string& bytes) {
  const std::string path = folder / name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  write_plainly(path, bytes);
  return path;
}

inline std::string gzipped(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("deflate");
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace rapt
