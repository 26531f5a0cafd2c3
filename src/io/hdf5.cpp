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
#include <system_error>

#include "io/escape.h"
#include "io/file.h"
#include "tensor/error.h"

namespace rapt {
namespace {

constexpr std::size_t kLongestAttribute = 60000;  // libhdf5 limits a compact attribute to 64 KiB with its header
constexpr int kHighestRank = 8;
constexpr int kDeepestGroup = 8;
constexpr std::size_t kMostObjects = 1U << 18U;

// An HDF5 id that closes itself: a leaked one can crash the library at exit.
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
  // Closes now; false if that failed, which is when a file's last bytes are written.
  bool close() { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_ = -1;
  herr_t (*close_)(hid_t) = nullptr;
};

void prepare_library() {
  // Before any other call: the library's own clean-up at exit crashes after a write error.
  static const bool once = [] {
    H5dont_atexit();
    H5open();
    H5PLset_loading_state(0);
    return true;
  }();
  static_cast<void>(once);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // per thread: messages are ours, nothing is printed
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

hid_t file_type_of(ElementType type) {
  switch (type) {
    case ElementType::kF64:
      return H5T_IEEE_F64LE;
    case ElementType::kF32:
      return H5T_IEEE_F32LE;
    case ElementType::kI64:
      return H5T_STD_I64LE;
    case ElementType::kI32:
      return H5T_STD_I32LE;
    case ElementType::kU16:
      return H5T_STD_U16LE;
    case ElementType::kU8:
      return H5T_STD_U8LE;
    default:
      throw std::invalid_argument(std::string("hdf5: a dataset cannot be of type ") + name_of(type));
  }
}

constexpr std::array kStoredTypes = {ElementType::kF32, ElementType::kF64, ElementType::kI64,
                                     ElementType::kI32, ElementType::kU16, ElementType::kU8};

Handle utf8_string_type(std::size_t bytes) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), bytes);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  if (bytes != H5T_VARIABLE) H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  return type;
}

// ---------------------------------------------------------------------------------------------------------- drawing

// A sparse file of which only the touched pages exist: in memory, or beside the target where /dev/shm cannot be used.
class Scratch {
 public:
  explicit Scratch(const std::string& target) {
    for (const std::string& base : {std::string("/dev/shm/rapt-layout"), target}) {
      for (int n = 0; n < 1000; ++n) {
        path_ = base + ".tmp." + std::to_string(::getpid()) + '.' + std::to_string(n);
        file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (file_) return;
        if (errno != EEXIST) break;
      }
    }
    throw CannotCreateError(escape_for_terminal(target) +
                            ": cannot be created: " + std::generic_category().message(errno));
  }
  ~Scratch() { forget_name(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Removes the name; the file lives on in whoever has it open. Nothing stays behind, however the process ends.
  void forget_name() {
    if (!path_.empty()) ::unlink(path_.c_str());
    path_.clear();
  }
  const std::string& path() const { return path_; }
  const FileDescriptor& file() const { return file_; }

 private:
  FileDescriptor file_;
  std::string path_;
};

Handle create_file(const std::string& path, std::uint64_t user_block) {
  const Handle access = property_list(H5P_FILE_ACCESS), creation = property_list(H5P_FILE_CREATE);
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_alignment(access.get(), 1, 64);
  H5Pset_small_data_block_size(access.get(), 0);  // a dataset's place must not depend on whether it is small
  H5Pset_file_locking(access.get(), false, true);
  H5Pset_obj_track_times(creation.get(), false);
  if (user_block != 0 && H5Pset_userblock(creation.get(), user_block) < 0) {
    throw std::invalid_argument("hdf5: a user block must be 0 or a power of two from 512, got " +
                                std::to_string(user_block));
  }
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose};
}

// Draws one object after the other into an open file.
class Drawing {
 public:
  explicit Drawing(hid_t file) : file_(file), link_(property_list(H5P_LINK_CREATE)) {
    H5Pset_char_encoding(link_.get(), H5T_CSET_UTF8);
  }

  void make_group(const std::string& path) {
    if (path.empty() || made_.contains(path)) return;
    make_parent(path);
    const Handle creation = property_list(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(creation.get(), false);
    const Handle group(H5Gcreate2(file_, path.c_str(), link_.get(), creation.get(), H5P_DEFAULT), H5Gclose);
    if (!group.good()) cannot_draw("group", path);
    made_.insert(path);
  }

  // Gives the dataset's offset in the file.
  std::uint64_t make_dataset(const std::string& path, hid_t type, const std::vector<Dim>& shape, bool empty) {
    make_parent(path);
    const Handle creation = property_list(H5P_DATASET_CREATE);
    H5Pset_layout(creation.get(), H5D_CONTIGUOUS);
    H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(creation.get(), false);
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
    const Handle text_type = utf8_string_type(H5T_VARIABLE);  // what h5py reads as str
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
    // HDF5 has no strings of length 0: an empty one is a NUL, which is part of the skeleton.
    const Handle string_type = utf8_string_type(std::max<std::size_t>(dataset.string_bytes, 1));
    const hid_t type = dataset.is_string ? string_type.get() : file_type_of(dataset.type);
    plan.places.push_back({drawing.make_dataset(dataset.path, type, dataset.shape, bytes == 0), bytes});
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

// ---------------------------------------------------------------------------------------------------------- reading

namespace {

// Walks an open file and collects what is there; refuses whatever is not plainly understood.
class Walk {
 public:
  Walk(const std::string& path, std::uint64_t file_bytes) : path_(path), file_bytes_(file_bytes) {}

  Hdf5Contents run(hid_t file) {
    const Handle root(H5Oopen(file, "/", H5P_DEFAULT), H5Oclose);
    if (!root.good()) refuse("the root group", "cannot be opened" + library_reason());
    visit_object(root.get(), "", 0);
    refuse_overlaps();
    return std::move(contents_);
  }

 private:
  struct Link {
    std::string name;
    H5L_type_t type;
  };

  [[noreturn]] void refuse(const std::string& object, const std::string& what) const {
    throw DataError(escape_for_terminal(path_) + ": " + object + " " + what);
  }

  void visit_object(hid_t object, const std::string& path, int depth) {
    const std::string subject = path.empty() ? "the root group" : in_quotes(path);
    H5O_info_t info{};
    if (H5Oget_info2(object, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0) {
      refuse(subject, "cannot be read" + library_reason());
    }
    // Two names for one object would be copied into two tensors, or walked in circles.
    if (!seen_.insert(info.addr).second) refuse(subject, "is linked a second time");
    if (seen_.size() > kMostObjects) {
      refuse("the file", "must hold at most " + std::to_string(kMostObjects) + " objects");
    }
    if (info.type == H5O_TYPE_GROUP) {
      if (depth > kDeepestGroup) refuse(subject, "is nested deeper than " + std::to_string(kDeepestGroup) + " groups");
      if (!path.empty()) contents_.groups.push_back(path);
    } else if (info.type == H5O_TYPE_DATASET) {
      visit_dataset(object, path, subject);
    } else {
      refuse(subject, "must be a group or a dataset");
    }
    visit_attributes(object, path, subject);
    if (info.type == H5O_TYPE_GROUP) visit_links(object, path, subject, depth);
  }

  void visit_links(hid_t group, const std::string& path, const std::string& subject, int depth) {
    std::vector<Link> links;
    const auto collect = [](hid_t, const char* name, const H5L_info_t* info, void* out) -> herr_t {
      auto& list = *static_cast<std::vector<Link>*>(out);
      if (list.size() >= kMostObjects) return -1;
      list.push_back({name, info->type});
      return 0;
    };
    hsize_t position = 0;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &position, collect, &links) < 0) {
      refuse(subject, "cannot be listed" + library_reason());
    }
    for (const Link& link : links) {
      const std::string child_path = path.empty() ? link.name : path + '/' + link.name;
      if (link.name.empty() || link.name.find('/') != std::string::npos) {
        refuse(in_quotes(child_path), "has a name that is none");
      }
      if (link.type != H5L_TYPE_HARD) refuse(in_quotes(child_path), "must be a hard link, got a soft or external one");
      const Handle child(H5Oopen(group, link.name.c_str(), H5P_DEFAULT), H5Oclose);
      if (!child.good()) refuse(in_quotes(child_path), "cannot be opened" + library_reason());
      visit_object(child.get(), child_path, depth + 1);
    }
  }

  void visit_dataset(hid_t dataset, const std::string& path, const std::string& subject) {
    const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
    if (!creation.good()) refuse(subject, "cannot be read" + library_reason());
    if (H5Pget_layout(creation.get()) != H5D_CONTIGUOUS) {
      refuse(subject, "must be stored contiguously, got chunks or a virtual dataset");
    }
    if (H5Pget_external_count(creation.get()) != 0) refuse(subject, "must not have its data in another file");
    if (H5Pget_nfilters(creation.get()) != 0) refuse(subject, "must not be compressed or filtered");

    Hdf5Contents::Dataset found;
    found.path = path;
    found.shape = shape_of(dataset, subject);
    const Handle type(H5Dget_type(dataset), H5Tclose);
    if (!type.good() || H5Tcommitted(type.get()) != 0) refuse(subject, "must have a type of its own");
    if (H5Tget_class(type.get()) == H5T_STRING) {
      if (H5Tis_variable_str(type.get()) != 0 || !found.shape.empty()) {
        refuse(subject, "must be a single string of fixed length");
      }
      found.is_string = true;
      found.type = ElementType::kU8;
      found.place.bytes = H5Tget_size(type.get());
    } else {
      found.type = element_type(type.get(), subject);
      found.place.bytes = checked_bytes(found.shape, found.type, escape_for_terminal(path_) + ": " + subject);
    }
    if (found.place.bytes > 0) {
      const haddr_t offset = H5Dget_offset(dataset);
      if (offset == HADDR_UNDEF) refuse(subject, "has no data");
      if (offset > file_bytes_ || found.place.bytes > file_bytes_ - offset) {
        refuse(subject, "of " + readable_bytes(found.place.bytes) + " at byte " + std::to_string(offset) +
                            " does not fit the file of " + readable_bytes(file_bytes_));
      }
      found.place.offset = offset;
    }
    contents_.datasets.push_back(std::move(found));
  }

  std::vector<Dim> shape_of(hid_t dataset, const std::string& subject) const {
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const H5S_class_t kind = space.good() ? H5Sget_simple_extent_type(space.get()) : H5S_NO_CLASS;
    if (kind == H5S_SCALAR) return {};
    const int rank = kind == H5S_SIMPLE ? H5Sget_simple_extent_ndims(space.get()) : -1;
    if (rank < 0 || rank > kHighestRank) {
      refuse(subject, "must have a shape of at most " + std::to_string(kHighestRank) + " dimensions");
    }
    std::array<hsize_t, H5S_MAX_RANK> dims{};
    H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
    std::vector<Dim> shape;
    for (int i = 0; i < rank; ++i) {
      const hsize_t dim = dims[static_cast<std::size_t>(i)];
      // What does not fit becomes negative, which checked_bytes refuses.
      shape.push_back(static_cast<Dim>(dim));
    }
    return shape;
  }

  ElementType element_type(hid_t type, const std::string& subject) const {
    for (const ElementType candidate : kStoredTypes) {
      if (H5Tequal(type, file_type_of(candidate)) > 0) return candidate;
    }
    refuse(subject, "must be of type F32, F64, I64, I32, U16, U8 or a string, little-endian, got another");
  }

  void visit_attributes(hid_t object, const std::string& path, const std::string& subject) {
    std::vector<std::string> names;
    const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
      auto& list = *static_cast<std::vector<std::string>*>(out);
      if (list.size() >= kMostObjects) return -1;
      list.emplace_back(name);
      return 0;
    };
    hsize_t position = 0;
    if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &position, collect, &names) < 0) {
      refuse(subject, "has attributes that cannot be listed" + library_reason());
    }
    for (const std::string& name : names) {
      const std::string label = "attribute " + in_quotes(name) + " of " + subject;
      contents_.attributes.push_back({path, name, attribute_value(object, name, label)});
    }
  }

  Hdf5Value attribute_value(hid_t object, const std::string& name, const std::string& label) const {
    const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
    if (!attribute.good()) refuse(label, "cannot be opened" + library_reason());
    const Handle space(H5Aget_space(attribute.get()), H5Sclose), type(H5Aget_type(attribute.get()), H5Tclose);
    if (!space.good() || !type.good()) refuse(label, "cannot be read" + library_reason());
    if (H5Sget_simple_extent_type(space.get()) != H5S_SCALAR) refuse(label, "must be a single value");
    if (H5Tcommitted(type.get()) != 0) refuse(label, "must have a type of its own");
    const auto read = [&](hid_t memory_type, void* to) {
      if (H5Aread(attribute.get(), memory_type, to) < 0) refuse(label, "cannot be read" + library_reason());
    };
    if (H5Tequal(type.get(), H5T_STD_I64LE) > 0) {
      std::int64_t value = 0;
      read(H5T_NATIVE_INT64, &value);
      return value;
    }
    if (H5Tequal(type.get(), H5T_IEEE_F64LE) > 0) {
      double value = 0;
      read(H5T_NATIVE_DOUBLE, &value);
      return value;
    }
    if (H5Tget_class(type.get()) != H5T_STRING) refuse(label, "must be of type I64, F64 or a string, got another");
    return string_value(attribute.get(), type.get(), label);
  }

  std::string string_value(hid_t attribute, hid_t type, const std::string& label) const {
    const Handle memory_type(H5Tcopy(type), H5Tclose);
    if (H5Tis_variable_str(type) > 0) {
      char* text = nullptr;
      if (H5Aread(attribute, memory_type.get(), &text) < 0) refuse(label, "cannot be read" + library_reason());
      std::string value = text == nullptr ? "" : text;
      H5free_memory(text);
      if (value.size() > kLongestAttribute) refuse(label, "is too long");
      return value;
    }
    const std::size_t bytes = H5Tget_size(type);
    if (bytes > kLongestAttribute) refuse(label, "is too long");
    std::string value(bytes, '\0');
    if (H5Aread(attribute, memory_type.get(), value.data()) < 0) refuse(label, "cannot be read" + library_reason());
    value.resize(value.find('\0') == std::string::npos ? bytes : value.find('\0'));
    return value;
  }

  void refuse_overlaps() const {
    std::vector<const Hdf5Contents::Dataset*> order;
    for (const auto& dataset : contents_.datasets) {
      if (dataset.place.bytes > 0) order.push_back(&dataset);
    }
    std::sort(order.begin(), order.end(),
              [](const auto* a, const auto* b) { return a->place.offset < b->place.offset; });
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (order[i]->place.offset - order[i - 1]->place.offset < order[i - 1]->place.bytes) {
        refuse(in_quotes(order[i]->path), "overlaps " + in_quotes(order[i - 1]->path));
      }
    }
  }

  const std::string& path_;
  std::uint64_t file_bytes_;
  Hdf5Contents contents_;
  std::set<haddr_t> seen_;
};

}  // namespace

const Hdf5Contents::Dataset* Hdf5Contents::find(const std::string& path) const {
  const auto found = std::find_if(datasets.begin(), datasets.end(), [&](const auto& d) { return d.path == path; });
  return found == datasets.end() ? nullptr : &*found;
}

// Lends mapped memory to libhdf5 as the "image" of a file: its copies all give the same pointer and its frees do
// nothing.
static Handle open_image(std::span<const std::byte> image, hid_t access) {
  H5FD_file_image_callbacks_t lend{};
  lend.image_malloc = [](std::size_t, H5FD_file_image_op_t, void* data) { return data; };
  lend.image_memcpy = [](void* to, const void*, std::size_t, H5FD_file_image_op_t, void*) { return to; };
  lend.image_realloc = [](void*, std::size_t, H5FD_file_image_op_t, void*) -> void* { return nullptr; };
  lend.image_free = [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; };
  lend.udata_copy = [](void* data) { return data; };
  lend.udata_free = [](void*) -> herr_t { return 0; };
  void* data = const_cast<std::byte*>(image.data());
  lend.udata = data;
  const bool ready = H5Pset_fapl_core(access, 1, false) >= 0 && H5Pset_file_image_callbacks(access, &lend) >= 0 &&
                     H5Pset_file_image(access, data, image.size()) >= 0;
  return {ready ? H5Fopen("image", H5F_ACC_RDONLY, access) : -1, H5Fclose};
}

Hdf5Contents read_hdf5_contents(std::span<const std::byte> file, const std::string& path, std::uint64_t user_block) {
  prepare_library();
  const std::string subject = escape_for_terminal(path);
  const Handle access = property_list(H5P_FILE_ACCESS);
  const Handle opened = file.empty() ? Handle() : open_image(file, access.get());
  if (!opened.good()) throw DataError(subject + ": not a readable HDF5 file" + library_reason());
  const Handle creation(H5Fget_create_plist(opened.get()), H5Pclose);
  hsize_t found_block = 0;
  H5Pget_userblock(creation.get(), &found_block);
  if (found_block != user_block) {
    throw DataError(subject + ": must have a user block of " + std::to_string(user_block) + " bytes, got " +
                    std::to_string(found_block));
  }
  return Walk(path, file.size()).run(opened.get());
}

std::string hdf5_version() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
}

}  // namespace rapt
