// HDF5 without letting its library touch our files. libhdf5 computes the layout of a file (the position of every
// dataset) in scratch memory, and DurableFile writes the bytes. Our own reader (hdf5_reader.cpp) reads them by pread or
// through a memory map.
//
// The reason is the library: as packaged (1.10.8) it never calls fsync, crashes at exit after a full disk, and crashes
// on malicious files. The files are still plain HDF5: h5py, h5dump and Julia read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "io/element_type.h"

namespace rapt {

/// Attributes are scalars: 64-bit integers, doubles, UTF-8 text (at most 60,000 bytes, no NUL).
using Hdf5Value = std::variant<std::int64_t, double, std::string>;

/// The position of a dataset's bytes, from the beginning of the file. A dataset without elements, or an empty string,
/// has {0, 0}.
struct DatasetPlace {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// A file's layout: everything but the contents of the datasets.
struct Hdf5Plan {
  struct Extent {
    std::uint64_t offset;
    std::string bytes;
  };
  std::uint64_t file_bytes = 0;
  std::vector<DatasetPlace> places;  ///< in the order in which the datasets were added
  std::vector<Extent> skeleton;      ///< all bytes outside the datasets, in file order; user block and gaps are zero
};

/// Describes a file: groups, datasets (contiguous, 64-byte aligned, no filters, no time stamps), attributes. Equal
/// descriptions give equal files. Paths are "name" or "group/sub/name"; groups are created as needed.
class Hdf5Layout final {
 public:
  /// \param user_block  bytes before the HDF5 part, for the caller's own use: 0, or a power of two of at least 512
  explicit Hdf5Layout(std::uint64_t user_block = 0) : user_block_(user_block) {}

  /// F32, F64, I64, I32, U16 or U8. Returns the dataset's index in Hdf5Plan::places.
  std::size_t add_dataset(std::string path, ElementType type, std::vector<Dim> shape);

  /// A scalar string dataset of fixed length (UTF-8; readers strip NULs at the end).
  std::size_t add_string(std::string path, std::size_t bytes);

  void add_group(std::string path);

  /// Adds an attribute to an existing group or dataset; "" is the root.
  void add_attribute(std::string object, std::string name, Hdf5Value value);

  /// Appends everything that `other` describes.
  void add_all(const Hdf5Layout& other);

  /// Lets libhdf5 lay out the file: in memory or, if that is not possible, in a sparse file beside `target`.
  /// \throws std::invalid_argument  for an impossible description (the same path twice, ...)
  /// \throws IoError                if there is no place for the scratch file
  Hdf5Plan draw(const std::string& target) const;

 private:
  struct Dataset {
    std::string path;
    ElementType type;
    std::vector<Dim> shape;
    std::size_t string_bytes;
    bool is_string;
  };
  struct Attribute {
    std::string object;
    std::string name;
    Hdf5Value value;
  };

  std::uint64_t user_block_;
  std::vector<std::string> groups_;
  std::vector<Dataset> datasets_;
  std::vector<Attribute> attributes_;
};

/// The contents of an existing file, without its data.
struct Hdf5Contents {
  struct Dataset {
    std::string path;
    bool is_string = false;  ///< a scalar string: place.bytes bytes, padded with NULs at the end
    ElementType type{};      ///< type of other datasets
    std::vector<Dim> shape;
    DatasetPlace place;
  };
  struct Attribute {
    std::string object;  ///< "" is the root
    std::string name;
    Hdf5Value value;
  };
  std::vector<std::string> groups;    ///< without the root
  std::vector<Dataset> datasets;      ///< by path, sorted by name within each group
  std::vector<Attribute> attributes;  ///< in the order of their objects

  const Dataset* find(const std::string& path) const;  ///< nullptr if there is none
};

/// Reads the layout of a file in memory, usually a mapped file (MappedFile). It understands what Hdf5Layout writes, not
/// all of HDF5: hard links, contiguous datasets that lie within the file and do not overlap, little-endian F32, F64,
/// I64, I32, U16, U8 and fixed-length strings, rank up to 8, scalar attributes of the kinds of Hdf5Value. libhdf5 never
/// sees the file, and no other file is opened. Any sequence of bytes is either read or rejected.
///
/// \param path        for messages
/// \param user_block  size of the block before the HDF5 part
/// \throws DataError  for anything else, naming the object
Hdf5Contents read_hdf5_contents(std::span<const std::byte> file, const std::string& path, std::uint64_t user_block = 0);

/// "1.10.8": the version of the loaded library.
std::string hdf5_version();

}  // namespace rapt
