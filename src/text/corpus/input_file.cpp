#include "text/corpus/input_file.h"

#include "io/escape.h"

namespace rapt {

InputFile describe(const Input& input) {
  return {.name = escape_for_terminal(input.name()), .bytes = input.bytes(), .digest = digest_of(input)};
}

Json to_json(const InputFile& file) { return {{"name", file.name}, {"bytes", file.bytes}, {"xxh3_128", file.digest}}; }

InputFile input_file_from(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  return {.name = fields.string("name"),
          .bytes = static_cast<std::uint64_t>(fields.integer("bytes")),
          .digest = fields.string("xxh3_128")};
}

}  // namespace rapt
