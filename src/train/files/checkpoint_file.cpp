#include "train/files/checkpoint_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "io/crc32c.h"
#include "io/durable_file.h"
#include "io/escape.h"
#include "io/hdf5_stream.h"
#include "tensor/error.h"

namespace rapt {

constexpr std::size_t kHeaderBytes = 512;
constexpr std::string_view kMagic = "RAPTCKPT";

// Offsets of the header's fields.
constexpr std::size_t kFormatAt = 8, kLengthAt = 16, kBodyCrcAt = 24, kHeaderCrcAt = 508;

constexpr std::array<std::string_view, 5> kTextNames = {"config", "tokenizer", "tokenizer_source", "tokenizer_target",
                                                        "manifest"};

using Header = std::array<char, kHeaderBytes>;

template <typename T>
static void put(Header& header, std::size_t at, T value) {
  std::memcpy(header.data() + at, &value, sizeof value);
}

template <typename T>
static T get(const Header& header, std::size_t at) {
  T value{};
  std::memcpy(&value, header.data() + at, sizeof value);
  return value;
}

static Header make_header(std::uint64_t body_bytes, std::uint32_t body_crc) {
  Header header{};
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  put(header, kFormatAt, kCheckpointFormat);
  put(header, kLengthAt, body_bytes);
  put(header, kBodyCrcAt, body_crc);
  put(header, kHeaderCrcAt, crc32c(header.data(), kHeaderCrcAt));
  return header;
}

static bool is_text_name(const std::string& name) {
  return std::find(kTextNames.begin(), kTextNames.end(), name) != kTextNames.end();
}

// model/<name> or optimizer/<part>/<name>: parameter names have dots, not slashes.
static bool is_tensor_name(const std::string& name) {
  const auto slashes = std::count(name.begin(), name.end(), '/');
  return (name.rfind("model/", 0) == 0 && slashes == 1) || (name.rfind("optimizer/", 0) == 0 && slashes == 2);
}

void write_checkpoint(const std::string& path, const CheckpointContents& contents) {
  Hdf5Layout layout(kHeaderBytes);
  for (const NamedTensorView& tensor : contents.tensors) {
    if (!is_tensor_name(tensor.name)) {
      throw std::invalid_argument("checkpoint: a tensor must be named model/... or optimizer/part/..., got " +
                                  in_quotes(tensor.name));
    }
    layout.add_dataset(tensor.name, element_type_of(tensor.dtype), tensor.shape);
  }
  for (const auto& [name, text] : contents.texts) {
    if (!is_text_name(name)) throw std::invalid_argument("checkpoint: unknown text " + in_quotes(name));
    if (text.find('\0') != std::string::npos) throw std::invalid_argument("checkpoint: NUL in text " + in_quotes(name));
    layout.add_string(name, text.size());
  }
  layout.add_group("state");
  for (const auto& [name, value] : contents.state) layout.add_attribute("state", name, value);

  const Hdf5Plan plan = layout.draw(path);
  DurableFile file(path, plan.file_bytes);
  file.append_zeros(kHeaderBytes);
  file.restart_crc();
  write_hdf5(file, plan, [&](std::size_t index, const ByteSink& sink) {
    if (index < contents.tensors.size()) {
      sink(contents.tensors[index].data, plan.places[index].bytes);
    } else {
      const std::string& text = contents.texts[index - contents.tensors.size()].second;
      sink(text.data(), text.size());
    }
  });
  const Header header = make_header(file.size() - kHeaderBytes, file.crc());
  file.overwrite(0, header.data(), header.size());
  file.commit();
}

Dim CheckpointFile::Tensor::count() const {
  Dim product = 1;
  for (const Dim dim : shape) product *= dim;
  return product;
}

CheckpointFile::CheckpointFile(const std::string& path) : path_(path), file_(open_regular_file(path)) {
  verify();
  take(read_hdf5_contents(MappedFile(file_, path_).bytes(), path_, kHeaderBytes));
}

void CheckpointFile::refuse(const std::string& what) const {
  throw DataError(escape_for_terminal(path_) + ": " + what);
}

static std::string hex(std::uint32_t value) { return fmt::format("{:08x}", value); }

void CheckpointFile::verify() {
  static const char* const kAdvice = "; use another checkpoint of the run, or the copy this one came from";
  bytes_ = file_size(file_, path_);
  Header header{};
  read_at(file_, path_, 0, header.data(), static_cast<std::size_t>(std::min<std::uint64_t>(bytes_, header.size())));
  if (std::string_view(header.data(), kMagic.size()) != kMagic) {
    refuse("not a rapt checkpoint: must begin with " + std::string(kMagic) + ", got " +
           in_quotes(std::string_view(header.data(), std::min<std::uint64_t>(bytes_, kMagic.size()))));
  }
  if (bytes_ < kHeaderBytes) {
    refuse("the checkpoint is truncated: must be at least 512 bytes, got " + std::to_string(bytes_) + kAdvice);
  }
  const auto stored = get<std::uint32_t>(header, kHeaderCrcAt), computed = crc32c(header.data(), kHeaderCrcAt);
  if (stored != computed) {
    refuse("the checkpoint's header is damaged: checksum must be " + hex(stored) + ", got " + hex(computed) + kAdvice);
  }
  format_ = get<std::uint32_t>(header, kFormatAt);
  if (format_ == 0 || format_ > kCheckpointFormat) {
    refuse("checkpoint format " + std::to_string(format_) + " is newer than this rapt, which reads up to " +
           std::to_string(kCheckpointFormat) + "; use a newer rapt");
  }
  const auto body_bytes = get<std::uint64_t>(header, kLengthAt);
  if (body_bytes != bytes_ - kHeaderBytes) {
    const std::uint64_t whole = body_bytes + kHeaderBytes;
    refuse(std::string(whole > bytes_ ? "the checkpoint is truncated" : "the checkpoint has bytes added to it") +
           ": must be " + std::to_string(whole) + " bytes, got " + std::to_string(bytes_) + kAdvice);
  }
  crc_ = 0;
  std::string buffer(std::size_t{1} << 20U, '\0');
  for (std::uint64_t at = kHeaderBytes; at < bytes_; at += buffer.size()) {
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), bytes_ - at)));
    read_at(file_, path_, at, buffer.data(), buffer.size());
    crc_ = crc32c(buffer.data(), buffer.size(), crc_);
  }
  const auto body_crc = get<std::uint32_t>(header, kBodyCrcAt);
  if (body_crc != crc_) {
    refuse("the checkpoint is damaged: checksum must be " + hex(body_crc) + ", got " + hex(crc_) + kAdvice);
  }
}

static DType dtype_of_dataset(const Hdf5Contents::Dataset& dataset, const std::string& path) {
  switch (dataset.type) {
    case ElementType::kF32:
      return DType::kF32;
    case ElementType::kF64:
      return DType::kF64;
    case ElementType::kBF16:
      return DType::kBF16;
    case ElementType::kI32:
      return DType::kI32;
    default:
      throw DataError(escape_for_terminal(path) + ": " + in_quotes(dataset.path) +
                      " must be of type F32, F64, BF16 or I32, got " + name_of(dataset.type));
  }
}

void CheckpointFile::take(Hdf5Contents contents) {
  for (Hdf5Contents::Dataset& dataset : contents.datasets) {
    if (dataset.is_string && is_text_name(dataset.path)) {
      texts_.push_back(std::move(dataset));
    } else if (!dataset.is_string && is_tensor_name(dataset.path)) {
      const DType dtype = dtype_of_dataset(dataset, path_);
      tensors_.push_back({std::move(dataset.path), dtype, std::move(dataset.shape), dataset.place});
    } else {
      refuse("a checkpoint has no " + in_quotes(dataset.path));
    }
  }
  for (const std::string& group : contents.groups) {
    const bool of_optimizer = group.rfind("optimizer/", 0) == 0 && std::count(group.begin(), group.end(), '/') == 1;
    if (group != "model" && group != "optimizer" && group != "state" && !of_optimizer) {
      refuse("a checkpoint has no group " + in_quotes(group));
    }
  }
  for (Hdf5Contents::Attribute& attribute : contents.attributes) {
    if (attribute.object != "state") refuse("a checkpoint has no attribute " + in_quotes(attribute.name) + " there");
    state_.emplace_back(std::move(attribute.name), std::move(attribute.value));
  }
  std::sort(tensors_.begin(), tensors_.end(), [](const Tensor& a, const Tensor& b) { return a.name < b.name; });
  std::sort(state_.begin(), state_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

std::vector<std::string> CheckpointFile::texts() const {
  std::vector<std::string> names;
  for (const auto& text : texts_) names.push_back(text.path);
  return names;
}

bool CheckpointFile::has_text(const std::string& name) const {
  return std::any_of(texts_.begin(), texts_.end(), [&](const auto& text) { return text.path == name; });
}

std::string CheckpointFile::text(const std::string& name) const {
  const auto found = std::find_if(texts_.begin(), texts_.end(), [&](const auto& text) { return text.path == name; });
  if (found == texts_.end()) refuse("the checkpoint has no " + in_quotes(name));
  std::string bytes(found->place.bytes, '\0');
  read_at(file_, path_, found->place.offset, bytes.data(), bytes.size());
  bytes.resize(bytes.find_last_not_of('\0') + 1);
  return bytes;
}

const CheckpointFile::Tensor* CheckpointFile::find_tensor(const std::string& name) const {
  const auto found = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                      [](const Tensor& tensor, const std::string& key) { return tensor.name < key; });
  return found == tensors_.end() || found->name != name ? nullptr : &*found;
}

void CheckpointFile::read_into(const std::string& name, DType dtype, void* to, Dim count) const {
  const Tensor* tensor = find_tensor(name);
  if (tensor == nullptr) refuse("the checkpoint has no tensor " + in_quotes(name));
  if (tensor->dtype != dtype || tensor->count() != count) {
    refuse("tensor " + in_quotes(name) + " must have " + std::to_string(count) + " elements of " +
           name_of(element_type_of(dtype)) + ", got " + shape_text(tensor->shape) + " of " +
           name_of(element_type_of(tensor->dtype)));
  }
  read_at(file_, path_, tensor->place.offset, to, tensor->place.bytes);
}

bool CheckpointFile::has_state(const std::string& name) const {
  return std::any_of(state_.begin(), state_.end(), [&](const auto& entry) { return entry.first == name; });
}

const StateValue& CheckpointFile::state_value(const std::string& name) const {
  for (const auto& [key, value] : state_) {
    if (key == name) return value;
  }
  refuse("the checkpoint's state has no " + in_quotes(name));
}

std::int64_t CheckpointFile::state_integer(const std::string& name) const {
  const auto* value = std::get_if<std::int64_t>(&state_value(name));
  if (value == nullptr) refuse("state " + in_quotes(name) + " must be an integer");
  return *value;
}

double CheckpointFile::state_number(const std::string& name) const {
  const auto* value = std::get_if<double>(&state_value(name));
  if (value == nullptr) refuse("state " + in_quotes(name) + " must be a floating-point number");
  return *value;
}

std::string CheckpointFile::state_text(const std::string& name) const {
  const auto* value = std::get_if<std::string>(&state_value(name));
  if (value == nullptr) refuse("state " + in_quotes(name) + " must be text");
  return *value;
}

}  // namespace rapt
