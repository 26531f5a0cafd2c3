#include "io/hdf5.h"

#include <fcntl.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <stdexcept>
#include <string_view>

#include "io/escape.h"
#include "io/file.h"
#include "io/temporary_name.h"
#include "tensor/error.h"

namespace rapt {
namespace {

constexpr std::size_t kLongestAttribute = 60000;  // libhdf5 limits a compact attribute to 64 KiB with its header

// An HDF5 id that closes itself: a leaked id can crash the library at exit.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  bool good() const { return id_ >= 0; }
  // Closes now. Returns false on failure; a file's last bytes are written at this point.
  bool close() { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_ = -1;
  herr_t (*close_)(hid_t) = nullptr;
};

void prepare_library() {
  // Must precede any other call: the library's own clean-up at exit crashes after a write error.
  static const bool once = [] {
    H5dont_atexit();
    H5open();
    H5PLset_loading_state(0);
    return true;
  }();
  static_cast<void>(once);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // per thread: we report errors, and the library prints nothing
}

// The innermost reason on the library's error stack, as ": ..." for the end of a message.
std::string library_reason() {
  std::string reason;
  const auto take = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    auto& text = *static_cast<std::string*>(out);
    if (text.empty() && error->desc != nullptr) text = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? reason : ": " + escape_for_terminal(reason);
}

Handle property_list(hid_t kind) { return {H5Pcreate(kind), H5Pclose}; }

// The upper half of an f32: HDF5 has no such type, but describes it, and its readers convert it.
Handle bf16_type() {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(type.get(), 15, 7, 8, 0, 7);  // places of sign, exponent and fraction, and sizes of the last two
  H5Tset_precision(type.get(), 16);
  H5Tset_size(type.get(), 2);
  return type;
}

Handle file_type_of(ElementType type) {
  const auto known = [](hid_t id) { return Handle(H5Tcopy(id), H5Tclose); };
  switch (type) {
    case ElementType::kF64:
      return known(H5T_IEEE_F64LE);
    case ElementType::kF32:
      return known(H5T_IEEE_F32LE);
    case ElementType::kBF16:
      return bf16_type();
    case ElementType::kI64:
      return known(H5T_STD_I64LE);
    case ElementType::kI32:
      return known(H5T_STD_I32LE);
    case ElementType::kU16:
      return known(H5T_STD_U16LE);
    case ElementType::kU8:
      return known(H5T_STD_U8LE);
    default:
      throw std::invalid_argument(std::string("hdf5: a dataset cannot be of type ") + name_of(type));
  }
}

Handle utf8_string_type(std::size_t bytes) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), bytes);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  if (bytes != H5T_VARIABLE) H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  return type;
}

// A sparse file with only the touched pages: in memory, or beside the target if /dev/shm cannot be used.
class Scratch {
 public:
  explicit Scratch(const std::string& target) {
    for (const std::string& base : {std::string("/dev/shm/rapt-layout"), target}) {
      for (int n = 0; n < 1000; ++n) {
        path_ = base + ".tmp." + std::to_string(::getpid()) + '.' + std::to_string(n);
        file_ = name_.create(path_, 0600);
        if (file_) return;
        if (errno != EEXIST) break;
      }
    }
    throw CannotCreateError(escape_for_terminal(target) + ": cannot be created: " + system_message(errno));
  }
  ~Scratch() { forget_name(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Removes the name; the file exists as long as it is open. Nothing is left behind, however the process ends.
  void forget_name() {
    if (!path_.empty()) ::unlink(path_.c_str());
    path_.clear();
    name_.forget();
  }
  const std::string& path() const { return path_; }
  const FileDescriptor& file() const { return file_; }

 private:
  FileDescriptor file_;
  std::string path_;
  TemporaryName name_;
};

// No time stamps. All links and attributes are in an object's own header, however many: the reader does not support
// heaps.
void keep_in_header(hid_t creation) {
  constexpr unsigned kMost = 65535;
  H5Pset_obj_track_times(creation, false);
  H5Pset_attr_phase_change(creation, kMost, 0);
  if (H5Pisa_class(creation, H5P_GROUP_CREATE) > 0) H5Pset_link_phase_change(creation, kMost, 0);
}

Handle create_file(const std::string& path, std::uint64_t user_block) {
  const Handle access = property_list(H5P_FILE_ACCESS), creation = property_list(H5P_FILE_CREATE);
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_alignment(access.get(), 1, 64);
  H5Pset_small_data_block_size(access.get(), 0);  // a dataset's position must not depend on whether it is small
  H5Pset_file_locking(access.get(), false, true);
  keep_in_header(creation.get());
  if (user_block != 0 && H5Pset_userblock(creation.get(), user_block) < 0) {
    throw std::invalid_argument("hdf5: a user block must be 0 or a power of two of at least 512, got " +
                                std::to_string(user_block));
  }
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose};
}

// Lays out one object after the other in an open file.
class Drawing {
 public:
  explicit Drawing(hid_t file) : file_(file), link_(property_list(H5P_LINK_CREATE)) {
    H5Pset_char_encoding(link_.get(), H5T_CSET_UTF8);
  }

  void make_group(const std::string& path) {
    if (path.empty() || made_.contains(path)) return;
    make_parent(path);
    const Handle creation = property_list(H5P_GROUP_CREATE);
    keep_in_header(creation.get());
    const Handle group(H5Gcreate2(file_, path.c_str(), link_.get(), creation.get(), H5P_DEFAULT), H5Gclose);
    if (!group.good()) cannot_draw("group", path);
    made_.insert(path);
  }

  // Returns the dataset's offset in the file.
  std::uint64_t make_dataset(const std::string& path, hid_t type, const std::vector<Dim>& shape, bool empty) {
    make_parent(path);
    const Handle creation = property_list(H5P_DATASET_CREATE);
    H5Pset_layout(creation.get(), H5D_CONTIGUOUS);
    H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
    keep_in_header(creation.get());
    const std::vector<hsize_t> dims(shape.begin(), shape.end());
    const Handle space(
        dims.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
        H5Sclose);
    const Handle dataset(H5Dcreate2(file_, path.c_str(), type, space.get(), link_.get(), creation.get(), H5P_DEFAULT),
                         H5Dclose);
    if (!dataset.good()) cannot_draw("dataset", path);
    made_.insert(path);
    if (empty) return 0;
    const haddr_t offset = H5Dget_offset(dataset.get());
    if (offset == HADDR_UNDEF) cannot_draw("dataset", path);
    return offset;
  }

  void make_attribute(const std::string& object, const std::string& name, const Hdf5Value& value) {
    const Handle owner(H5Oopen(file_, object.empty() ? "/" : object.c_str(), H5P_DEFAULT), H5Oclose);
    if (!owner.good()) cannot_draw("attribute of", object);
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle text_type = utf8_string_type(H5T_VARIABLE);  // h5py reads this as str
    const void* data = nullptr;
    const char* text = nullptr;
    hid_t type = H5T_STD_I64LE;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      data = integer;
    } else if (const auto* number = std::get_if<double>(&value)) {
      type = H5T_IEEE_F64LE;
      data = number;
    } else {
      const auto& string = std::get<std::string>(value);
      if (string.size() > kLongestAttribute || string.find('\0') != std::string::npos) {
        throw std::invalid_argument("hdf5: attribute " + in_quotes(name) + " must be at most " +
                                    std::to_string(kLongestAttribute) + " bytes without NUL");
      }
      text = string.c_str();
      type = text_type.get();
      data = &text;
    }
    const Handle creation = property_list(H5P_ATTRIBUTE_CREATE);
    H5Pset_char_encoding(creation.get(), H5T_CSET_UTF8);
    const Handle attribute(H5Acreate2(owner.get(), name.c_str(), type, space.get(), creation.get(), H5P_DEFAULT),
                           H5Aclose);
    if (!attribute.good() || H5Awrite(attribute.get(), type, data) < 0) cannot_draw("attribute", object + '@' + name);
  }

 private:
  void make_parent(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos) make_group(path.substr(0, slash));
  }
  [[noreturn]] static void cannot_draw(const char* kind, const std::string& path) {
    throw std::invalid_argument(std::string("hdf5: cannot lay out ") + kind + ' ' + in_quotes(path) + library_reason());
  }

  hid_t file_;
  Handle link_;
  std::set<std::string> made_;
};

void check_path(const std::string& path) {
  const std::string padded = '/' + path + '/';
  if (path.empty() || padded.find("//") != std::string::npos || padded.find("/./") != std::string::npos ||
      path.find('\0') != std::string::npos) {
    throw std::invalid_argument("hdf5: a path must be names separated by single slashes, got " + in_quotes(path));
  }
}

std::vector<Hdf5Plan::Extent> read_skeleton(const Scratch& scratch, const Hdf5Plan& plan) {
  std::vector<DatasetPlace> places = plan.places;
  std::erase_if(places, [](const DatasetPlace& place) { return place.bytes == 0; });
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  places.push_back({plan.file_bytes, 0});
  std::vector<Hdf5Plan::Extent> skeleton;
  std::uint64_t at = 0;
  for (const DatasetPlace& place : places) {
    if (place.offset < at || place.offset > plan.file_bytes) throw BugError("hdf5: the layout's datasets overlap");
    if (place.offset > at) {
      std::string bytes(place.offset - at, '\0');
      read_at(scratch.file(), "layout", at, bytes.data(), bytes.size());
      skeleton.push_back({at, std::move(bytes)});
    }
    at = place.offset + place.bytes;
  }
  return skeleton;
}

}  // namespace

std::size_t Hdf5Layout::add_dataset(std::string path, ElementType type, std::vector<Dim> shape) {
  check_path(path);
  datasets_.push_back({std::move(path), type, std::move(shape), 0, false});
  return datasets_.size() - 1;
}

std::size_t Hdf5Layout::add_string(std::string path, std::size_t bytes) {
  check_path(path);
  datasets_.push_back({std::move(path), ElementType::kU8, {}, bytes, true});
  return datasets_.size() - 1;
}

void Hdf5Layout::add_group(std::string path) {
  check_path(path);
  groups_.push_back(std::move(path));
}

void Hdf5Layout::add_attribute(std::string object, std::string name, Hdf5Value value) {
  attributes_.push_back({std::move(object), std::move(name), std::move(value)});
}

void Hdf5Layout::add_all(const Hdf5Layout& other) {
  groups_.insert(groups_.end(), other.groups_.begin(), other.groups_.end());
  datasets_.insert(datasets_.end(), other.datasets_.begin(), other.datasets_.end());
  attributes_.insert(attributes_.end(), other.attributes_.begin(), other.attributes_.end());
}

Hdf5Plan Hdf5Layout::draw(const std::string& target) const {
  prepare_library();
  Scratch scratch(target);
  Hdf5Plan plan;
  Handle file = create_file(scratch.path(), user_block_);
  if (!file.good()) throw IoError(escape_for_terminal(target) + ": cannot be prepared" + library_reason());
  scratch.forget_name();
  Drawing drawing(file.get());
  for (const Dataset& dataset : datasets_) {
    const std::uint64_t bytes =
        dataset.is_string ? dataset.string_bytes : checked_bytes(dataset.shape, dataset.type, in_quotes(dataset.path));
    // HDF5 has no strings of length 0. An empty one is a NUL, which is part of the skeleton.
    const Handle type = dataset.is_string ? utf8_string_type(std::max<std::size_t>(dataset.string_bytes, 1))
                                          : file_type_of(dataset.type);
    plan.places.push_back({drawing.make_dataset(dataset.path, type.get(), dataset.shape, bytes == 0), bytes});
  }
  for (const std::string& group : groups_) drawing.make_group(group);
  for (const Attribute& attribute : attributes_) {
    drawing.make_attribute(attribute.object, attribute.name, attribute.value);
  }
  if (!file.close()) throw IoError(escape_for_terminal(target) + ": cannot be prepared" + library_reason());
  plan.file_bytes = file_size(scratch.file(), "layout");
  for (const DatasetPlace& place : plan.places) {
    plan.file_bytes = std::max(plan.file_bytes, place.offset + place.bytes);
  }
  plan.skeleton = read_skeleton(scratch, plan);
  return plan;
}

std::string hdf5_version() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
}

}  // namespace rapt
