// Reads the attributes and datasets of a memory-mapped HDF5 file of tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "io/element_type.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "tensor/error.h"

namespace rapt {

/// Every message starts with the name of the file. Keeps references to its arguments.
class StoreFields final {
 public:
  StoreFields(const Hdf5Contents& contents, const MappedFile& file, std::string name)
      : contents_(contents), file_(file), name_(std::move(name)) {}

  [[noreturn]] void fail(const std::string& what) const { throw DataError(name_ + ": " + what); }

  template <typename T>
  const T& attribute(const std::string& name, const std::string& object = "") const {
    for (const Hdf5Contents::Attribute& attribute : contents_.attributes) {
      if (attribute.object != object || attribute.name != name) continue;
      if (const T* value = std::get_if<T>(&attribute.value)) return *value;
    }
    fail("the tokenised corpus has no attribute " + name + "; build it again with: rapt data build");
  }
  Dim count(const std::string& name, Dim largest, const std::string& object = "") const {
    const auto value = attribute<std::int64_t>(name, object);
    if (value < 0 || value > largest)
      fail("attribute " + name + " must be from 0 to " + std::to_string(largest) + ", got " + std::to_string(value) +
           "; the file is damaged");
    return value;
  }
  const Hdf5Contents::Dataset& dataset(const std::string& name) const {
    const Hdf5Contents::Dataset* dataset = contents_.find(name);
    if (dataset == nullptr)
      fail("the tokenised corpus has no dataset " + name + "; build it again with: rapt data build");
    if (dataset->place.offset + dataset->place.bytes > file_.size()) fail("the file is incomplete");
    return *dataset;
  }
  const void* data(const Hdf5Contents::Dataset& dataset) const { return file_.data() + dataset.place.offset; }
  bool has(const std::string& name) const { return contents_.find(name) != nullptr; }
  /// The elements of a dataset with this many numbers per row; 0: one axis.
  template <typename T>
  std::span<const T> rows(const std::string& name, ElementType type, Dim width) const {
    const Hdf5Contents::Dataset& found = dataset(name);
    const bool fits = !found.is_string && found.type == type && found.shape.size() == (width == 0 ? 1 : 2) &&
                      (width == 0 || found.shape[1] == width);
    if (!fits) {
      fail("dataset " + name + " must be " + name_of(type) + " of shape [n" +
           (width == 0 ? "" : ", " + std::to_string(width)) + "], got " + shape_text(found.shape));
    }
    if (found.place.offset % sizeof(T) != 0) fail("dataset " + name + " must be aligned; the file is damaged");
    return {static_cast<const T*>(data(found)), static_cast<std::size_t>(found.place.bytes) / sizeof(T)};
  }
  std::string text(const std::string& name) const {
    const Hdf5Contents::Dataset& found = dataset(name);
    if (!found.is_string) fail("dataset " + name + " must be a string");
    std::string_view text(static_cast<const char*>(data(found)), found.place.bytes);
    return std::string(text.substr(0, text.find('\0')));
  }

 private:
  const Hdf5Contents& contents_;
  const MappedFile& file_;
  std::string name_;
};

}  // namespace rapt
