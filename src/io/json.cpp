#include "io/json.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "io/escape.h"
#include "io/file.h"
#include "tensor/error.h"

namespace rapt {
namespace {

// Iterates over the text and stores in *position how many bytes the parser has consumed, so that an event knows its
// position.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* position) : at_(at), position_(position) {}
  const char& operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*position_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* position_;
};

// Sits between the parser and a handler: rejects excessive depth and duplicate keys, and words the parser's errors.
class StrictEvents final : public nlohmann::json_sax<Json> {
 public:
  StrictEvents(std::string_view text, std::string_view name, int depth, nlohmann::json_sax<Json>& handler)
      : text_(text), name_(name), depth_limit_(depth), handler_(handler) {}

  void run() {
    // The parser treats a NUL as the end of the text and would not look at what follows.
    if (const std::size_t nul = text_.find('\0'); nul != std::string_view::npos) {
      fail(nul + 1, "malformed JSON: a NUL byte");
    }
    const char* begin = text_.data();
    Json::sax_parse(CountingIterator(begin, &position_), CountingIterator(begin + text_.size(), &position_), this,
                    nlohmann::detail::input_format_t::json, /*strict=*/true);
  }

  bool null() override { return handler_.null(); }
  bool boolean(bool value) override { return handler_.boolean(value); }
  bool number_integer(std::int64_t value) override { return handler_.number_integer(value); }
  bool number_unsigned(std::uint64_t value) override { return handler_.number_unsigned(value); }
  bool number_float(double value, const std::string& text) override { return handler_.number_float(value, text); }
  bool string(std::string& value) override { return handler_.string(value); }
  bool binary(Json::binary_t& value) override { return handler_.binary(value); }

  bool start_object(std::size_t elements) override {
    enter();
    keys_.emplace_back();
    return handler_.start_object(elements);
  }
  bool key(std::string& value) override {
    keys_.back().push_back({value, position_});
    return handler_.key(value);
  }
  bool end_object() override {
    refuse_duplicates(keys_.back());
    keys_.pop_back();
    --depth_;
    return handler_.end_object();
  }
  bool start_array(std::size_t elements) override {
    enter();
    return handler_.start_array(elements);
  }
  bool end_array() override {
    --depth_;
    return handler_.end_array();
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing value - ..."
    std::string what = error.what();
    const std::size_t column = what.find(", column ");
    const std::size_t colon = column == std::string::npos ? std::string::npos : what.find(": ", column);
    if (colon != std::string::npos) {
      what.erase(0, colon + 2);
    } else if (const std::size_t bracket = what.find("] "); bracket != std::string::npos) {
      what.erase(0, bracket + 2);
    }
    // The parser quotes everything it read of the current token, which may be megabytes.
    constexpr std::size_t kLongest = 240;
    if (what.size() > kLongest) what = what.substr(0, kLongest / 2) + " ... " + what.substr(what.size() - kLongest / 2);
    fail(position, "malformed JSON: " + escape_for_terminal(what));
  }

 private:
  struct Key {
    std::string text;
    std::size_t position;
  };

  void enter() {
    if (++depth_ > depth_limit_) {
      fail(position_, "malformed JSON: nested deeper than " + std::to_string(depth_limit_) + " levels");
    }
  }

  // Sorting instead of hashing: no choice of keys makes it slow.
  void refuse_duplicates(std::vector<Key>& keys) const {
    std::sort(keys.begin(), keys.end(),
              [](const Key& a, const Key& b) { return std::tie(a.text, a.position) < std::tie(b.text, b.position); });
    const auto twice =
        std::adjacent_find(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.text == b.text; });
    if (twice != keys.end()) {
      const Key& second = *std::next(twice);
      fail(second.position, "key " + in_quotes(second.text) + " occurs twice in the same object");
    }
  }

  [[noreturn]] void fail(std::size_t position, const std::string& what) const {
    const std::string_view before = text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
    throw DataError(escape_for_terminal(name_) + ": line " + std::to_string(line) + ", column " +
                    std::to_string(column) + ": " + what);
  }

  std::string_view text_;
  std::string_view name_;
  int depth_limit_;
  int depth_ = 0;
  nlohmann::json_sax<Json>& handler_;
  std::size_t position_ = 0;
  std::vector<std::vector<Key>> keys_;
};

// Builds the tree. Keys are known to be unique, so pairs are appended without the map's own search through all earlier
// ones. With that search, a vocabulary of 50,000 entries would take seconds.
class TreeBuilder final : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }

  bool null() override { return put(Json(nullptr)); }
  bool boolean(bool value) override { return put(Json(value)); }
  bool number_integer(std::int64_t value) override { return put(Json(value)); }
  bool number_unsigned(std::uint64_t value) override { return put(Json(value)); }
  bool number_float(double value, const std::string& /*text*/) override { return put(Json(value)); }
  bool string(std::string& value) override { return put(Json(std::move(value))); }
  bool binary(Json::binary_t& value) override { return put(Json::binary(std::move(value))); }
  bool key(std::string& value) override {
    key_ = std::move(value);
    return true;
  }
  bool start_object(std::size_t /*elements*/) override { return open(Json(Json::value_t::object)); }
  bool start_array(std::size_t /*elements*/) override { return open(Json(Json::value_t::array)); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool put(Json&& value) {
    place(std::move(value));
    return true;
  }
  bool open(Json&& container) {
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  // A container's address stays valid while it is open, because its siblings come only after it has been closed.
  Json* place(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      auto& items = parent.get_ref<Json::array_t&>();
      items.push_back(std::move(value));
      return &items.back();
    }
    std::vector<std::pair<const std::string, Json>>& pairs = parent.get_ref<Json::object_t&>();
    pairs.emplace_back(std::move(key_), std::move(value));
    return &pairs.back().second;
  }

  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

}  // namespace

void parse_json_events(std::string_view text, std::string_view name, nlohmann::json_sax<Json>& handler,
                       const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    throw DataError(escape_for_terminal(name) + ": JSON must be at most " + std::to_string(limits.bytes) +
                    " bytes, got " + std::to_string(text.size()));
  }
  StrictEvents(text, name, limits.depth, handler).run();
}

Json parse_json(std::string_view text, std::string_view name, const JsonLimits& limits) {
  TreeBuilder builder;
  parse_json_events(text, name, builder, limits);
  return builder.take();
}

Json read_json_file(const std::string& path, const JsonLimits& limits) {
  return parse_json(read_file(path, {.max_bytes = limits.bytes}), path, limits);
}

static std::string dump(const Json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const nlohmann::detail::type_error& error) {
    throw std::invalid_argument("json: a string to be written must be UTF-8, got " + escape_for_terminal(error.what()));
  }
}

std::string dump_compact(const Json& value) { return dump(value, -1); }

std::string dump_pretty(const Json& value) { return dump(value, 2) + '\n'; }

std::string describe(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array of " + std::to_string(value.size());
    case Json::value_t::string:
      return in_quotes(value.get_ref<const std::string&>());
    default:
      return value.dump();
  }
}

JsonFields::JsonFields(const Json& object, std::string name, std::string path)
    : object_(&object), name_(std::move(name)), path_(std::move(path)) {
  if (!object.is_object()) {
    const std::string subject = path_.empty() ? "the file's value" : in_quotes(path_);
    throw DataError(escape_for_terminal(name_) + ": " + subject + " must be an object, got " + describe(object));
  }
}

bool JsonFields::has(std::string_view key) const { return object_->find(std::string(key)) != object_->end(); }

bool JsonFields::has_value(std::string_view key) const {
  const auto found = object_->find(std::string(key));
  return found != object_->end() && !found->is_null();
}

std::string JsonFields::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

void JsonFields::refuse(std::string_view key, std::string_view what) const {
  throw DataError(escape_for_terminal(name_) + ": " + in_quotes(path_of(key)) + " must be " + std::string(what) +
                  ", got " + describe(at(key)));
}

const Json& JsonFields::at(std::string_view key) const {
  const auto found = object_->find(std::string(key));
  if (found == object_->end()) {
    throw DataError(escape_for_terminal(name_) + ": " + in_quotes(path_of(key)) + " is missing");
  }
  return *found;
}

JsonFields JsonFields::object(std::string_view key) const { return JsonFields(at(key), name_, path_of(key)); }

const Json& JsonFields::array(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_array()) refuse(key, "an array");
  return value;
}

static bool fits_int64(const Json& value) {
  if (!value.is_number_integer()) return false;
  return !value.is_number_unsigned() ||
         value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

std::int64_t JsonFields::integer(std::string_view key) const {
  const Json& value = at(key);
  if (!fits_int64(value)) refuse(key, "an integer");
  return value.get<std::int64_t>();
}

std::int64_t JsonFields::positive_integer(std::string_view key) const {
  const Json& value = at(key);
  if (!fits_int64(value) || value.get<std::int64_t>() < 1) refuse(key, "a positive integer");
  return value.get<std::int64_t>();
}

std::int64_t JsonFields::integer_between(std::string_view key, std::int64_t smallest, std::int64_t largest) const {
  const Json& value = at(key);
  if (!fits_int64(value) || value.get<std::int64_t>() < smallest || value.get<std::int64_t>() > largest) {
    refuse(key, "an integer from " + std::to_string(smallest) + " to " + std::to_string(largest));
  }
  return value.get<std::int64_t>();
}

double JsonFields::number(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_number()) refuse(key, "a number");
  return value.get<double>();
}

bool JsonFields::boolean(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_boolean()) refuse(key, "true or false");
  return value.get<bool>();
}

std::string JsonFields::string(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_string()) refuse(key, "a string");
  return value.get<std::string>();
}

std::vector<std::string> JsonFields::strings(std::string_view key) const {
  std::vector<std::string> out;
  for (const Json& item : array(key)) {
    if (!item.is_string()) {
      throw DataError(escape_for_terminal(name_) + ": " + in_quotes(path_of(key)) + " must hold only strings, got " +
                      describe(item));
    }
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::int64_t JsonFields::integer_or(std::string_view key, std::int64_t fallback) const {
  return has_value(key) ? integer(key) : fallback;
}

std::int64_t JsonFields::positive_integer_or(std::string_view key, std::int64_t fallback) const {
  return has_value(key) ? positive_integer(key) : fallback;
}

double JsonFields::number_or(std::string_view key, double fallback) const {
  return has_value(key) ? number(key) : fallback;
}

bool JsonFields::boolean_or(std::string_view key, bool fallback) const {
  return has_value(key) ? boolean(key) : fallback;
}

std::string JsonFields::string_or(std::string_view key, std::string fallback) const {
  return has_value(key) ? string(key) : std::move(fallback);
}

}  // namespace rapt
