// JSON from untrusted files: a strict parser, typed reads whose errors name file and key, and output that is the same
// bytes for the same value.
//
// nlohmann's own parser silently takes the last of two equal keys and allows any depth, on which its copy and dump then
// overflow the stack. Parsing here therefore uses its events (SAX) and rejects both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/types.h"

namespace rapt {

/// Objects keep the order of the file. Looking up a key is linear in the size of the object: iterate over large ones (a
/// vocabulary).
using Json = nlohmann::ordered_json;

struct JsonLimits {
  std::size_t bytes = std::size_t{256} << 20U;
  int depth = 64;
};

/// Parses one JSON value. `name` (a file name) begins every message.
///
/// \throws DataError  with line and column: not JSON, a duplicate key in an object, nested deeper than limits.depth,
///                    text after the value, a string that is not UTF-8; or larger than limits.bytes
Json parse_json(std::string_view text, std::string_view name, const JsonLimits& limits = {});

/// The same as events, for input that is too large or too untrusted for a tree (the safetensors header). The handler
/// sees only values that passed the checks above, but duplicate keys of an object are found when it ends. Exceptions of
/// the handler pass through.
void parse_json_events(std::string_view text, std::string_view name, nlohmann::json_sax<Json>& handler,
                       const JsonLimits& limits = {});

/// Parses a whole file; errors as read_file and parse_json.
Json read_json_file(const std::string& path, const JsonLimits& limits = {});

/// Without white space. Numbers have the fewest digits that read back as the same bits; NaN and infinity become null.
/// \throws std::invalid_argument  if a string is not UTF-8
std::string dump_compact(const Json& value);

/// Indented by two spaces, with a newline at the end: the format of files.
std::string dump_pretty(const Json& value);

/// "\"twelve\"", "3.5", "null", "an object": the value as a message shows it.
std::string describe(const Json& value);

/// Typed reads from one JSON object of a file. Messages name the file and the key's path:
///
///     config.json: "n_layer" must be a positive integer, got "twelve"
///     tokenizer.json: "model.vocab" is missing
///
/// Keeps a reference: the Json must outlive it. For the `..._or` reads, a null key counts as absent.
class JsonFields {
 public:
  /// \throws DataError  if `object` is not an object
  JsonFields(const Json& object, std::string name, std::string path = "");

  bool has(std::string_view key) const;           ///< present, possibly null
  bool has_value(std::string_view key) const;     ///< present and not null
  const Json& at(std::string_view key) const;     ///< \throws DataError if missing
  JsonFields object(std::string_view key) const;  ///< \throws DataError if missing or not an object
  const Json& array(std::string_view key) const;  ///< \throws DataError if missing or not an array

  /// Each throws DataError if the key is missing or has another type. 2.0 is not an integer.
  std::int64_t integer(std::string_view key) const;
  std::int64_t positive_integer(std::string_view key) const;
  std::int64_t integer_between(std::string_view key, std::int64_t smallest, std::int64_t largest) const;
  double number(std::string_view key) const;
  bool boolean(std::string_view key) const;
  std::string string(std::string_view key) const;
  std::vector<std::string> strings(std::string_view key) const;

  /// The same with a default for a key that is missing or null.
  std::int64_t integer_or(std::string_view key, std::int64_t fallback) const;
  std::int64_t positive_integer_or(std::string_view key, std::int64_t fallback) const;
  double number_or(std::string_view key, double fallback) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  std::string string_or(std::string_view key, std::string fallback) const;

  const Json& json() const { return *object_; }
  const std::string& name() const { return name_; }
  std::string path_of(std::string_view key) const;

  /// Throws the DataError `<name>: "<path>" must be <what>, got <value>`; for the caller's own checks.
  [[noreturn]] void refuse(std::string_view key, std::string_view what) const;

 private:
  const Json* object_;
  std::string name_;
  std::string path_;
};

}  // namespace rapt
