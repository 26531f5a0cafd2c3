#include "io/npy.h"

#include <bit>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace rapt {

static_assert(std::endian::native == std::endian::little);  // floats are written as they are in memory

static constexpr std::size_t kHeaderBytes = 128;  // a multiple of 64, with room for two 64-bit numbers

static std::string header(std::int64_t rows, std::int64_t columns) {
  using namespace std::string_view_literals;
  std::string text("\x93NUMPY\x01\x00"sv);
  const std::size_t length = kHeaderBytes - text.size() - 2;
  text += static_cast<char>(length & 0xFF);
  text += static_cast<char>(length >> 8U);
  text += "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
          std::to_string(columns) + "), }";
  text.resize(kHeaderBytes - 1, ' ');
  return text + '\n';
}

NpyWriter::NpyWriter(std::string path, std::int64_t columns) : file_(std::move(path)), columns_(columns) {
  if (columns < 1) throw std::invalid_argument("npy: there must be at least 1 column, got " + std::to_string(columns));
  file_.append(header(0, columns));
}

void NpyWriter::append(std::span<const float> values) {
  const auto columns = static_cast<std::size_t>(columns_);
  if (values.size() % columns != 0) {
    throw std::invalid_argument("npy: rows must have " + std::to_string(columns_) + " values each, got " +
                                std::to_string(values.size()) + " in all");
  }
  file_.append(values.data(), values.size_bytes());
  rows_ += static_cast<std::int64_t>(values.size() / columns);
}

void NpyWriter::finish() {
  const std::string text = header(rows_, columns_);
  file_.overwrite(0, text.data(), text.size());
  file_.commit();
}

}  // namespace rapt
