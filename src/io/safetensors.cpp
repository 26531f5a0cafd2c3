#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "io/durable_file.h"
#include "io/escape.h"
#include "io/json.h"
#include "tensor/error.h"

namespace rapt {

static constexpr std::uint64_t kLengthBytes = 8;
static constexpr std::uint64_t kLongestHeader = 100'000'000;  // the reference implementation's limit
static constexpr std::size_t kMostTensors = 65536;
static constexpr std::size_t kHighestRank = 8;

static constexpr std::array kTypes = {ElementType::kF64,  ElementType::kF32, ElementType::kF16,
                                      ElementType::kBF16, ElementType::kI64, ElementType::kI32,
                                      ElementType::kU16,  ElementType::kU8,  ElementType::kBool};

namespace {

// Builds the list of tensors directly from the parser's events: a tree of a 100 MB header would take gigabytes.
class HeaderEvents final : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderEvents(const std::string& path) : path_(path) {}

  std::vector<SafetensorsEntry> tensors;  // offsets relative to the data
  SafetensorsMetadata metadata;

  bool null() override { refuse_value("null"); }
  bool boolean(bool value) override { refuse_value(value ? "true" : "false"); }
  bool number_float(double /*value*/, const std::string& text) override { refuse_value(text); }
  bool number_integer(std::int64_t value) override { refuse_value(std::to_string(value)); }
  bool binary(Json::binary_t& /*value*/) override { refuse_value("bytes"); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  bool number_unsigned(std::uint64_t value) override {
    if (where_ == Where::kShape || where_ == Where::kOffsets) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        refuse_value(std::to_string(value));
      }
      numbers_.push_back(static_cast<Dim>(value));
      const std::size_t most = where_ == Where::kShape ? kHighestRank : 2;
      if (numbers_.size() > most) {
        refuse_tensor(in_quotes(key_) + " must have " + (where_ == Where::kShape ? "at most 8" : "2") + " numbers");
      }
      return true;
    }
    refuse_value(std::to_string(value));
  }

  bool string(std::string& value) override {
    if (where_ == Where::kMetadata) {
      metadata[key_] = std::move(value);
      return true;
    }
    if (where_ == Where::kTensor && key_ == "dtype") {
      const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](ElementType t) { return value == name_of(t); });
      if (known == kTypes.end()) {
        refuse_tensor("dtype must be F64, F32, F16, BF16, I64, I32, U16, U8 or BOOL, got " + in_quotes(value));
      }
      type_ = *known;
      return true;
    }
    refuse_value(in_quotes(value));
  }

  bool key(std::string& value) override {
    if (where_ == Where::kTop) {
      name_ = std::move(value);
      return true;
    }
    key_ = std::move(value);
    if (where_ == Where::kTensor && key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") {
      refuse_tensor("must have dtype, shape and data_offsets, got " + in_quotes(key_));
    }
    return true;
  }

  bool start_object(std::size_t /*elements*/) override {
    if (where_ == Where::kBefore) {
      where_ = Where::kTop;
    } else if (where_ == Where::kTop && name_ == "__metadata__") {
      where_ = Where::kMetadata;
    } else if (where_ == Where::kTop) {
      where_ = Where::kTensor;
      type_.reset();
      shape_.reset();
      offsets_.reset();
    } else {
      refuse_value("an object");
    }
    return true;
  }

  bool end_object() override {
    if (where_ == Where::kTensor) finish_tensor();
    where_ = where_ == Where::kTop ? Where::kAfter : Where::kTop;
    return true;
  }

  bool start_array(std::size_t /*elements*/) override {
    if (where_ != Where::kTensor || key_ == "dtype") refuse_value("an array");
    where_ = key_ == "shape" ? Where::kShape : Where::kOffsets;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    (where_ == Where::kShape ? shape_ : offsets_) = numbers_;
    where_ = Where::kTensor;
    return true;
  }

 private:
  enum class Where { kBefore, kTop, kMetadata, kTensor, kShape, kOffsets, kAfter };

  void finish_tensor() {
    if (!type_ || !shape_ || !offsets_) refuse_tensor("must have dtype, shape and data_offsets, one is missing");
    if (offsets_->size() != 2) refuse_tensor("\"data_offsets\" must have 2 numbers");
    const Dim begin = (*offsets_)[0], end = (*offsets_)[1];
    const std::string offsets = "data_offsets " + shape_text(*offsets_);
    if (begin > end) refuse_tensor(offsets + " must not end before they begin");
    SafetensorsEntry entry{name_, *type_, *shape_, static_cast<std::uint64_t>(begin),
                           static_cast<std::uint64_t>(end - begin)};
    const std::uint64_t needed = checked_bytes(entry.shape, entry.type, subject());
    if (entry.bytes != needed) {
      refuse_tensor(offsets + " cover " + std::to_string(entry.bytes) + " bytes but shape " + shape_text(entry.shape) +
                    ' ' + name_of(entry.type) + " needs " + std::to_string(needed) +
                    "; the file is damaged or not a safetensors file");
    }
    if (tensors.size() >= kMostTensors) {
      throw DataError(escape_for_terminal(path_) + ": must have at most " + std::to_string(kMostTensors) + " tensors");
    }
    tensors.push_back(std::move(entry));
  }

  std::string subject() const { return escape_for_terminal(path_) + ": tensor " + in_quotes(name_); }
  [[noreturn]] void refuse_tensor(const std::string& what) const { throw DataError(subject() + ": " + what); }

  // A value of the wrong kind for its place.
  [[noreturn]] void refuse_value(const std::string& got) const {
    switch (where_) {
      case Where::kBefore:
      case Where::kAfter:
        throw DataError(escape_for_terminal(path_) + ": the header must be an object, got " + got);
      case Where::kTop:
        refuse_tensor("must be an object, got " + got);
      case Where::kMetadata:
        throw DataError(escape_for_terminal(path_) + ": __metadata__ " + in_quotes(key_) + " must be a string, got " +
                        got);
      case Where::kTensor:
        refuse_tensor(in_quotes(key_) + " must be " + (key_ == "dtype" ? "a string" : "an array") + ", got " + got);
      case Where::kShape:
      case Where::kOffsets:
        refuse_tensor(in_quotes(key_) + " must hold non-negative integers, got " + got);
    }
    throw BugError("safetensors: unknown place in the header");
  }

  const std::string& path_;
  Where where_ = Where::kBefore;
  std::string name_, key_;
  std::vector<Dim> numbers_;
  std::optional<ElementType> type_;
  std::optional<std::vector<Dim>> shape_, offsets_;
};

}  // namespace

static std::string read_header(const FileDescriptor& file, const std::string& path, std::uint64_t file_bytes) {
  const std::string subject = escape_for_terminal(path);
  if (file_bytes < kLengthBytes) {
    throw DataError(subject + ": not a safetensors file: must be at least 8 bytes, got " + std::to_string(file_bytes));
  }
  std::uint64_t length = 0;
  read_at(file, path, 0, &length, sizeof length);
  if (length > kLongestHeader) {
    throw DataError(subject + ": not a safetensors file: the header must be at most " + std::to_string(kLongestHeader) +
                    " bytes, got " + std::to_string(length));
  }
  if (length > file_bytes - kLengthBytes) {
    throw DataError(subject + ": the header of " + std::to_string(length) + " bytes does not fit the file of " +
                    std::to_string(file_bytes) + "; the file is truncated or not a safetensors file");
  }
  std::string header(length, '\0');
  read_at(file, path, kLengthBytes, header.data(), header.size());
  return header;
}

// Tensors sorted by offset must be adjacent, without gaps or overlaps, from the first byte of the data to the last.
static void check_coverage(const std::vector<SafetensorsEntry>& tensors, std::uint64_t data_bytes,
                           const std::string& path) {
  std::uint64_t at = 0;
  for (const SafetensorsEntry& tensor : tensors) {
    if (tensor.offset != at) {
      throw DataError(escape_for_terminal(path) + ": tensor " + in_quotes(tensor.name) +
                      ": data_offsets must begin at " + std::to_string(at) + ", where the one before ends, got " +
                      std::to_string(tensor.offset) + "; the file is damaged or not a safetensors file");
    }
    at += tensor.bytes;
  }
  if (at != data_bytes) {
    throw DataError(escape_for_terminal(path) + ": the tensors must cover all data, " + std::to_string(data_bytes) +
                    " bytes, got " + std::to_string(at) +
                    (at > data_bytes ? "; the file is truncated" : "; the file is damaged or not a safetensors file"));
  }
}

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path), file_(open_regular_file(path)) {
  const std::uint64_t file_bytes = file_size(file_, path_);
  const std::string header = read_header(file_, path_, file_bytes);
  HeaderEvents events(path_);
  parse_json_events(header, path_, events, {.bytes = kLongestHeader, .depth = 8});
  tensors_ = std::move(events.tensors);
  metadata_ = std::move(events.metadata);
  std::sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) {
    return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
  });
  const std::uint64_t data_at = kLengthBytes + header.size();
  check_coverage(tensors_, file_bytes - data_at, path_);
  for (SafetensorsEntry& tensor : tensors_) tensor.offset += data_at;
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(),
            [&](std::size_t a, std::size_t b) { return tensors_[a].name < tensors_[b].name; });
}

const SafetensorsEntry* SafetensorsFile::find(const std::string& name) const {
  const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                      [&](std::size_t i, const std::string& key) { return tensors_[i].name < key; });
  return found == by_name_.end() || tensors_[*found].name != name ? nullptr : &tensors_[*found];
}

std::string SafetensorsFile::read_bytes(const SafetensorsEntry& tensor) const {
  std::string bytes(tensor.bytes, '\0');
  read_at(file_, path_, tensor.offset, bytes.data(), bytes.size());
  return bytes;
}

void SafetensorsFile::read_f32(const SafetensorsEntry& tensor, std::span<float> to) const {
  if (static_cast<Dim>(to.size()) != tensor.count()) {
    throw DataError(escape_for_terminal(path_) + ": tensor " + in_quotes(tensor.name) + " must have " +
                    std::to_string(to.size()) + " elements, got " + shape_text(tensor.shape));
  }
  if (tensor.type == ElementType::kF32) {
    read_at(file_, path_, tensor.offset, to.data(), tensor.bytes);
    return;
  }
  constexpr std::size_t kPiece = std::size_t{1} << 17U;  // elements
  const std::size_t element = size_of(tensor.type);
  std::string stored(std::min(kPiece, to.size()) * element, '\0');
  for (std::size_t at = 0; at < to.size(); at += kPiece) {
    const std::size_t count = std::min(kPiece, to.size() - at);
    read_at(file_, path_, tensor.offset + at * element, stored.data(), count * element);
    convert_to_f32(tensor.type, stored.data(), to.data() + at, count);
  }
}

// ---------------------------------------------------------------------------------------------------------- writing

// Indices in the order of the reference implementation: decreasing alignment of the type, then name. The reference
// orders types of the same size by its list of types, in which F64 comes after I64 and F32 after I32.
static std::vector<std::size_t> data_order(const std::vector<SafetensorsSpec>& tensors) {
  constexpr std::array kRising = {ElementType::kBool, ElementType::kU8,   ElementType::kU16,
                                  ElementType::kF16,  ElementType::kBF16, ElementType::kI32,
                                  ElementType::kF32,  ElementType::kF64,  ElementType::kI64};
  const auto rank = [&](ElementType type) { return std::find(kRising.begin(), kRising.end(), type); };
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto rank_a = rank(tensors[a].type), rank_b = rank(tensors[b].type);
    return rank_a != rank_b ? rank_a > rank_b : tensors[a].name < tensors[b].name;
  });
  return order;
}

static std::string make_header(const std::vector<SafetensorsSpec>& tensors, const std::vector<std::size_t>& order,
                               const SafetensorsMetadata& metadata, std::uint64_t& data_bytes) {
  Json::object_t entries;
  auto& pairs = static_cast<std::vector<std::pair<const std::string, Json>>&>(entries);
  if (!metadata.empty()) pairs.emplace_back("__metadata__", metadata);
  data_bytes = 0;
  for (const std::size_t index : order) {
    const SafetensorsSpec& tensor = tensors[index];
    const std::uint64_t begin = data_bytes;
    data_bytes += checked_bytes(tensor.shape, tensor.type, "safetensors: " + in_quotes(tensor.name));
    Json entry;
    entry["dtype"] = name_of(tensor.type);
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = {begin, data_bytes};
    pairs.emplace_back(tensor.name, std::move(entry));
  }
  std::string header = dump_compact(Json(std::move(entries)));
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

static void check_names(const std::vector<SafetensorsSpec>& tensors) {
  std::vector<std::string> names;
  for (const SafetensorsSpec& tensor : tensors) names.push_back(tensor.name);
  names.emplace_back("__metadata__");
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    throw std::invalid_argument("safetensors: tensor names must be unique, got " + in_quotes(*twice) + " twice");
  }
}

void write_safetensors(const std::string& path, const std::vector<SafetensorsSpec>& tensors, const FillDataset& fill,
                       const SafetensorsMetadata& metadata) {
  check_names(tensors);
  const std::vector<std::size_t> order = data_order(tensors);
  std::uint64_t data_bytes = 0;
  const std::string header = make_header(tensors, order, metadata, data_bytes);
  if (header.size() > kLongestHeader) throw std::invalid_argument("safetensors: the header is too long");
  const std::uint64_t length = header.size();
  DurableFile out(path, kLengthBytes + length + data_bytes);
  out.append(&length, sizeof length);
  out.append(header);
  for (const std::size_t index : order) {
    const std::uint64_t bytes = checked_bytes(tensors[index].shape, tensors[index].type, "safetensors");
    const std::uint64_t end = out.size() + bytes;
    if (bytes > 0) fill(index, [&](const void* data, std::size_t count) { out.append(data, count); });
    if (out.size() != end) {
      throw BugError("safetensors: tensor " + in_quotes(tensors[index].name) + " must get " + std::to_string(bytes) +
                     " bytes, got " + std::to_string(out.size() + bytes - end));
    }
  }
  out.commit();
}

void write_safetensors(const std::string& path, const std::vector<NamedTensorView>& tensors,
                       const SafetensorsMetadata& metadata) {
  std::vector<SafetensorsSpec> specs;
  for (const NamedTensorView& tensor : tensors) {
    specs.push_back({tensor.name, element_type_of(tensor.dtype), tensor.shape});
  }
  const FillDataset fill = [&](std::size_t index, const ByteSink& sink) {
    sink(tensors[index].data, checked_bytes(specs[index].shape, specs[index].type, "safetensors"));
  };
  write_safetensors(path, specs, fill, metadata);
}

}  // namespace rapt
