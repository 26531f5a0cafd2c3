// Reads the contents of HDF5 files written from an Hdf5Layout: groups, datasets and attributes, with links and
// attributes inside the object headers (not in heaps and trees). HDF5 File Format Specification Version 3.0, sections
// IV.A.2 and III.E. Every read is bounds-checked; anything unknown is rejected. libhdf5 is not used, because it crashes
// on malicious files.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

#include "io/escape.h"
#include "io/hdf5.h"
#include "io/hdf5_fields.h"
#include "io/hdf5_headers.h"

namespace rapt {
namespace {

using namespace hdf5_fields;

constexpr std::size_t kHighestRank = 8;
constexpr int kDeepestGroup = 8;
constexpr std::size_t kMostObjects = 1U << 18U;
constexpr std::size_t kLongestText = 60000;

struct Link {
  std::string name;
  std::uint64_t address;
};

struct Dataspace {
  enum Kind : std::uint8_t { kScalar = 0, kSimple = 1 } kind;
  std::vector<Dim> shape;
};

class Reader {
 public:
  explicit Reader(Headers headers) : headers_(std::move(headers)) {}

  Hdf5Contents run() {
    const std::uint64_t root = guarded("the HDF5 part", [&] { return headers_.root(); });
    visit(root, "", 0);
    refuse_overlaps();
    return std::move(contents_);
  }

 private:
  [[noreturn]] void refuse(const std::string& object, const std::string& what) const { headers_.refuse(object, what); }

  template <typename Read>
  std::invoke_result_t<Read> guarded(const std::string& subject, Read&& read) const {
    try {
      return read();
    } catch (const Truncated&) {
      refuse(subject, "is damaged: a field lies beyond its end");
    }
  }

  void visit(std::uint64_t address, const std::string& path, int depth) {
    const std::string subject = path.empty() ? "the root group" : in_quotes(path);
    // Two names of one object would be copied into two tensors, or traversed in a cycle.
    if (!seen_.insert(address).second) refuse(subject, "is linked a second time");
    if (seen_.size() > kMostObjects) {
      refuse("the file", "must hold at most " + std::to_string(kMostObjects) + " objects");
    }
    const std::vector<Message> messages = guarded(subject, [&] { return headers_.messages(address, subject); });
    const auto has = [&](std::uint8_t type) {
      return std::any_of(messages.begin(), messages.end(), [&](const Message& m) { return m.type == type; });
    };
    if (has(kReferenceCount)) refuse(subject, "is linked a second time");
    if (has(kLayout) == has(kLinkInfo)) refuse(subject, "must be a group or a dataset");
    if (has(kLayout)) {
      guarded(subject, [&] { take_dataset(messages, path, subject); });
    } else {
      if (depth > kDeepestGroup) refuse(subject, "is nested deeper than " + std::to_string(kDeepestGroup) + " groups");
      if (!path.empty()) contents_.groups.push_back(path);
    }
    guarded(subject, [&] { take_attributes(messages, path, subject); });
    if (has(kLayout)) return;
    const std::vector<Link> links = guarded(subject, [&] { return read_links(messages, path, subject); });
    for (const Link& link : links) visit(link.address, child_path(path, link.name), depth + 1);
  }

  static std::string child_path(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + '/' + name;
  }

  std::vector<Link> read_links(const std::vector<Message>& messages, const std::string& path,
                               const std::string& subject) const {
    std::vector<Link> links;
    for (const Message& message : messages) {
      if (message.type == kLinkInfo) {
        require_no_heap(message, 8, subject);
      } else if (message.type == kLink) {
        links.push_back(read_link(message, path, subject));
      } else if (message.type != kGroupInfo && message.type != kAttribute && message.type != kAttributeInfo) {
        refuse(subject, "has a message of type " + std::to_string(message.type) + ", which no group has");
      }
    }
    std::sort(links.begin(), links.end(), [](const Link& a, const Link& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(links.begin(), links.end(), [](const Link& a, const Link& b) { return a.name == b.name; });
    if (twice != links.end()) refuse(in_quotes(child_path(path, twice->name)), "occurs twice");
    return links;
  }

  // Link info and attribute info: flags say whether a creation index of the given width comes before the heap's
  // address.
  void require_no_heap(const Message& message, std::size_t index_width, const std::string& subject) const {
    Cursor cursor(message.data);
    cursor.u8();
    if ((cursor.u8() & 1U) != 0) cursor.take(index_width);
    if (cursor.u64() != kUndefined) refuse(subject, "must have its links and attributes in its header, got a heap");
  }

  Link read_link(const Message& message, const std::string& path, const std::string& subject) const {
    Cursor cursor(message.data);
    const std::uint8_t version = cursor.u8(), flags = cursor.u8();
    if (message.shared || version != 1) refuse(subject, "has a link of an unknown version");
    const std::uint8_t kind = (flags & 8U) != 0 ? cursor.u8() : 0;
    if ((flags & 4U) != 0) cursor.take(8);   // creation order
    if ((flags & 16U) != 0) cursor.take(1);  // character set: UTF-8 and ASCII look the same
    Link link{std::string(cursor.take(cursor.number(std::size_t{1} << (flags & 3U)))), 0};
    const std::string label = in_quotes(child_path(path, link.name));
    if (link.name.empty() || link.name == "." || link.name.find('/') != std::string::npos ||
        link.name.find('\0') != std::string::npos) {
      refuse(label, "has an invalid name");
    }
    if (kind != 0) refuse(label, "must be a hard link, got a soft or external one");
    link.address = cursor.u64();
    return link;
  }

  void take_dataset(const std::vector<Message>& messages, const std::string& path, const std::string& subject) {
    const auto find = [&](std::uint8_t type) -> const Message* {
      const Message* found = nullptr;
      for (const Message& message : messages) {
        if (message.type != type) continue;
        if (found != nullptr) refuse(subject, "has a duplicate message");
        found = &message;
      }
      return found;
    };
    if (find(kExternalFiles) != nullptr) refuse(subject, "must not have its data in another file");
    const Message *layout = find(kLayout), *space = find(kDataspace), *type = find(kDatatype);
    if (space == nullptr || type == nullptr) refuse(subject, "has no shape or no type");
    Cursor place(layout->data);
    const std::uint8_t version = place.u8(), kind = place.u8();
    if ((version != 3 && version != 4) || kind != 1) {
      refuse(subject, "must be stored contiguously, got chunks, a virtual dataset or a compact one");
    }
    if (find(kFilters) != nullptr) refuse(subject, "must not be compressed or filtered");
    for (const Message& message : messages) {
      constexpr std::array<std::uint8_t, 7> kKnown = {kDataspace, kDatatype,  kFillOld,      kFill,
                                                      kLayout,    kAttribute, kAttributeInfo};
      if (std::find(kKnown.begin(), kKnown.end(), message.type) == kKnown.end()) {
        refuse(subject, "has a message of type " + std::to_string(message.type) + ", which no dataset of rapt's has");
      }
    }
    if (type->shared || space->shared) refuse(subject, "must have a type of its own");

    Hdf5Contents::Dataset found;
    found.path = path;
    found.shape = read_dataspace(space->data, subject).shape;
    read_dataset_type(type->data, found, subject);
    const std::uint64_t address = place.u64(), stored = place.u64();
    if (found.place.bytes > 0) place_dataset(found, address, stored, subject);
    contents_.datasets.push_back(std::move(found));
  }

  void place_dataset(Hdf5Contents::Dataset& found, std::uint64_t address, std::uint64_t stored,
                     const std::string& subject) const {
    if (address == kUndefined) refuse(subject, "has no data");
    const std::uint64_t size = headers_.bytes();
    if (address > size || found.place.bytes > size - address) {
      refuse(subject, "of " + readable_bytes(found.place.bytes) + " at byte " + std::to_string(address) +
                          " does not fit the file of " + readable_bytes(headers_.file_bytes()));
    }
    if (stored != found.place.bytes) {
      refuse(subject, "must have " + std::to_string(found.place.bytes) + " bytes, got " + std::to_string(stored));
    }
    found.place.offset = headers_.base() + address;
  }

  Dataspace read_dataspace(std::string_view data, const std::string& subject) const {
    Cursor cursor(data);
    const std::uint8_t version = cursor.u8(), rank = cursor.u8();
    cursor.u8();  // whether maximal sizes follow
    const std::uint8_t kind = cursor.u8();
    if (version != 2 || kind > Dataspace::kSimple || (kind == Dataspace::kScalar && rank != 0) || rank > kHighestRank) {
      refuse(subject, "must have a shape of at most " + std::to_string(kHighestRank) + " dimensions");
    }
    Dataspace space{static_cast<Dataspace::Kind>(kind), {}};
    for (std::uint8_t i = 0; i < rank; ++i) {
      // A size beyond 63 bits becomes negative, which checked_bytes rejects.
      space.shape.push_back(static_cast<Dim>(cursor.u64()));
    }
    return space;
  }

  void read_dataset_type(std::string_view data, Hdf5Contents::Dataset& found, const std::string& subject) const {
    if (is_variable_string(data) || (is_fixed_string(data) && !found.shape.empty())) {
      refuse(subject, "must be a single string of fixed length");
    }
    if (is_fixed_string(data)) {
      found.is_string = true;
      found.type = ElementType::kU8;
      found.place.bytes = Cursor(data.substr(4)).u32();
      return;
    }
    const std::optional<ElementType> known = number_type(data);
    if (!known) {
      refuse(subject, "must be of type F32, F64, I64, I32, U16, U8 or a string, little-endian, got another type");
    }
    found.type = *known;
    found.place.bytes = checked_bytes(found.shape, found.type, escape_for_terminal(headers_.path()) + ": " + subject);
  }

  void take_attributes(const std::vector<Message>& messages, const std::string& path, const std::string& subject) {
    std::vector<Hdf5Contents::Attribute> found;
    for (const Message& message : messages) {
      if (message.type == kAttributeInfo) require_no_heap(message, 2, subject);
      if (message.type == kAttribute) found.push_back(read_attribute(message, path, subject));
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != found.end()) refuse("attribute " + in_quotes(twice->name) + " of " + subject, "occurs twice");
    std::move(found.begin(), found.end(), std::back_inserter(contents_.attributes));
  }

  Hdf5Contents::Attribute read_attribute(const Message& message, const std::string& path,
                                         const std::string& subject) const {
    Cursor cursor(message.data);
    const std::uint8_t version = cursor.u8(), flags = cursor.u8();
    if (message.shared || version != 3 || flags != 0) refuse(subject, "has an attribute of an unknown version");
    const std::uint64_t name_bytes = cursor.u16(), type_bytes = cursor.u16(), space_bytes = cursor.u16();
    cursor.u8();  // character set of the name
    const std::string_view name = cursor.take(name_bytes);
    const std::string_view type = cursor.take(type_bytes), space = cursor.take(space_bytes);
    Hdf5Contents::Attribute attribute{path, std::string(name.substr(0, name.find('\0'))), std::int64_t{0}};
    const std::string label = "attribute " + in_quotes(attribute.name) + " of " + subject;
    if (read_dataspace(space, label).kind != Dataspace::kScalar) refuse(label, "must be a single value");
    attribute.value = read_value(type, cursor, label);
    return attribute;
  }

  Hdf5Value read_value(std::string_view type, Cursor data, const std::string& label) const {
    if (is_variable_string(type)) return read_heap_text(data, label);
    if (is_fixed_string(type)) {
      const std::string_view text = data.take(Cursor(type.substr(4)).u32());
      return std::string(text.substr(0, text.find('\0')));
    }
    const std::optional<ElementType> known = number_type(type);
    if (known == ElementType::kI64) return static_cast<std::int64_t>(data.u64());
    if (known == ElementType::kF64) {
      double value = 0;
      std::memcpy(&value, data.take(8).data(), 8);
      return value;
    }
    refuse(label, "must be of type I64, F64 or a string, got another type");
  }

  // Text of variable length is in a global heap collection (III.E), under an index.
  std::string read_heap_text(Cursor place, const std::string& label) const {
    const std::uint64_t length = place.u32(), address = place.u64(), index = place.u32();
    if (length == 0) return {};
    if (length > kLongestText) refuse(label, "is too long");
    Cursor head(headers_.at(address, 16));
    if (head.take(4) != "GCOL" || head.u8() != 1) refuse(label, "is damaged: its text is not at its place");
    head.take(3);
    const std::uint64_t collection_bytes = head.u64();
    if (collection_bytes < 16) throw Truncated{};
    Cursor objects(headers_.at(address, collection_bytes).substr(16));
    while (objects.left() >= 16) {
      const std::uint64_t found = objects.u16();
      objects.take(6);
      const std::uint64_t bytes = objects.u64();
      if (found == 0) break;  // the free space at the end
      if (found == index) {
        if (bytes < length) throw Truncated{};
        return std::string(objects.take(length));
      }
      if (bytes > objects.left()) throw Truncated{};
      objects.take(std::min<std::uint64_t>((bytes + 7) / 8 * 8, objects.left()));
    }
    refuse(label, "is damaged: its text is not at its place");
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

  Headers headers_;
  Hdf5Contents contents_;
  std::set<std::uint64_t> seen_;
};

}  // namespace

const Hdf5Contents::Dataset* Hdf5Contents::find(const std::string& path) const {
  const auto found = std::find_if(datasets.begin(), datasets.end(), [&](const auto& d) { return d.path == path; });
  return found == datasets.end() ? nullptr : &*found;
}

Hdf5Contents read_hdf5_contents(std::span<const std::byte> file, const std::string& path, std::uint64_t user_block) {
  return Reader(Headers(file, path, user_block)).run();
}

}  // namespace rapt
